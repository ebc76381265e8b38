import { describe, expect, it } from 'vitest';
import { compileUdpRoutes, type UdpRoutingInput } from '../../../src/ingress/index.ts';
import type { EndpointSlice, IngressRouteUDP, Service } from '../../../src/kubernetes/index.ts';
import { entryPoint } from '../fixtures.ts';

interface RouteOptions {
  name?: string;
  created?: string;
  entryPoints?: string[];
  services?: IngressRouteUDP['spec']['routes'][number]['services'];
  annotations?: Record<string, string>;
}

function route(options: RouteOptions = {}): IngressRouteUDP {
  return {
    apiVersion: 'traefik.io/v1alpha1',
    kind: 'IngressRouteUDP',
    metadata: {
      name: options.name ?? 'udp-echo-route',
      namespace: 'backend',
      creationTimestamp: options.created ?? '2026-01-01T00:00:00Z',
      ...(options.annotations ? { annotations: options.annotations } : {}),
    },
    spec: {
      entryPoints: options.entryPoints ?? ['myudp'],
      routes: [{ services: options.services ?? [{ name: 'echo', port: 4444 }] }],
    },
  };
}

function service(name = 'echo', spec: Partial<Service['spec']> = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'backend' },
    spec: { ports: [{ name: 'udp', port: 4444, protocol: 'UDP', targetPort: 4444 }], ...spec },
  };
}

type Endpoints = EndpointSlice['endpoints'];
function slice(
  endpoints: Endpoints,
  options: { service?: string; port?: EndpointSlice['ports'][number] } = {},
) {
  const name = options.service ?? 'echo';
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace: 'backend', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints,
    ports: [options.port ?? { name: 'udp', port: 4444, protocol: 'UDP' }],
  } satisfies EndpointSlice;
}

const ready = (address: string): Endpoints[number] => ({ addresses: [address], conditions: { ready: true } });

function compile(input: Partial<UdpRoutingInput>) {
  return compileUdpRoutes(
    {
      entryPoints: [entryPoint('myudp')],
      routes: [route()],
      services: [service()],
      endpointSlices: [slice([ready('10.244.0.2'), ready('10.244.0.3')])],
      ...input,
    },
    1,
  );
}

const decisionOf = (input: Partial<UdpRoutingInput>) => compile(input).table.udp[0];
const endpointsOf = (input: Partial<UdpRoutingInput>) => {
  const decision = decisionOf(input);
  return decision?.kind === 'forward' ? decision.route.services.flatMap((one) => one.endpoints) : decision;
};

describe('the decision flow of a UDP entry point', () => {
  it('forwards to the ready endpoints of the service', () => {
    const { table, findings } = compile({});
    expect(findings).toEqual([]);
    expect(table.udp).toEqual([
      {
        kind: 'forward',
        entryPoint: 'myudp',
        route: {
          name: 'backend-udp-echo-route-0',
          services: [
            {
              name: 'backend/echo',
              weight: 1,
              endpoints: [
                { address: '10.244.0.2', port: 4444, state: 'ready' },
                { address: '10.244.0.3', port: 4444, state: 'ready' },
              ],
            },
          ],
        },
      },
    ]);
  });

  it('drops as no_route without an IngressRouteUDP', () => {
    expect(decisionOf({ routes: [] })).toMatchObject({ kind: 'drop', reason: 'no_route' });
  });

  it('drops as no_route, and says so, when the route names another entry point', () => {
    const input = { routes: [route({ entryPoints: ['myupd'] })] };
    expect(decisionOf(input)).toMatchObject({ kind: 'drop', reason: 'no_route' });
    expect(compile(input).findings[0]).toMatchObject({ code: 'SL3101', path: ['spec', 'entryPoints', 0] });
  });

  it('says when a UDP route names a TCP entry point', () => {
    const input = { entryPoints: [entryPoint('mytcp', 'tcp')], routes: [route({ entryPoints: ['mytcp'] })] };
    expect(compile(input).findings[0]?.message).toContain('TCP entry point');
    expect(compile(input).table.udp).toEqual([]);
  });

  it('drops as no_service when the Service does not exist', () => {
    const input = { services: [] };
    expect(decisionOf(input)).toMatchObject({
      kind: 'drop',
      reason: 'no_service',
      route: 'backend-udp-echo-route-0',
    });
    expect(compile(input).findings[0]).toMatchObject({
      code: 'SL3102',
      path: ['spec', 'routes', 0, 'services', 0, 'name'],
    });
  });

  it('drops as no_service when the Service has no such port, and lists those it has', () => {
    const input = { routes: [route({ services: [{ name: 'echo', port: 4445 }] })] };
    expect(decisionOf(input)).toMatchObject({ kind: 'drop', reason: 'no_service' });
    expect(compile(input).findings[0]).toMatchObject({ code: 'SL3103' });
    expect(compile(input).findings[0]?.message).toContain('4444/UDP (udp)');
  });

  it('drops as no_endpoints when no pod is ready', () => {
    const input = { endpointSlices: [slice([{ addresses: ['10.244.0.2'], conditions: { ready: false } }])] };
    expect(decisionOf(input)).toMatchObject({ kind: 'drop', reason: 'no_endpoints' });
    expect(compile(input).findings[0]).toMatchObject({ code: 'SL3104' });
  });

  it('drops as no_endpoints when every service has weight 0', () => {
    const services = [
      { name: 'echo', port: 4444, weight: 0 },
      { name: 'echo', port: 'udp', weight: 0 },
    ];
    expect(decisionOf({ routes: [route({ services })] })).toMatchObject({ reason: 'no_endpoints' });
  });
});

