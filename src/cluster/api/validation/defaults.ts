/** Defaults and pruning by a structural schema, in place. */

import { cloneJson, isObject, type Schema } from '../../../kubernetes/index.ts';

/** Fills in what the schema gives a default for. Null counts as absent where the schema does not allow null. */
export function applySchemaDefaults(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) {
    for (const item of value) applySchemaDefaults(item, schema.items ?? {});
    return;
  }
  if (!isObject(value)) return;
  for (const [field, member] of Object.entries(schema.properties ?? {})) {
    const present = Object.hasOwn(value, field) ? value[field] : undefined;
    const absent = present === undefined || (present === null && !member.nullable);
    if (absent && member.default !== undefined) value[field] = cloneJson(member.default);
    if (Object.hasOwn(value, field)) applySchemaDefaults(value[field], member);
  }
  if (!schema.additionalProperties) return;
  for (const [field, member] of Object.entries(value)) {
    if (!schema.properties?.[field]) applySchemaDefaults(member, schema.additionalProperties);
  }
}

/** Removes the fields that the schema does not know. Returns their paths, as `spec.routes[0].bogus`. */
export function pruneUnknown(value: unknown, schema: Schema, path = ''): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => pruneUnknown(item, schema.items ?? anything, `${path}[${index}]`));
  }
  if (!isObject(value)) return [];
  const removed: string[] = [];
  for (const field of Object.keys(value)) {
    const member = knownMember(schema, field);
    const fieldPath = path ? `${path}.${field}` : field;
    if (member) removed.push(...pruneUnknown(value[field], member, fieldPath));
    else if (schema.properties || schema.type === 'object') {
      delete value[field];
      removed.push(fieldPath);
    }
  }
  return removed;
}

const anything: Schema = { preserveUnknownFields: true };

function knownMember(schema: Schema, field: string): Schema | undefined {
  const declared = schema.properties && Object.hasOwn(schema.properties, field) && schema.properties[field];
  if (declared) return declared;
  if (schema.additionalProperties) return schema.additionalProperties;
  const embedded = schema.embeddedResource && ['apiVersion', 'kind', 'metadata'].includes(field);
  return schema.preserveUnknownFields || embedded ? anything : undefined;
}
