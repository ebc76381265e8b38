/** Objects as YAML in, routers and services out, one line each: what the conformance cases are written in. */

import { parseAllDocuments } from 'yaml';
import type { RouteTable, TcpRoute, WeightedService } from '../../../../src/dataplane/index.ts';
import {
  compileTcpRoutes,
  compileUdpRoutes,
  type EntryPoint,
  type RouteFinding,
  type RoutingOptions,
} from '../../../../src/ingress/index.ts';
import type { KubeObject } from '../../../../src/kubernetes/index.ts';
import { entryPoint as anEntryPoint } from '../../fixtures.ts';

export interface Case {
  readonly name: string;
  /** YAML documents. `metadata.namespace` is `default`, and `apiVersion` follows from the kind, where absent. */
  readonly objects: string;
  readonly options?: RoutingOptions;
  readonly entryPoints?: readonly (EntryPoint & { asDefault?: boolean })[];
  /** As `routers` prints them. */
  readonly routers: readonly string[];
  /** As `findings` prints them; none when absent. */
  readonly findings?: readonly string[];
}

export function entryPoint(name: string, protocol: 'tcp' | 'udp', asDefault = false) {
  return { ...anEntryPoint(name, protocol, { port: 8000 }), asDefault };
}

export const entryPoints = [
  entryPoint('foo', 'tcp'),
  entryPoint('bar', 'tcp'),
  entryPoint('myudp', 'udp'),
  entryPoint('traefik', 'tcp'),
];

/** A Service `whoami` of both protocols with two pods, and one `other` with one. */
export const world = `
kind: Service
metadata: { name: whoami }
spec:
  clusterIP: 10.96.0.1
  ports:
    - { name: tcp, port: 8000, protocol: TCP }
    - { name: udp, port: 8000, protocol: UDP }
---
kind: EndpointSlice
metadata: { name: whoami-1, labels: { kubernetes.io/service-name: whoami } }
addressType: IPv4
endpoints:
  - { addresses: [10.10.0.1], conditions: { ready: true } }
  - { addresses: [10.10.0.2], conditions: { ready: true } }
ports:
  - { name: tcp, port: 80, protocol: TCP }
  - { name: udp, port: 81, protocol: UDP }
---
kind: Service
metadata: { name: other }
spec:
  clusterIP: None
  ports:
    - { name: tcp, port: 9000, protocol: TCP }
    - { name: udp, port: 9000, protocol: UDP }
---
kind: EndpointSlice
metadata: { name: other-1, labels: { kubernetes.io/service-name: other } }
addressType: IPv4
endpoints: [{ addresses: [10.10.0.9], conditions: { ready: true } }]
ports:
  - { name: tcp, port: 90, protocol: TCP }
  - { name: udp, port: 91, protocol: UDP }
`;

function readObjects(yaml: string): KubeObject[] {
  return parseAllDocuments(yaml).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0]!;
    const object = document.toJS() as KubeObject | null;
    if (!object) return [];
    const metadata = { namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z', ...object.metadata };
    return [{ ...object, metadata }];
  });
}

export interface Compiled {
  readonly table: RouteTable;
  readonly findings: readonly RouteFinding[];
}

export function compile(given: Pick<Case, 'objects' | 'options' | 'entryPoints'>): Compiled {
  const all = readObjects(given.objects);
  const of = <Kind extends KubeObject>(kind: string) =>
    all.filter((object) => object.kind === kind) as Kind[];
  const common = {
    entryPoints: given.entryPoints ?? entryPoints,
    services: of<never>('Service'),
    endpointSlices: of<never>('EndpointSlice'),
    nodes: of<never>('Node'),
    ...(given.options ? { options: given.options } : {}),
  };
  const udp = compileUdpRoutes({ ...common, routes: of<never>('IngressRouteUDP') }, 1);
  const tcp = compileTcpRoutes({
    ...common,
    routes: of<never>('IngressRouteTCP'),
    middlewares: of<never>('MiddlewareTCP'),
    serversTransports: of<never>('ServersTransportTCP'),
    tlsOptions: of<never>('TLSOption'),
    secrets: of<never>('Secret'),
    configMaps: of<never>('ConfigMap'),
  });
  const table = { ...udp.table, tcp: tcp.tcp, certificates: tcp.certificates };
  return { table, findings: [...udp.findings, ...tcp.findings] };
}

/** `entry point: router = services`, or what becomes of the traffic instead. Entry points without routes are left out. */
export function routers({ table }: Compiled): string[] {
  const tcp = (table.tcp ?? []).flatMap(({ entryPoint: name, routes }) =>
    routes.map((route) => `${name}: ${printTcpRoute(route)}`),
  );
  const udp = table.udp.flatMap((decision) => {
    if (decision.kind === 'forward') {
      const { name, services } = decision.route;
      return `${decision.entryPoint}: ${name} = ${printServices(services)}`;
    }
    return decision.route ? `${decision.entryPoint}: ${decision.route} = ${decision.reason}` : [];
  });
  return [...tcp, ...udp];
}

function printTcpRoute(route: TcpRoute): string {
  const tls = route.tls ? ` ${route.tls.mode}` : '';
  const target = route.refusal ? route.refusal.reason : printServices(route.services);
  return `${route.name} (${route.priority}${tls}) = ${target}`;
}

function printServices(services: readonly WeightedService[]): string {
  const printed = services.map(({ name, weight, endpoints }) => {
    const list = endpoints.map(({ address, port, state }) => {
      return `${address}:${port}${state === 'ready' ? '' : ` ${state}`}`;
    });
    return `${name.replace('default/', '')}*${weight}[${list.join(', ')}]`;
  });
  return printed.join(' ');
}

/** `code severity path`. */
export function findings({ findings: found }: Compiled): string[] {
  return found.map(({ code, severity, path }) => `${code} ${severity} ${path.join('.')}`);
}
