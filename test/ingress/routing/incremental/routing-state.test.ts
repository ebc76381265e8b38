import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryPointTable } from '../../../../src/dataplane/tcp/table-state.ts';
import {
  compileTcpRoutes,
  compileUdpRoutes,
  type EntryPoint,
  type RoutingOptions,
} from '../../../../src/ingress/index.ts';
import { RoutingState } from '../../../../src/ingress/routing/incremental/routing-state.ts';
import { RouteReports } from '../../../../src/ingress/status/route-status.ts';
import type {
  EndpointSlice,
  IngressRouteTCP,
  IngressRouteUDP,
  KubeObject,
  MiddlewareTCP,
  Node,
  Service,
} from '../../../../src/kubernetes/index.ts';
import { entryPoint } from '../../fixtures.ts';

const entryPoints = [
  entryPoint('u1', 'udp'),
  entryPoint('u2', 'udp'),
  entryPoint('t1', 'tcp'),
  entryPoint('t2', 'tcp'),
];

const names = fc.constantFrom('a', 'b', 'c');
const namespaces = fc.constantFrom('n', 'm');
const ages = fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z');

const service = fc
  .record({
    name: names,
    namespace: namespaces,
    type: fc.constantFrom('ClusterIP', 'NodePort'),
    affinity: fc.boolean(),
  })
  .map(
    ({ name, namespace, type, affinity }): Service => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: {
        type: type as 'ClusterIP',
        clusterIP: '10.96.0.1',
        ports: [
          { name: 'x', port: 53, protocol: 'TCP', nodePort: 30053 },
          { name: 'y', port: 53, protocol: 'UDP', nodePort: 30054 },
        ],
        ...(affinity ? { sessionAffinity: 'ClientIP' as const } : {}),
      },
    }),
  );

const slice = fc
  .record({
    name: names,
    namespace: namespaces,
    service: names,
    port: fc.constantFrom('x', 'y'),
    ready: fc.array(fc.boolean(), { maxLength: 3 }),
  })
  .map(
    ({ name, namespace, service: of, port, ready }): EndpointSlice => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': of } },
      addressType: 'IPv4',
      endpoints: ready.map((isReady, index) => ({
        addresses: [`10.0.0.${index}`],
        conditions: { ready: isReady },
      })),
      ports: [{ name: port, port: 5353, protocol: port === 'x' ? 'TCP' : 'UDP' }],
    }),
  );

const reference = fc.record(
  {
    name: names,
    port: fc.constantFrom<number | string>(53, 'y', 9),
    nodePortLB: fc.boolean(),
    weight: fc.nat(2),
  },
  { requiredKeys: ['name', 'port'] },
);
const bound = (known: string[]) => fc.subarray([...known, 'nowhere']);

const udpRoute = fc
  .record({
    name: names,
    namespace: namespaces,
    created: ages,
    bound: bound(['u1', 'u2', 't1']),
    services: fc.array(reference, { maxLength: 2 }),
  })
  .map(
    ({ name, namespace, created, bound: to, services }): IngressRouteUDP => ({
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'IngressRouteUDP',
      metadata: { name, namespace, creationTimestamp: created },
      spec: { entryPoints: to, routes: [{ services }, { services: [] }] },
    }),
  );

const match = fc.constantFrom('HostSNI(`*`)', 'HostSNI(`a.b`)', 'ClientIP(`10.0.0.0/8`)', 'broken(');
const tcpRoute = fc
  .record({
    name: names,
    namespace: namespaces,
    created: ages,
    bound: bound(['t1', 't2', 'u1']),
    match,
    priority: fc.constantFrom(0, 5),
    middleware: fc.option(names, { nil: undefined }),
    tls: fc.boolean(),
    services: fc.array(reference, { maxLength: 2 }),
  })
  .map(
    (made): IngressRouteTCP => ({
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'IngressRouteTCP',
      metadata: { name: made.name, namespace: made.namespace, creationTimestamp: made.created },
      spec: {
        entryPoints: made.bound,
        routes: [
          {
            match: made.match,
            priority: made.priority,
            services: made.services,
            ...(made.middleware ? { middlewares: [{ name: made.middleware }] } : {}),
          },
        ],
        ...(made.tls ? { tls: { passthrough: true } } : {}),
      },
    }),
  );

const middleware = fc.record({ name: names, namespace: namespaces, amount: fc.nat(2) }).map(
  ({ name, namespace, amount }): MiddlewareTCP => ({
    apiVersion: 'traefik.io/v1alpha1',
    kind: 'MiddlewareTCP',
    metadata: { name, namespace },
    spec: { inFlightConn: { amount } },
  }),
);
const node = fc.record({ name: names, address: fc.constantFrom('1.1.1.1', '2.2.2.2') }).map(
  ({ name, address }): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { addresses: [{ type: 'InternalIP', address }] },
  }),
);

