/** C compilers as oracles: the values of expressions, given the headers. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Compiler {
  readonly command: string;
  readonly architecture: 'x64' | 'arm64';
}

/** This machine's own, the one for the other architecture, and musl's; each where it is installed. */
export const compilers: readonly (Compiler & { readonly isPresent: boolean })[] = [
  { command: 'gcc', architecture: process.arch === 'arm64' ? 'arm64' : 'x64' } as const,
  { command: 'aarch64-linux-gnu-gcc', architecture: 'arm64' } as const,
  { command: 'musl-gcc', architecture: process.arch === 'arm64' ? 'arm64' : 'x64' } as const,
].map((compiler) => ({
  ...compiler,
  isPresent: process.platform === 'linux' && spawnSync(compiler.command, ['--version']).status === 0,
}));

/**
 * Each expression's value, as 32 bits, which the compiler must know: the assembly is read, not run, so that it may be another
 * machine's. An undefined macro gives `undefined`.
 */
export function evaluateInC(
  { command }: Compiler,
  headers: readonly string[],
  expressions: readonly string[],
): (number | undefined)[] {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-c-'));
  try {
    const source = join(directory, 'values.c');
    const assembly = join(directory, 'values.s');
    writeFileSync(source, programText(headers, expressions));
    execFileSync(command, ['-w', '-S', '-O0', '-o', assembly, source]);
    return valuesIn(readFileSync(assembly, 'utf8'), expressions.length);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function programText(headers: readonly string[], expressions: readonly string[]): string {
  const marks = expressions.map((expression, index) => {
    const mark = `__asm__ volatile ("value ${index} %c0" :: "i" ((int)(${expression})));`;
    // An enumerator is no macro: only names in capitals can be asked for.
    return /^[A-Z][A-Z0-9_]*$/.test(expression) ? `#ifdef ${expression}\n${mark}\n#endif` : mark;
  });
  return [
    '#define _GNU_SOURCE',
    '#include <stddef.h>',
    ...headers.map((header) => `#include <${header}>`),
    'void values(void) {',
    ...marks,
    '}',
  ].join('\n');
}

function valuesIn(assembly: string, count: number): (number | undefined)[] {
  const values: (number | undefined)[] = Array.from({ length: count }, () => undefined);
  for (const [, index, value] of assembly.matchAll(/^\s*value (\d+) (-?\d+)/gm)) {
    values[Number(index)] = Number(value);
  }
  return values;
}
