import { describe, expect, it } from 'vitest';
import {
  configMaps,
  deployments,
  namespaces,
  pods,
  replicaSets,
  serviceAccounts,
  services,
} from '../../../src/kubernetes/index.ts';
import { startTestCluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { configMap, deployment, namespace, service } from '../objects.ts';

async function withDeployment(options: Parameters<typeof startTestCluster>[0] = {}) {
  const cluster = await startTestCluster(options);
  await cluster.store.create(deployments, deployment('echo', { replicas: 2 }));
  await eventually(() => {
    expect(cluster.store.peek(deployments, 'default', 'echo')?.status?.availableReplicas).toBe(2);
  });
  return cluster;
}

describe('deleting a Deployment', () => {
  it('in the background takes its ReplicaSets and pods along', async () => {
    const { store, errors } = await withDeployment();
    await store.remove(deployments, 'default', 'echo', { propagationPolicy: 'Background' });
    expect(store.peek(deployments, 'default', 'echo')).toBeUndefined();
    await eventually(() => {
      expect(store.page(replicaSets).items).toEqual([]);
      expect(store.page(pods).items).toEqual([]);
    });
    expect(errors).toEqual([]);
  });

  it('in the foreground waits for them', async () => {
    const { store, kubelet } = await withDeployment({ kubelet: { stopsAtOnce: false } });
    const { removed } = await store.remove(deployments, 'default', 'echo', {
      propagationPolicy: 'Foreground',
    });
    expect(removed).toBe(false);
    await eventually(() => {
      expect(store.page(pods).items.every(({ metadata }) => metadata.deletionTimestamp)).toBe(true);
    });
    expect(store.peek(deployments, 'default', 'echo')?.metadata.finalizers).toEqual(['foregroundDeletion']);
    await kubelet.finish();
    await eventually(() => expect(store.peek(deployments, 'default', 'echo')).toBeUndefined());
    expect(store.page(replicaSets).items).toEqual([]);
  });

  it('as an orphan-maker leaves them, without an owner', async () => {
    const { store } = await withDeployment();
    await store.remove(deployments, 'default', 'echo', { propagationPolicy: 'Orphan' });
    await eventually(() => expect(store.peek(deployments, 'default', 'echo')).toBeUndefined());
    const [set] = store.page(replicaSets).items;
    expect(set?.metadata.ownerReferences).toBeUndefined();
    expect(store.page(pods).items).toHaveLength(2);
  });
});

describe('an object with two owners', () => {
  it('stays as long as one of them is there', async () => {
    const { store } = await startTestCluster();
    const owners = await Promise.all(
      ['first', 'second'].map((name) => store.create(configMaps, configMap(name, {}))),
    );
    const ownerReferences = owners.map(({ metadata }) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: metadata.name,
      uid: metadata.uid ?? '',
    }));
    const child = configMap('child', {});
    await store.create(configMaps, { ...child, metadata: { ...child.metadata, ownerReferences } });
    await store.delete(configMaps, 'default', 'first');
    await eventually(() => {
      const left = store.peek(configMaps, 'default', 'child')?.metadata.ownerReferences;
      expect(left?.map(({ name }) => name)).toEqual(['second']);
    });
    await store.delete(configMaps, 'default', 'second');
    await eventually(() => expect(store.peek(configMaps, 'default', 'child')).toBeUndefined());
  });
});

describe('deleting a namespace', () => {
  it('takes all that is in it, and lets nothing new in', async () => {
    const { store, kubelet, errors } = await startTestCluster({ kubelet: { stopsAtOnce: false } });
    await store.create(namespaces, namespace('backend'));
    const place = { namespace: 'backend' };
    await store.create(deployments, deployment('echo', { replicas: 2 }, place));
    await store.create(services, service('echo', {}, place));
    await eventually(() => {
      expect(store.peek(deployments, 'backend', 'echo')?.status?.availableReplicas).toBe(2);
      expect(store.peek(serviceAccounts, 'backend', 'default')).toBeDefined();
    });
    await store.delete(namespaces, undefined, 'backend');
    expect(store.peek(namespaces, undefined, 'backend')?.status?.phase).toBe('Terminating');
    await expect(store.create(configMaps, configMap('late', {}, place))).rejects.toThrow(
      'configmaps "late" is forbidden: unable to create new content in namespace backend because it is being terminated',
    );
    await eventually(() => {
      expect(store.peek(services, 'backend', 'echo')).toBeUndefined();
      expect(store.page(pods, place).items.every(({ metadata }) => metadata.deletionTimestamp)).toBe(true);
    });
    await kubelet.finish();
    await eventually(() => expect(store.peek(namespaces, undefined, 'backend')).toBeUndefined());
    expect(store.page(pods, place).items).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('takes objects of types along that were added later', async () => {
    const { store } = await startTestCluster();
    const widgets = { ...configMaps, group: 'example.com', kind: 'Widget', plural: 'widgets' };
    store.types.add(widgets);
    await store.create(namespaces, namespace('backend'));
    const owner = await store.create(configMaps, configMap('owner', {}));
    const widget = (name: string, home: string) => ({
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name, namespace: home },
    });
    await store.create(widgets, widget('a', 'backend'));
    const owned = widget('b', 'default');
    const { uid = '' } = owner.metadata;
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }];
    await store.create(widgets, { ...owned, metadata: { ...owned.metadata, ownerReferences } });
    await store.delete(namespaces, undefined, 'backend');
    await store.delete(configMaps, 'default', 'owner');
    await eventually(() => {
      expect(store.peek(namespaces, undefined, 'backend')).toBeUndefined();
      expect(store.page(widgets).items).toEqual([]);
    });
  });

  it('is refused for those the cluster needs', async () => {
    const { store } = await startTestCluster();
    await expect(store.delete(namespaces, undefined, 'default')).rejects.toThrow(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    );
  });
});
