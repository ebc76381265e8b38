import { describe, expect, it } from 'vitest';
import { hasKubectl, inPairs, oracleAnswer, ourAnswer } from '../oracle.ts';
import { randomTree } from './generate.ts';

/** How many trees to compare, and from which seed on; thousands take minutes. */
const count = Number(process.env.SLUICE_KUSTOMIZE_SEEDS ?? 24);
const first = Number(process.env.SLUICE_KUSTOMIZE_FIRST_SEED ?? 1);

describe.skipIf(!hasKubectl)('random trees (needs kubectl)', () => {
  it(`have the bytes of kubectl kustomize, or fail as it does (${count} seeds)`, {
    timeout: 24 * 3600_000,
  }, async () => {
    const seeds = Array.from({ length: count }, (_, index) => first + index);
    const different: number[] = [];
    await inPairs(seeds, async (seed) => {
      const files = randomTree(seed);
      const [ours, theirs] = [ourAnswer(files), await oracleAnswer(files)];
      if (JSON.stringify(ours) !== JSON.stringify(theirs)) different.push(seed);
    });
    expect(different).toEqual([]);
  });
});
