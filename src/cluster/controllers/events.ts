/** Events: what happened to an object, for `kubectl describe` and `kubectl events`. */

import { ApiError, type Event, events, type KubeObject, type ObjectApi } from '../../kubernetes/index.ts';

export interface EventRecorder {
  /** Returns at once; the Event is written soon after. The same event again raises the count of the first. */
  record(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** Resolves when all recorded so far is written. */
  flush(): Promise<void>;
  /** Not written: too many about one object (25, then one in five minutes), or too many waiting. */
  readonly dropped: number;
}

export interface EventRecorderOptions {
  now?: () => Date;
  /** Told of what could not be written. An object or namespace that is gone is no error. */
  onError?: (error: unknown) => void;
  /** The node, for components that run on one. */
  host?: string;
}

/** What client-go allows about one object (EventSourceObjectSpamFilter). */
const burstPerObject = 25;
const refillMs = 300_000;
/** Objects and events remembered for counting; the longest unused are forgotten. */
const maxRemembered = 4096;
const maxWaiting = 4096;

interface Allowance {
  tokens: number;
  sinceMs: number;
}

/** Writes Events as `component` (`kubelet`, `deployment-controller`). */
export function createEventRecorder(
  api: ObjectApi,
  component: string,
  { now = () => new Date(), onError, host }: EventRecorderOptions = {},
): EventRecorder {
  const written = new Map<string, Event>();
  const allowances = new Map<string, Allowance>();
  let waiting = 0;
  let dropped = 0;
  let last: Promise<void> = Promise.resolve();

  const write = async (key: string, event: Event) => {
    const before = written.get(key);
    if (before) {
      const raised = { ...before, count: (before.count ?? 1) + 1, lastTimestamp: event.lastTimestamp ?? '' };
      const stored = await updateIfThere(api, raised);
      if (stored) {
        remember(written, key, stored);
        return;
      }
    }
    remember(written, key, await api.create(events, event));
  };

  return {
    get dropped() {
      return dropped;
    },
    record(object, type, reason, message) {
      const at = now();
      if (waiting >= maxWaiting || !isAllowed(allowances, object, at.getTime())) {
        dropped++;
        return;
      }
      waiting++;
      const event = describeEvent(object, { type, reason, message, component, host, at });
      const key = [object.metadata.uid, object.kind, event.involvedObject.name, type, reason, message].join(
        '\n',
      );
      last = last
        .then(() => write(key, event))
        .catch((error: unknown) => {
          if (!isPointless(error)) onError?.(error);
        })
        .finally(() => waiting--);
    },
    async flush() {
      await last;
    },
  };
}

async function updateIfThere(api: ObjectApi, event: Event): Promise<Event | undefined> {
  try {
    const { resourceVersion: _, ...metadata } = event.metadata;
    return await api.update(events, { ...event, metadata });
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}

/** The namespace is gone or going: nobody will ask. */
function isPointless(error: unknown): boolean {
  return error instanceof ApiError && ['NotFound', 'Forbidden', 'ServiceUnavailable'].includes(error.reason);
}

function isAllowed(allowances: Map<string, Allowance>, object: KubeObject, nowMs: number): boolean {
  const key = object.metadata.uid ?? `${object.kind}/${object.metadata.namespace}/${object.metadata.name}`;
  const before = allowances.get(key) ?? { tokens: burstPerObject, sinceMs: nowMs };
  const refilled = before.tokens + (nowMs - before.sinceMs) / refillMs;
  const tokens = Math.min(refilled, burstPerObject);
  const allowed = tokens >= 1;
  remember(allowances, key, { tokens: allowed ? tokens - 1 : tokens, sinceMs: nowMs });
  return allowed;
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= maxRemembered) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

interface Happening {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly component: string;
  readonly host: string | undefined;
  readonly at: Date;
}

const maxMessageLength = 1024;
let lastStamp = 0;

function describeEvent(object: KubeObject, happening: Happening): Event {
  const { type, reason, message, component, host, at } = happening;
  const { name, namespace, uid, resourceVersion } = object.metadata;
  const time = `${at.toISOString().slice(0, 19)}Z`;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${uniqueStamp(at)}`, namespace: namespace ?? 'default' },
    involvedObject: {
      kind: object.kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
      ...(uid === undefined ? {} : { uid }),
      apiVersion: object.apiVersion,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    reason,
    message: message.slice(0, maxMessageLength),
    source: { component, ...(host === undefined ? {} : { host }) },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
    type,
    eventTime: null,
    reportingComponent: component,
    reportingInstance: host ?? '',
  };
}

/** Hexadecimal nanoseconds, as client-go names events, never the same twice. */
function uniqueStamp(at: Date): string {
  lastStamp = Math.max(lastStamp + 1, at.getTime() * 1000);
  return (BigInt(lastStamp) * 1000n).toString(16);
}
