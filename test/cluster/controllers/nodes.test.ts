import { describe, expect, it } from 'vitest';
import { createStore, forgetRunningPods, registerNode, type Store } from '../../../src/cluster/index.ts';
import { type DaemonSet, daemonSets, events, nodes, pods } from '../../../src/kubernetes/index.ts';
import { startTestCluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { deployment, pod } from '../objects.ts';

const addNode = (store: Store, name: string) =>
  registerNode(store, {
    name,
    internalIp: '127.0.0.1',
    podCidr: '10.244.1.0/24',
    kubeletVersion: 'v1.34.0',
    capacity: { cpu: '2', memory: '4Gi', pods: '110' },
    labels: { disk: name },
  });

const cordon = (store: Store, name: string, unschedulable: boolean) =>
  store.modify(nodes, undefined, name, (node) => ({ ...node, spec: { ...node.spec, unschedulable } }));

describe('the scheduler', () => {
  it('spreads pods over the nodes that take them', async () => {
    const { store, pods: all, errors } = await startTestCluster();
    await addNode(store, 'second');
    for (let count = 0; count < 6; count++) await store.create(pods, pod(`echo-${count}`));
    await eventually(() => {
      const placed = all().map(({ spec }) => spec.nodeName);
      expect(placed.filter((name) => name === 'laptop')).toHaveLength(3);
      expect(placed.filter((name) => name === 'second')).toHaveLength(3);
    });
    await store.create(pods, pod('choosy', {}, { nodeSelector: { disk: 'second' } }));
    await eventually(() => expect(store.peek(pods, 'default', 'choosy')?.spec.nodeName).toBe('second'));
    expect(errors).toEqual([]);
  });

  it('says why a pod finds no node, and places it once one is there', async () => {
    const { store } = await startTestCluster();
    await cordon(store, 'laptop', true);
    await store.create(pods, pod('echo'));
    const message =
      '0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
    await eventually(() => {
      expect(store.peek(pods, 'default', 'echo')?.status?.conditions).toMatchObject([
        { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message },
      ]);
      expect(store.page(events).items).toMatchObject([
        { reason: 'FailedScheduling', message, type: 'Warning' },
      ]);
    });
    await cordon(store, 'laptop', false);
    await eventually(() => expect(store.peek(pods, 'default', 'echo')?.spec.nodeName).toBe('laptop'));
    expect(store.peek(pods, 'default', 'echo')?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'PodScheduled', status: 'True' }),
    );
  });
});

describe('a node', () => {
  it('takes no more pods than it can, and the next one when one is over', async () => {
    const { store } = await startTestCluster();
    await store.modify(
      nodes,
      undefined,
      'laptop',
      (node) => ({ ...node, status: { ...node.status, allocatable: { pods: '2' } } }),
      { subresource: 'status' },
    );
    for (const name of ['a', 'b', 'c']) await store.create(pods, pod(name));
    await eventually(() => {
      expect(store.peek(pods, 'default', 'c')?.status?.conditions).toMatchObject([
        {
          reason: 'Unschedulable',
          message: expect.stringMatching(/^0\/1 nodes are available: 1 Too many pods\./),
        },
      ]);
    });
    await store.delete(pods, 'default', 'a');
    await eventually(() => expect(store.peek(pods, 'default', 'c')?.spec.nodeName).toBe('laptop'));
  });
});

