/** Which kinds the API serves, under which group, version and plural. */

import type {
  Deployment,
  EndpointSlice,
  Event,
  IngressRouteUDP,
  KubeObject,
  Pod,
  ReplicaSet,
  Service,
} from './objects.ts';

/** One kind of the API. `Kind` is carried in the type only, so that `api.list(pods)` gives Pods. */
export interface ResourceType<Kind extends KubeObject = KubeObject> {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  readonly example?: Kind;
}

function resourceType<Kind extends KubeObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  options: { shortNames?: readonly string[]; namespaced?: boolean } = {},
): ResourceType<Kind> {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return {
    group,
    version,
    kind,
    plural,
    shortNames: options.shortNames ?? [],
    namespaced: options.namespaced ?? true,
  };
}

export const namespaces = resourceType('v1', 'Namespace', 'namespaces', {
  shortNames: ['ns'],
  namespaced: false,
});
export const nodes = resourceType('v1', 'Node', 'nodes', { shortNames: ['no'], namespaced: false });
export const pods = resourceType<Pod>('v1', 'Pod', 'pods', { shortNames: ['po'] });
export const services = resourceType<Service>('v1', 'Service', 'services', { shortNames: ['svc'] });
export const endpoints = resourceType('v1', 'Endpoints', 'endpoints', { shortNames: ['ep'] });
export const events = resourceType<Event>('v1', 'Event', 'events', { shortNames: ['ev'] });
export const configMaps = resourceType('v1', 'ConfigMap', 'configmaps', { shortNames: ['cm'] });
export const secrets = resourceType('v1', 'Secret', 'secrets');
export const serviceAccounts = resourceType('v1', 'ServiceAccount', 'serviceaccounts', {
  shortNames: ['sa'],
});
export const deployments = resourceType<Deployment>('apps/v1', 'Deployment', 'deployments', {
  shortNames: ['deploy'],
});
export const replicaSets = resourceType<ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets', {
  shortNames: ['rs'],
});
export const endpointSlices = resourceType<EndpointSlice>(
  'discovery.k8s.io/v1',
  'EndpointSlice',
  'endpointslices',
);
export const ingressRouteUdps = resourceType<IngressRouteUDP>(
  'traefik.io/v1alpha1',
  'IngressRouteUDP',
  'ingressrouteudps',
);
export const ingressRouteTcps = resourceType('traefik.io/v1alpha1', 'IngressRouteTCP', 'ingressroutetcps');
export const applications = resourceType('argoproj.io/v1alpha1', 'Application', 'applications', {
  shortNames: ['app', 'apps'],
});

/** Every kind served when the cluster starts. */
export const builtInTypes: readonly ResourceType[] = [
  namespaces,
  nodes,
  pods,
  services,
  endpoints,
  events,
  configMaps,
  secrets,
  serviceAccounts,
  deployments,
  replicaSets,
  endpointSlices,
  ingressRouteUdps,
  ingressRouteTcps,
  applications,
];

/** `v1` for the core group, else `group/version`. */
export function apiVersionOf(type: ResourceType): string {
  return type.group ? `${type.group}/${type.version}` : type.version;
}

/** The type that serves an object's apiVersion and kind, or undefined where none does. */
export function typeOf(object: KubeObject, types: readonly ResourceType[] = builtInTypes) {
  return types.find((type) => type.kind === object.kind && apiVersionOf(type) === object.apiVersion);
}
