/** Tells the owners of routes, on the routes themselves, what became of them. */

import { isDeepStrictEqual } from 'node:util';
import {
  ingressRouteTcps,
  ingressRouteUdps,
  type KubeObject,
  namespacedName,
  type ResourceType,
} from '../../kubernetes/index.ts';
import type { RouteFinding } from '../routing/findings.ts';
import type { Routing } from '../routing/incremental/routing-state.ts';
import type { EventWriter } from './event-writer.ts';
import { eventReason } from './reasons.ts';
import { type RouteReport, RouteReports, withTimes } from './route-status.ts';
import type { StatusWriter } from './status-writer.ts';

export interface RouteReporterOptions {
  readonly statuses: StatusWriter;
  readonly events: EventWriter;
  readonly now?: () => Date;
}

interface Told {
  readonly report: RouteReport;
  readonly faults: ReadonlySet<string>;
}

/** To be called with each routing that has come into force. */
export type RouteReporter = (routing: Routing) => void;

export function createRouteReporter(options: RouteReporterOptions): RouteReporter {
  const { statuses, events, now = () => new Date() } = options;
  /** What was said of each route: its faults, and whether it was served. */
  const told = new Map<string, Told>();
  const reports = new RouteReports();
  let last: readonly RouteReport[] = [];
  const tell = (report: RouteReport): void => {
    const { object, status } = report;
    const key = keyOf(report);
    const type = typeOf(object);
    const present = (object.status ?? {}) as { conditions?: [] };
    const wanted = {
      ...status,
      conditions: withTimes(status.conditions, present.conditions ?? [], now()),
    };
    statuses.offer(type, object, wanted);
    // Another replica, or this one before it was restarted, has said it all.
    const isTold = !told.has(key) && isDeepStrictEqual({ ...present, ...wanted }, present);
    const before = isTold ? { report, faults: new Set(report.findings.map(faultText)) } : told.get(key);
    told.set(key, { report, faults: tellEvents(events, report, before) });
  };
  return (routing) => {
    const next = reports.of(routing);
    let known: Set<RouteReport> | undefined;
    for (const [at, report] of next.entries()) {
      const before = last[at];
      if (report === before) continue;
      const isInPlace = before !== undefined && keyOf(before) === keyOf(report);
      // Routes that came or went move the others.
      if (!isInPlace) known ??= new Set(last);
      if (isInPlace || !known?.has(report)) tell(report);
    }
    if (known || next.length !== last.length) forgetGone(told, next);
    last = next;
  };
}

function keyOf({ object }: RouteReport): string {
  return `${object.kind} ${namespacedName(object)}`;
}

function forgetGone(told: Map<string, Told>, present: readonly RouteReport[]): void {
  if (told.size === present.length) return;
  const keys = new Set(present.map(keyOf));
  for (const key of told.keys()) if (!keys.has(key)) told.delete(key);
}

function tellEvents(
  events: EventWriter,
  { object, status, findings }: RouteReport,
  before: Told | undefined,
): ReadonlySet<string> {
  const faults = new Set<string>();
  for (const finding of findings) {
    const text = faultText(finding);
    if (!before?.faults.has(text)) events.record(object, 'Warning', eventReason(finding.code), text);
    faults.add(text);
  }
  if (status.state === 'Programmed' && before?.report.status.state !== 'Programmed') {
    const names = status.entryPoints.filter(({ programmed }) => programmed).map(({ name }) => name);
    events.record(object, 'Normal', 'Programmed', `served on entry point ${names.join(', ')}`);
  }
  return faults;
}

function faultText({ code, message }: RouteFinding): string {
  return `${code}: ${message}`;
}

function typeOf({ kind }: KubeObject): ResourceType {
  return (kind === 'IngressRouteTCP' ? ingressRouteTcps : ingressRouteUdps) as ResourceType;
}
