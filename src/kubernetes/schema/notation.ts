/**
 * Reads the tables in builtin/.
 *
 *     TypeName [object] [atomic] [| description]
 *       field[!] NUMBER TYPE [flag…] [| description]
 *
 * `object`: a kind of its own, with apiVersion and kind. `!`: required. NUMBER: the field's protobuf number. TYPE: a scalar,
 * a type of the same table or (with its group and version) of another, `[T]` a list, `{T}` a map from strings.
 * Flags: `merge[=key]`, `replace` and `retainKeys` (strategic merge), `map=key,…` and `set` (server-side apply; a merged list is a map by
 * its merge key, any other list one value), `atomic` (one value), `inline` (the type's fields stand in the holder).
 */

import { invariant } from './invariant.ts';
import type { Schema, WireField } from './schema.ts';

interface FieldRow {
  name: string;
  required: boolean;
  number: number;
  type: string;
  flags: string[];
  description: string;
}

interface TypeRow {
  name: string;
  flags: string[];
  description: string;
  fields: FieldRow[];
}

/** The types of one table, by name. */
function parseTable(text: string): TypeRow[] {
  const rows: TypeRow[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const bar = line.indexOf(' | ');
    const description = bar < 0 ? '' : line.slice(bar + 3);
    const words = (bar < 0 ? line : line.slice(0, bar)).trim().split(' ');
    if (!line.startsWith(' ')) {
      rows.push({ name: words[0] ?? '', flags: words.slice(1), description, fields: [] });
      continue;
    }
    const [name = '', number = '', type = '', ...flags] = words;
    rows.at(-1)?.fields.push({
      name: name.replace(/!$/, ''),
      required: name.endsWith('!'),
      number: Number(number),
      type,
      flags,
      description,
    });
  }
  return rows;
}

const scalars: Readonly<Record<string, Schema>> = {
  string: { type: 'string', wire: { kind: 'string' } },
  int32: { type: 'integer', format: 'int32', wire: { kind: 'varint' } },
  int64: { type: 'integer', format: 'int64', wire: { kind: 'varint' } },
  double: { type: 'number', format: 'double', wire: { kind: 'double' } },
  bool: { type: 'boolean', wire: { kind: 'bool' } },
  bytes: { type: 'string', format: 'byte', wire: { kind: 'bytes' } },
  time: {
    typeName: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
    type: 'string',
    format: 'date-time',
    wire: { kind: 'time' },
  },
  microTime: {
    typeName: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
    type: 'string',
    format: 'date-time',
    wire: { kind: 'time' },
  },
  quantity: {
    typeName: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    type: 'string',
    format: 'quantity',
    wire: { kind: 'quantity' },
  },
  intOrString: {
    typeName: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    type: 'string',
    format: 'int-or-string',
    intOrString: true,
    wire: { kind: 'intOrString' },
  },
  any: { type: 'object', preserveUnknownFields: true, atomicMap: true, wire: { kind: 'raw' } },
};

const typeMeta: Readonly<Record<string, Schema>> = {
  apiVersion: {
    type: 'string',
    description: 'The group and version of the API that this object is written for.',
    wire: { kind: 'string' },
  },
  kind: { type: 'string', description: 'What sort of object this is.', wire: { kind: 'string' } },
};

/** Builds schemas out of tables, each type once. */
export class TypeTables {
  readonly #rows = new Map<string, TypeRow>();
  readonly #built = new Map<string, Schema>();

  /** `tables`: the text of a table by its group and version, as `core.v1`. */
  constructor(tables: Readonly<Record<string, string>>) {
    for (const [group, text] of Object.entries(tables)) {
      for (const row of parseTable(text)) this.#rows.set(`${group}.${row.name}`, row);
    }
  }

  /** The schema of `core.v1.Pod`; undefined where no table has it. */
  find(name: string): Schema | undefined {
    return this.#rows.has(name) ? this.#type(name) : undefined;
  }

  #type(name: string): Schema {
    const known = this.#built.get(name);
    if (known) return known;
    const row = this.#rows.get(name);
    invariant(row, `the type tables name ${name} and do not have it`);
    const schema = this.#build(name, row);
    this.#built.set(name, schema);
    return schema;
  }

  #build(name: string, row: TypeRow): Schema {
    const group = name.slice(0, name.lastIndexOf('.'));
    const properties: Record<string, Schema> = row.flags.includes('object') ? { ...typeMeta } : {};
    const required: string[] = [];
    const wireFields = new Map<number, WireField>();
    for (const field of row.fields) {
      const schema = this.#field(group, field);
      const inline = field.flags.includes('inline');
      wireFields.set(field.number, { name: field.name, inline, schema });
      if (inline) {
        Object.assign(properties, schema.properties);
        required.push(...(schema.required ?? []));
        continue;
      }
      properties[field.name] = schema;
      if (field.required) required.push(field.name);
    }
    return {
      typeName: publishedName(name),
      type: 'object',
      ...(row.description && { description: row.description }),
      properties,
      ...(required.length > 0 && { required }),
      ...(row.flags.includes('atomic') && { atomicMap: true }),
      wire: { kind: 'message' },
      wireFields,
    };
  }

  #field(group: string, field: FieldRow): Schema {
    const base = this.#typed(group, field.type);
    const flag = (name: string) => field.flags.find((entry) => entry.split('=')[0] === name);
    const mergeKey = flag('merge')?.split('=')[1];
    const keys = flag('map')?.slice('map='.length).split(',') ?? (mergeKey ? [mergeKey] : undefined);
    const isList = base.type === 'array';
    return {
      ...base,
      ...(base.typeName && base.description && { typeDescription: base.description }),
      ...(field.description && { description: field.description }),
      ...(isList && keys && { listType: 'map' as const, listMapKeys: keys }),
      ...(isList && !keys && { listType: flag('set') || flag('merge') ? 'set' : 'atomic' }),
      ...(isList && flag('merge') && { mergesLists: true }),
      ...(isList && mergeKey && { patchMergeKey: mergeKey }),
      ...(flag('retainKeys') && { retainsKeys: true }),
      ...(flag('replace') && { replacesWhole: true }),
      ...(flag('atomic') && { atomicMap: true }),
    };
  }

  #typed(group: string, type: string): Schema {
    if (type.startsWith('[')) return { type: 'array', items: this.#typed(group, type.slice(1, -1)) };
    if (type.startsWith('{')) {
      const values = this.#typed(group, type.slice(1, -1));
      return { type: 'object', additionalProperties: values, wire: { kind: 'map' } };
    }
    if (type.endsWith('.ExtraValue')) {
      return { type: 'array', items: scalars.string ?? {}, listType: 'atomic', wire: { kind: 'strings' } };
    }
    return scalars[type] ?? this.#type(type.includes('.') ? type : `${group}.${type}`);
  }
}

/** `io.k8s.api.core.v1.Pod` for `core.v1.Pod`, as Kubernetes' OpenAPI documents name it. */
export function publishedName(name: string): string {
  if (name.startsWith('apiextensions.')) return `io.k8s.apiextensions-apiserver.pkg.apis.${name}`;
  return name.startsWith('meta.') ? `io.k8s.apimachinery.pkg.apis.${name}` : `io.k8s.api.${name}`;
}
