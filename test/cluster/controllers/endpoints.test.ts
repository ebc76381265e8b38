import { describe, expect, it } from 'vitest';
import { planEndpoints } from '../../../src/cluster/controllers/endpoints/endpoints.ts';
import { planSlices } from '../../../src/cluster/controllers/endpoints/slices.ts';
import {
  type EndpointSlice,
  endpointSlices,
  endpoints,
  type Pod,
  pods,
  type Service,
  services,
} from '../../../src/kubernetes/index.ts';
import { startTestCluster, type TestCluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { echoContainer, pod, service } from '../objects.ts';

const now = new Date('2026-01-01T00:00:00Z');

interface PodState {
  ready?: boolean;
  terminating?: boolean;
  phase?: 'Running' | 'Succeeded';
  address?: string | null;
  containers?: Pod['spec']['containers'];
}

function running(name: string, state: PodState = {}): Pod {
  const { ready = true, terminating = false, phase = 'Running', address = '10.244.0.2', containers } = state;
  const made = pod(
    name,
    { labels: { app: 'echo' } },
    { nodeName: 'laptop', ...(containers ? { containers } : {}) },
  );
  made.metadata.uid = `uid-${name}`;
  if (terminating) made.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  made.status = {
    phase,
    ...(address === null ? {} : { podIP: address }),
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
  };
  return made;
}

function slicesOf(of: Service, pods: Pod[]): EndpointSlice[] {
  return [...planSlices(of, pods, [], now).create];
}

const conditionsOf = (of: Service, pods: Pod[]) =>
  slicesOf(of, pods).flatMap(({ endpoints: list }) => list.map(({ conditions }) => conditions));

describe('the EndpointSlices of a Service', () => {
  it('are written as the real controller writes them', () => {
    const owner = service('echo', {}, { labels: { team: 'udp' } });
    owner.metadata.uid = 'uid-echo';
    expect(slicesOf(owner, [running('echo-1')])).toEqual([
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: '',
          generateName: 'echo-',
          namespace: 'default',
          labels: {
            team: 'udp',
            'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
            'kubernetes.io/service-name': 'echo',
          },
          annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z' },
          ownerReferences: [
            {
              apiVersion: 'v1',
              kind: 'Service',
              name: 'echo',
              uid: 'uid-echo',
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
        addressType: 'IPv4',
        endpoints: [
          {
            addresses: ['10.244.0.2'],
            conditions: { ready: true, serving: true, terminating: false },
            nodeName: 'laptop',
            targetRef: { kind: 'Pod', name: 'echo-1', namespace: 'default', uid: 'uid-echo-1' },
          },
        ],
        ports: [{ name: 'udp', port: 4444, protocol: 'UDP' }],
      },
    ]);
  });

  it.each<[string, Partial<Service['spec']>, PodState, object[]]>([
    ['ready', {}, {}, [{ ready: true, serving: true, terminating: false }]],
    ['not ready', {}, { ready: false }, [{ ready: false, serving: false, terminating: false }]],
    ['on its way out', {}, { terminating: true }, [{ ready: false, serving: true, terminating: true }]],
    [
      'on its way out and no longer ready',
      {},
      { terminating: true, ready: false },
      [{ ready: false, serving: false, terminating: true }],
    ],
    [
      'not ready but published all the same',
      { publishNotReadyAddresses: true },
      { ready: false },
      [{ ready: true, serving: false, terminating: false }],
    ],
    ['over', {}, { phase: 'Succeeded' }, []],
    ['without an address', {}, { address: null }, []],
  ])('show a pod that is %s', (_, spec, state, expected) => {
    expect(conditionsOf(service('echo', spec), [running('echo-1', state)])).toEqual(expected);
  });

  it('find a named target port by name and protocol, per pod', () => {
    const named = service('echo', { ports: [{ name: 'udp', port: 53, targetPort: 'dns', protocol: 'UDP' }] });
    const withPorts = (...ports: NonNullable<Pod['spec']['containers'][number]['ports']>) => [
      { ...echoContainer, ports },
    ];
    const slices = slicesOf(named, [
      running('a', { containers: withPorts({ name: 'dns', containerPort: 5353, protocol: 'UDP' }) }),
      running('b', {
        containers: withPorts({ name: 'dns', containerPort: 6363, protocol: 'UDP' }),
        address: '10.244.0.3',
      }),
      running('c', { containers: withPorts({ name: 'dns', containerPort: 7373 }), address: '10.244.0.4' }),
    ]);
    expect(
      slices.map(({ ports, endpoints: list }) => [ports, list.map(({ targetRef }) => targetRef?.name)]),
    ).toEqual([
      [[{ name: 'udp', port: 5353, protocol: 'UDP' }], ['a']],
      [[{ name: 'udp', port: 6363, protocol: 'UDP' }], ['b']],
      [[], ['c']],
    ]);
  });

  it('hold a hundred endpoints each, and a change rewrites only the slice it concerns', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        running(`echo-${index}`, { address: `10.244.${index >> 8}.${index & 255}` }),
      );
    const owner = service('echo');
    const stored = slicesOf(owner, many(250)).map((slice, index) => ({
      ...slice,
      metadata: { ...slice.metadata, name: `echo-${index}` },
    }));
    expect(stored.map(({ endpoints: list }) => list.length)).toEqual([100, 100, 50]);
    const grown = planSlices(owner, many(251), stored, now);
    expect([grown.create.length, grown.remove.length]).toEqual([0, 0]);
    expect(grown.update.map(({ metadata }) => metadata.name)).toEqual(['echo-2']);
    const unchanged = planSlices(owner, many(250), stored, new Date('2027-01-01'));
    expect(unchanged).toEqual({ create: [], update: [], remove: [] });
    const shrunk = planSlices(owner, many(100), stored, now);
    expect(shrunk.remove.map(({ metadata }) => metadata.name)).toEqual(['echo-1', 'echo-2']);
  });

  it('is one empty slice where no pod is chosen', () => {
    expect(slicesOf(service('echo'), [])).toMatchObject([{ endpoints: [], ports: [] }]);
  });
});

