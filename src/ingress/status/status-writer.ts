/** Writes statuses of objects, each only when it differs from what the object has, few at a time. */

import { isDeepStrictEqual } from 'node:util';
import {
  ApiError,
  type KubeObject,
  namespacedName,
  type ObjectApi,
  type ResourceType,
} from '../../kubernetes/index.ts';

export interface StatusWriterOptions {
  readonly api: ObjectApi;
  /** Several replicas write the same: a pause of up to this long lets most of them see that it is done. 1,000 when absent. */
  readonly spreadMs?: number;
  readonly now?: () => number;
  /** Told once for each type that has no status, and of each write that failed. */
  readonly onError: (type: ResourceType, error: unknown) => void;
}

export interface StatusWriter {
  /** `object` is the newest that is known; the write is dropped when a newer one has been offered by then. */
  offer(type: ResourceType, object: KubeObject, status: object): void;
  /** Resolves when all that was offered is written or given up. */
  flush(): Promise<void>;
  /** Offers after it are dropped. */
  stop(): void;
}

const retryMs = 5000;
const pollMs = 250;

/**
 * Writes of one object in a while. Two replicas that disagree (one has the new arguments already, in a rolling update)
 * would otherwise correct each other as fast as the API lets them.
 */
const perObject = { writes: 3, withinMs: 30_000, objects: 20_000 };

/** Writes at a time, and writes that may wait; past it the oldest wait is dropped and offered again with the next table. */
const limits = { parallel: 4, waiting: 20_000 };

export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { api, onError, spreadMs = 1000, now = Date.now } = options;
  const waiting = new Map<string, { type: ResourceType; object: KubeObject; status: object }>();
  /** When each object was written lately. */
  const written = new Map<string, number[]>();
  const withoutStatus = new Set<string>();
  const workers = new Set<Promise<void>>();
  let isStopped = false;
  /** Gives whether it is done with, or worth another try. */
  const write = async (type: ResourceType, object: KubeObject, status: object): Promise<boolean> => {
    try {
      await api.updateStatus(type, {
        ...object,
        status: { ...(object.status as object | undefined), ...status },
      });
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || error.code >= 500 || error.code === 429) {
        onError(type, error);
        return false;
      }
      // Somebody was faster: the newer object will be offered.
      if (error.reason === 'Conflict') return true;
      const isTypeless = error.reason === 'NotFound' && !error.message.includes(object.metadata.name);
      if (error.reason === 'NotFound' && !isTypeless) return true;
      if (isTypeless || error.reason === 'Forbidden' || error.reason === 'MethodNotAllowed') {
        withoutStatus.add(type.plural);
      }
      onError(type, error);
      return true;
    }
  };
  const isDue = (key: string): boolean => {
    const times = (written.get(key) ?? []).filter((time) => now() - time < perObject.withinMs);
    return times.length < perObject.writes;
  };
  const noteWrite = (key: string): void => {
    const times = [...(written.get(key) ?? []), now()].slice(-perObject.writes);
    written.delete(key);
    if (written.size >= perObject.objects) written.delete(written.keys().next().value ?? '');
    written.set(key, times);
  };
  const nextDue = () => {
    for (const entry of waiting) if (isDue(entry[0])) return entry;
    return undefined;
  };
  const work = async (): Promise<void> => {
    await pause(Math.random() * spreadMs);
    while (waiting.size > 0 && !isStopped) {
      const next = nextDue();
      if (!next) {
        await pause(pollMs);
        continue;
      }
      const [key, { type, object, status }] = next;
      waiting.delete(key);
      noteWrite(key);
      if (withoutStatus.has(type.plural) || (await write(type, object, status))) continue;
      if (!waiting.has(key)) waiting.set(key, { type, object, status });
      await pause(retryMs);
    }
  };
  return {
    offer(type, object, status) {
      const key = `${type.plural} ${namespacedName(object)}`;
      waiting.delete(key);
      const present = object.status as object | undefined;
      if (isStopped || withoutStatus.has(type.plural)) return;
      if (isDeepStrictEqual({ ...present, ...status }, present ?? {})) return;
      if (waiting.size >= limits.waiting) waiting.delete(waiting.keys().next().value ?? '');
      waiting.set(key, { type, object, status });
      if (workers.size >= limits.parallel) return;
      const worker: Promise<void> = work().finally(() => workers.delete(worker));
      workers.add(worker);
    },
    async flush() {
      while (workers.size > 0) await Promise.all(workers);
    },
    stop() {
      isStopped = true;
    },
  };
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    // A status that is not written keeps no process alive.
    setTimeout(resolve, durationMs).unref();
  });
}