describe('binding routes to entry points', () => {
  const entryPoints = [entryPoint('myudp'), entryPoint('dns'), entryPoint('mytcp', 'tcp')];

  it('binds a route without entryPoints to every UDP entry point, and reports its faults once', () => {
    const bound = compile({ entryPoints, routes: [route({ entryPoints: [] })] }).table.udp;
    expect(bound.map(({ entryPoint: name, kind }) => [name, kind])).toEqual([
      ['myudp', 'forward'],
      ['dns', 'forward'],
    ]);
    expect(
      compile({ entryPoints, routes: [route({ entryPoints: [] })], services: [] }).findings,
    ).toHaveLength(1);
  });

  it('lets the oldest of two routes hold an entry point, and tells the other', () => {
    const routes = [
      route({ name: 'a-young', created: '2026-02-01T00:00:00Z' }),
      route({ name: 'z-old', created: '2026-01-01T00:00:00Z' }),
    ];
    expect(decisionOf({ routes })).toMatchObject({ route: { name: 'backend-z-old-0' } });
    expect(compile({ routes }).findings).toMatchObject([{ code: 'SL3105', route: 'backend/a-young' }]);
  });

  it('decides by name between routes of the same age, whatever their order', () => {
    const routes = [route({ name: 'b' }), route({ name: 'a' })];
    expect(decisionOf({ routes })).toMatchObject({ route: { name: 'backend-a-0' } });
    expect(decisionOf({ routes: [...routes].reverse() })).toMatchObject({ route: { name: 'backend-a-0' } });
  });

  it('does not hand the datagrams of a broken route to a younger one', () => {
    const routes = [
      route({ name: 'old', created: '2026-01-01T00:00:00Z', services: [{ name: 'gone', port: 1 }] }),
      route({ name: 'young', created: '2026-02-01T00:00:00Z' }),
    ];
    expect(decisionOf({ routes })).toMatchObject({ kind: 'drop', reason: 'no_service' });
  });
});