describe('the Endpoints of a Service', () => {
  it('tell ready from not ready and leave out who is going', () => {
    const chosen = [
      running('b', { address: '10.244.0.3' }),
      running('a'),
      running('c', { address: '10.244.0.4', ready: false }),
      running('d', { address: '10.244.0.5', terminating: true }),
    ];
    const { subsets } = planEndpoints(service('echo'), chosen, undefined);
    expect(subsets).toMatchObject([
      {
        addresses: [{ ip: '10.244.0.2' }, { ip: '10.244.0.3' }],
        notReadyAddresses: [{ ip: '10.244.0.4' }],
        ports: [{ name: 'udp', port: 4444, protocol: 'UDP' }],
      },
    ]);
  });
});

async function withPods(spec: Partial<Service['spec']> = {}) {
  const cluster = await startTestCluster();
  await cluster.store.create(services, service('echo', spec));
  for (const name of ['a', 'b']) await cluster.store.create(pods, pod(name, { labels: { app: 'echo' } }));
  return cluster;
}

const readyPods = ({ store }: TestCluster) =>
  store
    .page(endpointSlices)
    .items.flatMap(({ endpoints: list }) => list)
    .filter(({ conditions }) => conditions?.ready)
    .map(({ targetRef }) => targetRef?.name);

describe('the endpoints controller', () => {
  it('follows pods as they come, fail and go', async () => {
    const cluster = await withPods();
    const { store, kubelet } = cluster;
    await eventually(() => expect(readyPods(cluster)).toEqual(['a', 'b']));
    kubelet.isReady = ({ metadata }) => metadata.name !== 'a';
    await kubelet.refresh();
    await eventually(() => expect(readyPods(cluster)).toEqual(['b']));
    kubelet.stopsAtOnce = false;
    await store.delete(pods, 'default', 'b');
    await eventually(() => expect(readyPods(cluster)).toEqual([]));
    expect(store.peek(pods, 'default', 'b')).toBeDefined();
    await eventually(() =>
      expect(store.peek(endpoints, 'default', 'echo')?.subsets).toMatchObject([
        { notReadyAddresses: [{ targetRef: { name: 'a' } }] },
      ]),
    );
    expect(cluster.errors).toEqual([]);
  });

  it('puts right what somebody else changed, and goes with the Service', async () => {
    const cluster = await withPods();
    const { store } = cluster;
    await eventually(() => expect(readyPods(cluster)).toEqual(['a', 'b']));
    const [slice] = store.page(endpointSlices).items;
    await store.modify(endpointSlices, 'default', slice?.metadata.name ?? '', (current) => ({
      ...current,
      endpoints: [],
    }));
    await eventually(() => expect(readyPods(cluster)).toEqual(['a', 'b']));
    await eventually(() => expect(store.peek(endpoints, 'default', 'echo')?.subsets).toHaveLength(1));
    await store.delete(endpoints, 'default', 'echo');
    await eventually(() => expect(store.peek(endpoints, 'default', 'echo')?.subsets).toHaveLength(1));
    await store.delete(services, 'default', 'echo');
    await eventually(() => {
      expect(store.page(endpointSlices).items).toEqual([]);
      expect(store.page(endpoints).items).toEqual([]);
    });
  });

  it('leaves a Service without a selector alone', async () => {
    const cluster = await startTestCluster();
    const { store } = cluster;
    const { selector: _, ...spec } = service('echo').spec;
    await store.create(services, { ...service('echo'), spec });
    await store.create(services, service('other'));
    await eventually(() => expect(store.page(endpointSlices).items).toHaveLength(1));
    expect(store.page(endpointSlices).items[0]?.metadata.generateName).toBe('other-');
    expect(store.peek(endpoints, 'default', 'echo')).toBeUndefined();
  });

  it('shows Endpoints that a user wrote as a slice, and no longer when they are gone', async () => {
    const cluster = await startTestCluster();
    const { store } = cluster;
    const { selector: _, ...spec } = service('echo').spec;
    await store.create(services, { ...service('echo'), spec });
    const subsets = [
      {
        addresses: [{ ip: '192.168.1.10' }],
        notReadyAddresses: [{ ip: '192.168.1.11' }],
        ports: [{ name: 'udp', port: 4444, protocol: 'UDP' as const }],
      },
    ];
    const metadata = { name: 'echo', namespace: 'default' };
    await store.create(endpoints, { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets });
    await eventually(() => {
      expect(store.page(endpointSlices).items).toMatchObject([
        {
          metadata: { labels: { 'kubernetes.io/service-name': 'echo' } },
          endpoints: [
            { addresses: ['192.168.1.10'], conditions: { ready: true } },
            { addresses: ['192.168.1.11'], conditions: { ready: false } },
          ],
          ports: [{ name: 'udp', port: 4444, protocol: 'UDP' }],
        },
      ]);
    });
    await store.delete(endpoints, 'default', 'echo');
    await eventually(() => expect(store.page(endpointSlices).items).toEqual([]));
    expect(cluster.errors).toEqual([]);
  });
});
