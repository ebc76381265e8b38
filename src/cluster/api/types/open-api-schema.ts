/** Reads the OpenAPI v3 schema of a CustomResourceDefinition. */

import type { Schema } from '../../../kubernetes/index.ts';

type Json = Record<string, unknown>;

/** Deeper schemas are cut off: what lies below may be anything. */
const maxDepth = 60;

/** A schema of our own out of the CRD's `openAPIV3Schema`. Unknown keywords are passed over. */
export function readOpenApiSchema(source: unknown, depth = 0): Schema {
  if (typeof source !== 'object' || source === null || depth > maxDepth)
    return { preserveUnknownFields: true };
  const json = source as Json;
  const nested = (value: unknown) => readOpenApiSchema(value, depth + 1);
  const schema: Json = {};
  for (const keyword of copiedKeywords) if (json[keyword] !== undefined) schema[keyword] = json[keyword];
  for (const [keyword, field] of Object.entries(extensions)) {
    if (json[keyword] !== undefined) schema[field] = json[keyword];
  }
  if (json['x-kubernetes-map-type'] === 'atomic') schema.atomicMap = true;
  if (typeof json.properties === 'object' && json.properties !== null) {
    schema.properties = mapValues(json.properties as Json, nested);
  }
  if (json.items !== undefined) schema.items = nested(json.items);
  if (typeof json.additionalProperties === 'object') {
    schema.additionalProperties = nested(json.additionalProperties);
  } else if (json.additionalProperties === true) schema.preserveUnknownFields = true;
  for (const keyword of ['oneOf', 'anyOf', 'allOf']) {
    if (Array.isArray(json[keyword])) schema[keyword] = json[keyword].map(nested);
  }
  if (schema.intOrString) {
    delete schema.anyOf;
    delete schema.type;
  }
  if (json.type === 'array' && !schema.listType) schema.listType = 'atomic';
  return schema as Schema;
}

const copiedKeywords = [
  'type',
  'format',
  'description',
  'required',
  'nullable',
  'default',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
] as const;

const extensions: Readonly<Record<string, string>> = {
  'x-kubernetes-int-or-string': 'intOrString',
  'x-kubernetes-preserve-unknown-fields': 'preserveUnknownFields',
  'x-kubernetes-embedded-resource': 'embeddedResource',
  'x-kubernetes-list-type': 'listType',
  'x-kubernetes-list-map-keys': 'listMapKeys',
};

function mapValues(record: Json, change: (value: unknown) => Schema): Record<string, Schema> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
