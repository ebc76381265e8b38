import { describe, expect, it } from 'vitest';
import { gatewayStatuses } from '../../../src/ingress/gateway/gateway-status.ts';
import type { Gateway, GatewayRoute, Listener, ParentStatus } from '../../../src/ingress/gateway/objects.ts';
import type { EntryPoint } from '../../../src/ingress/index.ts';
import { RoutingState } from '../../../src/ingress/routing/incremental/routing-state.ts';
import type { Condition, KubeObject } from '../../../src/kubernetes/index.ts';

const group = 'gateway.networking.k8s.io';
const v1 = `${group}/v1`;

const gatewayClass = (controllerName = 'sluice.dev/gateway-controller'): [string, KubeObject] => [
  'gatewayclasses',
  { apiVersion: v1, kind: 'GatewayClass', metadata: { name: 'sluice' }, spec: { controllerName } },
];
const namespace = (name: string, labels = {}): [string, KubeObject] => [
  'namespaces',
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
];
const udp = (name: string, port: number, over: Partial<Listener> = {}): Listener => ({
  name,
  port,
  protocol: 'UDP',
  ...over,
});
const gateway = (listeners: Listener[], over: Partial<Gateway['metadata']> = {}): [string, Gateway] => [
  'gateways',
  {
    apiVersion: v1,
    kind: 'Gateway',
    metadata: { name: 'gw', namespace: 'infra', generation: 3, ...over },
    spec: { gatewayClassName: 'sluice', listeners },
  },
];

interface RouteOptions {
  kind?: 'UDPRoute' | 'TCPRoute';
  namespace?: string;
  created?: string;
  parent?: object;
  backends?: object[];
}
const route = (name: string, options: RouteOptions = {}): [string, GatewayRoute] => {
  const { kind = 'UDPRoute', namespace: own = 'infra', created = '2026-01-01T00:00:00Z' } = options;
  const backendRefs = (options.backends ?? [{ name: 'dns', port: 53 }]) as [];
  return [
    `${kind.toLowerCase()}s`,
    {
      apiVersion: v1,
      kind,
      metadata: { name, namespace: own, creationTimestamp: created },
      spec: {
        parentRefs: [{ name: 'gw', namespace: 'infra', ...options.parent }],
        rules: [{ backendRefs }],
      },
    },
  ];
};

const backend = (name: string, own: string, address: string): [string, KubeObject][] => [
  [
    'services',
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: own },
      spec: {
        ports: [
          { name: 'u', port: 53, protocol: 'UDP' },
          { name: 't', port: 53, protocol: 'TCP' },
        ],
      },
    },
  ],
  [
    'endpointslices',
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace: own, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [
        { name: 'u', port: 5353, protocol: 'UDP' },
        { name: 't', port: 5300, protocol: 'TCP' },
      ],
    } as KubeObject,
  ],
];
const grant = (
  own: string,
  from: string,
  to: object = { group: '', kind: 'Service' },
): [string, KubeObject] => [
  'referencegrants',
  {
    apiVersion: `${group}/v1beta1`,
    kind: 'ReferenceGrant',
    metadata: { name: 'g', namespace: own },
    spec: { from: [{ group, kind: 'UDPRoute', namespace: from }], to: [to] },
  },
];

function compile(objects: readonly [string, KubeObject][], entryPoints: EntryPoint[] = []) {
  const state = new RoutingState();
  state.setEntryPoints(entryPoints);
  for (const [kind, object] of objects) state.apply(kind, { type: 'ADDED', object });
  const routing = state.compile();
  const statuses = gatewayStatuses(routing.gateway, {
    isOpen: () => true,
    addresses: [{ type: 'IPAddress', value: '192.0.2.1' }],
    now: new Date('2026-03-01T00:00:00.123Z'),
  });
  const statusOf = (name: string) =>
    statuses.find(({ object }) => object.metadata.name === name)?.status as {
      conditions: Condition[];
      listeners: {
        name: string;
        attachedRoutes: number;
        supportedKinds: { kind: string }[];
        conditions: Condition[];
      }[];
      parents: ParentStatus[];
      supportedFeatures: unknown;
    };
  const parent = (name: string) => words(statusOf(name).parents[0]?.conditions ?? []);
  const listener = (name: string) => statusOf('gw').listeners.find((one) => one.name === name);
  return { routing, statuses, statusOf, parent, listener };
}

