/** Every UDP path of the tree, hop by hop, from the newest objects. Pure. */

import { isDeepStrictEqual } from 'node:util';
import type { Endpoint, UdpDecision } from '../dataplane/index.ts';
import type { EntryPoint, RouteFinding, UdpRouting } from '../ingress/index.ts';
import {
  type IngressRouteUDP,
  labelsMatch,
  namespacedName,
  type Pod,
  type Service,
  type ServicePort,
} from '../kubernetes/index.ts';

export type HopName = 'node port' | 'entry point' | 'route' | 'service' | 'endpoints';

export interface Hop {
  readonly name: HopName;
  readonly isWhole: boolean;
  /** What stands there, or what is wrong with it. */
  readonly detail: string;
}

/** One rule of an IngressRouteUDP on one entry point, from the node port to the pods. */
export interface UdpPath {
  /** The IngressRouteUDP, as `namespace/name`. */
  readonly route: string;
  readonly entryPoint: string;
  readonly nodePort: number | undefined;
  /** The Services the route names, as `namespace/name`. */
  readonly services: readonly string[];
  /** The Service ports it names, by number or name. */
  readonly servicePorts: readonly (number | string)[];
  readonly readyPods: number;
  readonly totalPods: number;
  /** In the order a datagram meets them, up to and with the first that is broken. */
  readonly hops: readonly Hop[];
}

export interface PathInput {
  readonly entryPoints: readonly EntryPoint[];
  readonly routes: readonly IngressRouteUDP[];
  readonly services: readonly Service[];
  readonly pods: readonly Pod[];
  readonly routing: UdpRouting;
  /** The Service in front of the entry points, as `namespace/name`. */
  readonly ingressService: string | undefined;
}

/** The hop where the datagrams stop, or undefined when the path is whole. */
export function brokenHop({ hops }: UdpPath): Hop | undefined {
  return hops.find(({ isWhole }) => !isWhole);
}

/** An entry point that no route names is no path, and no fault. */
export function tracePaths(input: PathInput): UdpPath[] {
  return input.routes.flatMap((ingressRoute) =>
    ingressRoute.spec.routes.flatMap((_, index) =>
      namedEntryPoints(ingressRoute, input).map((name) => tracePath(input, ingressRoute, index, name)),
    ),
  );
}

function namedEntryPoints({ spec }: IngressRouteUDP, { entryPoints }: PathInput): string[] {
  if (spec.entryPoints?.length) return [...new Set(spec.entryPoints)];
  return entryPoints.filter(({ protocol }) => protocol === 'udp').map(({ name }) => name);
}

function tracePath(input: PathInput, ingressRoute: IngressRouteUDP, index: number, name: string): UdpPath {
  const route = namespacedName(ingressRoute);
  const nodePort = udpNodePort(input, name);
  const references = ingressRoute.spec.routes[index]?.services ?? [];
  const services = references.map(
    (reference) => `${reference.namespace ?? ingressRoute.metadata.namespace}/${reference.name}`,
  );
  const selected = services.flatMap((service) => podsSelectedBy(service, input));
  const findings = input.routing.findings.filter((finding) => finding.route === route);
  const hops = [
    entryPointHop(input, name, findings),
    nodePortHop(input, name, nodePort),
    routeHop(input, ingressRoute, index, name, findings),
    serviceHop(services, index, findings),
    endpointsHop(input, name, services, index, findings),
  ];
  return {
    route,
    entryPoint: name,
    nodePort,
    services,
    servicePorts: references.map(({ port }) => port),
    readyPods: selected.filter(isReady).length,
    totalPods: selected.length,
    hops: upToFirstBroken(hops),
  };
}

function upToFirstBroken(hops: readonly Hop[]): Hop[] {
  const broken = hops.findIndex(({ isWhole }) => !isWhole);
  return broken < 0 ? [...hops] : hops.slice(0, broken + 1);
}

/** The Service port whose target is the entry point, by its name (cut as the chart cuts it) or its number. */
function ingressServicePort(
  service: Service | undefined,
  { name, port, protocol }: EntryPoint,
): ServicePort | undefined {
  const targets: unknown[] = [name.toLowerCase().slice(0, 15).replace(/-+$/, ''), port];
  return service?.spec.ports?.find(
    (candidate) =>
      targets.includes(candidate.targetPort ?? candidate.port) &&
      (candidate.protocol ?? 'TCP').toLowerCase() === protocol,
  );
}

function udpNodePort({ services, ingressService, entryPoints }: PathInput, name: string): number | undefined {
  const service = services.find((candidate) => namespacedName(candidate) === ingressService);
  const entryPoint = entryPoints.find((candidate) => candidate.name === name);
  return entryPoint && ingressServicePort(service, entryPoint)?.nodePort;
}

function nodePortHop({ ingressService }: PathInput, name: string, nodePort: number | undefined): Hop {
  if (nodePort !== undefined) return { name: 'node port', isWhole: true, detail: `${nodePort}/UDP` };
  const detail = ingressService
    ? `Service ${ingressService} has no node port for entry point ${name}: add ports.${name} to the chart values, with protocol: UDP and a nodePort`
    : 'no Traefik Application was found: nothing stands in front of the entry points';
  return { name: 'node port', isWhole: false, detail };
}

