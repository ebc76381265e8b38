/** Objects as a user would write them, for the tests of the embedded cluster. */

import type { Deployment, KubeObject, Pod, Service } from '../../src/kubernetes/index.ts';

interface Place {
  namespace?: string;
  labels?: Record<string, string>;
}

const metadata = (name: string, { namespace = 'default', labels }: Place = {}) => ({
  name,
  namespace,
  ...(labels ? { labels } : {}),
});

export const echoContainer = {
  name: 'proxy',
  image: 'iceymoss/udp-echo:1.0',
  ports: [{ name: 'echo', containerPort: 4444, protocol: 'UDP' as const }],
};

export function pod(name: string, place: Place = {}, spec: Partial<Pod['spec']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(name, place),
    spec: { containers: [structuredClone(echoContainer)], ...spec },
  };
}

export function deployment(
  name: string,
  spec: Partial<Deployment['spec']> = {},
  place: Place = {},
): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(name, place),
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [structuredClone(echoContainer)] },
      },
      ...spec,
    },
  };
}

export function service(name: string, spec: Partial<Service['spec']> = {}, place: Place = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(name, place),
    spec: {
      selector: { app: name },
      ports: [{ name: 'udp', port: 4444, targetPort: 4444, protocol: 'UDP' }],
      ...spec,
    },
  };
}

export function namespace(name: string): KubeObject & { kind: 'Namespace' } {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

export function configMap(name: string, data: Record<string, string>, place: Place = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(name, place), data };
}
