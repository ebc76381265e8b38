/** The EndpointSlices a Service should have, from its pods. Pure. */

import type {
  ContainerPort,
  EndpointSlice,
  KubeObject,
  Pod,
  Service,
  ServicePort,
} from '../../../kubernetes/index.ts';
import { controllerReference } from '../ownership.ts';
import { isPodOver, isPodReady, isTerminating } from '../pods.ts';
import { sameJson } from '../status.ts';

export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const managerName = 'endpointslice-controller.k8s.io';
const headlessLabel = 'service.kubernetes.io/headless';
const changeTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';

/** The real controller's own default. */
const maxEndpointsPerSlice = 100;

export type SliceEndpoint = EndpointSlice['endpoints'][number];
export type SlicePort = EndpointSlice['ports'][number];

/** Pods that resolve named target ports to different numbers are in different slices. */
export interface PortGroup {
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

/** Pods without an address and pods that are over are no endpoints. */
export function groupByPorts(service: Service, pods: readonly Pod[]): PortGroup[] {
  const groups = new Map<string, { ports: SlicePort[]; endpoints: SliceEndpoint[] }>();
  for (const pod of pods) {
    const endpoint = isPodOver(pod) ? undefined : endpointOf(service, pod);
    if (!endpoint) continue;
    const key = portsKey(service, pod);
    const group = groups.get(key);
    if (group) group.endpoints.push(endpoint);
    else groups.set(key, { ports: portsOf(service, pod), endpoints: [endpoint] });
  }
  return [...groups.values()];
}

/** Equal for pods that have the same ports; numbers are the same for all of them. */
export function portsKey({ spec }: Service, pod: Pod): string {
  let key = '';
  for (const port of spec.ports ?? []) {
    if (typeof port.targetPort === 'string') key += `${targetPortOf(port, pod)},`;
  }
  return key;
}

/** A terminating pod is not ready from the moment it is asked to go, though it may serve on. */
function endpointOf(service: Service, pod: Pod): SliceEndpoint | undefined {
  const { name, namespace, uid } = pod.metadata;
  const address = pod.status?.podIP;
  if (!address) return undefined;
  const serving = isPodReady(pod);
  const terminating = isTerminating(pod);
  return {
    addresses: [address],
    conditions: {
      ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: {
      kind: 'Pod',
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
    },
    ...(typeof pod.spec.hostname === 'string' && pod.spec.subdomain === service.metadata.name
      ? { hostname: pod.spec.hostname }
      : {}),
  };
}

function portsOf({ spec }: Service, pod: Pod): SlicePort[] {
  return (spec.ports ?? []).flatMap((port) => {
    const number = targetPortOf(port, pod);
    if (number === undefined) return [];
    return {
      name: port.name ?? '',
      port: number,
      protocol: port.protocol ?? 'TCP',
      ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
    };
  });
}

/** A name is looked for among the pod's ports of the same protocol (FindPort of the endpoints controllers). */
export function targetPortOf(servicePort: ServicePort, pod: Pod): number | undefined {
  const target = servicePort.targetPort ?? servicePort.port;
  if (typeof target === 'number') return target || servicePort.port;
  const protocol = servicePort.protocol ?? 'TCP';
  const isWanted = (port: ContainerPort) => port.name === target && (port.protocol ?? 'TCP') === protocol;
  for (const { ports } of pod.spec.containers) {
    const found = ports?.find(isWanted);
    if (found) return found.containerPort;
  }
  return undefined;
}

export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

/**
 * As few writes as possible: endpoints stay in the slice they are in, new ones fill the room that is left, and only what
 * then is over gets a slice of its own.
 */
export function planSlices(
  service: Service,
  pods: readonly Pod[],
  present: readonly EndpointSlice[],
  now: Date,
): SlicePlan {
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  const left = new Set(present);
  const groups = groupByPorts(service, pods);
  // A Service without endpoints keeps one empty slice, so that one can tell it from a Service nobody looked at.
  if (groups.length === 0) groups.push({ ports: [], endpoints: [] });
  for (const { ports, endpoints } of groups) {
    const matching = [...left].filter((slice) => samePorts(slice, ports));
    const candidates = matching.length > 0 || groups.length > 1 ? matching : [...left].slice(0, 1);
    const remaining = new Map(endpoints.map((endpoint) => [endpoint.addresses[0] ?? '', endpoint]));
    const kept = candidates.map((slice) => ({ slice, endpoints: keepFrom(slice, remaining) }));
    for (const { slice, endpoints: own } of kept) {
      left.delete(slice);
      fill(own, remaining);
      if (own.length === 0 && endpoints.length > 0) left.add(slice);
      else update.push(...changed(slice, describe(service, ports, own, slice, now)));
    }
    while (remaining.size > 0 || (kept.length === 0 && endpoints.length === 0)) {
      const own: SliceEndpoint[] = [];
      fill(own, remaining);
      create.push(describe(service, ports, own, undefined, now));
      if (own.length === 0) break;
    }
  }
  return { create, update, remove: [...left] };
}

const samePorts = (slice: EndpointSlice, ports: readonly SlicePort[]) => sameJson(slice.ports ?? [], ports);

/** Takes what the slice has out of `remaining`, in its present state. */
function keepFrom(slice: EndpointSlice, remaining: Map<string, SliceEndpoint>): SliceEndpoint[] {
  return (slice.endpoints ?? []).flatMap(({ addresses }) => {
    const address = addresses[0] ?? '';
    const endpoint = remaining.get(address);
    remaining.delete(address);
    return endpoint ?? [];
  });
}

function fill(own: SliceEndpoint[], remaining: Map<string, SliceEndpoint>): void {
  for (const [address, endpoint] of remaining) {
    if (own.length >= maxEndpointsPerSlice) return;
    own.push(endpoint);
    remaining.delete(address);
  }
}

function describe(
  service: Service,
  ports: readonly SlicePort[],
  endpoints: SliceEndpoint[],
  present: EndpointSlice | undefined,
  now: Date,
): EndpointSlice {
  const { name, namespace, labels } = service.metadata;
  const metadata: KubeObject['metadata'] = present
    ? { ...present.metadata }
    : {
        name: '',
        generateName: `${name}-`,
        ...(namespace === undefined ? {} : { namespace }),
        ownerReferences: [controllerReference(service)],
      };
  metadata.labels = {
    ...labels,
    [managedByLabel]: managerName,
    [serviceNameLabel]: name,
    ...(service.spec.clusterIP === 'None' ? { [headlessLabel]: '' } : {}),
  };
  metadata.annotations = {
    ...present?.metadata.annotations,
    [changeTimeAnnotation]: `${now.toISOString().slice(0, 19)}Z`,
  };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    addressType: 'IPv4',
    endpoints,
    ports: [...ports],
  };
}

/** The time of the change alone is no change. */
function changed(before: EndpointSlice, after: EndpointSlice): EndpointSlice[] {
  const same =
    sameJson(before.metadata.labels, after.metadata.labels) &&
    sameJson(before.endpoints ?? [], after.endpoints) &&
    samePorts(before, after.ports);
  return same ? [] : [after];
}
