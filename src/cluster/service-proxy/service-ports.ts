/** Services and EndpointSlices in, what the node has to listen for and where it leads out. Pure. */

import type { Endpoint, RouteTable, TcpDecision, UdpDecision } from '../../dataplane/index.ts';
import {
  type EndpointSlice,
  namespacedName,
  type Service,
  type ServicePort,
  sliceEndpoints,
} from '../../kubernetes/index.ts';

/** One port of a Service that the node answers at. */
export interface ProxiedPort {
  /** `namespace/name:port/PROTOCOL`: the engines' name for it. */
  readonly name: string;
  /** `namespace/name`. */
  readonly service: string;
  readonly protocol: 'UDP' | 'TCP';
  /** Absent for a headless Service. */
  readonly clusterIp?: string;
  readonly port: number;
  readonly nodePort?: number;
  readonly hasClientAffinity: boolean;
  readonly endpoints: readonly Endpoint[];
}

/** Without cluster addresses (pods on loopback) node ports are all that can be answered at. */
export function proxiedPorts(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  hasClusterAddresses: boolean,
): ProxiedPort[] {
  const slicesOf = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const key = `${slice.metadata.namespace}/${slice.metadata.labels?.['kubernetes.io/service-name']}`;
    slicesOf.set(key, [...(slicesOf.get(key) ?? []), slice]);
  }
  return services.flatMap((service) =>
    (service.spec.ports ?? []).flatMap(
      (port) =>
        proxiedPort(service, port, slicesOf.get(namespacedName(service)) ?? [], hasClusterAddresses) ?? [],
    ),
  );
}

/** Undefined for what needs no proxy: ExternalName Services, SCTP, headless Services without a node port. */
function proxiedPort(
  service: Service,
  port: ServicePort,
  slices: readonly EndpointSlice[],
  hasClusterAddresses: boolean,
): ProxiedPort | undefined {
  const { type, clusterIP, sessionAffinity } = service.spec;
  const protocol = port.protocol ?? 'TCP';
  const hasClusterIp = hasClusterAddresses && clusterIP !== undefined && !['', 'None'].includes(clusterIP);
  if (type === 'ExternalName' || protocol === 'SCTP') return undefined;
  if (!hasClusterIp && port.nodePort === undefined) return undefined;
  const name = namespacedName(service);
  return {
    name: `${name}:${port.port}/${protocol}`,
    service: name,
    protocol,
    ...(hasClusterIp ? { clusterIp: clusterIP } : {}),
    port: port.port,
    ...(port.nodePort === undefined ? {} : { nodePort: port.nodePort }),
    hasClientAffinity: sessionAffinity === 'ClientIP',
    endpoints: sliceEndpoints(slices, port),
  };
}

/** A flow stays with its endpoint, as kube-proxy keeps it; a Service with client affinity keeps the client. */
export function proxyTable(ports: readonly ProxiedPort[], generation: number): RouteTable {
  return {
    generation,
    udp: ports.filter(({ protocol }) => protocol === 'UDP').map(udpDecision),
    tcp: ports.filter(({ protocol }) => protocol === 'TCP').map(tcpDecision),
  };
}

function udpDecision({ name, service, hasClientAffinity, endpoints }: ProxiedPort): UdpDecision {
  if (!endpoints.some(({ state }) => state === 'ready')) {
    const detail = `Service ${service} has no ready endpoints`;
    return { kind: 'drop', entryPoint: name, reason: 'no_endpoints', route: name, detail };
  }
  const balance = hasClientAffinity ? 'source' : 'session';
  const route = { name, balance, services: [{ name: service, weight: 1, endpoints }] } as const;
  return { kind: 'forward', entryPoint: name, route };
}

function tcpDecision({ name, service, hasClientAffinity, endpoints }: ProxiedPort): TcpDecision {
  const isEmpty = !endpoints.some(({ state }) => state === 'ready');
  const detail = `Service ${service} has no ready endpoints`;
  return {
    entryPoint: name,
    routes: [
      {
        name,
        priority: -1,
        rule: { kind: 'hostSni', host: '*' },
        balance: hasClientAffinity ? 'source' : 'connection',
        services: [{ name: service, weight: 1, endpoints }],
        ...(isEmpty ? { refusal: { reason: 'no_endpoints', detail } } : {}),
      },
    ],
  };
}
