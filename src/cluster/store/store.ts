import {
  ApiError,
  apiVersionOf,
  builtInTypes,
  type DeleteOptions,
  type KubeObject,
  type ListOptions,
  namespaces,
  type ResourceType,
  type WatchEvent,
  type WatchOptions,
} from '../../kubernetes/index.ts';
import { StoreCore } from './core.ts';
import { staleVersion, tooManyRequests } from './errors.ts';
import { EventQueue } from './event-queue.ts';
import { copyJson } from './json.ts';
import { readPage } from './paging.ts';
import type { State } from './state/state.ts';
import type {
  Deletion,
  ModifyOptions,
  Page,
  PageOptions,
  Store,
  StoreCounters,
  StoreDeleteOptions,
  StoreLimits,
  SubscribeOptions,
  Subscription,
  TypeRegistry,
  WriteOptions,
} from './types.ts';
import { eventFor, inVersion, isSelected, type Watcher } from './watchers.ts';

export interface StoreOptions {
  /** For timestamps. Default: the system's clock. */
  now?: () => Date;
  /** Default: every built-in type. */
  types?: readonly ResourceType[];
  limits?: Partial<StoreLimits>;
  /** Default: in memory only. */
  state?: State;
  /**
   * Versions count on from here, unless the state is further. A clock's milliseconds make sure that a client of an
   * earlier cluster, who asks for what followed a version of that one, is told to list again. Default 0.
   */
  firstVersion?: number;
  /** Told of a subscriber that threw; its subscription has ended then. */
  onError?: (error: unknown) => void;
}

const mebibyte = 2 ** 20;
const defaultLimits: StoreLimits = {
  maxObjectBytes: 1.5 * mebibyte,
  maxObjects: 100_000,
  maxTotalBytes: 512 * mebibyte,
  maxWatchers: 10_000,
  maxHistory: 4096,
  maxPendingEvents: 16_384,
};

const systemNamespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

/** A cluster with the four system namespaces and, under `state`, whatever an earlier run left. */
export function createStore(options: StoreOptions = {}): Store {
  return new EmbeddedStore(options);
}

class EmbeddedStore implements Store {
  readonly #core: StoreCore;
  readonly #limits: StoreLimits;
  readonly #state: State | undefined;
  #watcherCount = 0;

