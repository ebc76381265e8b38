/** What a route's owner is told in its `status`: accepted, resolved, programmed, and who else has what it wants. Pure. */

import { isDeepStrictEqual } from 'node:util';
import type { UdpDecision } from '../../dataplane/index.ts';
import type { Condition, KubeObject } from '../../kubernetes/index.ts';
import { namespacedName } from '../../kubernetes/index.ts';
import type { RouteFinding } from '../routing/findings.ts';
import type { Routing } from '../routing/incremental/routing-state.ts';
import type { ResolvedTcpRoute } from '../routing/tcp-routes.ts';
import type { ResolvedUdpRoute } from '../routing/udp-routes.ts';
import { eventReason } from './reasons.ts';

export interface RouteStatus {
  readonly conditions: readonly Condition[];
  readonly entryPoints: readonly EntryPointStatus[];
  /** Ready ones, of all its services. */
  readonly endpoints: number;
  /** One word for a column of `kubectl get`: `Programmed`, `Shadowed`, the reason of the first fault. */
  readonly state: string;
}

export interface EntryPointStatus {
  readonly name: string;
  readonly programmed: boolean;
  /** The route that has it instead. */
  readonly heldBy?: string;
}

export interface RouteReport {
  readonly object: KubeObject;
  readonly status: RouteStatus;
  readonly findings: readonly RouteFinding[];
}

/**
 * Makes the reports of one routing after another. A route that came out as before, on entry points that are held as before,
 * has the same report, the same object, and costs next to nothing.
 */
export class RouteReports {
  private last:
    | { readonly routing: Routing; readonly udp: RouteReport[]; readonly tcp: RouteReport[] }
    | undefined;
  /** The route that holds each UDP entry point. */
  private holders = new Map<string, string | undefined>();
  private findings: Findings = new Map();

  /** Of every route, in a stable order. Conditions carry no time yet. */
  of(routing: Routing): RouteReport[] {
    const { last } = this;
    const retold = this.followFindings(routing);
    const changed = this.followHolders(last?.routing.table.udp, routing.table.udp);
    const hasFindingsAsBefore = ({ ingressRoute }: { ingressRoute: KubeObject }) =>
      retold.size === 0 || !retold.has(keyOf(ingressRoute));
    const isHeldAsBefore = (route: ResolvedUdpRoute) =>
      changed !== undefined &&
      (changed.size === 0 || !route.entryPoints.some((name) => changed.has(name))) &&
      hasFindingsAsBefore(route);
    const udp = reused(routing.udpRoutes, last?.routing.udpRoutes, last?.udp, isHeldAsBefore, (route) => {
      const held = route.entryPoints.map((name) => this.holders.get(name));
      return reportUdp(route, held, this.findings);
    });
    const tcp = reused(routing.tcpRoutes, last?.routing.tcpRoutes, last?.tcp, hasFindingsAsBefore, (route) =>
      reportTcp(route, this.findings),
    );
    this.last = { routing, udp, tcp };
    return [...udp, ...tcp];
  }

  /** Gives the routes that have other findings now. */
  private followFindings(routing: Routing): ReadonlySet<string> {
    const changed = new Set<string>();
    if (routing.findings === this.last?.routing.findings) return changed;
    const before = this.findings;
    this.findings = findingsByRoute(routing);
    for (const key of new Set([...before.keys(), ...this.findings.keys()])) {
      if (!isDeepStrictEqual(before.get(key), this.findings.get(key))) changed.add(key);
    }
    return changed;
  }

  /** Gives the entry points that another route holds now, or undefined when all are to be looked at anew. */
  private followHolders(
    before: readonly UdpDecision[] | undefined,
    next: readonly UdpDecision[],
  ): ReadonlySet<string> | undefined {
    const changed = new Set<string>();
    const isInPlace = before?.length === next.length;
    if (!isInPlace) this.holders = new Map();
    for (const [at, decision] of next.entries()) {
      const was = before?.[at];
      if (isInPlace && was === decision) continue;
      if (isInPlace && was?.entryPoint !== decision.entryPoint) return this.followHolders(undefined, next);
      const holder = holderOf(decision);
      if (this.holders.get(decision.entryPoint) !== holder) changed.add(decision.entryPoint);
      this.holders.set(decision.entryPoint, holder);
    }
    return isInPlace ? changed : undefined;
  }
}

function reused<Resolved>(
  routes: readonly Resolved[],
  before: readonly Resolved[] | undefined,
  reports: readonly RouteReport[] | undefined,
  isAsBefore: (route: Resolved) => boolean,
  make: (route: Resolved) => RouteReport,
): RouteReport[] {
  // Routes that came or went move the others.
  const isInPlace = before?.length === routes.length;
  const known = isInPlace || !before ? undefined : new Map(before.map((route, at) => [route, at]));
  return routes.map((route, at) => {
    const was = known ? known.get(route) : before?.[at] === route ? at : undefined;
    const report = was === undefined ? undefined : reports?.[was];
    return report && isAsBefore(route) ? report : make(route);
  });
}

/** As `findingsByRoute` has it. */
function keyOf(object: KubeObject): string {
  return `${object.kind} ${namespacedName(object)}`;
}

type Findings = ReadonlyMap<string, readonly RouteFinding[]>;

