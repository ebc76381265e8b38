import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyTable } from '../../../../src/dataplane/udp/core/key-table.ts';

type Step = { readonly kind: 'insert' | 'remove' | 'touch' | 'find'; readonly key: number };

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Step['kind']>('insert', 'insert', 'remove', 'touch', 'find'),
    key: fc.integer({ min: 0, max: 300 }),
  }),
  { maxLength: 600 },
);

describe('the key table', () => {
  it('behaves as a map that remembers the order of use', () => {
    fc.assert(
      fc.property(steps, fc.integer(), (program, seed) => {
        const table = new KeyTable({ words: 2, limit: 200, seed });
        // A Map keeps insertion order: an entry that is used is taken out and put in again.
        const model = new Map<number, number>();
        for (const { kind, key } of program) {
          const words = Uint32Array.of(key, ~key);
          const id = table.find(words);
          expect(id).toBe(model.get(key) ?? -1);
          if (kind === 'insert' && id < 0) {
            const fresh = table.insert(words);
            if (model.size === 200) expect(fresh).toBe(-1);
            else model.set(key, fresh);
          } else if (kind === 'remove' && id >= 0) {
            table.remove(id);
            model.delete(key);
          } else if (kind === 'touch' && id >= 0) {
            table.touch(id);
            model.delete(key);
            model.set(key, id);
          }
          expect(table.size).toBe(model.size);
          expect(table.oldest(0)).toBe(model.values().next().value ?? -1);
        }
        for (const id of model.values()) expect(table.has(id)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps a list per segment', () => {
    const table = new KeyTable({ words: 1, limit: 10, seed: 7 });
    const [a, b] = [table.insert(Uint32Array.of(1)), table.insert(Uint32Array.of(2))];
    table.touch(a, 1);
    expect([table.oldest(0), table.oldest(1)]).toEqual([b, a]);
    expect([table.segmentOf(a), table.segmentOf(b)]).toEqual([1, 0]);
  });

  it('says how far its ids go before it gives them out', () => {
    const capacities: number[] = [];
    const table = new KeyTable({ words: 1, limit: 100, seed: 1, onGrow: (to) => capacities.push(to) });
    for (let key = 0; key < 100; key++)
      expect(table.insert(Uint32Array.of(key))).toBeLessThan(table.capacity);
    expect(capacities).toEqual([64, 100]);
  });
});