const kinds = {
  services: service,
  endpointslices: slice,
  ingressrouteudps: udpRoute,
  ingressroutetcps: tcpRoute,
  middlewaretcps: middleware,
  nodes: node,
};
type Kind = keyof typeof kinds;

const step = fc.oneof(
  ...Object.entries(kinds).map(([kind, object]) =>
    fc.record({
      kind: fc.constant(kind as Kind),
      object: object as fc.Arbitrary<KubeObject>,
      isGone: fc.boolean(),
    }),
  ),
  fc.record({ entryPoints: fc.subarray(entryPoints) }),
  fc.constant('compile' as const),
);
const options = fc.record({
  conflict: fc.constantFrom('oldest' as const, 'traefik' as const),
  allowEmptyServices: fc.boolean(),
});

/** What a list of each kind would give at the end. */
class World {
  private readonly objects: Record<Kind, Map<string, KubeObject>> = {
    services: new Map(),
    endpointslices: new Map(),
    ingressrouteudps: new Map(),
    ingressroutetcps: new Map(),
    middlewaretcps: new Map(),
    nodes: new Map(),
  };
  entryPoints: readonly EntryPoint[] = [];

  apply(kind: Kind, object: KubeObject, isGone: boolean): 'ADDED' | 'MODIFIED' | 'DELETED' | undefined {
    const name = `${object.metadata.namespace}/${object.metadata.name}`;
    const isThere = this.objects[kind].has(name);
    if (isGone) return this.objects[kind].delete(name) ? 'DELETED' : undefined;
    this.objects[kind].set(name, object);
    return isThere ? 'MODIFIED' : 'ADDED';
  }

  compile(given: RoutingOptions) {
    const list = <Of extends KubeObject>(kind: Kind) => [...this.objects[kind].values()] as Of[];
    const common = {
      entryPoints: this.entryPoints,
      services: list<Service>('services'),
      endpointSlices: list<EndpointSlice>('endpointslices'),
      nodes: list<Node>('nodes'),
      options: given,
    };
    const udp = compileUdpRoutes({ ...common, routes: list<IngressRouteUDP>('ingressrouteudps') }, 1);
    const routes = list<IngressRouteTCP>('ingressroutetcps');
    const tcp = compileTcpRoutes({ ...common, routes, middlewares: list<MiddlewareTCP>('middlewaretcps') });
    return { udp: udp.table.udp, tcp: tcp.tcp, findings: [...udp.findings, ...tcp.findings] };
  }
}

