/** The store itself: one commit after the other, each checked, stored, remembered and told. Synchronous. */

import { type KubeObject, namespaces, type ResourceType, type Service } from '../../kubernetes/index.ts';
import { timestamp } from './admission/metadata.ts';
import { type Change, Collection } from './collection.ts';
import { isReadyToGo, markForDeletion } from './deletion.ts';
import {
  type Admission,
  admitCreate,
  admitUpdate,
  checkPreconditions,
  receive,
  type Subresource,
} from './draft.ts';
import {
  alreadyExists,
  conflict,
  forbidden,
  notFound,
  objectTooLarge,
  storeClosed,
  storeFull,
} from './errors.ts';
import { copyJson, equalJson, freezeDeep } from './json.ts';
import { Registry, type Resource } from './registry.ts';
import { ServiceAllocations } from './services/allocation.ts';
import type { State, StateRecord } from './state/state.ts';
import type {
  Deletion,
  ModifyOptions,
  StoreDeleteOptions,
  StoreEvent,
  StoreLimits,
  WriteOptions,
} from './types.ts';
import { atVersion, eventFor, type Watcher } from './watchers.ts';

export interface CoreOptions {
  readonly now: () => Date;
  readonly limits: StoreLimits;
  readonly state: State | undefined;
  /** Told of a subscriber that threw. */
  readonly onError: (error: unknown) => void;
  /** Versions count on from here, unless the state is further. */
  readonly firstVersion: number;
}

const generateNameAttempts = 8;
const undeletableNamespaces = ['default', 'kube-system', 'kube-public'];

export class StoreCore {
  readonly registry: Registry;
  readonly refused: Record<keyof StoreLimits, number> = {
    maxObjectBytes: 0,
    maxObjects: 0,
    maxTotalBytes: 0,
    maxWatchers: 0,
    maxHistory: 0,
    maxPendingEvents: 0,
  };
  failedSubscribers = 0;
  readonly #options: CoreOptions;
  readonly #allocations = new ServiceAllocations();
  /** Objects of an earlier run whose type is not served yet, by resource. */
  readonly #unclaimed = new Map<string, Map<string, StateRecord>>();
  #version = 0;
  #writes = 0;
  #telling = false;
  #closed = false;

  constructor(options: CoreOptions) {
    this.#options = options;
    const { version, records } = options.state?.load() ?? { version: 0, records: [] };
    this.#version = Math.max(version, options.firstVersion);
    for (const record of records) {
      const ofResource = this.#unclaimed.get(record.resource) ?? new Map<string, StateRecord>();
      ofResource.set(`${record.namespace}/${record.name}`, record);
      this.#unclaimed.set(record.resource, ofResource);
    }
    this.registry = new Registry({
      newCollection: () => new Collection(this.#version, options.limits.maxHistory),
      onResourceAdded: (resource) => this.#claim(resource),
      onResourceRemoved: (resource) => this.#dropResource(resource),
    });
  }

  get version(): number {
    return this.#version;
  }

  get writes(): number {
    return this.#writes;
  }

  total(measure: (resource: Resource) => number): number {
    let sum = 0;
    for (const resource of this.registry.resources()) sum += measure(resource);
    return sum;
  }

  /** The objects that an earlier run left of a type that is served from now. */
  #claim(resource: Resource): void {
    const records = this.#unclaimed.get(resource.key);
    if (!records) return;
    this.#unclaimed.delete(resource.key);
    for (const { namespace, name, object } of records.values()) {
      if (!object) continue;
      freezeDeep(object);
      resource.collection.restore(namespace, name, object, Buffer.byteLength(JSON.stringify(object)));
      if (resource.key === 'services') this.#allocations.record(undefined, object as Service);
    }
  }

  find(type: ResourceType, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.registry.require(type).resource.collection.get(placeOf(type, namespace), name);
  }

  get(type: ResourceType, namespace: string | undefined, name: string): KubeObject {
    const object = this.find(type, namespace, name);
    if (!object) throw notFound(type, name);
    return object;
  }

