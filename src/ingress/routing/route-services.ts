/** A service reference of an IngressRouteUDP or IngressRouteTCP in, its endpoints out. Traefik's rules for both. */

import type { Endpoint, WeightedService } from '../../dataplane/index.ts';
import type {
  EndpointSlice,
  IngressRouteUdpService,
  KubeObject,
  Node,
  Service,
  ServicePort,
} from '../../kubernetes/index.ts';
import { namespacedName, sliceEndpoints } from '../../kubernetes/index.ts';
import type { RouteFinding } from './findings.ts';
import type { RoutingOptions } from './options.ts';

/** A map that is only asked. */
export interface Lookup<Value> {
  get(name: string): Value | undefined;
}

export interface ServiceIndex {
  /** By `namespace/name`. */
  readonly services: Lookup<Service>;
  /** The slices of each Service, by its `namespace/name`. */
  readonly slices: Lookup<readonly EndpointSlice[]>;
  readonly nodes: readonly Node[];
}

/** What a reference is resolved in. */
export interface ServiceContext {
  readonly protocol: 'UDP' | 'TCP';
  /** The IngressRouteUDP or IngressRouteTCP. */
  readonly ingressRoute: KubeObject;
  readonly index: ServiceIndex;
  readonly options: RoutingOptions;
  readonly findings: RouteFinding[];
}

export function indexServices(input: {
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly nodes?: readonly Node[];
}): ServiceIndex {
  const slices = new Map<string, EndpointSlice[]>();
  for (const slice of input.endpointSlices) {
    const service = slice.metadata.labels?.['kubernetes.io/service-name'];
    const key = `${slice.metadata.namespace}/${service}`;
    const present = slices.get(key);
    if (present) present.push(slice);
    else slices.set(key, [slice]);
  }
  const services = new Map(input.services.map((service) => [namespacedName(service), service]));
  return { services, slices, nodes: input.nodes ?? [] };
}

type Path = readonly (string | number)[];
type Report = (code: RouteFinding['code'], message: string, field?: string, severity?: 'warning') => void;

interface Resolving extends ServiceContext {
  readonly reference: IngressRouteUdpService;
  /** `namespace/name` of the Service. */
  readonly name: string;
  readonly report: Report;
}

/** Undefined, with a finding, where the reference leads to no Service port. Endpoints may be empty, with a finding. */
export function resolveService(
  reference: IngressRouteUdpService,
  path: Path,
  context: ServiceContext,
): WeightedService | undefined {
  const { ingressRoute, index, options, findings } = context;
  const report: Report = (code, message, field, severity) => {
    const at = field ? [...path, field] : path;
    const route = namespacedName(ingressRoute);
    findings.push({ code, severity: severity ?? 'error', route, message, path: at });
  };
  const ownNamespace = ingressRoute.metadata.namespace ?? 'default';
  const name = `${reference.namespace ?? ownNamespace}/${reference.name}`;
  if (reference.namespace && reference.namespace !== ownNamespace && !options.allowCrossNamespace) {
    report('SL3106', `Service ${name} is not in the route's namespace ${ownNamespace}`, 'namespace');
    return undefined;
  }
  const service = index.services.get(name);
  if (!service) {
    report('SL3102', `Service ${name} not found`, 'name');
    return undefined;
  }
  const endpoints = endpointsOf(service, { ...context, reference, name, report });
  return endpoints && { name, weight: reference.weight ?? 1, endpoints };
}

function endpointsOf(service: Service, resolving: Resolving): Endpoint[] | undefined {
  const { reference, options, name, report } = resolving;
  if (service.spec.type === 'ExternalName') return externalEndpoint(service, resolving);
  const port = findPort(service, resolving);
  if (!port) {
    const present = (service.spec.ports ?? []).map(describePort).join(', ') || 'none';
    report('SL3103', `Service ${name} has no port ${reference.port}; it has: ${present}`, 'port');
    return undefined;
  }
  checkProtocol(port, resolving);
  if (reference.nodePortLB) {
    if (service.spec.type === 'NodePort') return nodeEndpoints(port, resolving);
    report(
      'SL3108',
      `nodePortLB is ignored: Service ${name} is not of type NodePort`,
      'nodePortLB',
      'warning',
    );
  }
  if (reference.nativeLB ?? options.nativeLBByDefault) return clusterEndpoint(service, port, resolving);
  return podEndpoints(port, resolving);
}

