import { describe, expect, it } from 'vitest';
import { createStore } from '../../../src/cluster/index.ts';
import { configMaps, deployments, namespaces, pods, services } from '../../../src/kubernetes/index.ts';
import { configMap, deployment, pod, service } from '../objects.ts';

describe('store', () => {
  it('gives a new object its uid, version, time and generation', async () => {
    const store = createStore({ now: () => new Date('2026-01-02T03:04:05.678Z') });
    const created = await store.create(deployments, deployment('echo'));
    expect(created.metadata).toMatchObject({
      uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      resourceVersion: store.resourceVersion,
      creationTimestamp: '2026-01-02T03:04:05Z',
      generation: 1,
    });
  });

  it('has the four system namespaces from the start', async () => {
    const { items } = await createStore().list(namespaces);
    expect(items.map(({ metadata }) => metadata.name)).toEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
    ]);
  });

  it('words its refusals as the API server does', async () => {
    const store = createStore();
    await store.create(
      services,
      service('echo', { type: 'NodePort', ports: [{ port: 1, nodePort: 30998 }] }),
    );
    const attempts: [Promise<unknown>, string][] = [
      [store.get(deployments, 'default', 'x'), 'deployments.apps "x" not found'],
      [store.get(pods, 'default', 'x'), 'pods "x" not found'],
      [store.create(pods, pod('x', { namespace: 'nowhere' })), 'namespaces "nowhere" not found'],
      [store.create(services, service('echo', {})), 'services "echo" already exists'],
      [
        store.create(services, service('other', { type: 'NodePort', ports: [{ port: 1, nodePort: 30998 }] })),
        'Service "other" is invalid: spec.ports[0].nodePort: Invalid value: 30998: provided port is already allocated',
      ],
      [
        store.update(services, { ...service('echo', {}), metadata: { name: 'echo', resourceVersion: '1' } }),
        'Operation cannot be fulfilled on services "echo": the object has been modified; please apply your changes to the latest version and try again',
      ],
    ];
    for (const [attempt, message] of attempts) await expect(attempt).rejects.toThrow(message);
  });

  it('counts a generation for a change of the spec, none for labels or status, no version for no change', async () => {
    const store = createStore();
    const created = await store.create(deployments, deployment('echo'));
    const labelled = await store.update(deployments, {
      ...created,
      metadata: { ...created.metadata, labels: { a: 'b' } },
    });
    expect(labelled.metadata.generation).toBe(1);
    const counted = await store.updateStatus(deployments, { ...labelled, status: { replicas: 1 } });
    expect([counted.metadata.generation, counted.status]).toEqual([1, { replicas: 1 }]);
    const scaled = await store.update(deployments, { ...counted, spec: { ...counted.spec, replicas: 5 } });
    expect(scaled.metadata.generation).toBe(2);
    const again = await store.update(deployments, scaled);
    expect(again.metadata.resourceVersion).toBe(scaled.metadata.resourceVersion);
  });

  it('shares nothing with its users', async () => {
    const store = createStore();
    const mine = configMap('settings', { a: '1' });
    const created = await store.create(configMaps, mine);
    (mine.data as Record<string, string>).a = 'changed';
    (created.data as Record<string, string>).a = 'changed';
    expect((await store.get(configMaps, 'default', 'settings')).data).toEqual({ a: '1' });
  });
});
