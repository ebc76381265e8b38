/** Server-side apply: the applied fields are merged in and owned; what the applier owned and no longer applies goes. */

import {
  type ApiErrorCause,
  isObject,
  type JsonObject,
  type KubeObject,
  type Schema,
} from '../../../kubernetes/index.ts';
import { StatusError } from '../status.ts';
import type { ServedType } from '../types/served-type.ts';
import { decodeTyped, TypeMismatch } from '../validation/typed.ts';
import { describePath, difference, FieldSet, intersection, union, withNamedParents } from './field-set.ts';
import { findManager, type Manager, readManagers, type Writer, withManager } from './managers.ts';
import { compareOwnable, ownable, withManagers } from './ownership.ts';
import { fieldsOf, memberSchema, mergeTyped, withoutFields } from './typed-fields.ts';

const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** The object to store. Throws Conflict where others own a field of another value, unless forced. */
export function applyOwned(
  live: KubeObject | undefined,
  applied: KubeObject,
  served: ServedType,
  writer: Writer,
  force: boolean,
): KubeObject {
  const schema = served.schema ?? {};
  requireDeclared(applied, schema, applied);
  const managers = readManagers(live);
  const set = ownable(fieldsOf(applied, schema), served, writer.subresource);
  const before: KubeObject = live ?? ({ metadata: {} } as unknown as KubeObject);
  const merged = mergeTyped(before, withinSubresource(applied, writer), schema) as KubeObject;
  const own = findManager(managers, writer)?.set ?? new FieldSet();
  const everybody = managers
    .filter((manager) => !findManager([manager], writer))
    .reduce((all, manager) => union(all, manager.set), set);
  const given = difference(withNamedParents(own), withNamedParents(everybody));
  const next = withoutFields(merged, given, schema) as KubeObject;
  const { added, modified, removed } = compareOwnable(before, next, served, writer.subresource);
  const changed = union(added, modified);
  const others = managers.map((manager) => {
    if (findManager([manager], writer)) return manager;
    return { ...manager, set: difference(manager.set, removed) };
  });
  const conflicts = findConflicts(others, writer, changed);
  if (conflicts.length > 0 && !force && !allowsTakeover(conflicts, live, served, writer)) {
    throw conflictError(conflicts);
  }
  const kept = others.map((manager) =>
    findManager([manager], writer) ? manager : { ...manager, set: difference(manager.set, changed) },
  );
  return refreshLastApplied(withManagers(next, withManager(kept, writer, set)), live, applied, writer);
}

/** Through a subresource only its own part is applied. */
function withinSubresource(applied: KubeObject, { subresource }: Writer): KubeObject {
  if (subresource !== 'status') return applied;
  const { apiVersion, kind, metadata, status } = applied;
  return { apiVersion, kind, metadata: { name: metadata.name }, ...(status !== undefined && { status }) };
}

interface Conflict {
  readonly manager: Manager;
  readonly path: readonly string[];
}

function findConflicts(managers: readonly Manager[], writer: Writer, changed: FieldSet): Conflict[] {
  return managers
    .filter((manager) => !findManager([manager], writer))
    .flatMap((manager) => [...intersection(manager.set, changed).paths()].map((path) => ({ manager, path })));
}

function describeManager({ manager, subresource, operation, apiVersion }: Manager): string {
  const name = JSON.stringify(manager) + (subresource && ` with subresource ${JSON.stringify(subresource)}`);
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}

function conflictError(conflicts: readonly Conflict[]): StatusError {
  const described = conflicts.map(({ manager, path }) => ({
    manager: describeManager(manager),
    path: describePath(path),
  }));
  const causes: ApiErrorCause[] = described.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field: path,
  }));
  return new StatusError(409, 'Conflict', conflictMessage(described), { causes });
}

