/** From a commit to those who asked to be told, each within his own selection. */

import { type KubeObject, labelsMatch } from '../../kubernetes/index.ts';
import type { Change } from './collection.ts';
import type { Selection, StoreEvent } from './types.ts';

export interface Watcher {
  readonly selection: Selection;
  /** The version of the API that objects are given in; stored ones may be in another. */
  readonly apiVersion: string;
  onEvent(event: StoreEvent): void;
  onEnd?(): void;
}

export function isSelected(object: KubeObject, { namespace, labelSelector, filter }: Selection): boolean {
  return (
    (namespace === undefined || (object.metadata.namespace ?? '') === namespace) &&
    labelsMatch(labelSelector, object.metadata.labels) &&
    (filter?.(object) ?? true)
  );
}

/**
 * A change as it looks within a selection: an object that comes to match is ADDED, one that ceases to is DELETED, with
 * the state in which it last matched. Undefined where nothing of it is to be seen.
 */
export function eventFor(change: Change, selection: Selection, apiVersion: string): StoreEvent | undefined {
  const { before, after, deleted, version } = change;
  const matched = before !== undefined && isSelected(before, selection);
  const matches = after !== undefined && isSelected(after, selection);
  if (!matched && !matches) return undefined;
  const resourceVersion = String(version);
  if (matches) {
    return { type: matched ? 'MODIFIED' : 'ADDED', object: inVersion(after, apiVersion), resourceVersion };
  }
  const last = deleted ?? (before && atVersion(before, resourceVersion));
  return last && { type: 'DELETED', object: inVersion(last, apiVersion), resourceVersion };
}

/** A frozen copy under another version. */
export function atVersion(object: KubeObject, resourceVersion: string): KubeObject {
  return Object.freeze({ ...object, metadata: Object.freeze({ ...object.metadata, resourceVersion }) });
}

/** All versions of a resource are the same but for their name, as with a conversion strategy of None. */
export function inVersion<Kind extends KubeObject>(object: Kind, apiVersion: string): Kind {
  return object.apiVersion === apiVersion ? object : Object.freeze({ ...object, apiVersion });
}
