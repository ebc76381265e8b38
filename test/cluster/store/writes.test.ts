import { describe, expect, it } from 'vitest';
import { createStore } from '../../../src/cluster/index.ts';
import {
  applications,
  configMaps,
  deployments,
  type KubeObject,
  namespaces,
  pods,
  services,
} from '../../../src/kubernetes/index.ts';
import { configMap, deployment, namespace, pod, service } from '../objects.ts';

describe('a write', () => {
  it('on a dry run is checked and changes nothing', async () => {
    const store = createStore();
    const { resourceVersion } = store;
    const planned = await store.create(services, service('echo'), { dryRun: true });
    expect(planned.spec.clusterIP).toMatch(/^10\./);
    await expect(store.create(services, service('Bad_Name'), { dryRun: true })).rejects.toThrow(/is invalid/);
    await store.create(configMaps, configMap('settings', { a: '1' }));
    await store.update(configMaps, configMap('settings', { a: '2' }), { dryRun: true });
    const { removed } = await store.remove(configMaps, 'default', 'settings', { dryRun: true });
    expect(removed).toBe(true);
    expect(Number(store.resourceVersion)).toBe(Number(resourceVersion) + 1);
    expect(store.peek(configMaps, 'default', 'settings')?.data).toEqual({ a: '1' });
  });

  it('by modify reads and writes with nothing in between', async () => {
    const store = createStore();
    await store.create(configMaps, configMap('counter', { count: '0' }));
    const raise = (current: KubeObject) => {
      const { count } = current.data as { count: string };
      return { ...current, data: { count: String(Number(count) + 1) } };
    };
    await Promise.all(
      Array.from({ length: 50 }, () => store.modify(configMaps, 'default', 'counter', raise)),
    );
    expect(store.peek(configMaps, 'default', 'counter')?.data).toEqual({ count: '50' });
  });

  it('by modify is refused where its preconditions do not hold, or its change throws', async () => {
    const store = createStore();
    await store.create(configMaps, configMap('settings', {}));
    const change = (current: KubeObject) => ({ ...current, data: { a: '1' } });
    for (const precondition of [{ uid: 'other' }, { resourceVersion: '1' }]) {
      const attempt = store.modify(configMaps, 'default', 'settings', change, precondition);
      await expect(attempt).rejects.toMatchObject({ reason: 'Conflict', code: 409 });
    }
    const pinned = (current: KubeObject) => ({
      ...current,
      metadata: { ...current.metadata, resourceVersion: '1' },
    });
    await expect(store.modify(configMaps, 'default', 'settings', pinned)).rejects.toThrow(
      'the object has been modified',
    );
    const fail = () => {
      throw new Error('the patch does not apply');
    };
    await expect(store.modify(configMaps, 'default', 'settings', fail)).rejects.toThrow(
      'the patch does not apply',
    );
  });

  it('of the status leaves the rest, of the rest leaves the status', async () => {
    const store = createStore();
    const created = await store.create(deployments, { ...deployment('echo'), status: { replicas: 9 } });
    expect(created.status).toEqual({});
    const status = await store.modify(
      deployments,
      'default',
      'echo',
      (current) => ({ ...current, spec: { ...current.spec, replicas: 7 }, status: { replicas: 2 } }),
      { subresource: 'status' },
    );
    expect([status.spec.replicas, status.status]).toEqual([1, { replicas: 2 }]);
    const updated = await store.update(deployments, { ...status, status: { replicas: 0 } });
    expect(updated.status).toEqual({ replicas: 2 });
  });

  it('of a custom resource without a status subresource keeps its status as any field', async () => {
    const store = createStore();
    const application = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: 'echo', namespace: 'default' },
      spec: {},
      status: { seen: true },
    };
    const created = await store.create(applications, application);
    expect([created.status, created.metadata.generation]).toEqual([{ seen: true }, 1]);
    const updated = await store.update(applications, { ...created, status: { seen: false } });
    expect(updated.metadata.generation).toBe(2);
  });

  it('makes names up where it is asked to', async () => {
    const store = createStore();
    const wanted = configMap('', {});
    wanted.metadata.generateName = 'settings-';
    const created = await Promise.all([1, 2, 3].map(() => store.create(configMaps, wanted)));
    for (const { metadata } of created) {
      expect(metadata.name).toMatch(/^settings-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    }
    await expect(store.create(configMaps, configMap('', {}))).rejects.toThrow(
      'metadata.name: Required value: name or generateName is required',
    );
  });

  it('is refused past the limits, each counted', async () => {
    const small = createStore({ limits: { maxObjectBytes: 1000 } });
    const large = configMap('large', { text: 'x'.repeat(1000) });
    await expect(small.create(configMaps, large)).rejects.toThrow('etcdserver: request is too large');
    const few = createStore({ limits: { maxObjects: 5 } });
    await few.create(configMaps, configMap('fifth', {}));
    await expect(few.create(configMaps, configMap('sixth', {}))).rejects.toThrow(
      'etcdserver: mvcc: database space exceeded',
    );
    await few.update(configMaps, configMap('fifth', { a: '1' }));
    const tight = createStore({ limits: { maxTotalBytes: 3000 } });
    await expect(tight.create(configMaps, configMap('large', { text: 'x'.repeat(3000) }))).rejects.toThrow(
      'etcdserver: mvcc: database space exceeded',
    );
    expect([small, few, tight].map(({ counters }) => counters.refused)).toMatchObject([
      { maxObjectBytes: 1 },
      { maxObjects: 1 },
      { maxTotalBytes: 1 },
    ]);
  });

  it('counts objects and bytes', async () => {
    const store = createStore();
    const before = store.counters;
    const created = await store.create(configMaps, configMap('settings', { a: 'ü' }));
    expect(store.counters.objects).toBe(before.objects + 1);
    expect(store.counters.bytes).toBe(before.bytes + Buffer.byteLength(JSON.stringify(created)));
    await store.delete(configMaps, 'default', 'settings');
    expect(store.counters).toMatchObject({ objects: before.objects, bytes: before.bytes });
  });

  it('of what is no such object is refused, not stumbled over', async () => {
    const store = createStore();
    const wrong = (object: unknown) => object as never;
    const attempts: [() => Promise<unknown>, RegExp][] = [
      [() => store.create(pods, wrong(null)), /not a JSON object/],
      [() => store.create(pods, wrong({ ...pod('x'), spec: null })), /cannot be handled as a Pod/],
      [
        () => store.create(pods, wrong({ ...pod('x'), spec: { containers: 5 } })),
        /cannot be handled as a Pod|Required value/,
      ],
      [() => store.create(pods, wrong(deployment('x'))), /does not match the expected API version \(v1\)/],
      [() => store.create(pods, wrong({ ...pod('x'), kind: 'Service' })), /cannot be handled as a Pod/],
      [
        () => store.create(deployments, wrong({ ...deployment('x'), spec: undefined })),
        /Required value|cannot/,
      ],
      [
        () => store.create(services, wrong({ ...service('x'), spec: { ports: [null] } })),
        /cannot be handled/,
      ],
    ];
    for (const [attempt, message] of attempts) await expect(attempt()).rejects.toThrow(message);
    let nested: unknown = 'bottom';
    for (let depth = 0; depth < 20_000; depth++) nested = [nested];
    await expect(store.create(configMaps, { ...configMap('deep', {}), nested })).rejects.toThrow(
      /nested deeper/,
    );
  });

  it('keeps a key named __proto__ as data', async () => {
    const store = createStore();
    const object = JSON.parse('{"data":{"__proto__":"value"}}') as { data: Record<string, string> };
    const created = await store.create(configMaps, { ...configMap('odd', {}), ...object });
    expect(JSON.stringify(created.data)).toBe('{"__proto__":"value"}');
  });
});

