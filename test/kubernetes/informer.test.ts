import { describe, expect, it, onTestFinished } from 'vitest';
import { createStore } from '../../src/cluster/index.ts';
import {
  ApiError,
  configMaps,
  createInformer,
  type KubeObject,
  type ObjectApi,
  type WatchEvent,
} from '../../src/kubernetes/index.ts';
import { eventually } from '../cluster/eventually.ts';
import { configMap } from '../cluster/objects.ts';

interface Settings {
  api: ObjectApi;
  errors?: unknown[];
}

function startInformer({ api, errors = [] }: Settings) {
  const changes: string[] = [];
  const informer = createInformer(api, configMaps, { onError: (error) => errors.push(error) });
  const describeChange = ({ type, object }: WatchEvent) =>
    `${type} ${object.metadata.name} ${(object.data as { a: string }).a}`;
  informer.onChange((change) => changes.push(describeChange(change)));
  informer.start();
  onTestFinished(() => informer.stop());
  return { informer, changes, describeChange };
}

describe('informer', () => {
  it('holds what is there, then follows every change', async () => {
    const store = createStore();
    await store.create(configMaps, configMap('first', { a: '1' }));
    const { informer, changes } = startInformer({ api: store });
    await informer.synced;
    expect(informer.list()).toHaveLength(1);
    await store.update(configMaps, configMap('first', { a: '2' }));
    await store.create(configMaps, configMap('second', { a: '3' }));
    await store.delete(configMaps, 'default', 'first');
    await eventually(() => expect(changes).toHaveLength(4));
    expect(changes).toEqual(['ADDED first 1', 'MODIFIED first 2', 'ADDED second 3', 'DELETED first 2']);
    expect(informer.get('default/first')).toBeUndefined();
    expect(informer.get('default/second')?.data).toEqual({ a: '3' });
  });

  it('tells a listener that joins late of what is there', async () => {
    const store = createStore();
    await store.create(configMaps, configMap('first', { a: '1' }));
    const { informer, describeChange } = startInformer({ api: store });
    await informer.synced;
    const late: string[] = [];
    const leave = informer.onChange((change) => late.push(describeChange(change)));
    expect(late).toEqual(['ADDED first 1']);
    leave();
    await store.delete(configMaps, 'default', 'first');
    await eventually(() => expect(informer.list()).toEqual([]));
    expect(late).toEqual(['ADDED first 1']);
  });

  it('finds out what it missed when a watch breaks, a change of identity included', async () => {
    const store = createStore();
    for (const name of ['deleted', 'kept', 'replaced'])
      await store.create(configMaps, configMap(name, { a: '1' }));
    const breakable = breakableWatches(store);
    const errors: unknown[] = [];
    const { informer, changes } = startInformer({ api: breakable.api, errors });
    await informer.synced;
    await eventually(() => expect(breakable.watches()).toBe(1));
    breakable.mute();
    await store.delete(configMaps, 'default', 'deleted');
    await store.delete(configMaps, 'default', 'replaced');
    await store.create(configMaps, configMap('replaced', { a: '2' }));
    changes.length = 0;
    breakable.breakAll(new Error('connection reset'));
    await eventually(() => expect(breakable.watches()).toBe(2));
    expect(changes).toEqual(['DELETED deleted 1', 'DELETED replaced 1', 'ADDED replaced 2']);
    expect(errors).toEqual([new Error('connection reset')]);
    expect(informer.list()).toHaveLength(2);
  });

  it('lists again without a word when it fell too far behind', async () => {
    const breakable = breakableWatches(createStore());
    const errors: unknown[] = [];
    const { informer } = startInformer({ api: breakable.api, errors });
    await informer.synced;
    await eventually(() => expect(breakable.watches()).toBe(1));
    breakable.breakAll(new ApiError('Expired', 'too old resource version: 1 (2)'));
    await eventually(() => expect(breakable.watches()).toBe(2));
    expect(errors).toEqual([]);
  });

  it('survives a listener that throws, and reports it', async () => {
    const store = createStore();
    const errors: unknown[] = [];
    const { informer, changes } = startInformer({ api: store, errors });
    informer.onChange(() => {
      throw new Error('listener');
    });
    await informer.synced;
    await store.create(configMaps, configMap('first', { a: '1' }));
    await eventually(() => expect(errors).toEqual([new Error('listener')]));
    expect(changes).toEqual(['ADDED first 1']);
  });
});

/** The store with watches that a test can silence and break, as a bad connection does. */
function breakableWatches(store: ObjectApi) {
  const breakers = new Set<(error: Error) => void>();
  let muted = false;
  let started = 0;
  const api: ObjectApi = {
    ...bind(store),
    watch: <Kind extends KubeObject>(...parameters: Parameters<ObjectApi['watch']>) =>
      (async function* () {
        started++;
        muted = false;
        const inner = store.watch(...parameters)[Symbol.asyncIterator]();
        const broken = new Promise<never>((_, reject) => breakers.add(reject));
        for (;;) {
          const next = await Promise.race([inner.next(), broken]);
          if (next.done) return;
          if (!muted) yield next.value as WatchEvent<Kind>;
        }
      })(),
  };
  return {
    api,
    watches: () => started,
    mute: () => {
      muted = true;
    },
    breakAll: (error: Error) => {
      for (const reject of breakers) reject(error);
      breakers.clear();
    },
  };
}

function bind(store: ObjectApi): ObjectApi {
  return {
    get: (...parameters) => store.get(...parameters),
    list: (...parameters) => store.list(...parameters),
    create: (...parameters) => store.create(...parameters),
    update: (...parameters) => store.update(...parameters),
    updateStatus: (...parameters) => store.updateStatus(...parameters),
    delete: (...parameters) => store.delete(...parameters),
    watch: (...parameters) => store.watch(...parameters),
  };
}
