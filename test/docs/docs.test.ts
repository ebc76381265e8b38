import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memoryFileSystem } from '../../src/files/index.ts';
import { readSettings } from '../../src/laptop/settings.ts';

const root = resolve(import.meta.dirname, '../..');

function markdownFiles(): string[] {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'));
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  );
  return [...top, ...docs.map((name) => join('docs', name))].sort();
}

interface Fence {
  readonly file: string;
  readonly language: string;
  readonly text: string;
}

function fencesOf(file: string): Fence[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', body = '']) => ({
    file,
    language,
    text: body,
  }));
}

const files = markdownFiles();
const fences = files.flatMap(fencesOf);

/** `sluice …` command lines of the shell examples, comments cut off. */
const commandLines = fences
  .filter(({ language }) => ['bash', 'sh', 'console'].includes(language))
  .flatMap(({ file, text }) =>
    text
      .replaceAll('\\\n', ' ')
      .split('\n')
      .map((line) =>
        line
          .replace(/^\$ /, '')
          .replace(/\s+#.*$/, '')
          .trim(),
      )
      // What follows `sluice kubectl` is kubectl's own.
      .filter((line) => /^(?:sluice|node bin\/sluice\.js)\b(?! kubectl)/.test(line))
      .map((line) => ({ file, words: line.replace('node bin/sluice.js', 'sluice').split(/\s+/).slice(1) })),
  );

const helps = new Map<string, string>();
function helpOf(command: readonly string[]): string {
  const key = command.join(' ');
  const known = helps.get(key);
  if (known !== undefined) return known;
  const { stdout } = spawnSync(process.execPath, [join(root, 'bin/sluice.js'), ...command, '--help'], {
    encoding: 'utf8',
  });
  helps.set(key, stdout);
  return stdout;
}

describe('the documentation', () => {
  it.each(files)('%s links to files that exist', (file) => {
    const text = readFileSync(join(root, file), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
    const targets = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !/^[a-z]+:/.test(target));
    const missing = targets.filter((target) => !existsSync(resolve(root, dirname(file), target)));
    expect(missing).toEqual([]);
  });

  it.each(commandLines.map(({ file, words }) => [file, words.join(' '), words] as const))(
    '%s: `sluice %s` has a command and options that exist',
    (_, __, words) => {
      const options = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.split('=')[0] ?? '');
      const isSubcommand =
        /^\w/.test(words[1] ?? '') && helpOf([words[0] ?? '']).includes(`\n  ${words[1]} `);
      const command = words[0]?.startsWith('-') ? [] : words.slice(0, isSubcommand ? 2 : 1);
      const help = helpOf(command);
      expect(help).toContain(`Usage: ${['sluice', ...command].join(' ')}`);
      for (const option of options) expect(help).toMatch(new RegExp(`(?:^|\\s|,)${option}(?:\\s|,|$)`, 'm'));
    },
  );

  it('shows sluice.yaml files that are valid', () => {
    const settings = fences.filter(
      ({ language, text }) => language === 'yaml' && /^images:\n {2}\S/m.test(text) && /command:/.test(text),
    );
    expect(settings.length).toBeGreaterThan(0);
    for (const { file, text } of settings) {
      const { diagnostics } = readSettings('/tree', memoryFileSystem({ '/tree/sluice.yaml': text }), '/');
      expect({ file, diagnostics }).toEqual({ file, diagnostics: [] });
    }
  });

  it('names no place of one machine', () => {
    const offences = files.filter((file) =>
      /\/(?:home|root|work|tmp\/[a-z]+-\w{6})\//.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(offences.map((file) => relative(root, join(root, file)))).toEqual([]);
  });
});
