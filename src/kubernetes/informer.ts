/** A local copy of all objects of one type, kept current by list and watch, with a listener for each change. */

import { ApiError, type ObjectApi, type WatchEvent } from './api.ts';
import { namespacedName } from './names.ts';
import type { KubeObject, LabelSelector } from './objects.ts';
import type { ResourceType } from './resource-types.ts';

export interface InformerOptions {
  /** Told of every failed list or watch (the informer goes on, with back-off) and of a listener that threw. */
  onError: (error: unknown) => void;
  namespace?: string;
  labelSelector?: LabelSelector;
}

export interface Informer<Kind extends KubeObject> {
  start(): void;
  stop(): void;
  /** Resolves when the first list is in the copy and the listeners have been told of it. */
  readonly synced: Promise<void>;
  /** The objects are shared: change none of them. */
  list(): readonly Kind[];
  /** By `namespace/name`, or `name` where the type has no namespaces. */
  get(namespacedName: string): Kind | undefined;
  /**
   * Called for each change after the copy holds it. One that joins late is told of the objects already there as ADDED
   * at once. Returns the way to leave.
   */
  onChange(listener: (change: WatchEvent<Kind>) => void): () => void;
}

const firstRetryMs = 50;
const lastRetryMs = 10_000;

/** Does nothing until `start`. */
export function createInformer<Kind extends KubeObject>(
  api: ObjectApi,
  type: ResourceType<Kind>,
  options: InformerOptions,
): Informer<Kind> {
  const { onError, ...selection } = options;
  const objects = new Map<string, Kind>();
  const listeners = new Set<(change: WatchEvent<Kind>) => void>();
  const abort = new AbortController();
  let resolveSynced = () => {};
  const synced = new Promise<void>((resolve) => {
    resolveSynced = resolve;
  });
  let started = false;

  const tell = (listener: (change: WatchEvent<Kind>) => void, change: WatchEvent<Kind>) => {
    try {
      listener(change);
    } catch (error) {
      onError(error);
    }
  };
  const apply = (change: WatchEvent<Kind>) => {
    const name = namespacedName(change.object);
    if (change.type === 'DELETED') objects.delete(name);
    else objects.set(name, change.object);
    for (const listener of listeners) tell(listener, change);
  };

  /** What the new list says, as changes against the copy: a watch that broke may have missed any of them. */
  const replaceAll = (items: readonly Kind[]) => {
    const present = new Set(items.map(namespacedName));
    for (const [name, object] of objects) {
      if (!present.has(name)) apply({ type: 'DELETED', object });
    }
    for (const object of items) {
      const known = objects.get(namespacedName(object));
      if (known && known.metadata.uid !== object.metadata.uid) apply({ type: 'DELETED', object: known });
      const same = known?.metadata.uid === object.metadata.uid;
      if (same && known?.metadata.resourceVersion === object.metadata.resourceVersion) continue;
      apply({ type: same ? 'MODIFIED' : 'ADDED', object });
    }
  };

  const follow = async (onProgress: () => void) => {
    const { items, resourceVersion } = await api.list(type, { ...selection, shared: true });
    if (abort.signal.aborted) return;
    replaceAll(items);
    resolveSynced();
    const watch = { ...selection, shared: true, resourceVersion, signal: abort.signal };
    for await (const change of api.watch(type, watch)) {
      if (abort.signal.aborted) return;
      onProgress();
      apply(change);
    }
  };

  const run = async () => {
    let retryMs = firstRetryMs;
    while (!abort.signal.aborted) {
      try {
        await follow(() => {
          retryMs = firstRetryMs;
        });
      } catch (error) {
        if (abort.signal.aborted) return;
        // Too far behind is ordinary after a pause: list again, and tell nobody.
        if (!(error instanceof ApiError && error.reason === 'Expired')) onError(error);
      }
      if (abort.signal.aborted) return;
      await pause(retryMs * (0.5 + Math.random() / 2), abort.signal);
      retryMs = Math.min(retryMs * 2, lastRetryMs);
    }
  };

  return {
    synced,
    start() {
      if (started || abort.signal.aborted) return;
      started = true;
      void run();
    },
    stop: () => abort.abort(),
    list: () => [...objects.values()],
    get: (name) => objects.get(name),
    onChange(listener) {
      for (const object of objects.values()) tell(listener, { type: 'ADDED', object });
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, durationMs);
    signal.addEventListener('abort', finish, { once: true });
  });
}
