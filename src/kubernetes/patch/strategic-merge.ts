/**
 * Strategic merge patch: a merge patch that merges lists by the keys that the type declares, with directives
 * (`$patch`, `$retainKeys`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…`). The rules, odd ones included, are apimachinery's.
 */

import type { Schema } from '../schema/index.ts';
import { describeType, describeValue, PatchError } from './errors.ts';
import { cloneJson, fieldOf, isObject, type JsonObject, setField } from './json.ts';
import { arrange, partition } from './list-order.ts';

const patchDirective = '$patch';
const retainKeysDirective = '$retainKeys';
const orderPrefix = '$setElementOrder';
const deletePrefix = '$deleteFromPrimitiveList';

/** A new object: `patch` merged into `target`, an object of the type that `schema` describes. Throws `PatchError`. */
export function applyStrategicPatch(target: JsonObject, patch: unknown, schema: Schema): JsonObject {
  if (!isObject(patch)) throw new PatchError('malformed', 'invalid JSON document');
  return mergeObject(cloneJson(target), cloneJson(patch), schema);
}

/** Both arguments are consumed. */
function mergeObject(target: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  if (Object.hasOwn(patch, patchDirective)) return followPatchDirective(patch);
  retainKeys(target, patch);
  mergeOrderedLists(target, patch, schema);
  for (const [field, value] of Object.entries(patch)) {
    const deletes = field.startsWith(deletePrefix);
    mergeField(target, deletes ? listNamedBy(field, deletePrefix) : field, value, schema, deletes);
  }
  return target;
}

function followPatchDirective(patch: JsonObject): JsonObject {
  const directive = patch[patchDirective];
  if (directive === 'delete') return {};
  if (directive !== 'replace') throw unknownDirective(directive, patch);
  delete patch[patchDirective];
  return patch;
}

function unknownDirective(directive: unknown, patch: JsonObject): PatchError {
  return new PatchError(
    'malformed',
    `unknown patch type: ${describeValue(directive)} in map: ${describeValue(patch)}`,
  );
}

/** Removes what the `$retainKeys` list does not name. */
function retainKeys(target: JsonObject, patch: JsonObject): void {
  if (!Object.hasOwn(patch, retainKeysDirective)) return;
  const kept = patch[retainKeysDirective];
  delete patch[retainKeysDirective];
  const named = (field: string) => Array.isArray(kept) && kept.includes(field);
  const unnamed = Object.entries(patch).some(
    ([field, value]) =>
      value !== null && !field.startsWith(deletePrefix) && !field.startsWith(orderPrefix) && !named(field),
  );
  if (!Array.isArray(kept) || unnamed) {
    throw new PatchError('malformed', 'invalid patch format of retainKeys');
  }
  for (const field of Object.keys(target)) if (!named(field)) delete target[field];
}

/** The list that a directive such as `$setElementOrder/containers` speaks of. */
function listNamedBy(directive: string, prefix: string): string {
  if (directive.startsWith(`${prefix}/`)) return directive.slice(prefix.length + 1);
  const what = prefix === orderPrefix ? 'setElementOrder list' : 'primitive list';
  throw new PatchError('malformed', `invalid patch format of ${what}`);
}

function mergeField(
  target: JsonObject,
  field: string,
  value: unknown,
  schema: Schema,
  deletes: boolean,
): void {
  if (value === null) {
    delete target[field];
    return;
  }
  const present = fieldOf(target, field);
  const bothObjects = isObject(present) && isObject(value);
  const bothLists = Array.isArray(present) && Array.isArray(value);
  if (!bothObjects && !bothLists) {
    if (!deletes || describeType(present) === describeType(value)) take(target, field, value);
    return;
  }
  const member = memberSchema(schema, field, bothLists ? 'list' : 'object');
  if (bothObjects) {
    setField(target, field, member.replacesWhole ? value : mergeObject(present, value, member));
  } else if (bothLists) {
    setField(target, field, member.mergesLists ? mergeList(present, value, member, deletes) : value);
  }
}

/** A value that meets nothing to merge with: directives and nulls in it have done their work. */
function take(target: JsonObject, field: string, value: unknown): void {
  dropNulls(value);
  const [cleaned, keep] = dropDirectives(value);
  if (keep) setField(target, field, cleaned);
  else delete target[field];
}

function dropNulls(value: unknown): void {
  if (Array.isArray(value)) value.forEach(dropNulls);
  if (!isObject(value)) return;
  for (const [field, member] of Object.entries(value)) {
    if (member === null) delete value[field];
    else dropNulls(member);
  }
}

