/** A service reference of an IngressRouteUDP in, its endpoints out. */

import type { Endpoint, WeightedService } from '../../dataplane/index.ts';
import type {
  EndpointSlice,
  IngressRouteUDP,
  IngressRouteUdpService,
  Service,
  ServicePort,
} from '../../kubernetes/index.ts';
import { namespacedName } from '../../kubernetes/index.ts';
import type { RouteFinding } from './udp-routes.ts';

export interface ServiceIndex {
  /** By `namespace/name`. */
  readonly services: ReadonlyMap<string, Service>;
  /** The slices of each Service, by its `namespace/name`. */
  readonly slices: ReadonlyMap<string, readonly EndpointSlice[]>;
}

type Path = readonly (string | number)[];

/** Undefined, with a finding, where the reference leads to no Service port. Endpoints may be empty, with a finding. */
export function resolveUdpService(
  reference: IngressRouteUdpService,
  ingressRoute: IngressRouteUDP,
  path: Path,
  index: ServiceIndex,
  findings: RouteFinding[],
): WeightedService | undefined {
  const route = namespacedName(ingressRoute);
  const report = (code: RouteFinding['code'], message: string, field?: string, severity?: 'warning') =>
    findings.push({
      code,
      severity: severity ?? 'error',
      route,
      message,
      path: field ? [...path, field] : path,
    });

  const ownNamespace = ingressRoute.metadata.namespace ?? 'default';
  const name = `${reference.namespace ?? ownNamespace}/${reference.name}`;
  if (reference.namespace !== undefined && reference.namespace !== ownNamespace) {
    report('SL3106', `Service ${name} is not in the route's namespace ${ownNamespace}`, 'namespace');
    return undefined;
  }
  for (const field of ['nativeLB', 'nodePortLB'] as const) {
    if (!reference[field]) continue;
    report('SL3108', `${field} is not supported yet`, field);
    return undefined;
  }
  const service = index.services.get(name);
  if (!service) {
    report('SL3102', `Service ${name} not found`, 'name');
    return undefined;
  }
  if (service.spec.type === 'ExternalName') {
    report('SL3108', `Service ${name} is an ExternalName, which is not supported yet`, 'name');
    return undefined;
  }
  const port = findPort(service, reference.port);
  if (!port) {
    const present = (service.spec.ports ?? []).map(describePort).join(', ') || 'none';
    report('SL3103', `Service ${name} has no port ${reference.port}; it has: ${present}`, 'port');
    return undefined;
  }
  if ((port.protocol ?? 'TCP') !== 'UDP') {
    const message = `port ${describePort(port)} of Service ${name} is ${port.protocol ?? 'TCP'}: declare \`protocol: UDP\``;
    report('SL3107', message, 'port', 'warning');
  }
  const endpoints = endpointsOf(index.slices.get(name) ?? [], port);
  if (!endpoints.some(({ state }) => state === 'ready')) {
    report('SL3104', `Service ${name} has no ready endpoints for port ${describePort(port)}`, 'name');
  }
  return { name, weight: reference.weight ?? 1, endpoints };
}

/**
 * By number or by name. Traefik takes the first port that fits whatever its protocol; among several, a UDP one is
 * what a UDP route means (53/TCP next to 53/UDP), and the first is kept where there is none.
 */
function findPort(service: Service, wanted: number | string): ServicePort | undefined {
  const fitting = (service.spec.ports ?? []).filter(
    (port) => port.port === Number(wanted) || port.name === String(wanted),
  );
  return fitting.find((port) => port.protocol === 'UDP') ?? fitting[0];
}

function describePort({ name, port, protocol }: ServicePort): string {
  return `${port}/${protocol ?? 'TCP'}${name ? ` (${name})` : ''}`;
}

/** Slices carry ports by the Service port's name; an address and port that appear twice count once. */
function endpointsOf(slices: readonly EndpointSlice[], servicePort: ServicePort): Endpoint[] {
  const found = new Map<string, Endpoint>();
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
): Endpoint['state'] | undefined {
  if (conditions?.terminating) return conditions.serving === false ? undefined : 'terminating';
  return conditions?.ready === false ? undefined : 'ready';
}
