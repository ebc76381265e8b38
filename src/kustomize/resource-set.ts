/** The resources gathered so far, in order, found by their ids in constant time. */

import { MarkedNodes, type Origin } from '../yaml/index.ts';
import { positionOf, refuse } from './problem.ts';
import { idKey, type Resource, type ResourceId } from './resource.ts';

export class ResourceSet {
  #list: Resource[] = [];
  #byCurrentId: Map<string, Resource> | undefined;
  #byAnyId: Map<string, Resource[]> | undefined;
  #byKind: Map<string, Resource[]> | undefined;
  /** For strategic merges in a row: see mergePatch. To be made anew when anything else changes objects. */
  settled = new MarkedNodes();

  get all(): readonly Resource[] {
    return this.#list;
  }

  /** Refuses a resource whose id is taken. */
  add(resource: Resource, at?: Origin): void {
    this.#byCurrentId ??= indexByCurrentId(this.#list);
    const byId = this.#byCurrentId;
    const key = resource.currentKey;
    const other = byId.get(key);
    if (other) {
      const first = positionOf(other.node);
      const second = positionOf(resource.node);
      const isSameText = first.file === second.file && first.line === second.line;
      refuse(
        'SL1009',
        `${resource.describe()} is already defined at ${first.file}:${first.line}`,
        // The same lines read twice are not what is wrong; what names them is.
        isSameText ? (at ?? resource.node) : resource.node,
        {
          object: resource.describe(),
          hint: at && 'Rename one of them, or remove one of the two entries of resources.',
        },
      );
    }
    byId.set(key, resource);
    this.#list.push(resource);
    this.#byAnyId = undefined;
    this.#byKind = undefined;
  }

  /** Adds all of another set, which is not to be used any more. */
  addAll(other: ResourceSet, at?: Origin): void {
    if (this.#list.length > 0 || !other.#byCurrentId || !other.#isUnique) {
      for (const resource of other.#list) this.add(resource, at);
      return;
    }
    this.#list = other.#list;
    this.#byCurrentId = other.#byCurrentId;
    this.#byAnyId = undefined;
    this.#byKind = other.#byKind;
  }

  /** Those of a kind, in order. */
  ofKind(kind: string): readonly Resource[] {
    if (!this.#byKind) {
      this.#byKind = new Map();
      for (const resource of this.#list) {
        const list = this.#byKind.get(resource.kind);
        if (list) list.push(resource);
        else this.#byKind.set(resource.kind, [resource]);
      }
    }
    return this.#byKind.get(kind) ?? [];
  }

  replace(old: Resource, resource: Resource): void {
    this.#list[this.#list.indexOf(old)] = resource;
    this.idsChanged();
  }

  keep(predicate: (resource: Resource) => boolean): void {
    const kept = this.#list.filter(predicate);
    if (kept.length === this.#list.length) return;
    this.#list = kept;
    this.idsChanged();
  }

  /** Puts the resources into the order that the function gives them. */
  sort(order: (resources: readonly Resource[]) => Resource[]): void {
    this.#list = order(this.#list);
  }

  /** To be called after anything that changes names, namespaces or kinds. */
  idsChanged(): void {
    this.#isUnique = false;
    this.#byCurrentId = undefined;
    this.#byAnyId = undefined;
    this.#byKind = undefined;
  }

  /** Those that have or had this id. */
  withAnyId(id: ResourceId): readonly Resource[] {
    this.#byAnyId ??= indexByAnyId(this.#list);
    return this.#byAnyId.get(idKey(id)) ?? [];
  }

  /** Whether no id has changed since all of them were found to be different. */
  #isUnique = true;

  /** Two resources with one id, if there are. */
  findConflict(): readonly [Resource, Resource] | undefined {
    if (this.#isUnique) return undefined;
    const seen = new Map<string, Resource>();
    for (const resource of this.#list) {
      const key = resource.currentKey;
      const other = seen.get(key);
      if (other) return [other, resource];
      seen.set(key, resource);
    }
    this.#isUnique = true;
    return undefined;
  }
}

function indexByCurrentId(list: readonly Resource[]): Map<string, Resource> {
  return new Map(list.map((resource) => [resource.currentKey, resource]));
}

function indexByAnyId(list: readonly Resource[]): Map<string, Resource[]> {
  const index = new Map<string, Resource[]>();
  for (const resource of list) {
    for (const key of new Set([...resource.previousIds.map(idKey), resource.currentKey])) {
      const same = index.get(key);
      if (same) same.push(resource);
      else index.set(key, [resource]);
    }
  }
  return index;
}
