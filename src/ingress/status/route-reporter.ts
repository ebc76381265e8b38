/** Tells the owners of routes, on the routes themselves, what became of them. */

import {
  ingressRouteTcps,
  ingressRouteUdps,
  type KubeObject,
  namespacedName,
  type ResourceType,
} from '../../kubernetes/index.ts';
import type { Routing } from '../routing/incremental/routing-state.ts';
import type { EventWriter } from './event-writer.ts';
import { eventReason } from './reasons.ts';
import { type ReportCache, type RouteReport, reportRoutes, withTimes } from './route-status.ts';
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
  let told = new Map<string, Told>();
  const cache: ReportCache = new WeakMap();
  return (routing) => {
    const next: typeof told = new Map();
    for (const report of reportRoutes(routing, cache)) {
      const { object, status } = report;
      const key = `${object.kind} ${namespacedName(object)}`;
      const before = told.get(key);
      if (before?.report === report) {
        next.set(key, before);
        continue;
      }
      const type = typeOf(object);
      const present = (object.status as { conditions?: [] } | undefined)?.conditions ?? [];
      statuses.offer(type, object, { ...status, conditions: withTimes(status.conditions, present, now()) });
      next.set(key, { report, faults: tellEvents(events, report, before) });
    }
    told = next;
  };
}

function tellEvents(
  events: EventWriter,
  { object, status, findings }: RouteReport,
  before: Told | undefined,
): ReadonlySet<string> {
  const faults = new Set<string>();
  for (const { code, message } of findings) {
    const text = `${code}: ${message}`;
    if (!before?.faults.has(text)) events.record(object, 'Warning', eventReason(code), text);
    faults.add(text);
  }
  if (status.state === 'Programmed' && before?.report.status.state !== 'Programmed') {
    const names = status.entryPoints.filter(({ programmed }) => programmed).map(({ name }) => name);
    events.record(object, 'Normal', 'Programmed', `served on entry point ${names.join(', ')}`);
  }
  return faults;
}

function typeOf({ kind }: KubeObject): ResourceType {
  return (kind === 'IngressRouteTCP' ? ingressRouteTcps : ingressRouteUdps) as ResourceType;
}
