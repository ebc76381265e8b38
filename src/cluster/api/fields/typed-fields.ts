/** Values as field ownership sees them: which fields they have, how two differ, and how one is merged into another. */

import { cloneJson, equalJson, isObject, type JsonObject, type Schema } from '../../../kubernetes/index.ts';
import { FieldSet } from './field-set.ts';

const anything: Schema = { preserveUnknownFields: true };

export function memberSchema(schema: Schema, field: string): Schema {
  const declared = schema.properties && Object.hasOwn(schema.properties, field) && schema.properties[field];
  return declared || schema.additionalProperties || anything;
}

const isDeclared = (schema: Schema, field: string) =>
  schema.properties !== undefined && Object.hasOwn(schema.properties, field);

/** A value that is owned as a whole. */
function isLeaf(value: unknown, schema: Schema): boolean {
  if (Array.isArray(value)) return schema.listType !== 'map' && schema.listType !== 'set';
  return !isObject(value) || schema.atomicMap === true;
}

/** What a key field that is left out counts as: ports are TCP. */
const keyDefaults: Readonly<Record<string, unknown>> = { protocol: 'TCP' };

/** The step to an entry of a keyed list or set. */
export function entryStep(entry: unknown, schema: Schema): string {
  if (schema.listType !== 'map') return `v:${JSON.stringify(entry)}`;
  const keys: JsonObject = {};
  for (const key of [...(schema.listMapKeys ?? [])].toSorted()) {
    const value = isObject(entry) ? entry[key] : undefined;
    const assumed = schema.items?.properties?.[key]?.default ?? keyDefaults[key];
    if (value !== undefined || assumed !== undefined) keys[key] = value ?? assumed;
  }
  return `k:${JSON.stringify(keys)}`;
}

/** The fields that a value has: what an applier of it owns. */
export function fieldsOf(value: unknown, schema: Schema): FieldSet {
  const set = new FieldSet();
  if (isLeaf(value, schema)) set.member = true;
  else if (Array.isArray(value)) {
    for (const entry of value) {
      const below = fieldsOf(entry, schema.items ?? anything);
      below.member = true;
      set.children.set(entryStep(entry, schema), below);
    }
  } else if (isObject(value)) {
    for (const [field, member] of Object.entries(value)) {
      const below = fieldsOf(member, memberSchema(schema, field));
      const isEmpty = member === null || (isObject(member) && Object.keys(member).length === 0);
      if (isEmpty || !isDeclared(schema, field)) below.member = true;
      set.children.set(`f:${field}`, below);
    }
  }
  return set;
}

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

export function compareFields(before: unknown, after: unknown, schema: Schema): Comparison {
  const comparison = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() };
  compare(before, after, schema, comparison);
  return comparison;
}

function compare(before: unknown, after: unknown, schema: Schema, at: Comparison): void {
  const present = after === undefined ? before : after;
  if (before === undefined) at.added.member = true;
  if (after === undefined) at.removed.member = true;
  if (isLeaf(present, schema) || (isEmptyValue(before) && isEmptyValue(after))) {
    if (before !== undefined && after !== undefined && !equalJson(before, after)) at.modified.member = true;
    return;
  }
  for (const [step, memberSchemaAt, left, right] of members(before, after, schema)) {
    if (left !== undefined && right !== undefined && equalJson(left, right)) continue;
    compare(left, right, memberSchemaAt, {
      added: at.added.child(step),
      modified: at.modified.child(step),
      removed: at.removed.child(step),
    });
  }
}

function isEmptyValue(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return (Array.isArray(value) && value.length === 0) || (isObject(value) && Object.keys(value).length === 0);
}

function* members(
  before: unknown,
  after: unknown,
  schema: Schema,
): Generator<[step: string, schema: Schema, before: unknown, after: unknown]> {
  if (Array.isArray(before) || Array.isArray(after)) {
    const left = byStep(before, schema);
    const right = byStep(after, schema);
    for (const step of new Set([...left.keys(), ...right.keys()])) {
      yield [step, schema.items ?? anything, left.get(step), right.get(step)];
    }
    return;
  }
  const left = isObject(before) ? before : {};
  const right = isObject(after) ? after : {};
  for (const field of new Set([...Object.keys(left), ...Object.keys(right)])) {
    yield [`f:${field}`, memberSchema(schema, field), own(left, field), own(right, field)];
  }
}

const own = (object: JsonObject, field: string) => (Object.hasOwn(object, field) ? object[field] : undefined);

function byStep(list: unknown, schema: Schema): Map<string, unknown> {
  return new Map(Array.isArray(list) ? list.map((entry) => [entryStep(entry, schema), entry]) : []);
}

/** A new value: `applied` merged into `live`. Keyed lists are merged by their keys, whole values replaced. */
export function mergeTyped(live: unknown, applied: unknown, schema: Schema): unknown {
  if (applied === undefined) return cloneJson(live);
  if (live === undefined || live === null || isLeaf(applied, schema)) return cloneJson(applied);
  if (Array.isArray(applied)) {
    return Array.isArray(live) ? mergeLists(live, applied, schema) : cloneJson(applied);
  }
  if (!isObject(applied) || !isObject(live)) return cloneJson(applied);
  const merged = cloneJson(live);
  for (const [field, value] of Object.entries(applied)) {
    define(merged, field, mergeTyped(own(live, field), value, memberSchema(schema, field)));
  }
  return merged;
}

function define(object: JsonObject, field: string, value: unknown): void {
  Object.defineProperty(object, field, { value, enumerable: true, configurable: true, writable: true });
}

/** Applied entries in their order; what only the live list has comes as early as its place there allows. */
function mergeLists(live: unknown[], applied: unknown[], schema: Schema): unknown[] {
  const step = (entry: unknown) => entryStep(entry, schema);
  const liveByStep = byStep(live, schema);
  const appliedSteps = applied.map(step);
  const wanted = new Set(appliedSteps);
  const merged: unknown[] = [];
  let next = 0;
  const takeApplied = () => {
    const liveEntry = liveByStep.get(appliedSteps[next] ?? '');
    merged.push(mergeTyped(liveEntry, applied[next], schema.items ?? anything));
    next += 1;
  };
  for (const entry of live) {
    const at = step(entry);
    if (!wanted.has(at)) merged.push(cloneJson(entry));
    else if (appliedSteps.indexOf(at) >= next) while (appliedSteps.indexOf(at) >= next) takeApplied();
  }
  while (next < applied.length) takeApplied();
  return merged;
}

/** A copy without the fields of the set. */
export function withoutFields(value: unknown, set: FieldSet, schema: Schema): unknown {
  if (set.children.size === 0) return cloneJson(value);
  if (Array.isArray(value)) {
    return value.flatMap((entry) => {
      const below = set.children.get(entryStep(entry, schema));
      if (below?.member) return [];
      return [below ? withoutFields(entry, below, schema.items ?? anything) : cloneJson(entry)];
    });
  }
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [field, member] of Object.entries(value)) {
    const below = set.children.get(`f:${field}`);
    if (below?.member) continue;
    define(
      result,
      field,
      below ? withoutFields(member, below, memberSchema(schema, field)) : cloneJson(member),
    );
  }
  return result;
}
