/** The store of the embedded cluster as its users see it: `ObjectApi`, and what an HTTP API server needs besides. */

import type {
  DeleteOptions,
  KubeObject,
  LabelSelector,
  ObjectApi,
  ResourceType,
} from '../../kubernetes/index.ts';

export interface StoreLimits {
  /** JSON text of one object. Default 1.5 MiB, etcd's own limit. */
  readonly maxObjectBytes: number;
  /** Of all types together. Default 100,000. */
  readonly maxObjects: number;
  /** Of all types together, in bytes of JSON text. Default 512 MiB. */
  readonly maxTotalBytes: number;
  /** Default 10,000. */
  readonly maxWatchers: number;
  /** Changes remembered for each type, so that a watch can start in the past. Default 4,096. */
  readonly maxHistory: number;
  /** Changes that wait for a slow reader of `watch`; past it the watch ends with Expired. Default 16,384. */
  readonly maxPendingEvents: number;
}

export interface StoreCounters {
  readonly objects: number;
  /** JSON text of all objects. */
  readonly bytes: number;
  readonly watchers: number;
  /** Changes committed since the start. */
  readonly writes: number;
  /** Subscriptions ended because their subscriber threw. */
  readonly failedSubscribers: number;
  /** Requests refused at a limit, by the limit's name. */
  readonly refused: Readonly<Record<keyof StoreLimits, number>>;
}

export interface WriteOptions {
  /** Everything is checked and the result given back, nothing is stored. */
  dryRun?: boolean;
}

export interface ModifyOptions extends WriteOptions {
  /** `status` keeps all but the status; `finalize` (namespaces) all but `spec.finalizers`. Absent keeps the status. */
  subresource?: 'status' | 'finalize';
  /** Refuse (Conflict) unless the object still has this uid. */
  uid?: string;
  /** Refuse (Conflict) unless this is the newest version. */
  resourceVersion?: string;
}

export interface StoreDeleteOptions extends DeleteOptions, WriteOptions {
  resourceVersion?: string;
}

/** What a deletion came to. */
export interface Deletion<Kind extends KubeObject> {
  /** The last state when `removed`, else the object with its `deletionTimestamp`, waiting for finalizers or grace. */
  readonly object: Kind;
  readonly removed: boolean;
}

export interface Selection {
  /** Every namespace when absent. */
  namespace?: string;
  labelSelector?: LabelSelector;
  /** Only objects of which it is true: a field selector, for instance. */
  filter?: (object: KubeObject) => boolean;
}

export interface PageOptions extends Selection {
  /** No more than this many objects; 0 or absent means all. */
  limit?: number;
  /** From the previous page. Throws Expired when the version it was made at is no longer remembered. */
  continue?: string;
  /** The list as it was at exactly this version. Throws Expired when it is no longer remembered. */
  exactResourceVersion?: string;
}

/** Objects are the store's own, frozen. */
export interface Page<Kind extends KubeObject> {
  readonly items: readonly Kind[];
  /** The version of the whole list: the same on every page. */
  readonly resourceVersion: string;
  /** Present when there is more. */
  readonly continue?: string;
  /** Present when there is more and no selector narrows the list, as the real server does. */
  readonly remainingItemCount?: number;
}

/** A change as committed. Objects are the store's own, frozen, and the same for every subscriber. */
export interface StoreEvent<Kind extends KubeObject = KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** For DELETED the last state under the version of the deletion. */
  readonly object: Kind;
  readonly resourceVersion: string;
}

export interface SubscribeOptions<Kind extends KubeObject> extends Selection {
  /**
   * Changes after this version, those already past first. Absent or '0': the present objects as ADDED first. Both are
   * given before `subscribe` returns, so that a caller knows where the initial events end.
   */
  resourceVersion?: string;
  /** Called at once with each commit, in the order of versions. It must not write to the store; one that throws is told
   * no more.
   */
  onEvent(event: StoreEvent<Kind>): void;
  /** The type is no longer served (its CustomResourceDefinition is gone) or the store is closed. */
  onEnd?(): void;
}

export interface Subscription {
  close(): void;
}

/** What a type's own rules do beside those of the built-in kinds: a CustomResourceDefinition's schema, for instance. */
export interface TypeRules {
  /** Defaults and pruning, on a draft that is the callee's to change. */
  prepare?(draft: KubeObject): void;
  /** Throws `ApiError` Invalid. `current` is absent for a create. */
  validate?(object: KubeObject, current: KubeObject | undefined): void;
}

export interface TypeRegistry {
  list(): readonly ResourceType[];
  /** Exactly this group, version and plural. */
  find(group: string, version: string, plural: string): ResourceType | undefined;
  /** Serves one more type. Versions of one group and plural share their objects. */
  add(type: ResourceType, rules?: TypeRules): void;
  /** Stops serving it. Its objects go when no version is left. */
  remove(type: ResourceType): void;
  /** Called after each change of the list. Returns the way to leave. */
  onChange(listener: () => void): () => void;
}

export interface Store extends ObjectApi {
  readonly types: TypeRegistry;
  readonly counters: StoreCounters;
  /** Of the newest commit. All subscribers have been told of everything up to it: it is a bookmark's version. */
  readonly resourceVersion: string;
  /** The store's own object, frozen; undefined where there is none. */
  peek<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    namespace: string | undefined,
    name: string,
  ): Kind | undefined;
  page<Kind extends KubeObject>(type: ResourceType<Kind>, options?: PageOptions): Page<Kind>;
  /** Throws Expired when the version is no longer remembered, TooManyRequests at the limit. */
  subscribe<Kind extends KubeObject>(type: ResourceType<Kind>, options: SubscribeOptions<Kind>): Subscription;
  create<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    object: Kind,
    options?: WriteOptions,
  ): Promise<Kind>;
  update<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    object: Kind,
    options?: WriteOptions,
  ): Promise<Kind>;
  updateStatus<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    object: Kind,
    options?: WriteOptions,
  ): Promise<Kind>;
  /**
   * Reads, changes and writes with nothing in between. `change` gets a copy that is its own and returns what is to be
   * stored; what it throws goes to the caller, and nothing is stored.
   */
  modify<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    namespace: string | undefined,
    name: string,
    change: (current: Kind) => Kind,
    options?: ModifyOptions,
  ): Promise<Kind>;
  /** `delete`, telling what it came to. */
  remove<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    namespace: string | undefined,
    name: string,
    options?: StoreDeleteOptions,
  ): Promise<Deletion<Kind>>;
  /** Ends every watch and subscription and closes the state on disk. Writes fail from here. */
  close(): Promise<void>;
}
