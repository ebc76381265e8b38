import { describe, expect, it } from 'vitest';
import { createStore, type StoreEvent } from '../../../src/cluster/index.ts';
import { ApiError, configMaps, parseLabelSelector, type WatchEvent } from '../../../src/kubernetes/index.ts';
import { configMap } from '../objects.ts';

const summary = ({ type, object }: { type: string; object: StoreEvent['object'] }) =>
  `${type} ${object.metadata.name} ${object.metadata.resourceVersion}`;

async function take(events: AsyncIterable<WatchEvent>, count: number): Promise<WatchEvent[]> {
  const taken: WatchEvent[] = [];
  for await (const event of events) if (taken.push(event) === count) break;
  return taken;
}

describe('watch', () => {
  it('starts with the present objects, or right after a version', async () => {
    const store = createStore();
    const first = await store.create(configMaps, configMap('first', {}));
    await store.create(configMaps, configMap('second', {}));
    expect((await take(store.watch(configMaps), 2)).map(summary)).toEqual([
      'ADDED first 5',
      'ADDED second 6',
    ]);
    const since = first.metadata.resourceVersion ?? '';
    const after = await take(store.watch(configMaps, { resourceVersion: since }), 1);
    expect(after.map(summary)).toEqual(['ADDED second 6']);
  });

  it('gives the last state of a deleted object under the version of the deletion', async () => {
    const store = createStore();
    const { resourceVersion } = store;
    await store.create(configMaps, configMap('settings', {}));
    await store.delete(configMaps, 'default', 'settings');
    const events = await take(store.watch(configMaps, { resourceVersion }), 2);
    expect(events.map(summary)).toEqual(['ADDED settings 5', 'DELETED settings 6']);
  });

  it('within a selector shows an object that comes to match as ADDED and one that ceases to as DELETED', async () => {
    const store = createStore();
    const events: string[] = [];
    store.subscribe(configMaps, {
      labelSelector: parseLabelSelector('on=true'),
      onEvent: (event) => events.push(summary(event)),
    });
    const on = { labels: { on: 'true' } };
    await store.create(configMaps, configMap('settings', {}));
    await store.update(configMaps, configMap('settings', {}, on));
    await store.update(configMaps, configMap('settings', { a: '1' }, on));
    await store.update(configMaps, configMap('settings', { a: '1' }));
    expect(events).toEqual(['ADDED settings 6', 'MODIFIED settings 7', 'DELETED settings 8']);
  });

  it('sees its own namespace and what its filter lets through', async () => {
    const store = createStore();
    const events: string[] = [];
    store.subscribe(configMaps, {
      namespace: 'kube-system',
      filter: ({ metadata }) => metadata.name !== 'other',
      onEvent: (event) => events.push(event.object.metadata.name),
    });
    await store.create(configMaps, configMap('settings', {}));
    await store.create(configMaps, configMap('settings', {}, { namespace: 'kube-system' }));
    await store.create(configMaps, configMap('other', {}, { namespace: 'kube-system' }));
    expect(events).toEqual(['settings']);
  });

  it('is refused with Expired past what is remembered', async () => {
    const store = createStore({ limits: { maxHistory: 4 } });
    const { resourceVersion } = store;
    for (let count = 0; count < 20; count++) await store.create(configMaps, configMap(`c-${count}`, {}));
    await expect(take(store.watch(configMaps, { resourceVersion }), 1)).rejects.toMatchObject({
      reason: 'Expired',
      message: expect.stringMatching(/^too old resource version: 4 \(\d+\)$/),
    });
    expect(await take(store.watch(configMaps, { resourceVersion: '22' }), 2)).toHaveLength(2);
  });

  it('of a version that an earlier cluster gave out is told to list again', async () => {
    const earlier = createStore({ firstVersion: 1000 });
    for (let count = 0; count < 100; count++) await earlier.create(configMaps, configMap(`c-${count}`, {}));
    const { resourceVersion } = earlier;
    for (const firstVersion of [0, 5000]) {
      const later = createStore({ firstVersion });
      await expect(take(later.watch(configMaps, { resourceVersion }), 1)).rejects.toMatchObject({
        reason: 'Expired',
      });
    }
    await expect(take(earlier.watch(configMaps, { resourceVersion: 'abc' }), 1)).rejects.toMatchObject({
      reason: 'BadRequest',
    });
  });

  it('ends with Expired for a reader who is too slow, and counts him', async () => {
    const store = createStore({ limits: { maxPendingEvents: 3 } });
    const reader = store.watch(configMaps)[Symbol.asyncIterator]();
    for (let count = 0; count < 5; count++) await store.create(configMaps, configMap(`c-${count}`, {}));
    await expect(reader.next()).rejects.toBeInstanceOf(ApiError);
    expect(await reader.next()).toEqual({ value: undefined, done: true });
    expect(store.counters).toMatchObject({ watchers: 0, refused: { maxPendingEvents: 1 } });
  });

  it('ends when its signal aborts, when the type goes and when the store closes', async () => {
    const store = createStore();
    const abort = new AbortController();
    const readers = [
      store.watch(configMaps, { signal: abort.signal }),
      store.watch(configMaps, { signal: AbortSignal.abort() }),
      store.watch(configMaps),
    ].map((watch) => watch[Symbol.asyncIterator]().next());
    expect(store.counters.watchers).toBe(2);
    abort.abort();
    expect(store.counters.watchers).toBe(1);
    store.types.remove(configMaps);
    expect(await Promise.all(readers)).toEqual(Array(3).fill({ value: undefined, done: true }));
    expect(store.counters.watchers).toBe(0);
  });

  it('that throws ends alone: the write stands, and the others are told', async () => {
    const errors: unknown[] = [];
    const store = createStore({ onError: (error) => errors.push(error) });
    const seen: string[] = [];
    let ended = 0;
    store.subscribe(configMaps, {
      onEvent: () => {
        throw new Error('subscriber');
      },
      onEnd: () => ended++,
    });
    store.subscribe(configMaps, { onEvent: ({ object }) => seen.push(object.metadata.name) });
    await store.create(configMaps, configMap('a', {}));
    await store.create(configMaps, configMap('b', {}));
    expect([seen, ended, errors]).toEqual([['a', 'b'], 1, [new Error('subscriber')]]);
    expect(store.counters).toMatchObject({ watchers: 1, failedSubscribers: 1 });
  });

  it('may not write to the store while it is being told', async () => {
    const errors: unknown[] = [];
    const store = createStore({ onError: (error) => errors.push(error) });
    const writes: Promise<unknown>[] = [];
    store.subscribe(configMaps, {
      onEvent: () => writes.push(store.create(configMaps, configMap('from-inside', {}))),
    });
    await store.create(configMaps, configMap('a', {}));
    await expect(writes[0]).rejects.toThrow(
      'a subscriber wrote to the store while it was being told of a change',
    );
  });

  it('is limited in number', async () => {
    const store = createStore({ limits: { maxWatchers: 2 } });
    const subscriptions = [0, 1].map(() => store.subscribe(configMaps, { onEvent: () => undefined }));
    expect(() => store.subscribe(configMaps, { onEvent: () => undefined })).toThrow(
      'Too many requests, please try again later.',
    );
    subscriptions[0]?.close();
    subscriptions[0]?.close();
    store.subscribe(configMaps, { onEvent: () => undefined });
    expect(store.counters).toMatchObject({ watchers: 2, refused: { maxWatchers: 1 } });
  });
});
