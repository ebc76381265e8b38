import { describe, expect, it } from 'vitest';
import { createStore } from '../../../src/cluster/index.ts';
import { configMaps, type KubeObject, parseLabelSelector } from '../../../src/kubernetes/index.ts';
import { configMap } from '../objects.ts';

const names = (items: readonly KubeObject[]) =>
  items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);

async function filled() {
  const store = createStore({ limits: { maxHistory: 16 } });
  for (const name of ['c', 'a', 'e', 'b', 'd'])
    await store.create(configMaps, configMap(name, { was: name }));
  await store.create(configMaps, configMap('z', {}, { namespace: 'kube-system' }));
  return store;
}

describe('a list', () => {
  it('is in the order of namespaces and names', async () => {
    const store = await filled();
    expect(names(store.page(configMaps).items)).toEqual([
      'default/a',
      'default/b',
      'default/c',
      'default/d',
      'default/e',
      'kube-system/z',
    ]);
  });

  it('comes in pages, all as of the first, whatever changes in between', async () => {
    const store = await filled();
    const first = store.page(configMaps, { limit: 2 });
    expect(first).toMatchObject({ resourceVersion: store.resourceVersion, remainingItemCount: 4 });
    await store.delete(configMaps, 'default', 'c');
    await store.delete(configMaps, 'default', 'a');
    await store.update(configMaps, configMap('d', { was: 'changed' }));
    await store.create(configMaps, configMap('cc', {}));
    const second = store.page(configMaps, { limit: 2, continue: first.continue ?? '' });
    const third = store.page(configMaps, { limit: 2, continue: second.continue ?? '' });
    expect([first, second, third].map(({ items }) => names(items))).toEqual([
      ['default/a', 'default/b'],
      ['default/c', 'default/d'],
      ['default/e', 'kube-system/z'],
    ]);
    expect(second.items[1]?.data).toEqual({ was: 'd' });
    expect(second.resourceVersion).toBe(first.resourceVersion);
    expect(third.continue).toBeUndefined();
  });

  it('can be asked for as it was', async () => {
    const store = await filled();
    const { resourceVersion } = store;
    await store.delete(configMaps, 'default', 'a');
    const then = store.page(configMaps, { exactResourceVersion: resourceVersion, namespace: 'default' });
    expect(names(then.items)).toContain('default/a');
  });

  it('cannot be continued once its version is forgotten', async () => {
    const store = await filled();
    const first = store.page(configMaps, { limit: 2 });
    for (let count = 0; count < 64; count++)
      await store.update(configMaps, configMap('a', { count: `${count}` }));
    expect(() => store.page(configMaps, { continue: first.continue ?? '' })).toThrow(
      /^The provided continue parameter is too old to display a consistent list result/,
    );
    expect(() => store.page(configMaps, { continue: 'nonsense' })).toThrow('continue key is not valid');
  });

  it('narrowed by a selector or a filter does not say how many are left', async () => {
    const store = await filled();
    const labelSelector = parseLabelSelector('!missing');
    const page = store.page(configMaps, { limit: 1, labelSelector });
    expect(page.continue).toBeDefined();
    expect(page.remainingItemCount).toBeUndefined();
    const filtered = store.page(configMaps, { filter: ({ metadata }) => metadata.name === 'b' });
    expect(names(filtered.items)).toEqual(['default/b']);
  });
});
