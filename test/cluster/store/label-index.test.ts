import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStore } from '../../../src/cluster/index.ts';
import { configMaps, labelsMatch } from '../../../src/kubernetes/index.ts';
import { configMap } from '../objects.ts';

const labels = fc.dictionary(fc.constantFrom('a', 'b', 'constructor'), fc.constantFrom('1', '2'));

describe('a list by labels', () => {
  it('gives what trying the selector on every object gives, in the same order', async () => {
    const change = fc.record({
      name: fc.integer({ min: 0, max: 40 }).map((number) => `c-${number}`),
      labels: fc.option(labels, { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 80 }), labels, async (changes, matchLabels) => {
        const store = createStore();
        for (const { name, labels: wanted } of changes) {
          const present = store.peek(configMaps, 'default', name);
          const object = configMap(name, {}, wanted ? { labels: wanted } : {});
          if (!present) await store.create(configMaps, object);
          else if (wanted) await store.update(configMaps, object);
          else await store.delete(configMaps, 'default', name);
        }
        const labelSelector = { matchLabels };
        const all = store.page(configMaps).items;
        const expected = all.filter(({ metadata }) => labelsMatch(labelSelector, metadata.labels));
        expect(store.page(configMaps, { labelSelector }).items).toEqual(expected);
        expect(store.page(configMaps, { labelSelector, namespace: 'default' }).items).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });
});