function dropDirectives(value: unknown): [cleaned: unknown, keep: boolean] {
  if (Array.isArray(value)) {
    const kept = value.map(dropDirectives).filter(([, keep]) => keep);
    return [kept.map(([cleaned]) => cleaned), true];
  }
  if (!isObject(value)) return [value, true];
  if (Object.hasOwn(value, patchDirective)) return [undefined, false];
  for (const [field, member] of Object.entries(value)) {
    const [cleaned, keep] = dropDirectives(member);
    if (keep) setField(value, field, cleaned);
    else delete value[field];
  }
  return [value, true];
}

function memberSchema(schema: Schema, field: string, shape: 'list' | 'object'): Schema {
  const member = schema.properties ? fieldOf(schema.properties, field) : schema.additionalProperties;
  if (member) return member as Schema;
  if (schema.preserveUnknownFields) return { preserveUnknownFields: true };
  const name = schema.typeName?.split('.').at(-1);
  if (name && schema.properties) {
    throw new PatchError(
      'unfit',
      `unable to find api field in struct ${name} for the json field ${JSON.stringify(field)}`,
    );
  }
  throw new PatchError('unfit', `unable to merge the ${shape} ${JSON.stringify(field)}: its type has none`);
}

/** Takes the lists that have a `$setElementOrder` out of the patch, merges them and puts them in order. */
function mergeOrderedLists(target: JsonObject, patch: JsonObject, schema: Schema): void {
  for (const directive of Object.keys(patch).filter((field) => field.startsWith(orderPrefix))) {
    const order = patch[directive];
    delete patch[directive];
    if (!Array.isArray(order)) throw wrongType('[]interface {}', order);
    const field = listNamedBy(directive, orderPrefix);
    const present = listOrNothing(target, field);
    const patched = listOrNothing(patch, field);
    const list = memberSchema(schema, field, 'list');
    if (patched) requireOrder(patched, order, list.patchMergeKey);
    const merged = mergeOrdered(present, patched, list);
    if (!merged) continue;
    requireOneElementType(present ?? [], patched ?? []);
    const live = liveOrder(present ?? [], patched ?? [], list);
    setField(target, field, inOrder(merged, order, live, list.patchMergeKey));
    delete patch[field];
  }
}

function mergeOrdered(
  present: unknown[] | undefined,
  patched: unknown[] | undefined,
  list: Schema,
): unknown[] | undefined {
  if (!patched) return present;
  if (!present) return dropDirectives(patched)[0] as unknown[];
  return list.mergesLists ? mergeList([...present], patched, list, false) : patched;
}

/**
 * The live list by which the merged one is arranged. Kubernetes deletes and adds entries in the very list that it
 * afterwards reads the live order from, so an entry that a patch both deletes and adds moves; here too.
 */
function liveOrder(present: unknown[], patched: unknown[], list: Schema): unknown[] {
  const { patchMergeKey: mergeKey } = list;
  if (!list.mergesLists || mergeKey === undefined) return present;
  const order = [...present];
  let length = order.length;
  for (const entry of patched as JsonObject[]) {
    if (entry[patchDirective] !== 'delete') continue;
    const doomed = (candidate: unknown) => keyValue(candidate, mergeKey) === entry[mergeKey];
    for (let at = order.slice(0, length).findIndex(doomed); at >= 0; ) {
      order.copyWithin(at, at + 1, length);
      length -= 1;
      at = order.slice(0, length).findIndex(doomed);
    }
  }
  if ((patched as JsonObject[]).some((entry) => entry[patchDirective] === 'replace')) return order;
  for (const entry of patched as JsonObject[]) {
    const known = order.slice(0, length).some((other) => keyValue(other, mergeKey) === entry[mergeKey]);
    if (known || Object.hasOwn(entry, patchDirective)) continue;
    if (length < order.length) order[length] = entry;
    length += 1;
  }
  return order;
}

function listOrNothing(object: JsonObject, field: string): unknown[] | undefined {
  const value = fieldOf(object, field);
  if (value === undefined || Array.isArray(value)) return value;
  throw wrongType('[]interface {}', value);
}

function wrongType(expected: string, value: unknown): PatchError {
  return new PatchError('malformed', `expected a ${expected}, but received a ${describeType(value)}`);
}

