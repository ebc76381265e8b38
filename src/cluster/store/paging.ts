/** Lists: whole, in pages, and as they were at an earlier version. */

import { ApiError, type KubeObject } from '../../kubernetes/index.ts';
import type { Collection } from './collection.ts';
import { staleContinue, staleVersion } from './errors.ts';
import type { Page, PageOptions, Selection } from './types.ts';
import { isSelected } from './watchers.ts';

interface Position {
  readonly version: number;
  readonly namespace: string;
  readonly name: string;
}

export function readPage(
  collection: Collection,
  currentVersion: number,
  options: PageOptions,
): Page<KubeObject> {
  const position = options.continue ? decodeContinue(options.continue) : undefined;
  const asked = options.exactResourceVersion === undefined ? undefined : Number(options.exactResourceVersion);
  const version = position?.version ?? asked ?? currentVersion;
  if (version < collection.forgottenUpTo) {
    throw position ? staleContinue() : staleVersion(version, collection.forgottenUpTo);
  }
  const source = objectsAt(collection, version, options, position);
  const limit = options.limit || Number.POSITIVE_INFINITY;
  const items: KubeObject[] = [];
  let remaining = 0;
  for (const object of source) {
    if (!isSelected(object, options)) continue;
    if (items.length < limit) items.push(object);
    else remaining++;
  }
  const resourceVersion = String(version);
  const last = items.at(-1);
  if (remaining === 0 || !last) return { items, resourceVersion };
  const narrowed = options.labelSelector !== undefined || options.filter !== undefined;
  return {
    items,
    resourceVersion,
    continue: encodeContinue({
      version,
      namespace: last.metadata.namespace ?? '',
      name: last.metadata.name,
    }),
    ...(narrowed ? {} : { remainingItemCount: remaining }),
  };
}

/** The present objects with the changes since `version` undone. */
function objectsAt(
  collection: Collection,
  version: number,
  { namespace, labelSelector }: Selection,
  after: Position | undefined,
): Iterable<KubeObject> {
  const changes = collection.changesAfter(version);
  if (changes.length === 0) return collection.objects(namespace, after, labelSelector);
  const then = new Map<string, KubeObject | undefined>();
  // Oldest first: the first change of an object holds what it was at the version.
  for (const change of changes) {
    const key = keyOf(change.namespace, change.name);
    if (!then.has(key)) then.set(key, change.before);
  }
  const objects: KubeObject[] = [];
  for (const object of collection.objects(namespace, after)) {
    if (!then.has(keyOf(object.metadata.namespace ?? '', object.metadata.name))) objects.push(object);
  }
  const start = after && keyOf(after.namespace, after.name);
  for (const [key, object] of then) {
    if (!object || (start !== undefined && key <= start)) continue;
    if (namespace === undefined || (object.metadata.namespace ?? '') === namespace) objects.push(object);
  }
  const order = (object: KubeObject) => keyOf(object.metadata.namespace ?? '', object.metadata.name);
  return objects.toSorted((left, right) => (order(left) < order(right) ? -1 : 1));
}

/** Sorts as the pair sorts: no name holds a character below the separator. */
const keyOf = (namespace: string, name: string) => `${namespace}\0${name}`;

function encodeContinue({ version, namespace, name }: Position): string {
  return Buffer.from(JSON.stringify({ v: version, ns: namespace, n: name })).toString('base64url');
}

function decodeContinue(token: string): Position {
  try {
    const { v, ns, n } = JSON.parse(Buffer.from(token, 'base64url').toString()) as Record<string, unknown>;
    if (typeof v === 'number' && typeof ns === 'string' && typeof n === 'string') {
      return { version: v, namespace: ns, name: n };
    }
  } catch {
    // Answered below, like every other token that is not ours.
  }
  throw new ApiError('BadRequest', 'continue key is not valid: illegal base64 data');
}
