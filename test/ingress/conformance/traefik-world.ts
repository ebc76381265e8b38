/** Objects as YAML in, what Traefik's API would show of them out. */

import { parseAllDocuments } from 'yaml';
import { type Item, traefikView } from '../../../src/ingress/admin/traefik-shapes.ts';
import { type Routing, type RoutingOptions, RoutingState } from '../../../src/ingress/index.ts';
import { type KubeObject, typeOf } from '../../../src/kubernetes/index.ts';
import { readArguments } from '../fixtures.ts';

/** Two UDP and two TCP entry points, unless the case says otherwise. */
export const usualEntryPoints = [
  '--entrypoints.foo.address=:8000/udp',
  '--entrypoints.bar.address=:8001/udp',
  '--entrypoints.web.address=:8002',
  '--entrypoints.raw.address=:8003/tcp',
];

export interface Outcome {
  readonly routing: Routing;
  /** `name [status] entry points -> service`. */
  readonly udpRouters: string[];
  readonly tcpRouters: string[];
  /** `name = address, address` or `name = child*weight`. */
  readonly udpServices: string[];
  readonly tcpServices: string[];
  /** `code object: message`. */
  readonly findings: string[];
  /** What carries the datagrams of each UDP entry point: the router, or the reason of the drop. */
  readonly holders: Record<string, string>;
}

export function outcomeOf(
  yaml: string,
  options: RoutingOptions = {},
  entryPoints: readonly string[] = usualEntryPoints,
): Outcome {
  const state = new RoutingState(options);
  state.setEntryPoints(readArguments(entryPoints).entryPoints);
  for (const document of parseAllDocuments(yaml)) {
    const object = document.toJS() as KubeObject | null;
    const type = object && typeOf(object);
    if (object && !type) throw new Error(`no such kind: ${object.kind}`);
    if (object && type) state.apply(type.plural, { type: 'ADDED', object });
  }
  const routing = state.compile();
  const view = traefikView(routing);
  const short = (name: unknown) => String(name).replace(/@kubernetescrd$/, '');
  const router = ({ name, status, using, service }: Item) =>
    `${short(name)} [${status}] ${(using as string[]).join(',')} -> ${short(service)}`;
  const service = (item: Item) => {
    const { servers } = (item.loadBalancer ?? {}) as { servers?: { address: string }[] };
    const { services } = (item.weighted ?? {}) as { services?: { name: string; weight: number }[] };
    const content = services
      ? services.map((child) => `${short(child.name)}*${child.weight}`)
      : (servers ?? []).map(({ address }) => address);
    return `${short(item.name)} = ${content.join(', ')}`;
  };
  return {
    routing,
    udpRouters: view.udp.routers.map(router),
    tcpRouters: view.tcp.routers.map(router),
    udpServices: view.udp.services.map(service),
    tcpServices: view.tcp.services.map(service),
    findings: routing.findings.map(({ code, route, message }) => `${code} ${route}: ${message}`),
    holders: Object.fromEntries(
      routing.table.udp.map((decision) => [
        decision.entryPoint,
        decision.kind === 'forward' ? decision.route.name : decision.reason,
      ]),
    ),
  };
}

/** A Service with its slice. */
export function backend(
  name: string,
  options: {
    namespace?: string;
    addresses?: string[];
    ports?: string;
    spec?: string;
    slicePorts?: string;
    type?: string;
  } = {},
): string {
  const {
    namespace = 'default',
    addresses = ['10.10.0.1', '10.10.0.2'],
    ports = '[{ name: myapp, port: 8000, protocol: UDP }]',
    slicePorts = '[{ name: myapp, port: 8000, protocol: UDP }]',
    spec = '',
    type = 'IPv4',
  } = options;
  const endpoints = addresses.map((address) => `{ addresses: ["${address}"], conditions: { ready: true } }`);
  return `
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec: { ports: ${ports}, ${spec} }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-abc, namespace: ${namespace}, labels: { kubernetes.io/service-name: ${name} } }
addressType: ${type}
endpoints: [${endpoints.join(', ')}]
ports: ${slicePorts}
`;
}

export function udpRoute(
  name: string,
  services: string,
  options: {
    namespace?: string;
    entryPoints?: string;
    metadata?: string;
    spec?: string;
    routes?: string;
  } = {},
): string {
  const { namespace = 'default', entryPoints = '[foo]', metadata = '', spec = '' } = options;
  return `
---
apiVersion: traefik.io/v1alpha1
kind: IngressRouteUDP
metadata: { name: ${name}, namespace: ${namespace}, ${metadata} }
spec: { entryPoints: ${entryPoints}, routes: ${options.routes ?? `[{ services: ${services} }]`}, ${spec} }
`;
}

export function tcpRoute(
  name: string,
  match: string,
  options: { services?: string; entryPoints?: string; route?: string; tls?: string } = {},
): string {
  const { services = '[{ name: whoamitcp, port: 8000 }]', entryPoints = '[raw]', route = '', tls } = options;
  return `
---
apiVersion: traefik.io/v1alpha1
kind: IngressRouteTCP
metadata: { name: ${name}, namespace: default }
spec:
  entryPoints: ${entryPoints}
  routes: [{ match: "${match}", services: ${services}, ${route} }]
${tls ? `  tls: ${tls}\n` : ''}`;
}