describe('resolving services', () => {
  it('finds a port by its name', () => {
    expect(endpointsOf({ routes: [route({ services: [{ name: 'echo', port: 'udp' }] })] })).toHaveLength(2);
  });

  it('prefers the UDP port where TCP and UDP share a number', () => {
    const ports: Service['spec']['ports'] = [
      { name: 'dns-tcp', port: 53, targetPort: 5300, protocol: 'TCP' },
      { name: 'dns', port: 53, targetPort: 5353, protocol: 'UDP' },
    ];
    const endpoints = endpointsOf({
      routes: [route({ services: [{ name: 'echo', port: 53 }] })],
      services: [service('echo', { ports })],
      endpointSlices: [slice([ready('10.244.0.2')], { port: { name: 'dns', port: 5353, protocol: 'UDP' } })],
    });
    expect(endpoints).toEqual([{ address: '10.244.0.2', port: 5353, state: 'ready' }]);
  });

  it('forwards to a port declared TCP, as Traefik does, with a warning', () => {
    const input = {
      services: [service('echo', { ports: [{ port: 4444 }] })],
      endpointSlices: [slice([ready('10.244.0.2')], { port: { port: 4444, protocol: 'TCP' as const } })],
    };
    expect(decisionOf(input)).toMatchObject({ kind: 'forward' });
    expect(compile(input).findings).toMatchObject([{ code: 'SL3107', severity: 'warning' }]);
  });

  it('keeps a terminating endpoint for its answers while it still serves', () => {
    const conditions = { ready: false, serving: true, terminating: true };
    const endpoints = endpointsOf({
      endpointSlices: [slice([ready('10.244.0.2'), { addresses: ['10.244.0.3'], conditions }])],
    });
    expect(endpoints).toMatchObject([{ state: 'ready' }, { address: '10.244.0.3', state: 'terminating' }]);
  });

  it('takes an endpoint without a ready condition for ready, as the API defines it', () => {
    expect(endpointsOf({ endpointSlices: [slice([{ addresses: ['10.0.0.9'] }])] })).toHaveLength(1);
  });

  it('counts an address that two slices carry once', () => {
    const slices = [slice([ready('10.244.0.2')]), slice([ready('10.244.0.2')])];
    expect(endpointsOf({ endpointSlices: slices })).toHaveLength(1);
  });

  it('refuses a Service of another namespace', () => {
    const services = [{ name: 'echo', namespace: 'other', port: 4444 }];
    expect(compile({ routes: [route({ services })] }).findings[0]).toMatchObject({ code: 'SL3106' });
  });

  it('keeps the services that resolve when one does not', () => {
    const services = [
      { name: 'gone', port: 1, weight: 9 },
      { name: 'echo', port: 4444, weight: 2 },
    ];
    const decision = decisionOf({ routes: [route({ services })] });
    expect(decision).toMatchObject({
      kind: 'forward',
      route: { services: [{ name: 'backend/echo', weight: 2 }] },
    });
  });

  it('ignores the weight of an only service, as Traefik does', () => {
    const decision = decisionOf({ routes: [route({ services: [{ name: 'echo', port: 4444, weight: 0 }] })] });
    expect(decision).toMatchObject({ kind: 'forward', route: { services: [{ weight: 1 }] } });
  });

  it.each([{ nativeLB: true }, { nodePortLB: true }])('refuses %o by name', (option) => {
    const services = [{ name: 'echo', port: 4444, ...option }];
    const input = { routes: [route({ services })] };
    expect(compile(input).findings[0]).toMatchObject({ code: 'SL3108' });
    expect(compile(input).findings[0]?.message).toContain(Object.keys(option)[0]);
  });

  it('refuses an ExternalName Service by name', () => {
    const input = { services: [service('echo', { type: 'ExternalName', externalName: 'x.example.com' })] };
    expect(compile(input).findings[0]).toMatchObject({ code: 'SL3108' });
  });
});

describe('choosing how to balance', () => {
  it('leaves it to the entry point by default', () => {
    expect(decisionOf({})).not.toHaveProperty('route.balance');
  });

  it('follows the annotation of the route', () => {
    const annotations = { 'sluice.dev/balance': 'session' };
    expect(decisionOf({ routes: [route({ annotations })] })).toMatchObject({ route: { balance: 'session' } });
  });

  it("follows the Service's sessionAffinity: ClientIP", () => {
    const services = [service('echo', { sessionAffinity: 'ClientIP' })];
    expect(decisionOf({ services })).toMatchObject({ route: { balance: 'source' } });
  });

  it('warns of an annotation it does not know', () => {
    const input = { routes: [route({ annotations: { 'sluice.dev/balance': 'random' } })] };
    expect(compile(input).findings).toMatchObject([{ code: 'SL3109', severity: 'warning' }]);
    expect(decisionOf(input)).not.toHaveProperty('route.balance');
  });
});
