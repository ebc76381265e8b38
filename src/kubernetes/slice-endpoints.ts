/** EndpointSlices of a Service in, the endpoints of one of its ports out. */

import type { EndpointSlice, ServicePort } from './objects.ts';

export interface ServiceEndpoint {
  readonly address: string;
  readonly port: number;
  /** The pod, as `namespace/name`, where there is one. */
  readonly pod?: string;
  /** `terminating` gets nothing new; what it still answers is delivered. */
  readonly state: 'ready' | 'terminating';
}

/** Slices carry ports by the Service port's name; an address and port that appear twice count once. */
export function sliceEndpoints(
  slices: readonly EndpointSlice[],
  servicePort: Pick<ServicePort, 'name' | 'protocol'>,
): ServiceEndpoint[] {
  const found = new Map<string, ServiceEndpoint>();
  for (const slice of slices) {
    const port = slice.ports.find(
      (candidate) =>
        (candidate.name ?? '') === (servicePort.name ?? '') &&
        (candidate.protocol ?? 'TCP') === (servicePort.protocol ?? 'TCP'),
    )?.port;
    if (port === undefined || slice.addressType === 'FQDN') continue;
    for (const { addresses, conditions, targetRef } of slice.endpoints) {
      const state = endpointState(conditions);
      const address = addresses[0];
      if (!state || address === undefined) continue;
      const pod = targetRef?.kind === 'Pod' ? `${targetRef.namespace}/${targetRef.name}` : undefined;
      found.set(`${address} ${port}`, { address, port, state, ...(pod === undefined ? {} : { pod }) });
    }
  }
  return [...found.values()];
}

/** An absent `ready` means ready (EndpointConditions of discovery.k8s.io/v1); Traefik takes it for not ready. */
function endpointState(
  conditions: EndpointSlice['endpoints'][number]['conditions'],
): ServiceEndpoint['state'] | undefined {
  if (conditions?.terminating) return conditions.serving === false ? undefined : 'terminating';
  return conditions?.ready === false ? undefined : 'ready';
}
