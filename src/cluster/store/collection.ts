/** All objects of one resource, in the order the API lists them, and what was done to them lately. */

import type { KubeObject, LabelSelector } from '../../kubernetes/index.ts';
import { LabelIndex } from './label-index.ts';

/** One commit. `before` is absent for a create, `after` for a deletion; `deleted` is then the last state. */
export interface Change {
  readonly version: number;
  readonly namespace: string;
  readonly name: string;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
  /** The last state under the version of the deletion. */
  readonly deleted: KubeObject | undefined;
}

interface Stored {
  readonly object: KubeObject;
  readonly bytes: number;
}

/** The objects of one namespace, and their names in byte order. */
interface Bucket {
  readonly stored: Map<string, Stored>;
  readonly names: string[];
  readonly labels: LabelIndex;
}

/** Sorting a few candidates beats walking all names, as long as they are a few. */
const indexPaysBelow = 1 / 8;

export class Collection {
  readonly #buckets = new Map<string, Bucket>();
  readonly #namespaces: string[] = [];
  readonly #maxHistory: number;
  #history: Change[] = [];
  /** Everything after this version is remembered. */
  #forgottenUpTo: number;
  #count = 0;
  #bytes = 0;

  constructor(version: number, maxHistory: number) {
    this.#forgottenUpTo = version;
    this.#maxHistory = maxHistory;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get forgottenUpTo(): number {
    return this.#forgottenUpTo;
  }

  get(namespace: string, name: string): KubeObject | undefined {
    return this.#buckets.get(namespace)?.stored.get(name)?.object;
  }

  bytesOf(namespace: string, name: string): number {
    return this.#buckets.get(namespace)?.stored.get(name)?.bytes ?? 0;
  }

  /**
   * In the order of namespaces and names, those after `after` where it is given. `labelSelector` is a hint: all that
   * match it are among the objects, others may be.
   */
  *objects(
    namespace?: string,
    after?: { readonly namespace: string; readonly name: string },
    labelSelector?: LabelSelector,
  ): Generator<KubeObject> {
    for (const current of namespace === undefined ? this.#namespaces : [namespace]) {
      if (after && current < after.namespace) continue;
      const bucket = this.#buckets.get(current);
      if (!bucket) continue;
      const names = namesToTry(bucket, labelSelector);
      const start = after?.namespace === current ? lowerBound(names, `${after.name}\0`) : 0;
      for (let index = start; index < names.length; index++) {
        const stored = bucket.stored.get(names[index] ?? '');
        if (stored) yield stored.object;
      }
    }
  }

  apply(change: Change, bytes: number): void {
    const { namespace, name, after } = change;
    const freed = this.bytesOf(namespace, name);
    if (after) this.#put(namespace, name, { object: after, bytes });
    else this.#delete(namespace, name);
    this.#bytes += (after ? bytes : 0) - freed;
    this.#history.push(change);
    // Cut in halves, so that the cost of forgetting is spread over many commits.
    if (this.#history.length >= this.#maxHistory * 2) this.#forget(this.#history.length - this.#maxHistory);
  }

  /** Puts an object of an earlier run back: no change, nothing to remember. */
  restore(namespace: string, name: string, object: KubeObject, bytes: number): void {
    this.#put(namespace, name, { object, bytes });
    this.#bytes += bytes;
  }

  /** Changes after `version`, oldest first. Only where `version` is not below `forgottenUpTo`. */
  changesAfter(version: number): readonly Change[] {
    let low = 0;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#history[middle]?.version ?? 0) <= version) low = middle + 1;
      else high = middle;
    }
    return this.#history.slice(low);
  }

  #forget(count: number): void {
    this.#forgottenUpTo = this.#history[count - 1]?.version ?? this.#forgottenUpTo;
    this.#history = this.#history.slice(count);
  }

  #put(namespace: string, name: string, stored: Stored): void {
    let bucket = this.#buckets.get(namespace);
    if (!bucket) {
      bucket = { stored: new Map(), names: [], labels: new LabelIndex() };
      this.#buckets.set(namespace, bucket);
      insertSorted(this.#namespaces, namespace);
    }
    const before = bucket.stored.get(name)?.object;
    bucket.labels.change(name, before?.metadata.labels, stored.object.metadata.labels);
    if (!before) {
      insertSorted(bucket.names, name);
      this.#count++;
    }
    bucket.stored.set(name, stored);
  }

  #delete(namespace: string, name: string): void {
    const bucket = this.#buckets.get(namespace);
    const before = bucket?.stored.get(name)?.object;
    if (!bucket || !before) return;
    bucket.stored.delete(name);
    bucket.labels.change(name, before.metadata.labels, undefined);
    bucket.names.splice(lowerBound(bucket.names, name), 1);
    this.#count--;
    if (bucket.names.length > 0) return;
    this.#buckets.delete(namespace);
    this.#namespaces.splice(lowerBound(this.#namespaces, namespace), 1);
  }
}

function namesToTry({ names, labels }: Bucket, selector: LabelSelector | undefined): readonly string[] {
  const candidates = selector && labels.candidates(selector);
  if (!candidates || candidates.size > names.length * indexPaysBelow) return names;
  return [...candidates].toSorted((left, right) => (left < right ? -1 : 1));
}

/** Index of the first item that is not below `value`. Names are ASCII, so that this is the order of bytes. */
function lowerBound(sorted: readonly string[], value: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insertSorted(sorted: string[], value: string): void {
  sorted.splice(lowerBound(sorted, value), 0, value);
}
