/** What many of these tests begin with. */

import { type EntryPoint, readStaticArguments } from '../../src/ingress/index.ts';
import type { EndpointSlice, IngressRouteUDP, Service } from '../../src/kubernetes/index.ts';

/** Where all of it was written. */
export const position = { file: 'traefik-app.yaml', line: 1, column: 1 };

export function entryPoint(
  name: string,
  protocol: EntryPoint['protocol'] = 'udp',
  more: Partial<EntryPoint> = {},
): EntryPoint {
  return { name, host: '', port: 9998, protocol, udpTimeoutMs: 3000, position, ...more };
}

/** The configuration that Traefik's arguments make. */
export const readArguments = (texts: readonly string[]) =>
  readStaticArguments(texts.map((text) => ({ text, position })));

/** The Service `echo` of the namespace `backend`, headless; below its endpoints, and a route to it. */
export const echoService: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'echo', namespace: 'backend' },
  spec: { clusterIP: 'None', ports: [{ name: 'udp', port: 4444, protocol: 'UDP' }] },
};

export const echoSlice = (...addresses: string[]): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'echo-1', namespace: 'backend', labels: { 'kubernetes.io/service-name': 'echo' } },
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  ports: [{ name: 'udp', port: 4444, protocol: 'UDP' }],
});

export const echoRoute = (
  name = 'echo',
  { labels, to = 'echo', entryPoints = ['myudp'] }: EchoRouteOptions = {},
): IngressRouteUDP => ({
  apiVersion: 'traefik.io/v1alpha1',
  kind: 'IngressRouteUDP',
  metadata: { name, namespace: 'backend', ...(labels ? { labels } : {}) },
  spec: { entryPoints, routes: [{ services: [{ name: to, port: 4444 }] }] },
});

interface EchoRouteOptions {
  readonly labels?: Record<string, string>;
  /** The Service. */
  readonly to?: string;
  readonly entryPoints?: string[];
}
