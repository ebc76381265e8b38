/** A made-up cluster: routes, Services and endpoints in any number. */

import type { EntryPoint } from '../../src/ingress/index.ts';
import type {
  EndpointSlice,
  IngressRouteTCP,
  IngressRouteUDP,
  KubeObject,
  Service,
} from '../../src/kubernetes/index.ts';

export interface MadeCluster {
  readonly entryPoints: EntryPoint[];
  readonly objects: { kind: string; object: KubeObject }[];
}

export interface ClusterSize {
  /** Half of them UDP, one entry point each; half TCP, by host name on one entry point. */
  readonly routes: number;
  readonly endpointsPerRoute: number;
}

const position = { file: 'bench', line: 1, column: 1 };

export function makeCluster({ routes, endpointsPerRoute }: ClusterSize): MadeCluster {
  const entryPoints: EntryPoint[] = [
    { name: 'tcp', host: '', port: 9999, protocol: 'tcp', udpTimeoutMs: 3000, position },
  ];
  const objects: MadeCluster['objects'] = [];
  for (let index = 0; index < routes; index++) {
    const isUdp = index % 2 === 0;
    const name = `app-${index}`;
    const entryPoint = isUdp ? `udp-${index}` : 'tcp';
    if (isUdp) {
      entryPoints.push({
        name: entryPoint,
        host: '',
        port: 10_000 + index,
        protocol: 'udp',
        udpTimeoutMs: 3000,
        position,
      });
    }
    objects.push(
      { kind: 'services', object: serviceOf(name, isUdp) },
      { kind: 'endpointslices', object: sliceOf(name, isUdp, index, endpointsPerRoute) },
      isUdp
        ? { kind: 'ingressrouteudps', object: udpRoute(name, entryPoint) }
        : { kind: 'ingressroutetcps', object: tcpRoute(name, entryPoint) },
    );
  }
  return { entryPoints, objects };
}

const metadata = (name: string) => ({
  name,
  namespace: 'bench',
  uid: name,
  creationTimestamp: '2026-01-01T00:00:00Z',
});

function serviceOf(name: string, isUdp: boolean): Service {
  const port = { name: 'main', port: 4444, protocol: isUdp ? ('UDP' as const) : ('TCP' as const) };
  return { apiVersion: 'v1', kind: 'Service', metadata: metadata(name), spec: { ports: [port] } };
}

export function sliceOf(name: string, isUdp: boolean, index: number, endpoints: number): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata(`${name}-x`), labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: Array.from({ length: endpoints }, (_, number) => ({
      addresses: [`10.${index >> 8}.${index & 255}.${number + 1}`],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', namespace: 'bench', name: `${name}-${number}` },
    })),
    ports: [{ name: 'main', port: 4444, protocol: isUdp ? 'UDP' : 'TCP' }],
  };
}

function udpRoute(name: string, entryPoint: string): IngressRouteUDP {
  return {
    apiVersion: 'traefik.io/v1alpha1',
    kind: 'IngressRouteUDP',
    metadata: metadata(name),
    spec: { entryPoints: [entryPoint], routes: [{ services: [{ name, port: 4444 }] }] },
  };
}

function tcpRoute(name: string, entryPoint: string): IngressRouteTCP {
  return {
    apiVersion: 'traefik.io/v1alpha1',
    kind: 'IngressRouteTCP',
    metadata: metadata(name),
    spec: {
      entryPoints: [entryPoint],
      routes: [{ match: `HostSNI(\`${name}.example.com\`)`, services: [{ name, port: 4444 }] }],
      tls: { passthrough: true },
    },
  };
}
