import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStore } from '../../../src/cluster/index.ts';
import { configMaps, type KubeObject } from '../../../src/kubernetes/index.ts';
import { ask, Watch } from './http.ts';
import { TestCluster } from './test-cluster.ts';

const configMap = (name: string, labels: Record<string, string> = {}, data = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', labels },
  data,
});

describe('a watch', () => {
  let cluster: TestCluster;
  let url: string;
  beforeAll(async () => {
    cluster = await new TestCluster({
      store: createStore({ limits: { maxHistory: 4 } }),
      limits: { maxWatches: 3, bookmarkIntervalMs: 20, maxPendingBytes: 200_000 },
    }).start({ controllers: false });
    url = `${cluster.url}/api/v1/namespaces/default/configmaps`;
  });
  afterAll(() => cluster.stop());
  const post = (object: KubeObject) => ask(url, { method: 'POST', body: object });
  const remove = (name: string) => ask(`${url}/${name}`, { method: 'DELETE' });

  it('gives what is there, then what changes, within its selector', async () => {
    await post(configMap('a', { app: 'x' }));
    const watch = await Watch.open(`${url}?watch=1&labelSelector=app%3Dx`);
    await post(configMap('b', { app: 'x' }));
    await post(configMap('c'));
    const merge = { 'content-type': 'application/merge-patch+json' };
    await ask(`${url}/c`, { method: 'PATCH', headers: merge, body: { metadata: { labels: { app: 'x' } } } });
    await ask(`${url}/b`, { method: 'PATCH', headers: merge, body: { data: { k: 'v' } } });
    await ask(`${url}/b`, { method: 'PATCH', headers: merge, body: { metadata: { labels: { app: 'y' } } } });
    await remove('a');
    expect(await watch.take(6)).toEqual([
      'ADDED a',
      'ADDED b',
      'ADDED c',
      'MODIFIED b',
      'DELETED b',
      'DELETED a',
    ]);
    watch.close();
    await remove('b');
    await remove('c');
  });

  it('starts where a list ended', async () => {
    await post(configMap('before'));
    const list = (await ask(url)).json as { metadata: { resourceVersion: string } };
    await post(configMap('after'));
    const watch = await Watch.open(`${url}?watch=true&resourceVersion=${list.metadata.resourceVersion}`);
    expect(await watch.take(1)).toEqual(['ADDED after']);
    watch.close();
    await remove('before');
    await remove('after');
  });

  it('gives the initial objects and says where they end', async () => {
    await post(configMap('there'));
    const watch = await Watch.open(
      `${url}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    expect((await watch.next())?.object.metadata.name).toBe('there');
    const mark = await watch.next();
    expect(mark).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
    expect((await watch.next())?.type).toBe('BOOKMARK');
    watch.close();
    const refused = await ask(`${url}?watch=1&sendInitialEvents=true`);
    expect([refused.status, refused.json.message]).toEqual([
      400,
      'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ]);
    await remove('there');
  });

  it('from a version that is forgotten is answered with an error event', async () => {
    for (let index = 0; index < 12; index++) {
      await post(configMap('x'));
      await remove('x');
    }
    const watch = await Watch.open(`${url}?watch=1&resourceVersion=1`);
    expect(watch.status).toBe(200);
    expect(await watch.next()).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired' },
    });
    expect(await watch.next()).toBeUndefined();
  });

  it('gives rows where the client asks for a table', async () => {
    await post(configMap('row', {}, { a: 'b' }));
    const watch = await Watch.open(`${url}?watch=1`, {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    });
    const first = await watch.next();
    expect(first?.object).toMatchObject({ kind: 'Table', rows: [{ cells: ['row', 1, expect.any(String)] }] });
    expect(first?.object.columnDefinitions).toHaveLength(3);
    await remove('row');
    const second = await watch.next();
    expect(second).toMatchObject({ type: 'DELETED', object: { columnDefinitions: [] } });
    watch.close();
  });

  it('ends at its timeout', async () => {
    const watch = await Watch.open(`${url}?watch=1&timeoutSeconds=1`);
    expect(await watch.next()).toBeUndefined();
  });

  it('is refused beyond the limit, and counted', async () => {
    const watches = await Promise.all([1, 2, 3].map(() => Watch.open(`${url}?watch=1`)));
    const refused = await ask(`${url}?watch=1`);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1']);
    expect(cluster.api.counters).toMatchObject({ watches: 3, refusedWatches: 1 });
    for (const watch of watches) watch.close();
    await until(() => cluster.api.counters.watches === 0);
  });

  it('of a client that does not read ends, and is counted', async () => {
    const watch = await Watch.open(`${url}?watch=1`);
    for (let index = 0; cluster.api.counters.slowClients === 0 && index < 200; index++) {
      await cluster.store.create(configMaps, configMap(`big-${index}`, {}, { text: 'x'.repeat(300_000) }));
      await cluster.store.delete(configMaps, 'default', `big-${index}`);
    }
    expect(cluster.api.counters.slowClients).toBe(1);
    await until(() => cluster.api.counters.watches === 0);
    watch.close();
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries === 500) throw new Error('it never held');
    await delay(10);
  }
}