  create(type: ResourceType, input: KubeObject, { dryRun = false }: WriteOptions = {}): KubeObject {
    const { resource, rules } = this.registry.require(type);
    const draft = receive(type, input);
    this.#checkNamespaceTakesObjects(type, draft);
    const generated = !draft.metadata.name && draft.metadata.generateName !== undefined;
    for (let attempt = 1; ; attempt++) {
      admitCreate(draft, this.#admission(type, resource, rules));
      const { namespace, name } = draft.metadata;
      if (!resource.collection.get(namespace ?? '', name)) break;
      if (!generated || attempt === generateNameAttempts) throw alreadyExists(type, name);
      draft.metadata.name = '';
    }
    if (resource.key === 'services') this.#allocations.assign(draft as Service, undefined);
    return dryRun ? draft : this.#store(resource, draft, undefined);
  }

  update(
    type: ResourceType,
    input: KubeObject,
    subresource: Subresource,
    options: WriteOptions = {},
  ): KubeObject {
    const draft = receive(type, input);
    const current = this.get(type, draft.metadata.namespace, draft.metadata.name);
    checkPreconditions(type, current, draft.metadata);
    return this.#replace(type, draft, current, subresource, options);
  }

  modify(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    change: (current: KubeObject) => KubeObject,
    options: ModifyOptions = {},
  ): KubeObject {
    const current = this.get(type, namespace, name);
    checkPreconditions(type, current, options);
    const draft = receive(type, change(copyJson(current)));
    checkPreconditions(type, current, draft.metadata);
    draft.metadata.name = name;
    if (type.namespaced) draft.metadata.namespace = placeOf(type, namespace);
    return this.#replace(type, draft, current, options.subresource, options);
  }

  remove(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options: StoreDeleteOptions = {},
  ): Deletion<KubeObject> {
    const { resource } = this.registry.require(type);
    const current = this.get(type, namespace, name);
    checkDeletePreconditions(type, current, options);
    if (resource.key === 'namespaces' && undeletableNamespaces.includes(name)) {
      throw forbidden(type, name, 'this namespace may not be deleted');
    }
    const marked = markForDeletion(type, current, options, this.#options.now());
    if (!marked) {
      return { object: options.dryRun ? current : this.#erase(resource, current), removed: true };
    }
    if (options.dryRun || equalJson(marked, current)) return { object: marked, removed: false };
    return { object: this.#store(resource, marked, current), removed: false };
  }

  close(): void {
    this.#closed = true;
    for (const resource of this.registry.resources()) endWatchers(resource);
  }

  #replace(
    type: ResourceType,
    draft: KubeObject,
    current: KubeObject,
    subresource: Subresource,
    { dryRun = false }: WriteOptions,
  ): KubeObject {
    const { resource, rules } = this.registry.require(type);
    const next = admitUpdate(draft, current, subresource, this.#admission(type, resource, rules));
    if (resource.key === 'services' && !subresource) {
      this.#allocations.assign(next as Service, current as Service);
    }
    if (equalJson(next, current)) return current;
    if (dryRun) return next;
    return isReadyToGo(next) ? this.#erase(resource, next) : this.#store(resource, next, current);
  }

  #admission(type: ResourceType, { kindRules }: Resource, rules: Admission['rules']): Admission {
    return { type, kindRules, rules, now: timestamp(this.#options.now()) };
  }

  #checkNamespaceTakesObjects(type: ResourceType, draft: KubeObject): void {
    const { namespace, name } = draft.metadata;
    if (!type.namespaced || namespace === undefined) return;
    const home = this.find(namespaces, undefined, namespace);
    if (!home) throw notFound(namespaces, namespace);
    if (!home.metadata.deletionTimestamp) return;
    const reason = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const message = `namespace ${namespace} is being terminated`;
    const causes = [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }];
    throw forbidden(type, name, reason, causes);
  }

  #store(resource: Resource, after: KubeObject, before: KubeObject | undefined): KubeObject {
    const version = this.#version + 1;
    after.metadata = { ...after.metadata, resourceVersion: String(version) };
    const json = JSON.stringify(after);
    const bytes = Buffer.byteLength(json);
    this.#checkLimits(resource, after, before, bytes);
    const { namespace = '', name } = after.metadata;
    const change: Change = { version, namespace, name, before, after: freezeDeep(after), deleted: undefined };
    this.#commit(resource, change, bytes, json);
    return after;
  }

  /** Returns the last state, under the version of the deletion. */
  #erase(resource: Resource, last: KubeObject): KubeObject {
    const version = this.#version + 1;
    const { namespace = '', name } = last.metadata;
    const before = resource.collection.get(namespace, name);
    const deleted = freezeDeep(atVersion(last, String(version)));
    this.#commit(resource, { version, namespace, name, before, after: undefined, deleted }, 0, undefined);
    return deleted;
  }

  #commit(resource: Resource, change: Change, bytes: number, json: string | undefined): void {
    if (this.#closed) throw storeClosed();
    if (this.#telling) throw new Error('a subscriber wrote to the store while it was being told of a change');
    const { version, namespace, name, before, after } = change;
    const { state } = this.#options;
    state?.append({ version, resource: resource.key, namespace, name, object: after }, json);
    this.#version = version;
    this.#writes++;
    resource.collection.apply(change, bytes);
    if (resource.key === 'services') this.#allocations.record(before as Service, after as Service);
    this.#tell(resource, change);
    state?.compactIfDue(() => this.#everything(), version);
  }

  #tell(resource: Resource, change: Change): void {
    this.#telling = true;
    try {
      for (const watcher of resource.watchers) {
        const event = eventFor(change, watcher.selection, watcher.apiVersion);
        if (event) this.#give(resource, watcher, event);
      }
    } finally {
      this.#telling = false;
    }
  }

  /** One that fails is left out from here: neither the writer nor the others are to suffer for it. */
  #give(resource: Resource, watcher: Watcher, event: StoreEvent): void {
    try {
      watcher.onEvent(event);
    } catch (error) {
      this.failedSubscribers++;
      this.#options.onError(error);
      if (resource.watchers.delete(watcher)) watcher.onEnd?.();
    }
  }

  #checkLimits(resource: Resource, after: KubeObject, before: KubeObject | undefined, bytes: number): void {
    const { maxObjectBytes, maxObjects, maxTotalBytes } = this.#options.limits;
    if (bytes > maxObjectBytes) {
      this.refused.maxObjectBytes++;
      throw objectTooLarge();
    }
    const { namespace = '', name } = after.metadata;
    const growth = bytes - resource.collection.bytesOf(namespace, name);
    if (growth > 0 && this.total(({ collection }) => collection.bytes) + growth > maxTotalBytes) {
      this.refused.maxTotalBytes++;
      throw storeFull();
    }
    if (!before && this.total(({ collection }) => collection.count) >= maxObjects) {
      this.refused.maxObjects++;
      throw storeFull();
    }
  }

  #dropResource(resource: Resource): void {
    for (const object of Array.from(resource.collection.objects())) this.#erase(resource, object);
    endWatchers(resource);
  }

  *#everything(): Generator<StateRecord> {
    for (const { key, collection } of this.registry.resources()) {
      for (const object of collection.objects()) {
        const { namespace = '', name } = object.metadata;
        yield { version: Number(object.metadata.resourceVersion), resource: key, namespace, name, object };
      }
    }
    for (const records of this.#unclaimed.values()) yield* records.values();
  }
}

/** The key of a namespace: '' for types without one, `default` where a caller leaves it out. */
export function placeOf(type: ResourceType, namespace: string | undefined): string {
  return type.namespaced ? namespace || 'default' : '';
}

function checkDeletePreconditions(
  type: ResourceType,
  { metadata }: KubeObject,
  { uid, resourceVersion }: StoreDeleteOptions,
): void {
  if (uid && uid !== metadata.uid) {
    const reason = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(type, metadata.name, reason);
  }
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    const reason = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(type, metadata.name, reason);
  }
}

function endWatchers(resource: Resource): void {
  for (const watcher of resource.watchers) {
    resource.watchers.delete(watcher);
    watcher.onEnd?.();
  }
}
