/**
 * Objects in, decisions out: which endpoints the datagrams of each UDP entry point go to, or why they are dropped.
 * Pure. The rules are Traefik's (its kubernetes_udp.go and the CRD reference); where sluice differs it says so.
 */

import type {
  RouteTable,
  UdpBalance,
  UdpDecision,
  UdpRoute,
  WeightedService,
} from '../../dataplane/index.ts';
import type { DiagnosticCode } from '../../diagnostics/index.ts';
import type {
  EndpointSlice,
  IngressRouteUDP,
  IngressRouteUdpService,
  Service,
} from '../../kubernetes/index.ts';
import { namespacedName } from '../../kubernetes/index.ts';
import type { EntryPoint } from '../static/entry-points.ts';
import { resolveUdpService, type ServiceIndex } from './udp-services.ts';

export interface UdpRoutingInput {
  readonly entryPoints: readonly EntryPoint[];
  readonly routes: readonly IngressRouteUDP[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
}

/** Something about a route that its owner should know. */
export interface RouteFinding {
  readonly code: DiagnosticCode;
  /** `error`: datagrams are dropped for it. `warning`: they are not, yet it is hardly what was meant. */
  readonly severity: 'error' | 'warning';
  /** The IngressRouteUDP, as `namespace/name`. */
  readonly route: string;
  readonly message: string;
  /** The part of the IngressRouteUDP that it is about. */
  readonly path: readonly (string | number)[];
}

export interface UdpRouting {
  readonly table: RouteTable;
  readonly findings: readonly RouteFinding[];
}

/** One entry of `spec.routes`, on one entry point. */
interface Candidate {
  readonly ingressRoute: IngressRouteUDP;
  readonly index: number;
  /** Traefik's router name. */
  readonly name: string;
}

/** Compiles the table. The same input gives the same output; `generation` only numbers it. */
export function compileUdpRoutes(input: UdpRoutingInput, generation: number): UdpRouting {
  const findings: RouteFinding[] = [];
  const index = indexServices(input);
  const entryPoints = input.entryPoints.filter(({ protocol }) => protocol === 'udp');
  const candidates = bindToEntryPoints(input, entryPoints, findings);
  const resolved = new Map<string, UdpDecision>();
  const udp = entryPoints.map(({ name: entryPoint }): UdpDecision => {
    const [winner, ...shadowed] = candidates.get(entryPoint) ?? [];
    if (!winner) {
      const detail = `no IngressRouteUDP is bound to entry point ${entryPoint}`;
      return { kind: 'drop', entryPoint, reason: 'no_route', detail };
    }
    for (const loser of shadowed) findings.push(shadowFinding(loser, winner, entryPoint));
    // A route without entryPoints hangs on all of them: its services are resolved, and reported, once.
    const decision = resolved.get(winner.name) ?? decide(entryPoint, winner, index, findings);
    resolved.set(winner.name, decision);
    return { ...decision, entryPoint };
  });
  return { table: { generation, udp }, findings };
}

function indexServices({ services, endpointSlices }: UdpRoutingInput): ServiceIndex {
  const slices = new Map<string, EndpointSlice[]>();
  for (const slice of endpointSlices) {
    const service = slice.metadata.labels?.['kubernetes.io/service-name'];
    const key = `${slice.metadata.namespace}/${service}`;
    slices.set(key, [...(slices.get(key) ?? []), slice]);
  }
  return { services: new Map(services.map((service) => [namespacedName(service), service])), slices };
}

/** Per entry point the routes bound to it, the one that holds it first: the oldest, then by name (as Gateway API). */
function bindToEntryPoints(
  { routes, entryPoints: all }: UdpRoutingInput,
  entryPoints: readonly EntryPoint[],
  findings: RouteFinding[],
): Map<string, Candidate[]> {
  const bound = new Map<string, Candidate[]>();
  for (const ingressRoute of [...routes].sort(byAge)) {
    const names = boundNames(ingressRoute, entryPoints, all, findings);
    for (const [index] of ingressRoute.spec.routes.entries()) {
      const { namespace, name } = ingressRoute.metadata;
      const candidate = { ingressRoute, index, name: `${namespace}-${name}-${index}` };
      for (const entryPoint of names) bound.set(entryPoint, [...(bound.get(entryPoint) ?? []), candidate]);
    }
  }
  return bound;
}

function byAge(left: IngressRouteUDP, right: IngressRouteUDP): number {
  const ages = (left.metadata.creationTimestamp ?? '').localeCompare(right.metadata.creationTimestamp ?? '');
  return ages || (namespacedName(left) < namespacedName(right) ? -1 : 1);
}

/** No `entryPoints` means every UDP entry point, as in Traefik. */
function boundNames(
  ingressRoute: IngressRouteUDP,
  entryPoints: readonly EntryPoint[],
  all: readonly EntryPoint[],
  findings: RouteFinding[],
): string[] {
  const wanted = ingressRoute.spec.entryPoints ?? [];
  if (wanted.length === 0) return entryPoints.map(({ name }) => name);
  return wanted.flatMap((name, index) => {
    const found = entryPoints.find((entryPoint) => entryPoint.name === name);
    if (found) return [found.name];
    const isTcp = all.some((entryPoint) => entryPoint.name === name);
    findings.push({
      code: 'SL3101',
      severity: 'error',
      route: namespacedName(ingressRoute),
      message: isTcp
        ? `entry point "${name}" is a TCP entry point: declare its address with /udp`
        : `entry point "${name}" doesn't exist; there are: ${entryPoints.map((point) => point.name).join(', ') || 'none'}`,
      path: ['spec', 'entryPoints', index],
    });
    return [];
  });
}

function shadowFinding(loser: Candidate, winner: Candidate, entryPoint: string): RouteFinding {
  return {
    code: 'SL3105',
    severity: 'warning',
    route: namespacedName(loser.ingressRoute),
    message: `gets no datagrams from entry point ${entryPoint}: route ${winner.name} is older and holds it`,
    path: ['spec', 'routes', loser.index],
  };
}

function decide(
  entryPoint: string,
  { ingressRoute, index, name }: Candidate,
  services: ServiceIndex,
  findings: RouteFinding[],
): UdpDecision {
  const wanted = ingressRoute.spec.routes[index]?.services ?? [];
  const problems: RouteFinding[] = [];
  const found: WeightedService[] = wanted.flatMap((reference, position) => {
    const path = ['spec', 'routes', index, 'services', position];
    return resolveUdpService(reference, ingressRoute, path, services, problems) ?? [];
  });
  findings.push(...problems);
  // Traefik ignores the weight of a route's only service.
  const weighted = wanted.length === 1 ? found.map((service) => ({ ...service, weight: 1 })) : found;
  const balance = balanceOf(ingressRoute, index, wanted, services, findings);
  const route: UdpRoute = { name, services: weighted, ...(balance ? { balance } : {}) };
  const drop = (reason: 'no_service' | 'no_endpoints', otherwise: string): UdpDecision => ({
    kind: 'drop',
    entryPoint,
    reason,
    route: name,
    detail: problems[0]?.message ?? otherwise,
  });
  if (found.length === 0) return drop('no_service', `route ${name} names no service`);
  if (!weighted.some(hasReadyEndpoint))
    return drop('no_endpoints', `route ${name}: every service has weight 0`);
  return { kind: 'forward', entryPoint, route };
}

/** Set on an IngressRouteUDP: `datagram`, `session` or `source`. */
export const balanceAnnotation = 'sluice.dev/balance';
const balances: readonly UdpBalance[] = ['datagram', 'session', 'source'];

/** The annotation decides; without it a Service that asks for `sessionAffinity: ClientIP` gets `source`. */
function balanceOf(
  ingressRoute: IngressRouteUDP,
  index: number,
  wanted: readonly IngressRouteUdpService[],
  { services }: ServiceIndex,
  findings: RouteFinding[],
): UdpBalance | undefined {
  const annotation = ingressRoute.metadata.annotations?.[balanceAnnotation];
  const chosen = balances.find((balance) => balance === annotation);
  if (annotation !== undefined && !chosen && index === 0) {
    findings.push({
      code: 'SL3109',
      severity: 'warning',
      route: namespacedName(ingressRoute),
      message: `${balanceAnnotation} is ${JSON.stringify(annotation)}; it may be ${balances.join(', ')}`,
      path: ['metadata', 'annotations', balanceAnnotation],
    });
  }
  const { namespace } = ingressRoute.metadata;
  const hasAffinity = wanted.some(
    ({ name }) => services.get(`${namespace}/${name}`)?.spec.sessionAffinity === 'ClientIP',
  );
  return chosen ?? (hasAffinity ? 'source' : undefined);
}

function hasReadyEndpoint({ weight, endpoints }: WeightedService): boolean {
  return weight > 0 && endpoints.some(({ state }) => state === 'ready');
}
