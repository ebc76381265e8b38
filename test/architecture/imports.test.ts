import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Folders of src/, from what knows everything to what knows nothing. An import may only go to a later row. */
const rows: readonly (readonly string[])[] = [
  ['cli'],
  ['laptop'],
  ['check', 'verify', 'cluster', 'ingress', 'ports', 'observe'],
  ['kustomize', 'argocd', 'dataplane'],
  ['kubernetes'],
  ['yaml', 'files'],
  ['diagnostics'],
];

const sourceRoot = resolve(import.meta.dirname, '../../src');

function sourceFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(directory, name));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const pattern = /(?:from|import)\s*\(?\s*'([^']+)'|new URL\('([^']+)',\s*import\.meta\.url\)/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? '');
}

const folderOf = (file: string) => relative(sourceRoot, file).split('/')[0] ?? '';
const rowOf = (folder: string) => rows.findIndex((row) => row.includes(folder));

describe('imports in src/', () => {
  const files = sourceFiles(sourceRoot);

  it('know every folder', () => {
    const unknown = files.map(folderOf).filter((folder) => rowOf(folder) < 0);
    expect(unknown).toEqual([]);
  });

  it('go one way, and into another folder only through its index', () => {
    const offences: string[] = [];
    for (const file of files) {
      for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
        const target = resolve(dirname(file), specifier);
        const [from, to] = [folderOf(file), folderOf(target)];
        // Files of the package outside of src/ (its package.json, a built worker) are read, not imported.
        if (from === to || to === '..') continue;
        const direct = relative(sourceRoot, target) !== `${to}/index.ts`;
        if (rowOf(to) <= rowOf(from) || direct) {
          offences.push(`${relative(sourceRoot, file)} -> ${relative(sourceRoot, target)}`);
        }
      }
    }
    expect(offences).toEqual([]);
  });

  it('reach native code only from src/dataplane/native, and the terminal only from src/cli', () => {
    const offences = files.filter((file) => {
      const place = relative(sourceRoot, file);
      const text = readFileSync(file, 'utf8');
      const ffi = importsOf(file).includes('koffi') || /import\('koffi'\)/.test(text);
      const prints = /(?<![.\w])process\.(stdout|stderr|exit)\b|\bconsole\./.test(text);
      return (ffi && !place.startsWith('dataplane/native/')) || (prints && !place.startsWith('cli/'));
    });
    expect(offences.map((file) => relative(sourceRoot, file))).toEqual([]);
  });
});
