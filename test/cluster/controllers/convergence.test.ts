/** Whatever is done to the cluster, and however badly the API behaves, it comes to rest where it should. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Deployment,
  deployments,
  type EndpointSlice,
  endpointSlices,
  endpoints,
  type Pod,
  pods,
  replicaSets,
  services,
} from '../../../src/kubernetes/index.ts';
import { startTestCluster, type TestCluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { makeFaulty } from '../faulty-api.ts';
import { deployment, service } from '../objects.ts';

type Step =
  | { act: 'apply'; name: string; replicas: number; image: string; strategy: 'Recreate' | 'RollingUpdate' }
  | { act: 'scale'; name: string; replicas: number }
  | { act: 'remove'; name: string; policy: 'Background' | 'Foreground' }
  | { act: 'serve' | 'unserve'; name: string }
  | { act: 'kill' | 'fail'; index: number }
  | { act: 'settle' };

const name = fc.constantFrom('echo', 'dns');
const replicas = fc.integer({ min: 0, max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    act: fc.constant('apply' as const),
    name,
    replicas,
    image: fc.constantFrom('a:1', 'a:2', 'a:3'),
    strategy: fc.constantFrom('Recreate' as const, 'RollingUpdate' as const),
  }),
  fc.record({ act: fc.constant('scale' as const), name, replicas }),
  fc.record({
    act: fc.constant('remove' as const),
    name,
    policy: fc.constantFrom('Background' as const, 'Foreground' as const),
  }),
  fc.record({ act: fc.constantFrom('serve' as const, 'unserve' as const), name }),
  fc.record({ act: fc.constantFrom('kill' as const, 'fail' as const), index: fc.nat(9) }),
  fc.constant({ act: 'settle' as const }),
);

async function perform(cluster: TestCluster, each: Step): Promise<void> {
  const { store } = cluster;
  switch (each.act) {
    case 'apply': {
      const strategy = { type: each.strategy };
      const wanted = deployment(each.name, { replicas: each.replicas, strategy });
      for (const container of wanted.spec.template.spec.containers) container.image = each.image;
      if (store.peek(deployments, 'default', each.name)) await store.update(deployments, wanted);
      else await store.create(deployments, wanted);
      return;
    }
    case 'scale':
      await store.modify(deployments, 'default', each.name, (current) => ({
        ...current,
        spec: { ...current.spec, replicas: each.replicas },
      }));
      return;
    case 'remove':
      await store.remove(deployments, 'default', each.name, { propagationPolicy: each.policy });
      return;
    case 'serve':
      await store.create(services, service(each.name));
      return;
    case 'unserve':
      await store.delete(services, 'default', each.name);
      return;
    case 'kill':
    case 'fail': {
      const victim = cluster.pods()[each.index % Math.max(1, cluster.pods().length)];
      if (!victim) return;
      if (each.act === 'kill') await store.delete(pods, 'default', victim.metadata.name);
      else await store.updateStatus(pods, { ...victim, status: { ...victim.status, phase: 'Failed' } });
      return;
    }
    case 'settle':
      await eventually(() => expectAtRest(cluster));
  }
}

const isLive = ({ metadata, status }: Pod) => !metadata.deletionTimestamp && status?.phase !== 'Failed';

function expectAtRest(cluster: TestCluster): void {
  const { store } = cluster;
  const all = store.page(deployments).items;
  const sets = store.page(replicaSets).items;
  const live = cluster.pods().filter(isLive);
  expect(cluster.pods().filter(({ metadata }) => metadata.deletionTimestamp)).toEqual([]);
  const owners = new Set(all.map(({ metadata }) => metadata.uid));
  expect(sets.filter(({ metadata }) => !owners.has(metadata.ownerReferences?.[0]?.uid ?? ''))).toEqual([]);
  for (const each of all) expectRolledOut(each, live);
  expect(live).toHaveLength(all.reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0));
  const served = new Set(store.page(services).items.map(({ metadata }) => metadata.name));
  for (const each of served) expectServed(store.page(endpointSlices).items, each, live);
  expect(new Set(store.page(endpoints).items.map(({ metadata }) => metadata.name))).toEqual(served);
  const sliced = store
    .page(endpointSlices)
    .items.map(({ metadata }) => metadata.labels?.['kubernetes.io/service-name']);
  expect(new Set(sliced)).toEqual(served);
}

function expectRolledOut({ metadata, spec, status }: Deployment, live: readonly Pod[]): void {
  const own = live.filter(({ metadata: { labels } }) => labels?.app === metadata.name);
  expect(own).toHaveLength(spec.replicas ?? 0);
  const image = spec.template.spec.containers[0]?.image;
  expect(own.every((pod) => pod.spec.containers[0]?.image === image)).toBe(true);
  expect(status).toMatchObject({ observedGeneration: metadata.generation });
  expect(status?.availableReplicas ?? 0).toBe(spec.replicas);
  expect(status?.updatedReplicas ?? 0).toBe(spec.replicas);
}

function expectServed(slices: readonly EndpointSlice[], name: string, live: readonly Pod[]): void {
  const shown = slices
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name)
    .flatMap(({ endpoints: list }) => list);
  expect(shown.filter(({ conditions }) => !conditions?.ready)).toEqual([]);
  const ready = shown.map(({ targetRef }) => targetRef?.name);
  const wanted = live
    .filter(({ metadata }) => metadata.labels?.app === name)
    .map(({ metadata }) => metadata.name);
  expect(new Set(ready)).toEqual(new Set(wanted));
  expect(ready).toHaveLength(wanted.length);
}

async function run(cluster: TestCluster, steps: readonly Step[]): Promise<void> {
  try {
    // A step that has nothing to act on is refused, which is no matter here.
    for (const each of steps)
      await perform(cluster, each).catch((error: Error) => {
        if (error.name !== 'ApiError') throw error;
      });
    await eventually(() => expectAtRest(cluster));
  } finally {
    await cluster.stop();
  }
}

/** Its size and its template change together, to Recreate, while two ReplicaSets of a rolling update have pods. */
const recreatedAmidARollout: Step[] = [
  { act: 'apply', name: 'dns', replicas: 1, image: 'a:1', strategy: 'RollingUpdate' },
  { act: 'apply', name: 'dns', replicas: 1, image: 'a:2', strategy: 'RollingUpdate' },
  { act: 'kill', index: 8 },
  { act: 'remove', name: 'echo', policy: 'Foreground' },
  { act: 'unserve', name: 'echo' },
  { act: 'scale', name: 'echo', replicas: 0 },
  { act: 'apply', name: 'dns', replicas: 2, image: 'a:3', strategy: 'Recreate' },
];

describe('the controllers', () => {
  it('come to rest where they should after every history', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const cluster = await startTestCluster();
        await run(cluster, steps);
        expect(cluster.errors).toEqual([]);
      }),
      { numRuns: 60, examples: [[recreatedAmidARollout]] },
    );
  });

  it('do so over an API that refuses, loses answers and breaks watches', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.integer(), async (steps, seed) => {
        const random = pseudoRandom(seed);
        const rates = { refuse: 0.1, lose: 0.05, break: 0.01 };
        const wrap = (store: TestCluster['store']) => makeFaulty(store, (what) => random() < rates[what]);
        await run(await startTestCluster({ wrap }), steps);
      }),
      { numRuns: 30 },
    );
  });
});

function pseudoRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