  constructor(options: StoreOptions) {
    const {
      now = () => new Date(),
      types = builtInTypes,
      limits,
      state,
      firstVersion = 0,
      onError = () => undefined,
    } = options;
    this.#limits = { ...defaultLimits, ...limits };
    this.#state = state;
    this.#core = new StoreCore({ now, limits: this.#limits, state, firstVersion, onError });
    for (const type of types) this.types.add(type);
    for (const name of systemNamespaces) {
      if (this.#core.find(namespaces, undefined, name)) continue;
      this.#core.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
  }

  get types(): TypeRegistry {
    return this.#core.registry;
  }

  get resourceVersion(): string {
    return String(this.#core.version);
  }

  get counters(): StoreCounters {
    return {
      objects: this.#core.total(({ collection }) => collection.count),
      bytes: this.#core.total(({ collection }) => collection.bytes),
      watchers: this.#watcherCount,
      writes: this.#core.writes,
      failedSubscribers: this.#core.failedSubscribers,
      refused: { ...this.#core.refused },
    };
  }

  peek<Kind extends KubeObject>(type: ResourceType<Kind>, namespace: string | undefined, name: string) {
    const object = this.#core.find(type, namespace, name);
    return object && (inVersion(object, apiVersionOf(type)) as Kind);
  }

  page<Kind extends KubeObject>(type: ResourceType<Kind>, options: PageOptions = {}): Page<Kind> {
    const { collection } = this.#core.registry.require(type).resource;
    const page = readPage(collection, this.#core.version, options);
    const apiVersion = apiVersionOf(type);
    return { ...page, items: page.items.map((object) => inVersion(object, apiVersion) as Kind) };
  }

  subscribe<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    options: SubscribeOptions<Kind>,
  ): Subscription {
    const { resource } = this.#core.registry.require(type);
    const { collection, watchers } = resource;
    const since = readVersion(options.resourceVersion);
    // A version that is yet to come is one of another cluster's, an earlier run of this one perhaps.
    if (since > 0 && (since < collection.forgottenUpTo || since > this.#core.version)) {
      throw staleVersion(since, collection.forgottenUpTo);
    }
    if (this.#watcherCount >= this.#limits.maxWatchers) {
      this.#core.refused.maxWatchers++;
      throw tooManyRequests();
    }
    const watcher: Watcher = {
      selection: options,
      apiVersion: apiVersionOf(type),
      onEvent: (event) => options.onEvent(event as Parameters<typeof options.onEvent>[0]),
      onEnd: () => {
        this.#watcherCount--;
        options.onEnd?.();
      },
    };
    if (since > 0) {
      for (const change of collection.changesAfter(since)) {
        const event = eventFor(change, options, watcher.apiVersion);
        if (event) watcher.onEvent(event);
      }
    } else {
      for (const object of collection.objects(options.namespace, undefined, options.labelSelector)) {
        if (!isSelected(object, options)) continue;
        const resourceVersion = object.metadata.resourceVersion ?? '';
        watcher.onEvent({ type: 'ADDED', object: inVersion(object, watcher.apiVersion), resourceVersion });
      }
    }
    watchers.add(watcher);
    this.#watcherCount++;
    return {
      close: () => {
        if (watchers.delete(watcher)) this.#watcherCount--;
      },
    };
  }

  async get<Kind extends KubeObject>(type: ResourceType<Kind>, namespace: string | undefined, name: string) {
    return toClient(type, this.#core.get(type, namespace, name));
  }

  async list<Kind extends KubeObject>(type: ResourceType<Kind>, options: ListOptions = {}) {
    const { items, resourceVersion } = this.page(type, options);
    return { items: options.shared ? [...items] : items.map(copyJson), resourceVersion };
  }

  async create<Kind extends KubeObject>(type: ResourceType<Kind>, object: Kind, options?: WriteOptions) {
    return toClient(type, this.#core.create(type, object, options));
  }

  async update<Kind extends KubeObject>(type: ResourceType<Kind>, object: Kind, options?: WriteOptions) {
    return toClient(type, this.#core.update(type, object, undefined, options));
  }

  async updateStatus<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    object: Kind,
    options?: WriteOptions,
  ) {
    const subresource = type.statusSubresource ? 'status' : undefined;
    return toClient(type, this.#core.update(type, object, subresource, options));
  }

  async modify<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    namespace: string | undefined,
    name: string,
    change: (current: Kind) => Kind,
    options?: ModifyOptions,
  ) {
    const changeObject = (current: KubeObject) => change(inMutableVersion(type, current));
    return toClient(type, this.#core.modify(type, namespace, name, changeObject, options));
  }

  async remove<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    namespace: string | undefined,
    name: string,
    options?: StoreDeleteOptions,
  ): Promise<Deletion<Kind>> {
    const { object, removed } = this.#core.remove(type, namespace, name, options);
    return { object: toClient(type, object), removed };
  }

  async delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options?: DeleteOptions,
  ): Promise<void> {
    this.#core.remove(type, namespace, name, options);
  }

  watch<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    { signal, shared = false, ...selection }: WatchOptions = {},
  ): AsyncIterable<WatchEvent<Kind>> {
    // Lazily, so that a refusal reaches the reader of the iterable and an iterable nobody reads costs nothing.
    return { [Symbol.asyncIterator]: () => this.#startWatch(type, selection, shared, signal) };
  }

  async close(): Promise<void> {
    this.#core.close();
    await this.#state?.close();
  }

  #startWatch<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    selection: Omit<WatchOptions, 'signal' | 'shared'>,
    shared: boolean,
    signal: AbortSignal | undefined,
  ): AsyncIterator<WatchEvent<Kind>> {
    let subscription: Subscription | undefined;
    const stop = () => queue.end();
    const queue = new EventQueue<Kind>({
      maxPending: this.#limits.maxPendingEvents,
      onClose: (reason) => {
        if (reason === 'overflow') this.#core.refused.maxPendingEvents++;
        signal?.removeEventListener('abort', stop);
        subscription?.close();
      },
    });
    if (signal?.aborted) {
      queue.end();
      return queue;
    }
    signal?.addEventListener('abort', stop, { once: true });
    try {
      subscription = this.subscribe(type, {
        ...selection,
        onEvent: ({ type: eventType, object }) =>
          queue.push({ type: eventType, object: shared ? object : copyJson(object) }),
        onEnd: stop,
      });
    } catch (error) {
      queue.fail(error);
    }
    return queue;
  }
}

function toClient<Kind extends KubeObject>(type: ResourceType<Kind>, object: KubeObject): Kind {
  return inMutableVersion(type, copyJson(object));
}

function inMutableVersion<Kind extends KubeObject>(type: ResourceType<Kind>, copy: KubeObject): Kind {
  copy.apiVersion = apiVersionOf(type);
  return copy as Kind;
}

function readVersion(resourceVersion = '0'): number {
  if (/^\d+$/.test(resourceVersion)) return Number(resourceVersion);
  throw new ApiError(
    'BadRequest',
    `Invalid value: ${JSON.stringify(resourceVersion)}: the resource version is not a number`,
  );
}