const words = (conditions: readonly Condition[]) =>
  conditions.map((one) => `${one.type}=${one.status} ${one.reason}`);

const targets = ({ table }: { table: { udp: readonly object[] } }) =>
  Object.fromEntries(
    (table.udp as { entryPoint: string; kind: string; reason?: string; route: unknown }[]).map((decision) => {
      const { services = [] } = (decision.route ?? {}) as {
        services?: { weight: number; refusal?: string; endpoints: { address: string; port: number }[] }[];
      };
      const shown = services.map(
        ({ weight, endpoints, refusal }) =>
          `${weight}:${refusal ?? endpoints.map(({ address, port }) => `${address}:${port}`).join(',')}`,
      );
      return [decision.entryPoint, decision.kind === 'forward' ? shown : decision.reason];
    }),
  );

const base = [gatewayClass(), ...backend('dns', 'infra', '10.0.0.1')];

describe('Gateway API', () => {
  it('forwards the datagrams of a listener to the backends of its route', () => {
    const { routing, parent, statusOf, listener } = compile([
      ...base,
      gateway([udp('dns', 5300)]),
      route('a'),
    ]);
    expect(routing.gateway.entryPoints).toMatchObject([
      { name: 'gateway-infra-gw-dns', port: 5300, protocol: 'udp' },
    ]);
    expect(targets(routing)).toEqual({ 'gateway-infra-gw-dns': ['1:10.0.0.1:5353'] });
    expect(parent('a')).toEqual(['Accepted=True Accepted', 'ResolvedRefs=True ResolvedRefs']);
    expect(words(statusOf('sluice').conditions)).toEqual(['Accepted=True Accepted']);
    expect(statusOf('sluice').supportedFeatures).toContainEqual({ name: 'UDPRoute' });
    expect(statusOf('gw')).toMatchObject({ addresses: [{ value: '192.0.2.1' }] });
    expect(words(statusOf('gw').conditions)).toEqual([
      'Accepted=True Accepted',
      'Programmed=True Programmed',
    ]);
    expect(statusOf('gw').conditions[0]).toMatchObject({
      observedGeneration: 3,
      lastTransitionTime: '2026-03-01T00:00:00Z',
    });
    expect(listener('dns')).toMatchObject({ attachedRoutes: 1, supportedKinds: [{ kind: 'UDPRoute' }] });
    expect(words(listener('dns')?.conditions ?? [])).toEqual([
      'Accepted=True Accepted',
      'Conflicted=False NoConflicts',
      'ResolvedRefs=True ResolvedRefs',
      'Programmed=True Programmed',
    ]);
  });

  it('carries a TCPRoute on a TCP listener, beside UDP on the same port', () => {
    const listeners = [udp('dns', 53), { ...udp('dns-tcp', 53), protocol: 'TCP' }];
    const { routing } = compile([...base, gateway(listeners), route('a'), route('b', { kind: 'TCPRoute' })]);
    expect(routing.table.tcp).toMatchObject([
      {
        entryPoint: 'gateway-infra-gw-dns-tcp',
        routes: [
          {
            rule: { kind: 'hostSni', host: '*' },
            services: [{ endpoints: [{ address: '10.0.0.1', port: 5300 }] }],
          },
        ],
      },
    ]);
    expect(targets(routing)).toEqual({ 'gateway-infra-gw-dns': ['1:10.0.0.1:5353'] });
  });

  it('leaves the Gateways of other controllers alone', () => {
    const { routing, statuses } = compile([
      gatewayClass('example.com/other'),
      gateway([udp('dns', 1)]),
      route('a'),
    ]);
    expect([routing.gateway.entryPoints, statuses]).toEqual([[], []]);
  });

  it('drops for a backend that does not exist, and says so', () => {
    const backends = [{ name: 'nothing', port: 53 }];
    const { routing, parent } = compile([...base, gateway([udp('dns', 1)]), route('a', { backends })]);
    expect(parent('a')).toEqual(['Accepted=True Accepted', 'ResolvedRefs=False BackendNotFound']);
    expect(targets(routing)).toEqual({ 'gateway-infra-gw-dns': 'no_service' });
  });

  it.each([
    ['another kind than Service', [{ name: 'dns', kind: 'Pod', port: 53 }], 'InvalidKind'],
    ['a port that is not there', [{ name: 'dns', port: 54 }], 'BackendNotFound'],
    ['no port', [{ name: 'dns' }], 'BackendNotFound'],
  ])('refuses %s', (_what, backends, reason) => {
    const { parent } = compile([...base, gateway([udp('dns', 1)]), route('a', { backends })]);
    expect(parent('a')[1]).toBe(`ResolvedRefs=False ${reason}`);
  });

  it('follows a backend into another namespace only where a ReferenceGrant there allows it', () => {
    const objects = [
      ...base,
      ...backend('far', 'other', '10.0.0.9'),
      gateway([udp('dns', 1)]),
      route('a', { backends: [{ name: 'far', namespace: 'other', port: 53 }] }),
    ];
    expect(compile(objects).parent('a')[1]).toBe('ResolvedRefs=False RefNotPermitted');
    for (const [own, from, to] of [
      ['other', 'elsewhere', undefined],
      ['infra', 'infra', undefined],
      ['other', 'infra', { group: '', kind: 'Service', name: 'near' }],
    ] as const) {
      expect(compile([...objects, grant(own, from, to)]).parent('a')[1]).toContain('RefNotPermitted');
    }
    const allowed = compile([...objects, grant('other', 'infra')]);
    expect(allowed.parent('a')[1]).toBe('ResolvedRefs=True ResolvedRefs');
    expect(targets(allowed.routing)).toEqual({ 'gateway-infra-gw-dns': ['1:10.0.0.9:5353'] });
  });

  it('accepts several routes on one listener, counts them all, gives the oldest the traffic and says who has it', () => {
    const { routing, parent, listener } = compile([
      ...base,
      ...backend('late', 'infra', '10.0.0.2'),
      gateway([udp('dns', 1)]),
      route('a-new', { created: '2026-01-02T00:00:00Z', backends: [{ name: 'late', port: 53 }] }),
      route('b-old'),
    ]);
    expect(targets(routing)).toEqual({ 'gateway-infra-gw-dns': ['1:10.0.0.1:5353'] });
    expect(listener('dns')?.attachedRoutes).toBe(2);
    expect(parent('b-old')).toHaveLength(2);
    expect(parent('a-new')).toEqual([
      'Accepted=True Accepted',
      'ResolvedRefs=True ResolvedRefs',
      'sluice.dev/Shadowed=True OlderRoute',
    ]);
  });

  it('attaches routes of the namespaces that the listener allows', () => {
    const from = (namespaces: object) => ({ allowedRoutes: { namespaces } }) as Partial<Listener>;
    const cases: [Partial<Listener>, boolean][] = [
      [{}, false],
      [from({ from: 'Same' }), false],
      [from({ from: 'All' }), true],
      [from({ from: 'Selector', selector: { matchLabels: { team: 'a' } } }), true],
      [from({ from: 'Selector', selector: { matchLabels: { team: 'b' } } }), false],
    ];
    for (const [over, isAllowed] of cases) {
      const { parent } = compile([
        ...base,
        namespace('apps', { team: 'a' }),
        ...backend('dns', 'apps', '10.0.0.3'),
        gateway([udp('dns', 1, over)]),
        route('a', { namespace: 'apps' }),
      ]);
      expect(parent('a')[0]).toBe(`Accepted=${isAllowed ? 'True Accepted' : 'False NotAllowedByListeners'}`);
    }
  });

  it('attaches to every listener, or to the one named by section or port', () => {
    const cases: [object, string[] | string][] = [
      [{}, ['one', 'two']],
      [{ sectionName: 'two' }, ['two']],
      [{ port: 1 }, ['one']],
      [{ sectionName: 'two', port: 1 }, 'Accepted=False NoMatchingParent'],
      [{ sectionName: 'three' }, 'Accepted=False NoMatchingParent'],
    ];
    for (const [parent, expected] of cases) {
      const compiled = compile([...base, gateway([udp('one', 1), udp('two', 2)]), route('a', { parent })]);
      if (typeof expected === 'string') expect(compiled.parent('a')[0]).toBe(expected);
      else {
        const attached = ['one', 'two'].filter((name) => compiled.listener(name)?.attachedRoutes === 1);
        expect(attached).toEqual(expected);
      }
    }
  });

  it('takes the annotations of a UDPRoute, and refuses it where one cannot be understood', () => {
    const annotated = (annotations: Record<string, string>): [string, GatewayRoute] => {
      const [kind, object] = route('a');
      return [kind, { ...object, metadata: { ...object.metadata, annotations } }];
    };
    const outcome = (annotations: Record<string, string>) =>
      compile([...base, gateway([udp('dns', 1)]), annotated(annotations)]);
    const good = outcome({ 'sluice.dev/responses': '1', 'sluice.dev/respons': '1' });
    expect(good.routing.table.udp[0]).toMatchObject({ kind: 'forward', route: { responses: 1 } });
    expect(good.statusOf('a').parents[0]?.conditions[0]?.message).toBe(
      'attached to dns; SL3111: sluice.dev/respons means nothing; did you mean sluice.dev/responses?',
    );
    const bad = outcome({ 'sluice.dev/deny': 'nobody' });
    expect(targets(bad.routing)).toEqual({ 'gateway-infra-gw-dns': 'route_invalid' });
    expect(bad.parent('a')[0]).toBe('Accepted=False UnsupportedValue');
  });

  it('keeps the share of an invalid backend for itself, and says so', () => {
    const backends = [
      { name: 'dns', port: 53, weight: 5 },
      { name: 'nothing', port: 53, weight: 3 },
      { name: 'empty', port: 53, weight: 2 },
      { name: 'far', namespace: 'other', port: 53 },
    ];
    const empty = backend('empty', 'infra', '10.0.0.8')[0]!;
    const objects = [...base, empty, ...backend('far', 'other', '10.0.0.9')];
    const { routing, parent } = compile([
      ...objects,
      gateway([udp('dns', 1), { name: 'tcp', port: 1, protocol: 'TCP' }]),
      route('a', { backends }),
      route('b', { kind: 'TCPRoute', backends }),
    ]);
    const shares = ['5:10.0.0.1:5353', '3:no_service', '2:no_endpoints', '1:no_service'];
    expect(targets(routing)).toEqual({ 'gateway-infra-gw-dns': shares });
    const [tcpRoute] = routing.table.tcp?.[0]?.routes ?? [];
    expect(tcpRoute?.services.map(({ weight, refusal }) => `${weight}:${refusal}`)).toEqual([
      '5:undefined',
      '3:no_service',
      '2:no_endpoints',
      '1:no_service',
    ]);
    expect(parent('a')[1]).toBe('ResolvedRefs=False BackendNotFound');
    const onlyEmpty = compile([
      ...objects,
      gateway([udp('dns', 1)]),
      route('a', { backends: [backends[2]!] }),
    ]);
    expect(targets(onlyEmpty.routing)).toEqual({ 'gateway-infra-gw-dns': 'no_endpoints' });
  });

  it('keeps the weights of backends, 0 included', () => {
    const names = ['w1', 'w2', 'w3'];
    const { routing } = compile([
      gatewayClass(),
      ...names.flatMap((name, index) => backend(name, 'infra', `10.0.1.${index}`)),
      gateway([udp('dns', 1)]),
      route('a', { backends: names.map((name, index) => ({ name, port: 53, weight: [7, 3, 0][index] })) }),
    ]);
    expect(targets(routing)['gateway-infra-gw-dns']).toEqual([
      '7:10.0.1.0:5353',
      '3:10.0.1.1:5353',
      '0:10.0.1.2:5353',
    ]);
  });

  it('tells listeners that cannot be served, and opens none of them', () => {
    const taken: EntryPoint = {
      name: 'myudp',
      host: '',
      port: 9998,
      protocol: 'udp',
      udpTimeoutMs: 3000,
      position: { file: 'f', line: 1, column: 1 },
    };
    const { routing, listener, statusOf } = compile(
      [
        ...base,
        gateway([
          udp('twin-a', 1),
          udp('twin-b', 1),
          { ...udp('web', 80), protocol: 'HTTP' },
          udp('taken', 9998),
          udp('kinds', 7, { allowedRoutes: { kinds: [{ kind: 'HTTPRoute' }] } }),
        ]),
      ],
      [taken],
    );
    const condition = (name: string, type: string) =>
      words(listener(name)?.conditions.filter((one) => one.type === type) ?? [])[0];
    expect(condition('twin-a', 'Conflicted')).toBe('Conflicted=True ProtocolConflict');
    expect(condition('twin-b', 'Programmed')).toBe('Programmed=False Invalid');
    expect(condition('web', 'Accepted')).toBe('Accepted=False UnsupportedProtocol');
    expect(condition('taken', 'Accepted')).toBe('Accepted=False PortUnavailable');
    expect(condition('kinds', 'ResolvedRefs')).toBe('ResolvedRefs=False InvalidRouteKinds');
    expect(routing.gateway.entryPoints.map(({ name }) => name)).toEqual(['gateway-infra-gw-kinds']);
    expect(words(statusOf('gw').conditions)[0]).toBe('Accepted=True ListenersNotValid');
  });

  it('gives a port that two Gateways want to the older', () => {
    const { routing } = compile([
      ...base,
      gateway([udp('dns', 1)], { name: 'new', creationTimestamp: '2026-01-02T00:00:00Z' }),
      gateway([udp('dns', 1)], { name: 'old', creationTimestamp: '2026-01-01T00:00:00Z' }),
    ]);
    expect(routing.gateway.entryPoints.map(({ name }) => name)).toEqual(['gateway-infra-old-dns']);
  });

  it('keeps what other controllers say of a route, and the time of what did not change', () => {
    const [kind, object] = route('a');
    const others: ParentStatus = {
      parentRef: { name: 'x' },
      controllerName: 'example.com/other',
      conditions: [],
    };
    const own: ParentStatus = {
      parentRef: { name: 'gw', namespace: 'infra' },
      controllerName: 'sluice.dev/gateway-controller',
      conditions: [
        { type: 'Accepted', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
        { type: 'ResolvedRefs', status: 'False', lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
    };
    const { statusOf } = compile([
      ...base,
      gateway([udp('dns', 1)]),
      [kind, { ...object, status: { parents: [own, others] } }],
    ]);
    const { parents } = statusOf('a');
    expect(parents[0]).toBe(others);
    expect(parents[1]?.conditions.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([
      '2026-01-01T00:00:00Z',
      '2026-03-01T00:00:00Z',
    ]);
  });

  it('follows endpoints without making the rest anew', () => {
    const state = new RoutingState();
    for (const [kind, object] of [...base, gateway([udp('dns', 1)]), route('a')]) {
      state.apply(kind, { type: 'ADDED', object });
    }
    const first = state.compile();
    expect(state.compile()).toBe(first);
    const [, [, slice] = []] = backend('dns', 'infra', '10.0.0.8');
    if (slice) state.apply('endpointslices', { type: 'MODIFIED', object: slice });
    const second = state.compile();
    expect(targets(second)).toEqual({ 'gateway-infra-gw-dns': ['1:10.0.0.8:5353'] });
    expect(second.gateway.entryPoints).toBe(first.gateway.entryPoints);
  });
});