describe('a pod', () => {
  it('that is over stays for a while, but not thousands of them', async () => {
    const { store } = await startTestCluster();
    for (let count = 0; count < 230; count++) {
      await store.create(pods, pod(`job-${count}`, {}, { nodeName: 'laptop' }));
      await store.modify(
        pods,
        'default',
        `job-${count}`,
        (current) => ({ ...current, status: { ...current.status, phase: 'Failed' as const } }),
        { subresource: 'status' },
      );
    }
    await eventually(() => expect(store.page(pods).items).toHaveLength(200));
    expect(store.peek(pods, 'default', 'job-0')).toBeUndefined();
  });

  it('whose node is gone is done away with, so that another takes its place', async () => {
    const { store } = await startTestCluster();
    await store.create(pods, pod('lost', {}, { nodeName: 'never-there' }));
    await eventually(() => expect(store.peek(pods, 'default', 'lost')).toBeUndefined());
  });

  it('of an earlier run is not taken for one that runs', async () => {
    const store = createStore();
    const bound = { nodeName: 'laptop' };
    for (const name of ['running', 'going', 'over']) await store.create(pods, pod(name, {}, bound));
    await store.create(pods, pod('waiting'));
    const report = (name: string, phase: 'Running' | 'Succeeded') =>
      store.modify(
        pods,
        'default',
        name,
        (current) => ({
          ...current,
          status: {
            ...current.status,
            phase,
            podIP: '10.244.0.2',
            conditions: [...(current.status?.conditions ?? []), { type: 'Ready', status: 'True' as const }],
          },
        }),
        { subresource: 'status' },
      );
    await report('running', 'Running');
    await report('going', 'Running');
    await report('over', 'Succeeded');
    await store.delete(pods, 'default', 'going');
    await forgetRunningPods(store);
    expect(
      store.page(pods).items.map(({ metadata, status }) => [metadata.name, status?.phase, status?.podIP]),
    ).toEqual([
      ['over', 'Succeeded', '10.244.0.2'],
      ['running', 'Pending', undefined],
      ['waiting', 'Pending', undefined],
    ]);
    expect(store.peek(pods, 'default', 'running')?.status).toMatchObject({
      qosClass: 'BestEffort',
      conditions: [{ type: 'PodScheduled', status: 'True' }],
    });
  });
});

describe('registering a node', () => {
  it('twice brings it up to date and keeps what others put there', async () => {
    const { store } = await startTestCluster();
    await store.modify(nodes, undefined, 'laptop', (node) => ({
      ...node,
      metadata: { ...node.metadata, labels: { ...node.metadata.labels, mine: 'yes' } },
    }));
    const node = await addNode(store, 'laptop');
    expect(node.metadata.labels).toMatchObject({ mine: 'yes', disk: 'laptop' });
    expect(node.spec?.podCIDR).toBe('10.244.1.0/24');
    expect(node.status?.conditions?.at(-1)).toMatchObject({ type: 'Ready', status: 'True' });
    expect(store.page(nodes).items).toHaveLength(1);
  });
});

describe('a DaemonSet', () => {
  const { selector, template } = deployment('agent').spec;
  const daemonSet: DaemonSet = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: 'default' },
    spec: { selector, template },
  };

  it('has one pod on each node, follows nodes and templates', async () => {
    const { store, pods: all, errors } = await startTestCluster();
    const settled = (count: number) =>
      eventually(() => {
        const found = store.peek(daemonSets, 'default', 'agent');
        expect(found?.status).toMatchObject({
          observedGeneration: found?.metadata.generation,
          desiredNumberScheduled: count,
          currentNumberScheduled: count,
          updatedNumberScheduled: count,
          numberAvailable: count,
        });
        expect(all()).toHaveLength(count);
      });
    await store.create(daemonSets, daemonSet);
    await settled(1);
    await addNode(store, 'second');
    await settled(2);
    expect(new Set(all().map(({ spec }) => spec.nodeName))).toEqual(new Set(['laptop', 'second']));
    await store.modify(daemonSets, 'default', 'agent', (current) => {
      for (const container of current.spec.template.spec.containers) container.image = 'agent:2.0';
      return current;
    });
    await settled(2);
    expect(all().map(({ spec }) => spec.containers[0]?.image)).toEqual(['agent:2.0', 'agent:2.0']);
    await store.delete(nodes, undefined, 'second');
    await settled(1);
    expect(errors).toEqual([]);
  });
});
