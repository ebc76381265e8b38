import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnosticCodes } from '../../src/diagnostics/index.ts';

const root = resolve(import.meta.dirname, '../..');
const pages = join(root, 'docs/diagnostics');
const codes = Object.entries(diagnosticCodes);

/** Everything the tests say, but for this file, which names codes without raising them. */
const testText = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ts|json|yaml)$/.test(name) && !name.endsWith('registry.test.ts'))
  .map((name) => readFileSync(join(root, 'test', name), 'utf8'))
  .join('\n');

describe('the registry of diagnostic codes', () => {
  it.each(codes)('%s has a page with its title and what to do', (code, title) => {
    const page = readFileSync(join(pages, `${code}.md`), 'utf8');
    expect(page.split('\n')[0]).toBe(`# ${code}: ${title}`);
    expect(page).toMatch(/what to do/i);
  });

  it('has no page for a code that is not in it', () => {
    const known = new Set(codes.map(([code]) => `${code}.md`));
    expect(readdirSync(pages).filter((name) => /^SL\d+\.md$/.test(name) && !known.has(name))).toEqual([]);
  });

  it.each(codes)('%s is raised by a test', (code) => {
    expect(testText.includes(code)).toBe(true);
  });
});