/** The patch's entries, but for those it deletes, must come in the order that the directive gives, and be named by it. */
function requireOrder(patched: unknown[], order: unknown[], mergeKey: string | undefined): void {
  if (order.length === 0) return;
  const entries = patched.filter((entry) => !(isObject(entry) && entry[patchDirective] === 'delete'));
  let found = 0;
  for (const wanted of order) {
    if (found === entries.length) break;
    if (keyValue(entries[found], mergeKey) === keyValue(wanted, mergeKey)) found += 1;
  }
  if (found === entries.length) return;
  throw new PatchError(
    'malformed',
    `The order in patch list:\n${describeValue(patched)}\n doesn't match ${orderPrefix} list:\n${describeValue(order)}\n`,
  );
}

/** What tells a list's entry from the others: the value of its merge key, or a plain value itself. */
function keyValue(entry: unknown, mergeKey: string | undefined): unknown {
  if (mergeKey === undefined) return entry;
  if (!isObject(entry)) throw wrongType('map[string]interface {}', entry);
  if (!Object.hasOwn(entry, mergeKey)) throw noMergeKey(entry, mergeKey);
  return entry[mergeKey];
}

function noMergeKey(entry: JsonObject, mergeKey: string): PatchError {
  return new PatchError(
    'malformed',
    `map: ${describeValue(entry)} does not contain declared merge key: ${mergeKey}`,
  );
}

function mergeList(present: unknown[], patched: unknown[], list: Schema, deletes: boolean): unknown[] {
  if (present.length === 0 && patched.length === 0) return present;
  requireOneElementType(present, patched);
  const mergeKey = list.patchMergeKey;
  if (!isObject(present[0] ?? patched[0])) {
    if (deletes) return present.filter((value) => !patched.includes(value));
    return inOrder([...new Set([...present, ...patched])], patched, present, mergeKey);
  }
  if (mergeKey === undefined) {
    const name = list.items?.typeName?.split('.').at(-1) ?? 'map';
    throw new PatchError('malformed', `cannot merge lists without merge key for ${name}`);
  }
  const { kept, entries } = followListDirectives(present as JsonObject[], patched as JsonObject[], mergeKey);
  return inOrder(mergeEntries(kept, entries, mergeKey, list.items ?? {}), entries, kept, mergeKey);
}

/** Lists are of objects or of plain values of one type, never mixed, never of lists. */
function requireOneElementType(...lists: unknown[][]): void {
  const [first, ...others] = lists.flat();
  if (first === undefined) throw new PatchError('malformed', 'no elements in any of the given slices');
  if (Array.isArray(first)) throw new PatchError('malformed', 'lists of lists are not supported');
  if (others.every((value) => describeType(value) === describeType(first))) return;
  throw new PatchError('malformed', `list element types are not identical: ${describeValue(lists)}`);
}

/** Carries out `$patch: delete` and `$patch: replace` among a list's entries. */
function followListDirectives(present: JsonObject[], patched: JsonObject[], mergeKey: string) {
  const entries: JsonObject[] = [];
  let kept = present;
  let replaces = false;
  for (const entry of patched) {
    if (!Object.hasOwn(entry, patchDirective)) entries.push(entry);
    else if (entry[patchDirective] === 'replace') replaces = true;
    else if (entry[patchDirective] === 'delete') {
      const doomed = keyValue(entry, mergeKey);
      kept = kept.filter((candidate) => fieldOf(candidate, mergeKey) !== doomed);
    } else if (entry[patchDirective] === 'merge') {
      throw new PatchError('malformed', 'merging lists cannot yet be specified in the patch');
    } else throw unknownDirective(entry[patchDirective], entry);
  }
  return replaces ? { kept: entries, entries: [] } : { kept, entries };
}

function mergeEntries(
  present: readonly JsonObject[],
  patched: readonly JsonObject[],
  mergeKey: string,
  schema: Schema,
): JsonObject[] {
  const merged = [...present];
  for (const entry of patched) {
    const key = keyValue(entry, mergeKey);
    const index = merged.findIndex((candidate) => fieldOf(candidate, mergeKey) === key);
    const found = merged[index];
    if (found) merged[index] = mergeObject(found, entry, schema);
    else merged.push(entry);
  }
  return merged;
}

/** The merged entries: those in `order` as it says, the others kept between them as the live list had them. */
function inOrder(merged: unknown[], order: unknown[], live: unknown[], mergeKey: string | undefined) {
  const key = (entry: unknown) => keyValue(entry, mergeKey);
  const [ordered, others] = partition(merged, new Set(order.map(key)), key);
  return arrange(ordered, others, order.map(key), live.map(key), key);
}