function findingsByRoute(routing: Routing): Findings {
  const findings = new Map<string, RouteFinding[]>();
  for (const finding of routing.findings) {
    const key = `${finding.kind ?? 'IngressRouteUDP'} ${finding.route}`;
    const known = findings.get(key);
    if (known) known.push(finding);
    else findings.set(key, [finding]);
  }
  return findings;
}

function reportUdp(
  { ingressRoute, entryPoints, rules }: ResolvedUdpRoute,
  holders: readonly (string | undefined)[],
  findings: Findings,
): RouteReport {
  const names = new Set(rules.map(({ name }) => name));
  const held = entryPoints.map((name, index): EntryPointStatus => {
    const holder = holders[index];
    const isOwn = holder !== undefined && names.has(holder);
    return { name, programmed: isOwn, ...(isOwn || holder === undefined ? {} : { heldBy: holder }) };
  });
  const carries = rules.some(({ outcome, name }) => outcome.kind === 'forward' && holders.includes(name));
  return report(ingressRoute, findings, held, carries, countReady(rules.flatMap(({ services }) => services)));
}

function reportTcp({ ingressRoute, entryPoints, routes }: ResolvedTcpRoute, findings: Findings): RouteReport {
  const held = entryPoints.map((name): EntryPointStatus => ({ name, programmed: routes.length > 0 }));
  const carries = routes.some(({ route }) => !route.refusal) && held.length > 0;
  return report(
    ingressRoute,
    findings,
    held,
    carries,
    countReady(routes.flatMap(({ route }) => route.services)),
  );
}

function holderOf(decision: Routing['table']['udp'][number]): string | undefined {
  return decision.kind === 'forward' ? decision.route.name : decision.route;
}

function countReady(services: readonly { endpoints: readonly { state: string }[] }[]): number {
  return services.reduce(
    (sum, { endpoints }) => sum + endpoints.filter(({ state }) => state === 'ready').length,
    0,
  );
}

function report(
  object: KubeObject,
  findings: Findings,
  entryPoints: readonly EntryPointStatus[],
  carries: boolean,
  endpoints: number,
): RouteReport {
  const own = findings.get(keyOf(object)) ?? [];
  const errors = own.filter(({ severity }) => severity === 'error');
  const broken = errors.find(({ code }) => code !== 'SL3101');
  const shadowed = entryPoints.find(({ heldBy }) => heldBy !== undefined);
  const conditions = [
    entryPoints.length > 0
      ? condition(
          object,
          'Accepted',
          true,
          'Accepted',
          `bound to ${entryPoints.map(({ name }) => name).join(', ')}`,
        )
      : condition(
          object,
          'Accepted',
          false,
          'NoEntryPoint',
          messageOf(errors) ?? 'it is bound to no entry point',
        ),
    broken
      ? condition(
          object,
          'ResolvedRefs',
          false,
          eventReason(broken.code),
          messageOf(errors) ?? broken.message,
        )
      : condition(object, 'ResolvedRefs', true, 'ResolvedRefs', 'all that it refers to is there'),
    programmed(object, { carries, shadowed, endpoints, reason: broken && eventReason(broken.code) }),
  ];
  const failed = conditions.find(({ status }) => status === 'False');
  const state = failed?.reason ?? 'Programmed';
  return { object, status: { conditions, entryPoints, endpoints, state }, findings: own };
}

function programmed(
  object: KubeObject,
  given: {
    carries: boolean;
    shadowed: EntryPointStatus | undefined;
    endpoints: number;
    reason: string | undefined;
  },
): Condition {
  const { carries, shadowed, endpoints, reason } = given;
  if (carries) {
    const more = shadowed ? `; ${shadowed.name} is held by ${shadowed.heldBy}` : '';
    return condition(object, 'Programmed', true, 'Programmed', `${endpoints} endpoints are ready${more}`);
  }
  if (shadowed) {
    const message = `entry point ${shadowed.name} is held by route ${shadowed.heldBy}`;
    return condition(object, 'Programmed', false, 'Shadowed', message);
  }
  return condition(object, 'Programmed', false, reason ?? 'NotServed', 'it carries nothing');
}

function messageOf(findings: readonly RouteFinding[]): string | undefined {
  const messages = findings.map(({ code, message }) => `${code}: ${message}`);
  return messages.length > 0 ? messages.join('; ') : undefined;
}

/** With the generation that was looked at; without a time: see `withTimes`. */
export function condition(
  { metadata }: KubeObject,
  type: string,
  isTrue: boolean,
  reason: string,
  message: string,
): Condition {
  return {
    type,
    status: isTrue ? 'True' : 'False',
    reason,
    message,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  };
}

/** The conditions with the times they took their present status; the same list when nothing has changed. */
export function withTimes(
  next: readonly Condition[],
  present: readonly Condition[],
  now: Date,
): readonly Condition[] {
  const stamped = next.map((one) => {
    const before = present.find(({ type }) => type === one.type);
    const since = before?.status === one.status ? before.lastTransitionTime : undefined;
    return { ...one, lastTransitionTime: since ?? now.toISOString().replace(/\.\d+Z$/, 'Z') };
  });
  return isDeepStrictEqual(stamped, present) ? present : stamped;
}
