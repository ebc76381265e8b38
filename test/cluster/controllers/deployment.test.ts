import { describe, expect, it } from 'vitest';
import {
  deployments,
  endpointSlices,
  events,
  pods,
  replicaSets,
  services,
} from '../../../src/kubernetes/index.ts';
import { startTestCluster, type TestCluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { deployment, pod, service } from '../objects.ts';

async function rolledOut(cluster: TestCluster, name: string, replicas: number) {
  return eventually(() => {
    const found = cluster.store.peek(deployments, 'default', name);
    expect(found?.status).toMatchObject({ observedGeneration: found?.metadata.generation });
    expect(found?.status?.replicas ?? 0).toBe(replicas);
    expect(found?.status?.updatedReplicas ?? 0).toBe(replicas);
    expect(found?.status?.availableReplicas ?? 0).toBe(replicas);
    return found;
  });
}

describe('Deployment', () => {
  it('becomes a ReplicaSet and pods that run on the node', async () => {
    const cluster = await startTestCluster();
    await cluster.store.create(deployments, deployment('echo', { replicas: 3 }));
    const found = await rolledOut(cluster, 'echo', 3);
    expect(found?.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' });
    expect(found?.status?.conditions).toMatchObject([
      { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' },
      { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
    ]);
    const [set] = cluster.store.page(replicaSets).items;
    expect(set?.metadata.name).toMatch(/^echo-[bcdfghjklmnpqrstvwxz2456789]+$/);
    for (const pod of cluster.pods()) {
      expect(pod.metadata.name).toMatch(new RegExp(`^${set?.metadata.name}-[a-z0-9]{5}$`));
      expect(pod.metadata.labels).toEqual({
        app: 'echo',
        'pod-template-hash': set?.metadata.labels?.['pod-template-hash'],
      });
      expect(pod.spec.nodeName).toBe('laptop');
    }
    expect(cluster.errors).toEqual([]);
  });

  it('keeps enough pods available all through a rolling update', async () => {
    const cluster = await startTestCluster();
    const { store } = cluster;
    await store.create(services, service('echo'));
    await store.create(
      deployments,
      deployment('echo', {
        replicas: 4,
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      }),
    );
    await rolledOut(cluster, 'echo', 4);
    await eventually(() => expect(readyAddresses(cluster)).toHaveLength(4));
    let least = Number.POSITIVE_INFINITY;
    let most = 0;
    const subscription = store.subscribe(endpointSlices, {
      resourceVersion: store.resourceVersion,
      onEvent: () => {
        least = Math.min(least, readyAddresses(cluster).length);
      },
    });
    const podSubscription = store.subscribe(pods, {
      resourceVersion: store.resourceVersion,
      onEvent: () => {
        most = Math.max(most, cluster.pods().filter(({ metadata }) => !metadata.deletionTimestamp).length);
      },
    });
    await store.modify(deployments, 'default', 'echo', (current) => {
      for (const container of current.spec.template.spec.containers)
        container.image = 'iceymoss/udp-echo:2.0';
      return current;
    });
    await rolledOut(cluster, 'echo', 4);
    subscription.close();
    podSubscription.close();
    expect(most).toBe(5);
    expect(least).toBeGreaterThanOrEqual(4);
    const sets = store.page(replicaSets).items;
    expect(new Set(sets.map(({ spec }) => spec.replicas))).toEqual(new Set([0, 4]));
    const messages = await eventually(() => {
      const found = store.page(events).items.filter(({ reason }) => reason === 'ScalingReplicaSet');
      expect(found.length).toBeGreaterThan(4);
      return found.map(({ message }) => message);
    });
    expect(messages[0]).toMatch(/^Scaled up replica set echo-\w+ from 0 to 4$/);
  });

  it('scales up and down, the pods that are not ready first', async () => {
    const cluster = await startTestCluster();
    await cluster.store.create(deployments, deployment('echo', { replicas: 3 }));
    await rolledOut(cluster, 'echo', 3);
    const victim = cluster.pods()[1]?.metadata.name;
    cluster.kubelet.isReady = ({ metadata }) => metadata.name !== victim;
    await cluster.kubelet.refresh();
    await cluster.store.modify(deployments, 'default', 'echo', (current) => ({
      ...current,
      spec: { ...current.spec, replicas: 2 },
    }));
    await rolledOut(cluster, 'echo', 2);
    expect(cluster.pods().map(({ metadata }) => metadata.name)).not.toContain(victim);
  });
});

describe('a Deployment’s template', () => {
  const setImage = (cluster: TestCluster, tag: string) =>
    cluster.store.modify(deployments, 'default', 'echo', (current) => {
      for (const container of current.spec.template.spec.containers)
        container.image = `iceymoss/udp-echo:${tag}`;
      return current;
    });
  const revisions = ({ store }: TestCluster) =>
    store
      .page(replicaSets)
      .items.map(({ metadata, spec }) => [
        metadata.annotations?.['deployment.kubernetes.io/revision'],
        spec.replicas,
      ]);

  it('brought back revives its ReplicaSet under a new revision', async () => {
    const cluster = await startTestCluster();
    await cluster.store.create(deployments, deployment('echo', { replicas: 2 }));
    await rolledOut(cluster, 'echo', 2);
    await setImage(cluster, '2.0');
    await rolledOut(cluster, 'echo', 2);
    await setImage(cluster, '1.0');
    const found = await rolledOut(cluster, 'echo', 2);
    expect(found?.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '3' });
    expect(new Map(revisions(cluster) as [string, number][])).toEqual(
      new Map([
        ['2', 0],
        ['3', 2],
      ]),
    );
    const revived = cluster.store.page(replicaSets).items.find(({ spec }) => spec.replicas === 2);
    expect(revived?.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision-history': '1' });
  });

  it('leaves as many old ReplicaSets as its history limit says', async () => {
    const cluster = await startTestCluster();
    await cluster.store.create(deployments, deployment('echo', { revisionHistoryLimit: 1 }));
    for (const tag of ['1.0', '2.0', '3.0', '4.0']) {
      await setImage(cluster, tag);
      await rolledOut(cluster, 'echo', 1);
    }
    await eventually(() => expect(revisions(cluster)).toHaveLength(2));
    expect(new Set(revisions(cluster).map(([revision]) => revision))).toEqual(new Set(['3', '4']));
  });

  it('is not rolled out while paused, but scaling goes on', async () => {
    const cluster = await startTestCluster();
    const { store } = cluster;
    await store.create(deployments, deployment('echo', { replicas: 1 }));
    await rolledOut(cluster, 'echo', 1);
    await store.modify(deployments, 'default', 'echo', (current) => ({
      ...current,
      spec: { ...current.spec, paused: true, replicas: 2 },
    }));
    await setImage(cluster, '2.0');
    await eventually(() => {
      const found = store.peek(deployments, 'default', 'echo');
      expect(found?.status).toMatchObject({ observedGeneration: 3, availableReplicas: 2 });
      expect(found?.status?.conditions).toContainEqual(
        expect.objectContaining({ type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused' }),
      );
    });
    expect(store.page(replicaSets).items).toHaveLength(1);
    await store.modify(deployments, 'default', 'echo', (current) => ({
      ...current,
      spec: { ...current.spec, paused: false },
    }));
    await rolledOut(cluster, 'echo', 2);
    expect(cluster.pods().map(({ spec }) => spec.containers[0]?.image)).toEqual(
      Array(2).fill('iceymoss/udp-echo:2.0'),
    );
    expect(cluster.errors).toEqual([]);
  });

  it('with Recreate starts no new pod before the last old one is gone', async () => {
    const cluster = await startTestCluster({ kubelet: { stopsAtOnce: false } });
    const strategy = { type: 'Recreate' as const };
    await cluster.store.create(deployments, deployment('echo', { replicas: 2, strategy }));
    await rolledOut(cluster, 'echo', 2);
    await setImage(cluster, '2.0');
    await eventually(() => {
      expect(cluster.pods().every(({ metadata }) => metadata.deletionTimestamp)).toBe(true);
    });
    expect(revisions(cluster)).toEqual([['1', 0]]);
    await cluster.kubelet.finish();
    await rolledOut(cluster, 'echo', 2);
    expect(cluster.pods()).toHaveLength(2);
  });

  it('that never becomes ready stops half-way, keeps the old pods and is reported after its deadline', async () => {
    const cluster = await startTestCluster();
    await cluster.store.create(deployments, deployment('echo', { replicas: 4, progressDeadlineSeconds: 1 }));
    await rolledOut(cluster, 'echo', 4);
    cluster.kubelet.isReady = ({ spec }) => spec.containers[0]?.image !== 'iceymoss/udp-echo:broken';
    await setImage(cluster, 'broken');
    await eventually(() => {
      const found = cluster.store.peek(deployments, 'default', 'echo');
      expect(found?.status?.conditions).toContainEqual(
        expect.objectContaining({
          type: 'Progressing',
          status: 'False',
          reason: 'ProgressDeadlineExceeded',
          message: expect.stringMatching(/^ReplicaSet "echo-\w+" has timed out progressing\.$/),
        }),
      );
    });
    const { status } = cluster.store.peek(deployments, 'default', 'echo') ?? {};
    expect(status).toMatchObject({ availableReplicas: 3, updatedReplicas: 2, unavailableReplicas: 2 });
    await setImage(cluster, '1.0');
    await rolledOut(cluster, 'echo', 4);
    expect(cluster.errors).toEqual([]);
  });

  it('scaled in the middle of an update comes to the new size', async () => {
    const cluster = await startTestCluster();
    const strategy = { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    await cluster.store.create(deployments, deployment('echo', { replicas: 6, strategy }));
    await rolledOut(cluster, 'echo', 6);
    const blocked = 'iceymoss/udp-echo:2.0';
    cluster.kubelet.isReady = ({ spec }) => spec.containers[0]?.image !== blocked;
    await setImage(cluster, '2.0');
    await eventually(() => expect(cluster.pods()).toHaveLength(7));
    await cluster.store.modify(deployments, 'default', 'echo', (current) => ({
      ...current,
      spec: { ...current.spec, replicas: 9 },
    }));
    await eventually(() => expect(cluster.pods()).toHaveLength(10));
    cluster.kubelet.isReady = () => true;
    await cluster.kubelet.refresh();
    await rolledOut(cluster, 'echo', 9);
    expect(cluster.errors).toEqual([]);
  });
});

describe('a ReplicaSet', () => {
  it('replaces a pod that fails or is deleted, and takes over pods that fit', async () => {
    const cluster = await startTestCluster();
    const { store } = cluster;
    await store.create(pods, pod('stray', { labels: { app: 'echo' } }));
    const { selector, template } = deployment('echo').spec;
    const set = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet' as const,
      metadata: { name: 'echo', namespace: 'default' },
      spec: { replicas: 2, selector, template },
    };
    await store.create(replicaSets, set);
    const ready = () => expect(store.peek(replicaSets, 'default', 'echo')?.status?.availableReplicas).toBe(2);
    await eventually(ready);
    expect(cluster.pods()).toHaveLength(2);
    expect(store.peek(pods, 'default', 'stray')?.metadata.ownerReferences).toMatchObject([
      { kind: 'ReplicaSet' },
    ]);
    await store.delete(pods, 'default', 'stray');
    await eventually(() => {
      expect(cluster.pods().map(({ metadata }) => metadata.name)).not.toContain('stray');
      expect(cluster.pods()).toHaveLength(2);
    });
    const [failing] = cluster.pods();
    await store.modify(
      pods,
      'default',
      failing?.metadata.name ?? '',
      (current) => ({ ...current, status: { ...current.status, phase: 'Failed' as const } }),
      { subresource: 'status' },
    );
    await eventually(() => {
      expect(cluster.pods().filter(({ status }) => status?.phase !== 'Failed')).toHaveLength(2);
    });
  });
});

function readyAddresses({ store }: TestCluster): string[] {
  return store
    .page(endpointSlices)
    .items.flatMap(({ endpoints }) => endpoints)
    .filter(({ conditions }) => conditions?.ready)
    .flatMap(({ addresses }) => addresses);
}