describe('a deletion', () => {
  it('waits for finalizers', async () => {
    const store = createStore();
    const held = configMap('held', {});
    held.metadata.finalizers = ['example.com/hold'];
    await store.create(configMaps, held);
    const { removed, object } = await store.remove(configMaps, 'default', 'held');
    expect([removed, object.metadata.deletionGracePeriodSeconds]).toEqual([false, 0]);
    const more = {
      ...object,
      metadata: { ...object.metadata, finalizers: ['example.com/hold', 'example.com/b'] },
    };
    await expect(store.update(configMaps, more)).rejects.toThrow(
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/b"}',
    );
    await store.update(configMaps, { ...object, metadata: { ...object.metadata, finalizers: [] } });
    expect(store.peek(configMaps, 'default', 'held')).toBeUndefined();
  });

  it('of a running pod gives it its grace, which a second request can shorten', async () => {
    const store = createStore({ now: () => new Date('2026-01-01T00:00:00Z') });
    await store.create(pods, pod('echo', {}, { nodeName: 'laptop' }));
    const first = await store.remove(pods, 'default', 'echo');
    expect(first.object.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:30Z',
      deletionGracePeriodSeconds: 30,
    });
    const again = await store.remove(pods, 'default', 'echo');
    expect(again.object.metadata.resourceVersion).toBe(first.object.metadata.resourceVersion);
    const shorter = await store.remove(pods, 'default', 'echo', { gracePeriodSeconds: 5 });
    expect(shorter.object.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:05Z',
      deletionGracePeriodSeconds: 5,
    });
    const longer = await store.remove(pods, 'default', 'echo', { gracePeriodSeconds: 60 });
    expect(longer.object.metadata.deletionGracePeriodSeconds).toBe(5);
    expect(await store.remove(pods, 'default', 'echo', { gracePeriodSeconds: 0 })).toMatchObject({
      removed: true,
    });
  });

  it('of a pod that runs nowhere is immediate', async () => {
    const store = createStore();
    await store.create(pods, pod('echo'));
    expect(await store.remove(pods, 'default', 'echo')).toMatchObject({ removed: true });
  });

  it('is refused where its preconditions do not hold', async () => {
    const store = createStore();
    const { metadata } = await store.create(configMaps, configMap('settings', {}));
    await expect(store.delete(configMaps, 'default', 'settings', { uid: 'other' })).rejects.toThrow(
      `Operation cannot be fulfilled on configmaps "settings": the UID in the precondition (other) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
    const stale = store.remove(configMaps, 'default', 'settings', { resourceVersion: '1' });
    await expect(stale).rejects.toThrow(/the ResourceVersion in the precondition \(1\) does not match/);
  });

  it('of a namespace marks it until its finalizer is taken off', async () => {
    const store = createStore();
    await store.create(namespaces, namespace('backend'));
    await store.delete(namespaces, undefined, 'backend');
    const marked = store.peek(namespaces, undefined, 'backend');
    expect(marked).toMatchObject({ status: { phase: 'Terminating' }, spec: { finalizers: ['kubernetes'] } });
    const finalize = (current: KubeObject) => ({ ...current, spec: { finalizers: [] } });
    await store.modify(namespaces, undefined, 'backend', finalize as never, { subresource: 'finalize' });
    expect(store.peek(namespaces, undefined, 'backend')).toBeUndefined();
  });
});

describe('a type', () => {
  const widgets = { ...configMaps, group: 'example.com', kind: 'Widget', plural: 'widgets' };
  const widget = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'a', namespace: 'default' },
  };

  it('can be added, with rules of its own, and removed with its objects', async () => {
    const store = createStore();
    await expect(store.create(widgets, widget)).rejects.toThrow(
      'the server could not find the requested resource',
    );
    let changes = 0;
    store.types.onChange(() => changes++);
    store.types.add(widgets, {
      prepare: (draft) => {
        draft.prepared = true;
      },
      validate: (object) => {
        if (object.bad) throw new Error('bad');
      },
    });
    expect((await store.create(widgets, widget)).prepared).toBe(true);
    await expect(store.update(widgets, { ...widget, bad: true })).rejects.toThrow('bad');
    const gone: string[] = [];
    store.subscribe(widgets, {
      onEvent: ({ type, object }) => gone.push(`${type} ${object.metadata.name}`),
      onEnd: () => gone.push('end'),
    });
    store.types.remove(widgets);
    expect(gone).toEqual(['ADDED a', 'DELETED a', 'end']);
    expect(store.types.find('example.com', 'v1', 'widgets')).toBeUndefined();
    expect(changes).toBe(2);
  });

  it('in two versions has one set of objects', async () => {
    const store = createStore();
    const newer = { ...widgets, version: 'v2' };
    store.types.add(widgets);
    store.types.add(newer);
    await store.create(widgets, widget);
    expect((await store.get(newer, 'default', 'a')).apiVersion).toBe('example.com/v2');
    expect(store.page(newer).items[0]?.apiVersion).toBe('example.com/v2');
    store.types.remove(widgets);
    expect(store.peek(newer, 'default', 'a')).toBeDefined();
  });
});
