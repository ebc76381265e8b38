/**
 * Endpoints that a user wrote for a Service without a selector, shown as EndpointSlices to those who read only slices
 * (the endpointslicemirroring controller of Kubernetes).
 */

import {
  type EndpointAddress,
  type EndpointSlice,
  type Endpoints,
  endpointSlices,
  endpoints,
  namespacedName,
  services,
} from '../../../kubernetes/index.ts';
import { type Controller, type ControllerContext, createControllerQueue, unlessGone } from '../controller.ts';
import { controllerReference } from '../ownership.ts';
import { sameJson } from '../status.ts';
import { managedByLabel, type SliceEndpoint, serviceNameLabel } from './slices.ts';

const managerName = 'endpointslicemirroring-controller.k8s.io';
/** On an Endpoints object that is not to be mirrored. */
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

export function startEndpointsMirror(context: ControllerContext): Controller {
  const { api, informers } = context;
  const serviceInformer = informers.of(services);
  const endpointsInformer = informers.of(endpoints);

  const queue = createControllerQueue(context, async (key) => {
    const service = serviceInformer.get(key);
    const source = endpointsInformer.get(key);
    const [namespace = '', name = ''] = key.split('/');
    const labelSelector = { matchLabels: { [serviceNameLabel]: name, [managedByLabel]: managerName } };
    const { items: present } = await api.list(endpointSlices, { namespace, labelSelector, shared: true });
    const wanted = service && !service.spec.selector && source && isMirrored(source) ? mirror(source) : [];
    for (const [index, slice] of wanted.entries()) {
      const before = present[index];
      if (!before) await api.create(endpointSlices, slice);
      else if (!sameContent(before, slice)) {
        const labels = slice.metadata.labels ?? {};
        await api.update(endpointSlices, { ...slice, metadata: { ...before.metadata, labels } });
      }
    }
    for (const { metadata } of present.slice(wanted.length)) {
      await unlessGone(api.delete(endpointSlices, metadata.namespace, metadata.name));
    }
  });

  serviceInformer.onChange(({ object }) => {
    if (endpointsInformer.get(namespacedName(object))) queue.add(namespacedName(object));
  });
  endpointsInformer.onChange(({ object }) => {
    // Those of a Service with a selector are made from the same pods as its slices.
    if (!serviceInformer.get(namespacedName(object))?.spec.selector) queue.add(namespacedName(object));
  });
  return { stop: () => queue.stop() };
}

function isMirrored({ metadata }: Endpoints): boolean {
  return metadata.labels?.[skipLabel] !== 'true' && metadata.annotations?.[leaderAnnotation] === undefined;
}

function mirror(source: Endpoints): EndpointSlice[] {
  const { name, namespace, labels, annotations } = source.metadata;
  const { [lastApplied]: _, ...kept } = annotations ?? {};
  return (source.subsets ?? []).map(({ addresses = [], notReadyAddresses = [], ports = [] }) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: '',
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: managerName },
      ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}),
      ownerReferences: [controllerReference(source)],
    },
    addressType: 'IPv4',
    endpoints: [
      ...addresses.map((address) => toEndpoint(address, true)),
      ...notReadyAddresses.map((address) => toEndpoint(address, false)),
    ],
    ports: ports.map((port) => ({
      name: port.name ?? '',
      port: port.port,
      protocol: port.protocol ?? 'TCP',
    })),
  }));
}

function toEndpoint({ ip, nodeName, targetRef }: EndpointAddress, ready: boolean): SliceEndpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}

function sameContent(left: EndpointSlice, right: EndpointSlice): boolean {
  return (
    sameJson(left.endpoints, right.endpoints) &&
    sameJson(left.ports, right.ports) &&
    sameJson(left.metadata.labels, right.metadata.labels)
  );
}
