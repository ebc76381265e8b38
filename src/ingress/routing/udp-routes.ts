/**
 * Objects in, decisions out: which endpoints the datagrams of each UDP entry point go to, or why they are dropped.
 * Pure. The rules are Traefik's (its kubernetes_udp.go and the CRD reference); where sluice differs it says so.
 */

import type {
  RouteTable,
  UdpDecision,
  UdpRoute,
  UdpRouteRefusal,
  WeightedService,
} from '../../dataplane/index.ts';
import type {
  EndpointSlice,
  IngressRouteUDP,
  IngressRouteUdpService,
  Node,
  Service,
} from '../../kubernetes/index.ts';
import { namespacedName } from '../../kubernetes/index.ts';
import type { EntryPoint } from '../static/entry-points.ts';
import type { RouteFinding } from './findings.ts';
import { byAge, isOfClass, type RoutingOptions } from './options.ts';
import { indexServices, resolveService, type ServiceContext, type ServiceIndex } from './route-services.ts';
import { readUdpAnnotations, type UdpAnnotations } from './udp-annotations.ts';

export interface UdpRoutingInput {
  readonly entryPoints: readonly EntryPoint[];
  readonly routes: readonly IngressRouteUDP[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  /** For `nodePortLB`. */
  readonly nodes?: readonly Node[];
  readonly options?: RoutingOptions;
}

export interface UdpRouting {
  readonly table: RouteTable;
  readonly findings: readonly RouteFinding[];
}

/** One entry of `spec.routes`, on its own: what it would do if it held an entry point. */
export interface ResolvedUdpRule {
  /** Traefik's router name. */
  readonly name: string;
  readonly index: number;
  /** With their endpoints; those that cannot be reached at all are left out. */
  readonly services: readonly WeightedService[];
  readonly outcome:
    | { readonly kind: 'forward'; readonly route: UdpRoute }
    | { readonly kind: 'drop'; readonly reason: UdpRuleRefusal; readonly detail: string };
}

export type UdpRuleRefusal = Exclude<UdpRouteRefusal, 'no_route'>;

/** One IngressRouteUDP on its own. */
export interface ResolvedUdpRoute {
  readonly ingressRoute: IngressRouteUDP;
  /** The UDP entry points it is bound to. */
  readonly entryPoints: readonly string[];
  readonly rules: readonly ResolvedUdpRule[];
  readonly findings: readonly RouteFinding[];
}

/** Compiles the table. The same input gives the same output; `generation` only numbers it. */
export function compileUdpRoutes(input: UdpRoutingInput, generation: number): UdpRouting {
  const { entryPoints, options = {} } = input;
  const index = indexServices(input);
  const resolved = input.routes
    .filter((route) => isOfClass(route, options))
    .sort(byAge)
    .map((route) => resolveUdpRoute(route, entryPoints, index, options));
  const bound = bindUdp(resolved);
  const decided = entryPoints
    .filter(({ protocol }) => protocol === 'udp')
    .map(({ name }) => decideUdp(name, bound.get(name) ?? [], options));
  return {
    table: { generation, udp: decided.map(({ decision }) => decision) },
    findings: [...resolved.flatMap((route) => route.findings), ...decided.flatMap((one) => one.findings)],
  };
}

/** What an IngressRouteUDP asks for, whoever else asks for the same. */
export function resolveUdpRoute(
  ingressRoute: IngressRouteUDP,
  entryPoints: readonly EntryPoint[],
  index: ServiceIndex,
  options: RoutingOptions,
): ResolvedUdpRoute {
  const findings: RouteFinding[] = [];
  const bound = boundNames(ingressRoute, entryPoints, findings);
  const annotations = readUdpAnnotations(ingressRoute);
  for (const { annotation, ...problem } of annotations.problems) {
    const path = ['metadata', 'annotations', annotation];
    findings.push({ ...problem, route: namespacedName(ingressRoute), path });
  }
  const context = { index, options, findings, annotations };
  const rules = (ingressRoute.spec.routes ?? []).map((_, position) =>
    resolveRule(ingressRoute, position, context),
  );
  return { ingressRoute, entryPoints: bound, rules, findings };
}

/** No `entryPoints` means every UDP entry point, as in Traefik. */
function boundNames(
  ingressRoute: IngressRouteUDP,
  all: readonly EntryPoint[],
  findings: RouteFinding[],
): string[] {
  const entryPoints = all.filter(({ protocol }) => protocol === 'udp');
  const wanted = ingressRoute.spec.entryPoints ?? [];
  if (wanted.length === 0) return entryPoints.map(({ name }) => name);
  return wanted.flatMap((name, index) => {
    const found = entryPoints.find((entryPoint) => entryPoint.name === name);
    // One that is named twice is bound once.
    if (found) return wanted.indexOf(name) === index ? [found.name] : [];
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

/** Traefik's `<namespace>-<name>-<index>`. */
function ruleName({ metadata }: IngressRouteUDP, index: number): string {
  return `${metadata.namespace ?? 'default'}-${metadata.name || metadata.generateName}-${index}`;
}

function resolveRule(
  ingressRoute: IngressRouteUDP,
  index: number,
  {
    annotations,
    ...context
  }: Omit<ServiceContext, 'protocol' | 'ingressRoute'> & {
    readonly annotations: UdpAnnotations;
  },
): ResolvedUdpRule {
  const name = ruleName(ingressRoute, index);
  const wanted = ingressRoute.spec.routes[index]?.services ?? [];
  const problems: RouteFinding[] = [];
  const found: WeightedService[] = wanted.flatMap((reference, position) => {
    const path = ['spec', 'routes', index, 'services', position];
    const within = { ...context, protocol: 'UDP', ingressRoute, findings: problems } as const;
    return resolveService(reference, path, within) ?? [];
  });
  context.findings.push(...problems);
  // Traefik ignores the weight of a route's only service.
  const services = wanted.length === 1 ? found.map((service) => ({ ...service, weight: 1 })) : found;
  // Read in any case: what decides must be known to be waited for.
  const isBySource = wantsSource(ingressRoute, wanted, context.index);
  const { settings, refusal } = annotations;
  const route: UdpRoute = { name, services, ...(isBySource ? { balance: 'source' } : {}), ...settings };
  const drop = (reason: UdpRuleRefusal, detail: string): ResolvedUdpRule => {
    return { name, index, services, outcome: { kind: 'drop', reason, detail } };
  };
  const problem = problems[0]?.message;
  if (refusal !== undefined) return drop('route_invalid', refusal);
  if (found.length === 0) return drop('no_service', problem ?? `route ${name} names no service`);
  if (!services.some(hasReadyEndpoint))
    return drop('no_endpoints', problem ?? `route ${name}: every service has weight 0`);
  return { name, index, services, outcome: { kind: 'forward', route } };
}

/** A rule that wants an entry point. */
export interface UdpCandidate {
  readonly route: ResolvedUdpRoute;
  readonly rule: ResolvedUdpRule;
}

/** Of each entry point the rules that want it, in the order of `resolved`, which comes by age. */
export function bindUdp(resolved: readonly ResolvedUdpRoute[]): Map<string, UdpCandidate[]> {
  const bound = new Map<string, UdpCandidate[]>();
  for (const route of resolved) {
    for (const entryPoint of route.entryPoints) {
      const present = bound.get(entryPoint) ?? [];
      if (present.length === 0) bound.set(entryPoint, present);
      for (const rule of route.rules) present.push({ route, rule });
    }
  }
  return bound;
}

/**
 * Who holds an entry point, and what the others are told. The oldest holds it, as in Gateway API; `conflict: traefik`
 * asks for Traefik's order instead.
 */
export function decideUdp(
  entryPoint: string,
  candidates: readonly UdpCandidate[],
  options: RoutingOptions,
): { readonly decision: UdpDecision; readonly findings: readonly RouteFinding[] } {
  const winner = winnerOf(candidates, options);
  const losers = candidates.filter((candidate) => candidate !== winner);
  return {
    decision: decisionFor(entryPoint, winner?.rule),
    findings: winner ? losers.map((loser) => shadowFinding(loser, winner, entryPoint, options)) : [],
  };
}

function winnerOf(candidates: readonly UdpCandidate[], options: RoutingOptions): UdpCandidate | undefined {
  if (options.conflict !== 'traefik' || candidates.length < 2) return candidates[0];
  // Traefik tries the last name first and takes the first router that it can build.
  const byName = candidates.toSorted((left, right) => {
    return qualifiedName(left.rule) > qualifiedName(right.rule) ? -1 : 1;
  });
  return byName.find(({ rule }) => isBuilt(rule, options)) ?? byName[0];
}

const qualifiedName = ({ name }: ResolvedUdpRule) => `${name}@kubernetescrd`;

function isBuilt({ outcome }: ResolvedUdpRule, { allowEmptyServices }: RoutingOptions): boolean {
  return outcome.kind === 'forward' || (outcome.reason === 'no_endpoints' && allowEmptyServices === true);
}

function decisionFor(entryPoint: string, rule: ResolvedUdpRule | undefined): UdpDecision {
  if (!rule) {
    const detail = `no IngressRouteUDP is bound to entry point ${entryPoint}`;
    return { kind: 'drop', entryPoint, reason: 'no_route', detail };
  }
  const { outcome, name } = rule;
  return outcome.kind === 'forward'
    ? { kind: 'forward', entryPoint, route: outcome.route }
    : { kind: 'drop', entryPoint, reason: outcome.reason, route: name, detail: outcome.detail };
}

function shadowFinding(
  loser: UdpCandidate,
  winner: UdpCandidate,
  entryPoint: string,
  { conflict }: RoutingOptions,
): RouteFinding {
  const why = conflict === 'traefik' ? "comes first in Traefik's order" : 'is older';
  return {
    code: 'SL3105',
    severity: 'warning',
    route: namespacedName(loser.route.ingressRoute),
    message: `gets no datagrams from entry point ${entryPoint}: route ${winner.rule.name} ${why} and holds it`,
    path: ['spec', 'routes', loser.rule.index],
  };
}

/** A Service that asks for `sessionAffinity: ClientIP` gets `source`. */
function wantsSource(
  { metadata }: IngressRouteUDP,
  wanted: readonly IngressRouteUdpService[],
  { services }: ServiceIndex,
): boolean {
  return wanted.some((reference) => {
    const service = services.get(`${reference.namespace ?? metadata.namespace}/${reference.name}`);
    return service?.spec.sessionAffinity === 'ClientIP';
  });
}

function hasReadyEndpoint({ weight, endpoints }: WeightedService): boolean {
  return weight > 0 && endpoints.some(({ state }) => state === 'ready');
}
