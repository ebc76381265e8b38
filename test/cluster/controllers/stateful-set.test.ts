import { describe, expect, it } from 'vitest';
import { pods, type StatefulSet, statefulSets } from '../../../src/kubernetes/index.ts';
import { startTestCluster, type TestCluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { deployment } from '../objects.ts';

function statefulSet(spec: Partial<StatefulSet['spec']> = {}): StatefulSet {
  const { selector, template } = deployment('game').spec;
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'game', namespace: 'default' },
    spec: { serviceName: 'game', selector, template, ...spec },
  };
}

const settled = ({ store }: TestCluster, replicas: number) =>
  eventually(() => {
    const found = store.peek(statefulSets, 'default', 'game');
    expect(found?.status).toMatchObject({
      observedGeneration: found?.metadata.generation,
      replicas,
      availableReplicas: replicas,
    });
    expect(found?.status?.updatedReplicas ?? 0).toBe(replicas);
    expect(found?.status?.currentRevision).toBe(found?.status?.updateRevision);
  });

/** What is done to pods, in order: `ADDED game-0`. */
function followPods({ store }: TestCluster): string[] {
  const seen: string[] = [];
  store.subscribe(pods, {
    onEvent: ({ type, object }) => {
      if (type !== 'MODIFIED') seen.push(`${type} ${object.metadata.name}`);
    },
  });
  return seen;
}

describe('a StatefulSet', () => {
  it('has numbered pods, made one after the other and taken away from the end', async () => {
    const cluster = await startTestCluster();
    const seen = followPods(cluster);
    await cluster.store.create(statefulSets, statefulSet({ replicas: 3 }));
    await settled(cluster, 3);
    expect(seen).toEqual(['ADDED game-0', 'ADDED game-1', 'ADDED game-2']);
    expect(cluster.store.peek(pods, 'default', 'game-1')).toMatchObject({
      metadata: {
        labels: { 'apps.kubernetes.io/pod-index': '1', 'statefulset.kubernetes.io/pod-name': 'game-1' },
      },
      spec: { hostname: 'game-1', subdomain: 'game' },
    });
    await cluster.store.modify(statefulSets, 'default', 'game', (current) => ({
      ...current,
      spec: { ...current.spec, replicas: 1 },
    }));
    await settled(cluster, 1);
    expect(seen.slice(3)).toEqual(['DELETED game-2', 'DELETED game-1']);
    expect(cluster.errors).toEqual([]);
  });

  it('waits for a pod that is not ready before it makes the next, unless told to make them in parallel', async () => {
    const cluster = await startTestCluster({ kubelet: { isReady: () => false } });
    const seen = followPods(cluster);
    await cluster.store.create(statefulSets, statefulSet({ replicas: 2 }));
    await eventually(() => expect(cluster.pods()[0]?.status?.phase).toBe('Running'));
    expect(seen).toEqual(['ADDED game-0']);
    const parallel = statefulSet({ replicas: 2, podManagementPolicy: 'Parallel' });
    parallel.metadata.name = 'swarm';
    await cluster.store.create(statefulSets, parallel);
    await eventually(() => expect(seen).toEqual(['ADDED game-0', 'ADDED swarm-0', 'ADDED swarm-1']));
  });

  it('is updated from the end, down to its partition', async () => {
    const cluster = await startTestCluster();
    const { store } = cluster;
    await store.create(statefulSets, statefulSet({ replicas: 3 }));
    await settled(cluster, 3);
    const seen = followPods(cluster);
    seen.length = 0;
    const update = (partition: number) =>
      store.modify(statefulSets, 'default', 'game', (current) => {
        for (const container of current.spec.template.spec.containers) container.image = 'game:2';
        return {
          ...current,
          spec: {
            ...current.spec,
            updateStrategy: { type: 'RollingUpdate' as const, rollingUpdate: { partition } },
          },
        };
      });
    const images = () => cluster.pods().map(({ spec }) => spec.containers[0]?.image);
    await update(2);
    await eventually(() => {
      expect(store.peek(statefulSets, 'default', 'game')?.status).toMatchObject({
        updatedReplicas: 1,
        currentReplicas: 2,
        availableReplicas: 3,
      });
    });
    expect(images()).toEqual(['iceymoss/udp-echo:1.0', 'iceymoss/udp-echo:1.0', 'game:2']);
    await update(0);
    await settled(cluster, 3);
    expect(images()).toEqual(['game:2', 'game:2', 'game:2']);
    expect(seen.filter((each) => each.startsWith('DELETED'))).toEqual([
      'DELETED game-2',
      'DELETED game-1',
      'DELETED game-0',
    ]);
  });

  it('may change only what the API lets it', async () => {
    const { store } = await startTestCluster();
    await store.create(statefulSets, statefulSet());
    await expect(store.update(statefulSets, statefulSet({ serviceName: 'other' }))).rejects.toThrow(
      "StatefulSet.apps \"game\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    );
  });
});
