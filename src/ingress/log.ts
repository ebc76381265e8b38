/** What the ingress says: routes that changed, faults that came and went, datagrams that were dropped. */

import type { Logger } from 'pino';
import type {
  TcpRoute,
  UdpDecision,
  UdpDropReason,
  UdpEntryPointCounters,
  WeightedService,
} from '../dataplane/index.ts';
import { udpDropReasons } from '../dataplane/index.ts';
import type { RouteFinding } from './routing/findings.ts';
import type { UdpRouting } from './routing/udp-routes.ts';

export type IngressLog = Pick<Logger, 'info' | 'warn' | 'error'>;

/** Logs the difference between two routings: nothing when nothing changed. */
export function logRouting(log: IngressLog, previous: UdpRouting, next: UdpRouting): void {
  logDecisions(log, previous, next);
  logTcpDecisions(log, previous, next);
  if (previous.findings !== next.findings) logFindings(log, previous.findings, next.findings);
}

function logDecisions(log: IngressLog, previous: UdpRouting, next: UdpRouting): void {
  const nameOf = ({ entryPoint }: UdpDecision) => entryPoint;
  for (const [known, decision] of differences(previous.table.udp, next.table.udp, nameOf)) {
    if (!decision) continue;
    const text = describeDecision(decision);
    if (known && describeDecision(known) === text) continue;
    const fields = { entryPoint: decision.entryPoint, generation: next.table.generation };
    // An entry point that nobody uses yet is no fault.
    if (decision.kind === 'forward' || decision.reason === 'no_route') log.info(fields, text);
    else log.warn({ ...fields, reason: decision.reason }, text);
  }
}

/** One line for each TCP route that came, went or changed. */
function logTcpDecisions(log: IngressLog, previous: UdpRouting, next: UdpRouting): void {
  const decisions = differences(previous.table.tcp ?? [], next.table.tcp ?? [], (one) => one.entryPoint);
  for (const [known, decision] of decisions) {
    if (!decision) continue;
    const { entryPoint } = decision;
    const fields = { entryPoint, generation: next.table.generation };
    for (const [previousRoute, route] of differences(known?.routes ?? [], decision.routes, nameOfRoute)) {
      if (!route) {
        log.info(fields, `entry point ${entryPoint}: route ${previousRoute?.name} is gone`);
        continue;
      }
      const text = describeTcpRoute(entryPoint, route);
      if (previousRoute && describeTcpRoute(entryPoint, previousRoute) === text) continue;
      if (route.refusal) log.warn({ ...fields, reason: route.refusal.reason }, text);
      else log.info(fields, text);
    }
  }
}

const nameOfRoute = ({ name }: TcpRoute) => name;

/** What is not the same object in both: as it was and as it is. What is gone comes last, as it was alone. */
function differences<Item extends object>(
  previous: readonly Item[],
  next: readonly Item[],
  nameOf: (item: Item) => string,
): [before: Item | undefined, after: Item | undefined][] {
  const found: [Item | undefined, Item | undefined][] = [];
  // Of ten thousand nearly all are where they were: only the others are looked for by name.
  const elsewhere = new Map<string, Item>();
  const changed: Item[] = [];
  for (let at = 0; at < Math.max(previous.length, next.length); at++) {
    const [before, after] = [previous[at], next[at]];
    if (before === after) continue;
    if (before) elsewhere.set(nameOf(before), before);
    if (after) changed.push(after);
  }
  for (const after of changed) {
    const name = nameOf(after);
    const before = elsewhere.get(name);
    elsewhere.delete(name);
    if (before !== after) found.push([before, after]);
  }
  for (const before of elsewhere.values()) found.push([before, undefined]);
  return found;
}

function logFindings(
  log: IngressLog,
  previous: readonly RouteFinding[],
  next: readonly RouteFinding[],
): void {
  const same = new Set(previous);
  const before = new Set(previous.map(describeFinding));
  const after = new Set(next.map(describeFinding));
  for (const finding of next) {
    if (same.has(finding)) continue;
    const text = describeFinding(finding);
    if (before.has(text)) continue;
    const level = finding.severity === 'error' ? 'error' : 'warn';
    log[level]({ code: finding.code, route: finding.route }, text);
  }
  for (const finding of previous) {
    const text = describeFinding(finding);
    if (!after.has(text)) log.info({ code: finding.code, route: finding.route }, `resolved: ${text}`);
  }
}

/** One line, for logs and status. */
export function describeFinding({ code, kind = 'IngressRouteUDP', route, message }: RouteFinding): string {
  return `${code} ${kind} ${route}: ${message}`;
}

function describeTcpRoute(entryPoint: string, { name, services, refusal }: TcpRoute): string {
  if (refusal)
    return `entry point ${entryPoint}: route ${name} refuses (${refusal.reason}): ${refusal.detail}`;
  return `entry point ${entryPoint}: route ${name} -> ${describeServices(services)}`;
}

/** One line: where the datagrams of the entry point go, or the decision that drops them. */
export function describeDecision(decision: UdpDecision): string {
  const { entryPoint } = decision;
  if (decision.kind === 'drop')
    return `entry point ${entryPoint}: drop (${decision.reason}): ${decision.detail}`;
  return `entry point ${entryPoint}: route ${decision.route.name} -> ${describeServices(decision.route.services)}`;
}

function describeServices(services: readonly WeightedService[]): string {
  const targets = services.map(({ name, endpoints, refusal }) => {
    if (refusal) return `${name} (${refusal}: its share is dropped)`;
    const ready = endpoints.filter(({ state }) => state === 'ready');
    const shown = ready.slice(0, 5).map(({ address, port }) => `${address}:${port}`);
    const more = ready.length > shown.length ? ` and ${ready.length - shown.length} more` : '';
    return `${name} (${shown.join(', ') || 'no endpoints'}${more})`;
  });
  return targets.join(', ');
}

/** Reports what was dropped since it last looked: one line per entry point and reason, with the cause. */
export function createDropLog(log: IngressLog) {
  const seen = new Map<string, number>();
  return (counters: readonly UdpEntryPointCounters[], routing: UdpRouting): void => {
    for (const { entryPoint, drops } of counters) {
      for (const reason of udpDropReasons) {
        const key = `${entryPoint} ${reason}`;
        const total = drops[reason] ?? 0;
        const fresh = total - (seen.get(key) ?? 0);
        seen.set(key, total);
        if (fresh > 0) logDrops(log, { entryPoint, reason, fresh, total }, routing);
      }
    }
  };
}

function logDrops(
  log: IngressLog,
  {
    entryPoint,
    reason,
    fresh,
    total,
  }: { entryPoint: string; reason: UdpDropReason; fresh: number; total: number },
  { table }: UdpRouting,
): void {
  const decision = table.udp.find((one) => one.entryPoint === entryPoint);
  const cause = decision?.kind === 'drop' && decision.reason === reason ? `: ${decision.detail}` : '';
  const noun = fresh === 1 ? 'datagram' : 'datagrams';
  const text = `entry point ${entryPoint}: dropped ${fresh} ${noun} (${reason})${cause}`;
  log.warn({ entryPoint, reason, datagrams: fresh, total }, text);
}
