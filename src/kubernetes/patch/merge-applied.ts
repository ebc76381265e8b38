/** The three-way merge of client-side `kubectl apply`, without the detour over a patch. */

import type { KubeObject } from '../objects.ts';
import { apiVersionOf, type ResourceType } from '../resource-types.ts';
import { builtInSchema, type Schema } from '../schema/index.ts';
import { cloneJson, fieldOf, isObject, type JsonObject, setField } from './json.ts';
import { arrange, partition } from './list-order.ts';

export interface AppliedStates<Kind extends KubeObject = KubeObject> {
  /** What was applied the last time; undefined for the first time. */
  previous: KubeObject | undefined;
  /** What the API holds now. */
  live: Kind;
  /** What is to be applied now. */
  wanted: KubeObject;
  type: ResourceType<Kind>;
}

/**
 * The object to store: `wanted` merged into `live`, without what `previous` had and `wanted` has no longer. What only the
 * cluster set (cluster IPs, node ports, status) stays. Lists are merged by their keys where the built-in type declares
 * keys, and replaced whole otherwise, as for custom resources.
 */
export function mergeApplied<Kind extends KubeObject>(states: AppliedStates<Kind>): Kind {
  const { previous, live, wanted, type } = states;
  const schema = builtInSchema(apiVersionOf(type), type.kind) ?? {};
  return mergeObjects(previous ?? {}, live, wanted, schema) as Kind;
}

/** A new object. */
function mergeObjects(
  previous: JsonObject,
  live: JsonObject,
  wanted: JsonObject,
  schema: Schema,
): JsonObject {
  const merged: JsonObject = {};
  for (const [field, value] of Object.entries(live)) {
    const removed = Object.hasOwn(previous, field) && (fieldOf(wanted, field) ?? null) === null;
    const notRetained = schema.retainsKeys === true && !Object.hasOwn(wanted, field);
    if (!removed && !notRetained) setField(merged, field, cloneJson(value));
  }
  for (const [field, value] of Object.entries(wanted)) {
    if (value === null) delete merged[field];
    else {
      const member = memberOf(schema, field);
      setField(merged, field, mergeValues(fieldOf(previous, field), fieldOf(live, field), value, member));
    }
  }
  return merged;
}

function memberOf(schema: Schema, field: string): Schema {
  const member = schema.properties && (fieldOf(schema.properties as JsonObject, field) as Schema | undefined);
  return member ?? schema.additionalProperties ?? {};
}

function mergeValues(previous: unknown, live: unknown, wanted: unknown, schema: Schema): unknown {
  if (isObject(wanted)) {
    return mergeObjects(isObject(previous) ? previous : {}, isObject(live) ? live : {}, wanted, schema);
  }
  if (Array.isArray(wanted) && Array.isArray(live) && schema.mergesLists) {
    return mergeLists(Array.isArray(previous) ? previous : [], live, wanted, schema);
  }
  return cloneJson(wanted);
}

/** Entries that `wanted` names, in its order; between them what others put into the list. */
function mergeLists(previous: unknown[], live: unknown[], wanted: unknown[], schema: Schema): unknown[] {
  const mergeKey = schema.patchMergeKey;
  const key = (entry: unknown) => (mergeKey && isObject(entry) ? fieldOf(entry, mergeKey) : entry);
  const find = (list: unknown[], value: unknown) => list.find((entry) => key(entry) === value);
  const wantedKeys = wanted.map(key);
  const previousKeys = new Set(previous.map(key));
  const items: Schema = { ...schema.items, ...(schema.retainsKeys && { retainsKeys: true }) };
  const merged = wanted.map((entry) =>
    mergeValues(find(previous, key(entry)), find(live, key(entry)), entry, items),
  );
  const [, others] = partition(live, new Set(wantedKeys), key);
  const kept = others.filter((entry) => !previousKeys.has(key(entry)));
  return arrange(merged, cloneJson(kept), wantedKeys, live.map(key), key);
}
