import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { kustomizeCodes } from '../../src/diagnostics/codes/kustomize.ts';

it.each(Object.entries(kustomizeCodes))('%s has a page with its title', (code, title) => {
  const page = readFileSync(resolve(import.meta.dirname, `../../docs/diagnostics/${code}.md`), 'utf8');
  expect(page.startsWith(`# ${code}: ${title}\n`)).toBe(true);
  expect(page).toContain('## What to do');
});
