/** Where static options come from: words of a command line, environment variables, a YAML or TOML file. */

import { parse as parseToml, TomlError } from 'smol-toml';
import type { Diagnostic, SourcePosition } from '../../diagnostics/index.ts';
import { readLocatedYaml } from '../../yaml/index.ts';
import { findOption } from './known-options.ts';

/** One word of a command line and where it was written. */
export interface LocatedArgument {
  readonly text: string;
  readonly position: SourcePosition;
}

/** One option with its value, from whichever source. */
export interface OptionValue {
  /** As it was written, for messages: `--ping.entrypoint`, `TRAEFIK_PING`, `ping.entryPoint`. */
  readonly written: string;
  readonly words: readonly string[];
  readonly value: string;
  readonly position: SourcePosition;
}

export interface ReadOptions {
  readonly values: readonly OptionValue[];
  readonly diagnostics: readonly Diagnostic[];
}

/** `--name=value`, `-name=value` or `--name value`; a switch may stand alone. As Traefik's paerser. */
export function optionsOfArguments(words: readonly LocatedArgument[]): OptionValue[] {
  const values: OptionValue[] = [];
  for (let index = 0; index < words.length; index++) {
    const { text, position } = words[index]!;
    const [name = '', ...rest] = text.replace(/^--?/, '').split('=');
    const option = { written: `--${name}`, words: name.split('.'), position };
    const next = words[index + 1];
    const takesNext = rest.length === 0 && next && !next.text.startsWith('-') && !isSwitch(option.words);
    if (takesNext) index++;
    values.push({ ...option, value: takesNext ? next.text : rest.length > 0 ? rest.join('=') : 'true' });
  }
  return values;
}

/** Whether the option may stand without a value, so that the next word is not taken for one. */
function isSwitch(words: readonly string[]): boolean {
  const found = findOption(words);
  return 'option' in found && (found.option.kind === 'flag' || found.option.kind === 'group');
}

const environmentPrefix = 'TRAEFIK_';

/** `TRAEFIK_ENTRYPOINTS_MYUDP_ADDRESS=:9998/udp`. */
export function optionsOfEnvironment(env: Readonly<Record<string, string | undefined>>): OptionValue[] {
  return Object.entries(env).flatMap(([name, value]): OptionValue[] => {
    if (!name.toUpperCase().startsWith(environmentPrefix) || value === undefined) return [];
    const words = name.slice(environmentPrefix.length).toLowerCase().split('_');
    const position = { file: `environment variable ${name}`, line: 1, column: 1 };
    return [{ written: name, words, value, position }];
  });
}

/** A file whose name ends in `.toml` is TOML, any other YAML. Never throws. */
export function optionsOfFile(text: string, file: string): ReadOptions {
  return file.endsWith('.toml') ? optionsOfToml(text, file) : optionsOfYaml(text, file);
}

function optionsOfYaml(text: string, file: string): ReadOptions {
  const { documents, diagnostics } = readLocatedYaml(text, file);
  const [document] = documents;
  if (!document) return { values: [], diagnostics };
  return { values: [...flatten(document.value, [], (path) => document.locate(path))], diagnostics };
}

function optionsOfToml(text: string, file: string): ReadOptions {
  try {
    const lines = text.split('\n');
    // The parser tells no positions: the first line that sets the last word of the path is named.
    const locate = (path: readonly string[]): SourcePosition => {
      const word = path.at(-1) ?? '';
      const line = lines.findIndex((one) =>
        new RegExp(`(^|[.\\s{,[])"?${escapePattern(word)}"?\\s*[=\\]]`).test(one),
      );
      return { file, line: Math.max(1, line + 1), column: 1 };
    };
    return { values: [...flatten(parseToml(text), [], locate)], diagnostics: [] };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const message = `this is not valid TOML: ${error.message.split('\n')[0]}`;
    const position = { file, line: error.line, column: error.column };
    return { values: [], diagnostics: [{ code: 'SL1002', severity: 'error', message, position }] };
  }
}

const escapePattern = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function* flatten(
  value: unknown,
  path: readonly string[],
  locate: (path: readonly string[]) => SourcePosition,
): Generator<OptionValue> {
  const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isGroup && Object.keys(value).length > 0) {
    for (const [key, inner] of Object.entries(value)) yield* flatten(inner, [...path, key], locate);
    return;
  }
  if (path.length === 0) return;
  yield { written: path.join('.'), words: path, value: textOf(value), position: locate(path) };
}

/** `ping: {}` switches it on, and so does `ping:` with nothing. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',');
  return typeof value === 'object' ? 'true' : String(value as string | number | boolean);
}
