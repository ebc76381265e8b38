/** The Endpoints object of a Service, the older form of its EndpointSlices. Pure. */

import type { EndpointAddress, Endpoints, Pod, Service } from '../../../kubernetes/index.ts';
import { isPodOver, isPodReady, isTerminating } from '../pods.ts';
import { portsKey, type SlicePort, targetPortOf } from './slices.ts';

/** The real controller truncates there, and says so in an annotation. */
const maxAddresses = 1000;
const overCapacity = 'endpoints.kubernetes.io/over-capacity';
const headlessLabel = 'service.kubernetes.io/headless';
const managedByLabel = 'endpoints.kubernetes.io/managed-by';

type Subset = NonNullable<Endpoints['subsets']>[number];
type EndpointsPort = NonNullable<Subset['ports']>[number];

export function planEndpoints(
  service: Service,
  pods: readonly Pod[],
  present: Endpoints | undefined,
): Endpoints {
  const { name, namespace, labels } = service.metadata;
  const subsets = subsetsOf(service, pods);
  const total = subsets.reduce(
    (count, { addresses, notReadyAddresses }) =>
      count + (addresses?.length ?? 0) + (notReadyAddresses?.length ?? 0),
    0,
  );
  const { [overCapacity]: _, ...annotations } = present?.metadata.annotations ?? {};
  if (total > maxAddresses) annotations[overCapacity] = 'truncated';
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...present?.metadata,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        ...labels,
        ...(service.spec.clusterIP === 'None' ? { [headlessLabel]: '' } : {}),
        [managedByLabel]: 'endpoint-controller',
      },
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    ...(subsets.length > 0 ? { subsets: truncate(subsets) } : {}),
  };
}

/** Pods on their way out are left out, unless the Service publishes whatever there is. */
function subsetsOf(service: Service, pods: readonly Pod[]): Subset[] {
  const publishAll = service.spec.publishNotReadyAddresses === true;
  const groups = new Map<
    string,
    { ports: EndpointsPort[]; ready: EndpointAddress[]; other: EndpointAddress[] }
  >();
  for (const pod of pods) {
    const address = addressOf(pod);
    if (!address || isPodOver(pod) || (isTerminating(pod) && !publishAll)) continue;
    const key = portsKey(service, pod);
    const group = groups.get(key) ?? { ports: portsOf(service, pod), ready: [], other: [] };
    groups.set(key, group);
    (publishAll || isPodReady(pod) ? group.ready : group.other).push(address);
  }
  const withPorts = [...groups.values()].filter(
    ({ ports }) => ports.length > 0 || !service.spec.ports?.length,
  );
  return withPorts.map(({ ports, ready, other }) => ({
    ...(ready.length > 0 ? { addresses: sorted(ready) } : {}),
    ...(other.length > 0 ? { notReadyAddresses: sorted(other) } : {}),
    ...(ports.length > 0 ? { ports } : {}),
  }));
}

const sorted = (addresses: readonly EndpointAddress[]) =>
  addresses.toSorted(({ ip: left }, { ip: right }) => (left < right ? -1 : 1));

function addressOf({ metadata, spec, status }: Pod): EndpointAddress | undefined {
  if (!status?.podIP) return undefined;
  return {
    ip: status.podIP,
    ...(spec.nodeName ? { nodeName: spec.nodeName } : {}),
    targetRef: {
      kind: 'Pod',
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    },
  };
}

function portsOf({ spec }: Service, pod: Pod): EndpointsPort[] {
  return (spec.ports ?? []).flatMap((servicePort) => {
    const port = targetPortOf(servicePort, pod);
    if (port === undefined) return [];
    const { name, protocol = 'TCP' }: Partial<SlicePort> = servicePort;
    return { ...(name ? { name } : {}), port, protocol };
  });
}

function truncate(subsets: readonly Subset[]): Subset[] {
  let left = maxAddresses;
  return subsets.map((subset) => {
    const addresses = subset.addresses?.slice(0, left);
    left -= addresses?.length ?? 0;
    const notReadyAddresses = subset.notReadyAddresses?.slice(0, left);
    left -= notReadyAddresses?.length ?? 0;
    return {
      ...subset,
      ...(addresses ? { addresses } : {}),
      ...(notReadyAddresses ? { notReadyAddresses } : {}),
    };
  });
}
