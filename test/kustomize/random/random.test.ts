import { describe, expect, it } from 'vitest';
import { hasKubectl, inPairs, oracleAnswer, ourAnswer } from '../oracle.ts';
import { featureTree } from './features.ts';
import { randomTree } from './generate.ts';
import { shrunkCase } from './shrink.ts';

/** How many trees to compare, and from which seed on; thousands take minutes. */
const count = Number(process.env.SLUICE_KUSTOMIZE_SEEDS ?? 24);
const first = Number(process.env.SLUICE_KUSTOMIZE_FIRST_SEED ?? 1);
/** Shrinking one tree asks the oracle some hundred times. */
const maxShown = 3;

describe.skipIf(!hasKubectl)('random trees (needs kubectl)', () => {
  it.each([
    ['patches and names', randomTree],
    ['every feature', featureTree],
  ])(
    `of %s have the bytes of kubectl kustomize, or fail as it does (${count} seeds)`,
    {
      timeout: 24 * 3600_000,
    },
    async (_, makeTree) => {
      const seeds = Array.from({ length: count }, (_, index) => first + index);
      const different: string[] = [];
      await inPairs(seeds, async (seed) => {
        if (different.length >= maxShown) return;
        const found = await shrunkCase(`seed ${seed}`, makeTree(seed), ourAnswer, oracleAnswer);
        if (found) different.push(found);
      });
      expect(different.join('\n\n')).toBe('');
    },
  );
});
