/** The kinds of Gateway API v1 that matter below HTTP. */

import type { Condition, KubeObject, LabelSelector, ResourceType } from '../../kubernetes/index.ts';

export const gatewayGroup = 'gateway.networking.k8s.io';

export interface GatewayClass extends KubeObject {
  spec: { controllerName: string };
  status?: { conditions?: Condition[] };
}

export interface RouteKind {
  group?: string;
  kind: string;
}

export interface Listener {
  name: string;
  port: number;
  protocol: string;
  hostname?: string;
  allowedRoutes?: {
    namespaces?: { from?: 'All' | 'Selector' | 'Same' | 'None'; selector?: LabelSelector };
    kinds?: RouteKind[];
  };
}

export interface Gateway extends KubeObject {
  spec: { gatewayClassName: string; listeners: Listener[] };
  status?: { conditions?: Condition[]; listeners?: ListenerStatus[]; addresses?: unknown[] };
}

export interface ListenerStatus {
  name: string;
  supportedKinds: RouteKind[];
  attachedRoutes: number;
  conditions: Condition[];
}

export interface ParentReference {
  group?: string;
  kind?: string;
  namespace?: string;
  name: string;
  sectionName?: string;
  port?: number;
}

export interface BackendReference {
  group?: string;
  kind?: string;
  namespace?: string;
  name: string;
  port?: number;
  weight?: number;
}

export interface ParentStatus {
  parentRef: ParentReference;
  controllerName: string;
  conditions: Condition[];
}

/** UDPRoute or TCPRoute. */
export interface GatewayRoute extends KubeObject {
  spec: { parentRefs?: ParentReference[]; rules: { name?: string; backendRefs?: BackendReference[] }[] };
  status?: { parents?: ParentStatus[] };
}

export interface ReferenceGrant extends KubeObject {
  spec: {
    from: { group: string; kind: string; namespace: string }[];
    to: { group: string; kind: string; name?: string }[];
  };
}

function gatewayType<Kind extends KubeObject>(
  kind: string,
  plural: string,
  options: { version?: string; namespaced?: boolean; shortNames?: string[]; status?: boolean } = {},
): ResourceType<Kind> {
  return {
    group: gatewayGroup,
    version: options.version ?? 'v1',
    kind,
    plural,
    shortNames: options.shortNames ?? [],
    namespaced: options.namespaced ?? true,
    statusSubresource: options.status ?? true,
  };
}

export const gatewayClasses = gatewayType<GatewayClass>('GatewayClass', 'gatewayclasses', {
  namespaced: false,
  shortNames: ['gc'],
});
export const gateways = gatewayType<Gateway>('Gateway', 'gateways', { shortNames: ['gtw'] });
export const udpRoutes = gatewayType<GatewayRoute>('UDPRoute', 'udproutes');
export const tcpRoutes = gatewayType<GatewayRoute>('TCPRoute', 'tcproutes');
export const referenceGrants = gatewayType<ReferenceGrant>('ReferenceGrant', 'referencegrants', {
  version: 'v1beta1',
  shortNames: ['refgrant'],
  status: false,
});

export const gatewayTypes: readonly ResourceType[] = [
  gatewayClasses,
  gateways,
  udpRoutes,
  tcpRoutes,
  referenceGrants,
].map((type) => type as ResourceType);
