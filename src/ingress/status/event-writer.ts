/** Events on routes: one for each thing that is wrong, counted when it comes again. */

import { createHash } from 'node:crypto';
import {
  ApiError,
  type Event,
  events,
  type KubeObject,
  namespacedName,
  type ObjectApi,
} from '../../kubernetes/index.ts';

export interface EventWriterOptions {
  readonly api: ObjectApi;
  readonly onError: (error: unknown) => void;
  readonly now?: () => Date;
}

export interface EventWriter {
  record(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void;
  flush(): Promise<void>;
  /** What was not begun by then is dropped, and what comes after it. */
  stop(): void;
}

/** At the limit events are dropped: they are notes, and the log has all. As client-go, a budget for each object. */
const limits = { waiting: 1000, burstPerObject: 25, refillMs: 300_000, objects: 10_000 };
const component = 'sluice';

export function createEventWriter({ api, onError, now = () => new Date() }: EventWriterOptions): EventWriter {
  const budgets = new Map<string, { left: number; refilledAtMs: number }>();
  let running: Promise<void> = Promise.resolve();
  let waiting = 0;
  let isForbidden = false;
  let isStopped = false;
  const isAllowed = (object: KubeObject): boolean => {
    const key = `${object.kind} ${namespacedName(object)}`;
    const nowMs = now().getTime();
    const budget = budgets.get(key) ?? { left: limits.burstPerObject, refilledAtMs: nowMs };
    const refills = Math.floor((nowMs - budget.refilledAtMs) / limits.refillMs);
    budget.left = Math.min(limits.burstPerObject, budget.left + refills);
    budget.refilledAtMs += refills * limits.refillMs;
    if (budgets.size >= limits.objects) budgets.delete(budgets.keys().next().value ?? '');
    budgets.set(key, budget);
    return budget.left-- > 0;
  };
  const write = async (event: Event): Promise<void> => {
    try {
      await api.create(events, event);
    } catch (error) {
      if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
      const present = await api.get(events, event.metadata.namespace, event.metadata.name);
      const { lastTimestamp } = event;
      // Another replica has just said the same.
      if (present.lastTimestamp === lastTimestamp) return;
      await api.update(events, {
        ...present,
        count: (present.count ?? 1) + 1,
        ...(lastTimestamp ? { lastTimestamp } : {}),
      });
    }
  };
  return {
    record(object, type, reason, message) {
      if (isStopped || isForbidden || waiting >= limits.waiting || !isAllowed(object)) return;
      const event = eventOf(object, type, reason, message, now());
      waiting++;
      running = running
        .then(() => (isStopped ? undefined : write(event)))
        .catch((error: unknown) => {
          if (error instanceof ApiError && (error.reason === 'Conflict' || error.reason === 'NotFound'))
            return;
          isForbidden = error instanceof ApiError && error.reason === 'Forbidden';
          onError(error);
        })
        .finally(() => {
          waiting--;
        });
    },
    flush: () => running,
    stop() {
      isStopped = true;
    },
  };
}

function eventOf(
  { apiVersion, kind, metadata }: KubeObject,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  now: Date,
): Event {
  const time = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const namespace = metadata.namespace ?? 'default';
  const digest = createHash('sha256').update(`${kind} ${reason} ${message}`).digest('hex').slice(0, 16);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    // The same event again has the same name, so that it is counted, whichever replica says it.
    metadata: { name: `${metadata.name.slice(0, 200)}.${digest}`, namespace },
    involvedObject: {
      apiVersion,
      kind,
      namespace,
      name: metadata.name,
      ...(metadata.uid ? { uid: metadata.uid } : {}),
    },
    reason,
    message: message.slice(0, 1024),
    type,
    count: 1,
    firstTimestamp: time,
    lastTimestamp: time,
    source: { component },
  };
}