function entryPointHop({ entryPoints }: PathInput, name: string, findings: readonly RouteFinding[]): Hop {
  const entryPoint = entryPoints.find((candidate) => candidate.name === name);
  if (entryPoint?.protocol === 'udp') {
    return {
      name: 'entry point',
      isWhole: true,
      detail: `${name} ${entryPoint.host}:${entryPoint.port}/udp`,
    };
  }
  const found = findings.find(({ code, message }) => code === 'SL3101' && message.includes(`"${name}"`));
  return {
    name: 'entry point',
    isWhole: false,
    detail: found?.message ?? `entry point "${name}" doesn't exist`,
  };
}

function routeHop(
  { routing }: PathInput,
  { metadata }: IngressRouteUDP,
  index: number,
  entryPoint: string,
  findings: readonly RouteFinding[],
): Hop {
  const wanted = `${metadata.namespace}-${metadata.name}-${index}`;
  const decision = routing.table.udp.find((candidate) => candidate.entryPoint === entryPoint);
  const holder = decision && routeOf(decision);
  if (holder === wanted) return { name: 'route', isWhole: true, detail: wanted };
  const shadowed = findings.find(({ code, path }) => code === 'SL3105' && isDeepStrictEqual(path[2], index));
  const detail = shadowed?.message ?? `route ${wanted} is not in the route table yet`;
  return { name: 'route', isWhole: false, detail };
}

const routeOf = (decision: UdpDecision) =>
  decision.kind === 'forward' ? decision.route.name : decision.route;

const serviceFaults = new Set(['SL3102', 'SL3103', 'SL3106', 'SL3108']);

function serviceHop(services: readonly string[], index: number, findings: readonly RouteFinding[]): Hop {
  const fault = findings.find(({ code, path }) => serviceFaults.has(code) && path[2] === index);
  if (fault) return { name: 'service', isWhole: false, detail: fault.message };
  if (services.length === 0) return { name: 'service', isWhole: false, detail: 'the route names no service' };
  return { name: 'service', isWhole: true, detail: services.join(', ') };
}

function endpointsHop(
  input: PathInput,
  entryPoint: string,
  services: readonly string[],
  index: number,
  findings: readonly RouteFinding[],
): Hop {
  const fault = findings.find(({ code, path }) => code === 'SL3104' && path[2] === index);
  if (fault) {
    const causes = services.flatMap((service) => whyNoEndpoints(service, input) ?? []);
    return { name: 'endpoints', isWhole: false, detail: [fault.message, ...causes].join('; ') };
  }
  const decision = input.routing.table.udp.find((candidate) => candidate.entryPoint === entryPoint);
  if (decision?.kind !== 'forward') {
    return { name: 'endpoints', isWhole: false, detail: decision?.detail ?? 'nothing is decided yet' };
  }
  const ready = decision.route.services.flatMap(({ endpoints }) => endpoints).filter(isReadyEndpoint);
  const shown = ready.map(({ address, port }) => `${address}:${port}`).join(', ');
  return { name: 'endpoints', isWhole: true, detail: shown };
}

const isReadyEndpoint = ({ state }: Endpoint) => state === 'ready';

function podsSelectedBy(name: string, { services, pods }: PathInput): Pod[] {
  const selector = services.find((service) => namespacedName(service) === name)?.spec.selector;
  if (!selector) return [];
  const [namespace] = name.split('/');
  return pods.filter(
    ({ metadata }) =>
      metadata.namespace === namespace &&
      !metadata.deletionTimestamp &&
      labelsMatch({ matchLabels: selector }, metadata.labels),
  );
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}

/** Undefined when nothing more is to be said. */
function whyNoEndpoints(name: string, input: PathInput): string | undefined {
  const selector = input.services.find((service) => namespacedName(service) === name)?.spec.selector;
  if (!selector) return `Service ${name} has no selector`;
  const wanted = formatLabels(selector);
  const selected = podsSelectedBy(name, input);
  if (selected.length === 0) {
    const [namespace] = name.split('/');
    const neighbours = input.pods.filter(({ metadata }) => metadata.namespace === namespace);
    const present = [
      ...new Set(neighbours.map(({ metadata }) => formatLabels(metadata.labels ?? {}, selector))),
    ];
    const hint =
      present.length > 0 ? `; the pods there carry ${present.join(' or ')}` : `; ${namespace} has no pods`;
    return `its selector ${wanted} matches no pod${hint}`;
  }
  if (selected.some(isReady)) return 'its targetPort names no UDP port of the pods';
  const waiting = selected.map((pod) => `${pod.metadata.name}: ${podTrouble(pod)}`);
  return `${selected.length} pods match and none is ready (${waiting.slice(0, 3).join('; ')})`;
}

/** Labels as `key=value,…`; only the keys of `like`, where some of them are there. */
function formatLabels(labels: Record<string, string>, like?: Record<string, string>): string {
  const keys = Object.keys(labels).sort();
  const shared = keys.filter((key) => like && key in like);
  return (shared.length > 0 ? shared : keys).map((key) => `${key}=${labels[key]}`).join(',') || 'no labels';
}

/** In a few words, why a pod does not serve. */
export function podTrouble({ status }: Pod): string {
  for (const { state } of status?.containerStatuses ?? []) {
    if (state.waiting) return [state.waiting.reason, state.waiting.message].filter(Boolean).join(': ');
    if (state.terminated) return `exited with ${state.terminated.exitCode}`;
  }
  return status?.phase ?? 'Pending';
}