function conflictMessage(conflicts: readonly { manager: string; path: string }[]): string {
  const [first, second] = conflicts;
  if (first && !second) return `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.path}`;
  const lines = [...new Set(conflicts.map(({ manager }) => manager))]
    .toSorted()
    .flatMap((manager) => [
      `conflicts with ${manager}:`,
      ...conflicts.filter((conflict) => conflict.manager === manager).map(({ path }) => `- ${path}`),
    ]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

const annotationOf = (object: KubeObject | undefined) =>
  object?.metadata.annotations?.[lastAppliedAnnotation];

/** kubectl may take over what client-side apply last applied: it is the same user's. */
function allowsTakeover(
  conflicts: readonly Conflict[],
  live: KubeObject | undefined,
  served: ServedType,
  { manager }: Writer,
): boolean {
  const annotation = annotationOf(live);
  if (manager !== 'kubectl' || annotation === undefined) return false;
  let lastApplied: unknown;
  try {
    lastApplied = JSON.parse(annotation);
  } catch {
    return false;
  }
  if (!isObject(lastApplied)) return false;
  const allowed = fieldsOf(lastApplied, served.schema ?? {});
  const wanted = new FieldSet();
  for (const { path } of conflicts) {
    path.reduce((set, step) => set.child(step), wanted).member = true;
  }
  return difference(wanted, allowed).isEmpty;
}

/** Where client-side apply left its annotation, kubectl's server-side apply keeps it true. */
function refreshLastApplied(
  next: KubeObject,
  live: KubeObject | undefined,
  applied: KubeObject,
  { manager }: Writer,
): KubeObject {
  if (manager !== 'kubectl' || annotationOf(live) === undefined) return next;
  const { managedFields: _managed, ...metadata } = applied.metadata as KubeObject['metadata'] & JsonObject;
  const text = `${JSON.stringify({ ...applied, metadata: { annotations: {}, ...metadata } })}\n`;
  const annotations = { ...next.metadata.annotations, [lastAppliedAnnotation]: text };
  return { ...next, metadata: { ...next.metadata, annotations } };
}

/** Throws where the applied object has fields that its schema does not, or of another type. */
function requireDeclared(
  value: KubeObject,
  schema: Schema,
  { metadata, apiVersion, kind }: KubeObject,
): void {
  const problem = firstUndeclared(value, schema, '') ?? typeProblem(value, schema);
  if (!problem) return;
  const name = metadata.namespace ? `${metadata.namespace}/${metadata.name}` : `/${metadata.name}`;
  throw new StatusError(
    500,
    '',
    `failed to create typed patch object (${name}; ${apiVersion}, Kind=${kind}): ${problem}`,
  );
}

function typeProblem(value: KubeObject, schema: Schema): string | undefined {
  if (!schema.wireFields) return undefined;
  try {
    decodeTyped(value, schema);
    return undefined;
  } catch (error) {
    if (error instanceof TypeMismatch) return error.message;
    throw error;
  }
}

function firstUndeclared(value: unknown, schema: Schema, path: string): string | undefined {
  if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) {
      const problem =
        keyProblem(entry, index, schema, path) ??
        firstUndeclared(entry, schema.items ?? {}, `${path}[${index}]`);
      if (problem) return problem;
    }
    return undefined;
  }
  if (
    !isObject(value) ||
    schema.preserveUnknownFields ||
    (!schema.properties && !schema.additionalProperties)
  ) {
    return undefined;
  }
  for (const [field, member] of Object.entries(value)) {
    const declared =
      schema.additionalProperties || (schema.properties && Object.hasOwn(schema.properties, field));
    if (!declared) return `${path}.${field}: field not declared in schema`;
    const problem = firstUndeclared(member, memberSchema(schema, field), `${path}.${field}`);
    if (problem) return problem;
  }
  return undefined;
}

function keyProblem(entry: unknown, index: number, schema: Schema, path: string): string | undefined {
  if (schema.listType !== 'map' || !isObject(entry)) return undefined;
  const missing = (schema.listMapKeys ?? []).filter((key) => entry[key] === undefined && key !== 'protocol');
  const [key] = missing;
  if (key === undefined || schema.items?.properties?.[key]?.default !== undefined) return undefined;
  return `${path}: element ${index}: associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)`;
}
