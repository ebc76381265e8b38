import { describe, expect, it } from 'vitest';
import { formatObjects } from '../../../src/kustomize/index.ts';
import { topics } from '../cases/index.ts';
import type { CaseFiles } from '../cases/shared.ts';
import { hasKubectl, inPairs, oracleAnswer, ourAnswer, renderCase } from '../oracle.ts';
import { Random } from './generate.ts';
import { mutate } from './mutate.ts';
import { shrunkCase } from './shrink.ts';

/** How many damaged trees to render; a minute is some two hundred thousand. */
const count = Number(process.env.SLUICE_KUSTOMIZE_FUZZ ?? 400);
/** How many of them to compare with the oracle, which takes a fifth of a second each. */
const compared = Number(process.env.SLUICE_KUSTOMIZE_FUZZ_COMPARED ?? 0);
const first = Number(process.env.SLUICE_KUSTOMIZE_FIRST_SEED ?? 1);

const cases = Object.values(topics).flatMap((topic) => Object.values(topic));

function damagedTree(seed: number): CaseFiles {
  const random = new Random(seed);
  const files = random.pick(cases);
  const path = random.pick(Object.keys(files));
  return { ...files, [path]: mutate(files[path] ?? '', random) };
}

describe('damaged trees', () => {
  it(`are rendered or refused with a place, and nothing else (${count} seeds)`, {
    timeout: 24 * 3600_000,
  }, () => {
    for (let seed = first; seed < first + count; seed++) {
      const { objects, diagnostics } = renderCase(damagedTree(seed));
      const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
      if (errors.length === 0) formatObjects(objects);
      expect(errors.length === 0 || objects.length === 0, `seed ${seed}`).toBe(true);
      expect(
        errors.every((error) => error.position !== undefined),
        `seed ${seed}`,
      ).toBe(true);
    }
  });

  it.skipIf(!hasKubectl || compared === 0)(
    `are answered as kubectl kustomize answers them (${compared} seeds, needs kubectl)`,
    { timeout: 24 * 3600_000 },
    async () => {
      const different: string[] = [];
      const seeds = Array.from({ length: compared }, (_, index) => first + index);
      await inPairs(seeds, async (seed) => {
        const found = await shrunkCase(`damaged seed ${seed}`, damagedTree(seed), ourAnswer, oracleAnswer);
        if (found) different.push(found);
      });
      expect(different.join('\n\n')).toBe('');
    },
  );
});

describe('a text made to fill the memory', () => {
  const bomb = ['a: &ab [x, x, x, x, x, x, x, x, x, x]'];
  for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi']) {
    bomb.push(`${to}: &${to} [${Array.from({ length: 10 }, () => `*${from}`).join(', ')}]`);
  }

  it.each([
    [
      'aliases that expand exponentially',
      { 'object.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n${bomb.join('\n')}\n` },
    ],
    [
      'very deep nesting',
      { 'object.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: ${'['.repeat(100_000)}` },
    ],
    [
      'very deep indentation',
      {
        'object.yaml': `a:\n${Array.from({ length: 5000 }, (_, depth) => `${' '.repeat(depth + 1)}b:\n`).join('')}`,
      },
    ],
  ] as const)('%s is refused', (_, files) => {
    const { diagnostics } = renderCase({ 'kustomization.yaml': 'resources: [object.yaml]\n', ...files });
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toEqual(['SL1002']);
  });

  it('in the kustomization itself is refused too', () => {
    const { diagnostics } = renderCase({ 'kustomization.yaml': `${bomb.join('\n')}\nresources: []\n` });
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toEqual(['SL1002']);
  });
});