/** The name and port of a service elsewhere. Its Service may list ports; a port by name must be one of them. */
function externalEndpoint(service: Service, resolving: Resolving): Endpoint[] | undefined {
  const { reference, options, name, report } = resolving;
  const { externalName = '', ports = [] } = service.spec;
  if (!options.allowExternalNameServices) {
    report(
      'SL3108',
      `Service ${name} is an ExternalName, which allowExternalNameServices would allow`,
      'name',
    );
    return undefined;
  }
  const found = findPort(service, resolving);
  const port = found?.port ?? Number(reference.port);
  if (!Number.isInteger(port) || externalName === '') {
    report('SL3103', `ExternalName Service ${name} has no port ${reference.port}`, 'port');
    return undefined;
  }
  if (!found && ports.length > 0) {
    const message = `port ${port} is none of those that ExternalName Service ${name} lists`;
    report('SL3103', message, 'port', 'warning');
  }
  return [{ address: externalName.replace(/\.$/, ''), port, state: 'ready' }];
}

/** kube-proxy balances: through the Service's own address. */
function clusterEndpoint(service: Service, port: ServicePort, resolving: Resolving): Endpoint[] | undefined {
  const { clusterIP } = service.spec;
  const { name, report } = resolving;
  if (clusterIP && clusterIP !== 'None') return [{ address: clusterIP, port: port.port, state: 'ready' }];
  const why = clusterIP === 'None' ? 'is headless' : 'has no clusterIP';
  report('SL3108', `nativeLB needs a clusterIP, and Service ${name} ${why}`, 'nativeLB');
  return undefined;
}

/** Through the node port of every node. */
function nodeEndpoints({ nodePort }: ServicePort, resolving: Resolving): Endpoint[] | undefined {
  const { index, name, report } = resolving;
  const addresses = index.nodes.flatMap(({ status }) =>
    (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
  );
  if (addresses.length === 0 || !nodePort) {
    const missing = nodePort ? 'a node with an InternalIP' : `a nodePort in Service ${name}`;
    report('SL3108', `nodePortLB needs ${missing}`, 'nodePortLB');
    return undefined;
  }
  return addresses.map((address) => ({ address, port: nodePort, state: 'ready' }));
}

function podEndpoints(port: ServicePort, { index, options, name, report }: Resolving): Endpoint[] {
  const endpoints = sliceEndpoints(index.slices.get(name) ?? [], port);
  if (!endpoints.some(({ state }) => state === 'ready')) {
    const message = `Service ${name} has no ready endpoints for port ${describePort(port)}`;
    report('SL3104', message, 'name', options.allowEmptyServices ? 'warning' : undefined);
  }
  return endpoints;
}

function checkProtocol(port: ServicePort, { protocol, name, report }: Resolving): void {
  const written = port.protocol ?? 'TCP';
  if (written === protocol) return;
  const code = protocol === 'UDP' ? 'SL3107' : 'SL3208';
  const message = `port ${describePort(port)} of Service ${name} is ${written}: declare \`protocol: ${protocol}\``;
  report(code, message, 'port', 'warning');
}

/**
 * By number or by name. Traefik takes the first port that fits whatever its protocol; among several, one of the
 * route's own protocol is what is meant (53/TCP next to 53/UDP), and the first is kept where there is none.
 */
function findPort(service: Service, { reference, protocol }: Resolving): ServicePort | undefined {
  const fitting = (service.spec.ports ?? []).filter(
    (port) => port.port === Number(reference.port) || port.name === String(reference.port),
  );
  return fitting.find((port) => (port.protocol ?? 'TCP') === protocol) ?? fitting[0];
}

function describePort({ name, port, protocol }: ServicePort): string {
  return `${port}/${protocol ?? 'TCP'}${name ? ` (${name})` : ''}`;
}
