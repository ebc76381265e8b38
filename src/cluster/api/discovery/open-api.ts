/**
 * OpenAPI v3, one document a group and version: the schemas with their descriptions for `kubectl explain`, and the
 * operations that tell kubectl that the server validates fields itself and how its patches merge.
 */

import { createHash } from 'node:crypto';
import type { Schema } from '../../../kubernetes/index.ts';
import type { ServedType } from '../types/served-type.ts';
import type { TypeCatalog } from '../types/type-catalog.ts';

type Json = Record<string, unknown>;

/** The documents' texts, made anew when the list of types has changed. */
export class OpenApiDocuments {
  readonly #catalog: TypeCatalog;
  #generation = -1;
  #texts = new Map<string, string>();

  constructor(catalog: TypeCatalog) {
    this.#catalog = catalog;
  }

  /** The text at `/openapi/v3` or `/openapi/v3/apis/apps/v1`; undefined where there is none. */
  document(path: string): string | undefined {
    if (this.#generation !== this.#catalog.generation) {
      this.#generation = this.#catalog.generation;
      this.#texts = openApiTexts(this.#catalog.list());
    }
    return this.#texts.get(path);
  }
}

function openApiTexts(types: readonly ServedType[]): Map<string, string> {
  const texts = new Map<string, string>();
  const paths: Json = {};
  for (const key of new Set(types.map(documentKey))) {
    const text = openApiDocument(types, key) ?? '';
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 32);
    texts.set(`/openapi/v3/${key}`, text);
    paths[key] = { serverRelativeURL: `/openapi/v3/${key}?hash=${hash}` };
  }
  return texts.set('/openapi/v3', JSON.stringify({ paths }));
}

function documentKey({ type }: ServedType): string {
  return type.group ? `apis/${type.group}/${type.version}` : `api/${type.version}`;
}

/** The text of the document for `apis/apps/v1`; undefined where nothing is served under it. */
function openApiDocument(types: readonly ServedType[], key: string): string | undefined {
  const own = types.filter((served) => documentKey(served) === key);
  if (own.length === 0) return undefined;
  const schemas: Json = {};
  const paths: Json = {};
  for (const served of own) {
    const name = schemaName(served);
    const writer = new SchemaWriter(schemas);
    const root = writer.write({ ...served.schema, type: 'object' });
    schemas[name] = { ...root, 'x-kubernetes-group-version-kind': [kindOf(served)] };
    Object.assign(paths, operations(served, key, name));
  }
  const info = { title: 'Kubernetes', version: 'v1.32.0' };
  return JSON.stringify({ openapi: '3.0.0', info, paths, components: { schemas } });
}

const kindOf = ({ type: { group, version, kind } }: ServedType) => ({ group, version, kind });

function schemaName({ type, schema }: ServedType): string {
  const reversed = type.group.split('.').toReversed().join('.');
  return schema?.typeName ?? `${reversed}.${type.version}.${type.kind}`;
}

const patchTypes = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

function operations(served: ServedType, key: string, name: string): Json {
  const { type } = served;
  const gvk = { 'x-kubernetes-group-version-kind': kindOf(served) };
  const answer = {
    responses: {
      200: {
        description: 'OK',
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
      },
    },
  };
  const validated = ['dryRun', 'fieldManager', 'fieldValidation'].map((parameter) => ({
    name: parameter,
    in: 'query',
    schema: { type: 'string', uniqueItems: true },
  }));
  const operation = (action: string, more: Json = {}) => ({
    ...answer,
    'x-kubernetes-action': action,
    ...gvk,
    ...more,
  });
  const patches = served.isCustom ? patchTypes.slice(0, 3) : patchTypes;
  const patchBody = {
    requestBody: {
      content: Object.fromEntries(
        patches.map((mediaType) => [
          mediaType,
          { schema: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.Patch' } },
        ]),
      ),
    },
  };
  const collection = `/${key}/${type.namespaced ? 'namespaces/{namespace}/' : ''}${type.plural}`;
  return {
    [collection]: { get: operation('list'), post: operation('post', { parameters: validated }) },
    [`${collection}/{name}`]: {
      get: operation('get'),
      put: operation('put', { parameters: validated }),
      patch: operation('patch', { parameters: validated, ...patchBody }),
      delete: operation('delete'),
    },
  };
}

/** Writes shared types once, and refers to them. */
class SchemaWriter {
  readonly #schemas: Json;

  constructor(schemas: Json) {
    this.#schemas = schemas;
  }

  write(schema: Schema): Json {
    return {
      ...(schema.description && { description: schema.description }),
      ...this.#shape(schema),
      ...extensions(schema),
    };
  }

  #shape(schema: Schema): Json {
    if (schema.intOrString) {
      return { 'x-kubernetes-int-or-string': true, oneOf: [{ type: 'integer' }, { type: 'string' }] };
    }
    const { type, format, items, additionalProperties, properties, required } = schema;
    return {
      ...(type && { type }),
      ...(format && format !== 'quantity' && { format }),
      ...Object.fromEntries(
        copied.flatMap((word) => (schema[word] === undefined ? [] : [[word, schema[word]]])),
      ),
      ...(items && { items: this.#member(items) }),
      ...(additionalProperties && { additionalProperties: this.#member(additionalProperties) }),
      ...(properties && {
        properties: Object.fromEntries(
          Object.entries(properties).map(([field, member]) => [field, this.#member(member)]),
        ),
      }),
      ...(required && required.length > 0 && { required }),
    };
  }

  #member(schema: Schema): Json {
    const { typeName, description } = schema;
    if (!typeName) return this.write(schema);
    if (!this.#schemas[typeName]) {
      this.#schemas[typeName] = {};
      this.#schemas[typeName] = this.write(withoutUse(schema));
    }
    return {
      ...(description && { description }),
      allOf: [{ $ref: `#/components/schemas/${typeName}` }],
      ...extensions({ ...schema, atomicMap: false }),
    };
  }
}

const copied = [
  'nullable',
  'default',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
] as const;

/** The type itself, without what one of its uses says. */
function withoutUse(schema: Schema): Schema {
  const {
    mergesLists: _merges,
    patchMergeKey: _key,
    retainsKeys: _keys,
    replacesWhole: _whole,
    ...type
  } = schema;
  const { description: _use, typeDescription, ...plain } = type;
  return { ...plain, ...(typeDescription && { description: typeDescription }) };
}

function extensions(schema: Schema): Json {
  const strategies = [
    ...(schema.mergesLists ? ['merge'] : []),
    ...(schema.replacesWhole ? ['replace'] : []),
    ...(schema.retainsKeys ? ['retainKeys'] : []),
  ];
  return {
    ...(schema.type === 'array' && schema.listType && { 'x-kubernetes-list-type': schema.listType }),
    ...(schema.listMapKeys && { 'x-kubernetes-list-map-keys': schema.listMapKeys }),
    ...(schema.atomicMap && { 'x-kubernetes-map-type': 'atomic' }),
    ...(strategies.length > 0 && { 'x-kubernetes-patch-strategy': strategies.join(',') }),
    ...(schema.patchMergeKey && { 'x-kubernetes-patch-merge-key': schema.patchMergeKey }),
    ...(schema.preserveUnknownFields && { 'x-kubernetes-preserve-unknown-fields': true }),
  };
}
