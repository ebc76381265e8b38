/** Merge keys from a file of `openapi: {path: …}`, which takes the place of everything kustomize knows about kinds. */

import { fieldOf, type MapNode, textOf, type YamlNode } from '../../yaml/index.ts';
import type { Schema, SchemaLookup } from './merge-schema.ts';

/** Reads the definitions of an OpenAPI document. */
export function schemasOf(document: YamlNode | undefined): SchemaLookup {
  const definitions = fieldOf(document, 'definitions');
  const byType = new Map<string, Schema>();
  if (definitions?.kind !== 'map') return () => undefined;
  const reader = new DefinitionReader(definitions);
  for (const { key, value } of definitions.entries) {
    const types = fieldOf(value, 'x-kubernetes-group-version-kind');
    for (const type of types?.kind === 'sequence' ? types.items : []) {
      const [group, version, kind] = ['group', 'version', 'kind'].map((field) =>
        textOf(fieldOf(type, field)),
      );
      const schema = reader.named(key.text);
      if (schema) byType.set(`${group ? `${group}/` : ''}${version}|${kind}`, schema);
    }
  }
  return (apiVersion, kind) => byType.get(`${apiVersion}|${kind}`);
}

interface MutableSchema {
  mergeKeys?: readonly string[];
  items?: Schema;
  fields?: Record<string, Schema>;
}

/** Definitions refer to each other, and to themselves: each is made once, before what is in it. */
class DefinitionReader {
  readonly #definitions: MapNode;
  readonly #made = new Map<string, MutableSchema>();

  constructor(definitions: MapNode) {
    this.#definitions = definitions;
  }

  named(name: string): Schema | undefined {
    const known = this.#made.get(name);
    if (known) return known;
    const definition = fieldOf(this.#definitions, name);
    if (!definition) return undefined;
    const schema: MutableSchema = {};
    this.#made.set(name, schema);
    this.#fill(schema, definition);
    return schema;
  }

  #fill(schema: MutableSchema, node: YamlNode): void {
    const properties = fieldOf(node, 'properties');
    if (properties?.kind === 'map') {
      schema.fields = {};
      for (const { key, value } of properties.entries) schema.fields[key.text] = this.#read(value);
    }
    const items = fieldOf(node, 'items');
    if (items) schema.items = this.#read(items);
    const strategy = textOf(fieldOf(node, 'x-kubernetes-patch-strategy'));
    if (!strategy.includes('merge')) return;
    const keys = fieldOf(node, 'x-kubernetes-list-map-keys');
    const key = textOf(fieldOf(node, 'x-kubernetes-patch-merge-key'));
    if (keys?.kind === 'sequence') schema.mergeKeys = keys.items.map(textOf);
    else schema.mergeKeys = key ? [key] : [];
  }

  #read(node: YamlNode): Schema {
    const reference = textOf(fieldOf(node, '$ref')).replace(/^#\/definitions\//, '');
    const named = reference ? this.named(reference) : undefined;
    if (named) return named;
    const schema: MutableSchema = {};
    this.#fill(schema, node);
    return schema;
  }
}
