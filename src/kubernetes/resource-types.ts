/** Which kinds the API serves, under which group, version and plural. */

import type {
  ConfigMap,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Endpoints,
  Event,
  IngressRouteTCP,
  IngressRouteUDP,
  KubeObject,
  MiddlewareTCP,
  Namespace,
  Node,
  Pod,
  ReplicaSet,
  Secret,
  ServersTransportTCP,
  Service,
  StatefulSet,
  TLSOption,
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
  /** Whether the status is written apart from the rest, by `updateStatus` alone. */
  readonly statusSubresource: boolean;
  readonly example?: Kind;
}

function resourceType<Kind extends KubeObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  options: { shortNames?: readonly string[]; namespaced?: boolean; statusSubresource?: boolean } = {},
): ResourceType<Kind> {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return {
    group,
    version,
    kind,
    plural,
    shortNames: options.shortNames ?? [],
    namespaced: options.namespaced ?? true,
    statusSubresource: options.statusSubresource ?? false,
  };
}

export const namespaces = resourceType<Namespace>('v1', 'Namespace', 'namespaces', {
  shortNames: ['ns'],
  namespaced: false,
  statusSubresource: true,
});
export const nodes = resourceType<Node>('v1', 'Node', 'nodes', {
  shortNames: ['no'],
  namespaced: false,
  statusSubresource: true,
});
export const pods = resourceType<Pod>('v1', 'Pod', 'pods', { shortNames: ['po'], statusSubresource: true });
export const services = resourceType<Service>('v1', 'Service', 'services', {
  shortNames: ['svc'],
  statusSubresource: true,
});
export const endpoints = resourceType<Endpoints>('v1', 'Endpoints', 'endpoints', { shortNames: ['ep'] });
export const events = resourceType<Event>('v1', 'Event', 'events', { shortNames: ['ev'] });
export const configMaps = resourceType<ConfigMap>('v1', 'ConfigMap', 'configmaps', { shortNames: ['cm'] });
export const secrets = resourceType<Secret>('v1', 'Secret', 'secrets');
export const serviceAccounts = resourceType('v1', 'ServiceAccount', 'serviceaccounts', {
  shortNames: ['sa'],
});
export const deployments = resourceType<Deployment>('apps/v1', 'Deployment', 'deployments', {
  shortNames: ['deploy'],
  statusSubresource: true,
});
export const replicaSets = resourceType<ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets', {
  shortNames: ['rs'],
  statusSubresource: true,
});
export const daemonSets = resourceType<DaemonSet>('apps/v1', 'DaemonSet', 'daemonsets', {
  shortNames: ['ds'],
  statusSubresource: true,
});
export const statefulSets = resourceType<StatefulSet>('apps/v1', 'StatefulSet', 'statefulsets', {
  shortNames: ['sts'],
  statusSubresource: true,
});
export const leases = resourceType('coordination.k8s.io/v1', 'Lease', 'leases');
export const networkPolicies = resourceType('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', {
  shortNames: ['netpol'],
});
export const roles = resourceType('rbac.authorization.k8s.io/v1', 'Role', 'roles');
export const roleBindings = resourceType('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings');
export const clusterRoles = resourceType('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', {
  namespaced: false,
});
export const clusterRoleBindings = resourceType(
  'rbac.authorization.k8s.io/v1',
  'ClusterRoleBinding',
  'clusterrolebindings',
  { namespaced: false },
);
export const customResourceDefinitions = resourceType(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  { shortNames: ['crd', 'crds'], namespaced: false, statusSubresource: true },
);
export const endpointSlices = resourceType<EndpointSlice>(
  'discovery.k8s.io/v1',
  'EndpointSlice',
  'endpointslices',
);
export const ingressRouteUdps = resourceType<IngressRouteUDP>(
  'traefik.io/v1alpha1',
  'IngressRouteUDP',
  'ingressrouteudps',
  { statusSubresource: true },
);
export const ingressRouteTcps = resourceType<IngressRouteTCP>(
  'traefik.io/v1alpha1',
  'IngressRouteTCP',
  'ingressroutetcps',
  { statusSubresource: true },
);
export const middlewareTcps = resourceType<MiddlewareTCP>(
  'traefik.io/v1alpha1',
  'MiddlewareTCP',
  'middlewaretcps',
);
export const serversTransportTcps = resourceType<ServersTransportTCP>(
  'traefik.io/v1alpha1',
  'ServersTransportTCP',
  'serverstransporttcps',
);
export const tlsOptions = resourceType<TLSOption>('traefik.io/v1alpha1', 'TLSOption', 'tlsoptions');
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
  daemonSets,
  statefulSets,
  endpointSlices,
  leases,
  networkPolicies,
  roles,
  roleBindings,
  clusterRoles,
  clusterRoleBindings,
  customResourceDefinitions,
  ingressRouteUdps,
  ingressRouteTcps,
  middlewareTcps,
  serversTransportTcps,
  tlsOptions,
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

/** `deployments.apps`, `pods`: how the API names a type in its errors, whatever the version. */
export function qualifiedResource(type: ResourceType): string {
  return type.group ? `${type.plural}.${type.group}` : type.plural;
}
