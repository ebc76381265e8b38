/** Which types are served, and what is kept for each: its objects, rules and watchers. */

import { qualifiedResource, type ResourceType } from '../../kubernetes/index.ts';
import { type KindRules, kindRulesOf } from './admission/index.ts';
import type { Collection } from './collection.ts';
import { notFoundType } from './errors.ts';
import type { TypeRegistry, TypeRules } from './types.ts';
import type { Watcher } from './watchers.ts';

/** One resource, whatever the number of versions it is served in. */
export interface Resource {
  readonly key: string;
  readonly collection: Collection;
  readonly kindRules: KindRules;
  readonly watchers: Set<Watcher>;
}

interface Served {
  readonly type: ResourceType;
  readonly rules: TypeRules;
  readonly resource: Resource;
}

export interface RegistryEvents {
  /** The last version of a resource is gone. */
  onResourceRemoved(resource: Resource): void;
  onResourceAdded(resource: Resource): void;
  newCollection(): Collection;
}

const versionKey = (type: ResourceType) => `${type.group}/${type.version}/${type.plural}`;

export class Registry implements TypeRegistry {
  readonly #served = new Map<string, Served>();
  readonly #resources = new Map<string, Resource>();
  readonly #listeners = new Set<() => void>();
  readonly #events: RegistryEvents;

  constructor(events: RegistryEvents) {
    this.#events = events;
  }

  list(): readonly ResourceType[] {
    return [...this.#served.values()].map(({ type }) => type);
  }

  find(group: string, version: string, plural: string): ResourceType | undefined {
    return this.#served.get(`${group}/${version}/${plural}`)?.type;
  }

  resources(): Iterable<Resource> {
    return this.#resources.values();
  }

  resourceByKey(key: string): Resource | undefined {
    return this.#resources.get(key);
  }

  /** Throws NotFound where the type is not served. */
  require(type: ResourceType): Served {
    const served = this.#served.get(versionKey(type));
    if (!served) throw notFoundType();
    return served;
  }

  add(type: ResourceType, rules: TypeRules = {}): void {
    const key = qualifiedResource(type);
    let resource = this.#resources.get(key);
    if (!resource) {
      resource = {
        key,
        collection: this.#events.newCollection(),
        kindRules: kindRulesOf(type),
        watchers: new Set(),
      };
      this.#resources.set(key, resource);
      this.#events.onResourceAdded(resource);
    }
    this.#served.set(versionKey(type), { type, rules, resource });
    this.#changed();
  }

  remove(type: ResourceType): void {
    const served = this.#served.get(versionKey(type));
    if (!served) return;
    this.#served.delete(versionKey(type));
    const { resource } = served;
    if (![...this.#served.values()].some((other) => other.resource === resource)) {
      this.#resources.delete(resource.key);
      this.#events.onResourceRemoved(resource);
    }
    this.#changed();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