describe('the routing that follows changes', () => {
  it('is at every moment what a compilation of all objects gives', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), options, (steps, given) => {
        const world = new World();
        const state = new RoutingState(given);
        for (const one of [...steps, 'compile' as const]) {
          if (one === 'compile') {
            const { table, findings } = state.compile();
            const whole = world.compile(given);
            // Slices of one Service come in the order of their coming; a compilation of all takes them by list.
            expect({ udp: inAnyOrder(table.udp), tcp: inAnyOrder(table.tcp ?? []), findings }).toEqual({
              udp: inAnyOrder(whole.udp),
              tcp: inAnyOrder(whole.tcp),
              findings: whole.findings,
            });
          } else if ('entryPoints' in one) {
            world.entryPoints = one.entryPoints;
            state.setEntryPoints(one.entryPoints);
          } else {
            const type = world.apply(one.kind, one.object, one.isGone);
            if (type) state.apply(one.kind, { type, object: one.object });
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is followed by reports and TCP tables that are what fresh ones would be', () => {
    const facts = ['', 'a.b', 'other'].flatMap((serverName) =>
      ['10.1.2.3', '192.0.2.1'].map((clientAddress) => ({ serverName, clientAddress, alpnProtocols: [] })),
    );
    const chosen = (table: EntryPointTable) =>
      facts.flatMap((one) =>
        [true, false].map((hasTls) => {
          const route = table.chooser.choose(one, hasTls);
          return route && table.stateOf(route).route;
        }),
      );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), options, (steps, given) => {
        const world = new World();
        const state = new RoutingState(given);
        const reports = new RouteReports();
        const tables = new Map<string, EntryPointTable>();
        state.setEntryPoints(entryPoints);
        for (const one of steps) {
          if (one === 'compile') continue;
          if ('entryPoints' in one)
            state.setEntryPoints(one.entryPoints.length > 2 ? one.entryPoints : entryPoints);
          else {
            const type = world.apply(one.kind, one.object, one.isGone);
            if (type) state.apply(one.kind, { type, object: one.object });
          }
          const routing = state.compile();
          expect(reports.of(routing)).toEqual(new RouteReports().of(routing));
          for (const decision of routing.table.tcp ?? []) {
            const { entryPoint } = decision;
            const table = new EntryPointTable(decision, tables.get(entryPoint));
            tables.set(entryPoint, table);
            expect(chosen(table)).toEqual(chosen(new EntryPointTable(decision)));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  const only = <Item>(items: readonly Item[]): Item => {
    const [item] = items;
    if (!item) throw new Error('nothing there');
    return item;
  };
  const made = <Made>(arbitrary: fc.Arbitrary<Made>, wanted: (object: Made) => boolean): Made =>
    only(fc.sample(arbitrary.filter(wanted), { numRuns: 1, seed: 1 }));

  function stateWithOneRoute() {
    const state = new RoutingState();
    state.setEntryPoints(entryPoints);
    const route: IngressRouteUDP = {
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'IngressRouteUDP',
      metadata: { name: 'r', namespace: 'n', resourceVersion: '1' },
      spec: { entryPoints: ['u1'], routes: [{ services: [{ name: 'a', port: 'y' }] }] },
    };
    const known = made(service, ({ metadata }) => metadata.name === 'a' && metadata.namespace === 'n');
    state.apply('ingressrouteudps', { type: 'ADDED', object: route });
    state.apply('services', { type: 'ADDED', object: known });
    return { state, route, known };
  }

  it('stays the same object when nothing that matters changed', () => {
    const { state, known } = stateWithOneRoute();
    const first = state.compile();
    expect(state.compile()).toBe(first);
    state.apply('services', {
      type: 'MODIFIED',
      object: { ...known, metadata: { ...known.metadata, annotations: { a: 'b' } } },
    });
    expect(state.compile()).toBe(first);
    const other = made(service, ({ metadata }) => metadata.name === 'b');
    state.apply('services', { type: 'ADDED', object: other });
    expect(state.compile()).toBe(first);
  });

  it('keeps its table when only a finding or a version of a route changed', () => {
    const { state, route } = stateWithOneRoute();
    const first = state.compile();
    const again = { ...route, metadata: { ...route.metadata, resourceVersion: '2' } };
    state.apply('ingressrouteudps', { type: 'MODIFIED', object: again });
    const second = state.compile();
    expect(second).not.toBe(first);
    expect(second.table).toBe(first.table);
  });

  it('follows the TLSOption called default, which routes do not name', () => {
    const { state } = stateWithOneRoute();
    const object: IngressRouteTCP = {
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'IngressRouteTCP',
      metadata: { name: 't', namespace: 'n' },
      spec: { entryPoints: ['t1'], routes: [{ match: 'HostSNI(`*`)', services: [] }], tls: {} },
    };
    state.apply('ingressroutetcps', { type: 'ADDED', object });
    const optionsOf = () => {
      const tls = state.compile().table.tcp?.[0]?.routes[0]?.tls;
      return tls?.mode === 'terminate' ? tls.options?.minVersion : undefined;
    };
    expect(optionsOf()).toBeUndefined();
    expect(state.kindsRead.has('tlsoptions')).toBe(true);
    const option = (minVersion: string): KubeObject => ({
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'TLSOption',
      metadata: { name: 'default', namespace: 'n' },
      spec: { minVersion },
    });
    state.apply('tlsoptions', { type: 'ADDED', object: option('VersionTLS13') });
    expect(optionsOf()).toBe('TLSv1.3');
    state.apply('tlsoptions', { type: 'DELETED', object: option('VersionTLS13') });
    expect(optionsOf()).toBeUndefined();
  });

  it('tells which kinds its routes refer to', () => {
    const { state } = stateWithOneRoute();
    state.compile();
    expect([...state.kindsRead].sort()).toEqual(['endpointslices', 'services']);
    const tcp = made(tcpRoute, ({ spec }) => Boolean(spec.routes[0]?.middlewares));
    state.apply('ingressroutetcps', { type: 'ADDED', object: tcp });
    state.compile();
    expect(state.kindsRead.has('middlewaretcps')).toBe(true);
    expect(state.kindsRead.has('secrets')).toBe(false);
  });
});

/** Endpoints of a service mean the same in any order. */
function inAnyOrder(decisions: readonly object[]): unknown {
  return JSON.parse(JSON.stringify(decisions), (_key, value: unknown) =>
    Array.isArray(value) && value.every(isEndpoint)
      ? value.map((endpoint) => JSON.stringify(endpoint)).sort()
      : value,
  );
}

function isEndpoint(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'address' in value && 'state' in value;
}
