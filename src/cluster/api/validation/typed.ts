/** Reading JSON into the shape of a built-in kind, as the API server's decoder does. */

import { isObject, type JsonObject, type Schema } from '../../../kubernetes/index.ts';

/** The JSON does not fit the type; worded as Go's decoder words it. */
export class TypeMismatch extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TypeMismatch';
  }
}

export interface Typed {
  /** A copy without unknown fields and nulls. */
  readonly value: unknown;
  /** Paths of the fields left out, as `spec.containers[0].imag`. */
  readonly unknownFields: string[];
}

/** Throws `TypeMismatch`. */
export function decodeTyped(value: unknown, schema: Schema): Typed {
  const decoder = new Decoder();
  return { value: decoder.decode(value, schema, rootPlace), unknownFields: decoder.unknownFields };
}

interface Place {
  /** `spec.containers[0].image` */
  readonly path: string;
  /** `spec.containers.image`, as Go's decoder names it. */
  readonly plainPath: string;
  readonly struct: string;
}

const rootPlace: Place = { path: '', plainPath: '', struct: '' };

class Decoder {
  readonly unknownFields: string[] = [];

  decode(value: unknown, schema: Schema, place: Place): unknown {
    if (value === null) return undefined;
    if (schema.intOrString || schema.format === 'quantity') return this.#scalarOrString(value, schema, place);
    switch (schema.type) {
      case 'object':
        return this.#object(value, schema, place);
      case 'array':
        return this.#list(value, schema, place);
      case 'string':
        return this.#string(value, schema, place);
      case 'boolean':
        if (typeof value !== 'boolean') throw mismatch(value, 'bool', place);
        return value;
      case 'integer':
      case 'number':
        return this.#number(value, schema, place);
      default:
        return value;
    }
  }

  #object(value: unknown, schema: Schema, place: Place): unknown {
    if (schema.preserveUnknownFields) return value;
    if (!isObject(value)) throw mismatch(value, goType(schema), place);
    const struct = schema.typeName?.split('.').at(-1) ?? '';
    const result: JsonObject = {};
    for (const [field, member] of Object.entries(value)) {
      const declared =
        schema.properties && Object.hasOwn(schema.properties, field) && schema.properties[field];
      const memberSchema = declared || schema.additionalProperties;
      const path = place.path ? `${place.path}.${field}` : field;
      if (!memberSchema) {
        this.unknownFields.push(path);
        continue;
      }
      // Go names the map, not its key.
      const ownPath = place.plainPath ? `${place.plainPath}.${field}` : field;
      const plainPath = declared ? ownPath : place.plainPath;
      const decoded = this.decode(member, memberSchema, { path, plainPath, struct: struct || place.struct });
      if (decoded !== undefined) define(result, field, decoded);
      else if (schema.additionalProperties && memberSchema.type === 'string') define(result, field, '');
    }
    return result;
  }

  #list(value: unknown, schema: Schema, place: Place): unknown {
    if (!Array.isArray(value)) throw mismatch(value, goType(schema), place);
    const items = schema.items ?? {};
    return value.map((item, index) => {
      const decoded = this.decode(item, items, { ...place, path: `${place.path}[${index}]` });
      return decoded ?? (items.type === 'object' ? {} : items.type === 'string' ? '' : 0);
    });
  }

  #string(value: unknown, schema: Schema, place: Place): unknown {
    if (typeof value !== 'string')
      throw mismatch(value, schema.format === 'byte' ? '[]uint8' : 'string', place);
    if (schema.format === 'byte') {
      const illegal = value.search(/[^A-Za-z0-9+/=\r\n]/);
      if (illegal >= 0) throw new TypeMismatch(`illegal base64 data at input byte ${illegal}`);
    }
    if (schema.format === 'date-time' && Number.isNaN(Date.parse(value))) {
      const quoted = JSON.stringify(value);
      throw new TypeMismatch(
        `parsing time ${quoted} as "2006-01-02T15:04:05Z07:00": cannot parse ${quoted} as "2006"`,
      );
    }
    return value;
  }

  #number(value: unknown, schema: Schema, place: Place): unknown {
    const type = schema.type === 'number' ? 'float64' : (schema.format ?? 'int64');
    if (typeof value !== 'number') throw mismatch(value, type, place);
    const fits = schema.type === 'number' || (Number.isInteger(value) && inRange(value, type));
    if (!fits) throw mismatch(value, type, place, `number ${value}`);
    return value;
  }

  #scalarOrString(value: unknown, schema: Schema, place: Place): unknown {
    if (schema.intOrString) {
      if (typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value))) return value;
      throw mismatch(value, typeof value === 'number' ? 'int32' : 'string', place);
    }
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text === 'string' && quantityPattern.test(text)) return text;
    throw new TypeMismatch(`quantities must match the regular expression '${quantityRule}'`);
  }
}

const quantityRule = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$';
const quantityPattern = new RegExp(quantityRule);

function inRange(value: number, type: string): boolean {
  return type !== 'int32' || (value >= -(2 ** 31) && value < 2 ** 31);
}

function define(object: JsonObject, field: string, value: unknown): void {
  if (field === '__proto__') {
    Object.defineProperty(object, field, { value, enumerable: true, configurable: true, writable: true });
  } else object[field] = value;
}

function mismatch(
  value: unknown,
  type: string,
  { struct, plainPath }: Place,
  what = jsonType(value),
): TypeMismatch {
  const where = plainPath ? `Go struct field ${struct}.${plainPath}` : 'Go value';
  return new TypeMismatch(`json: cannot unmarshal ${what} into ${where} of type ${type}`);
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** `v1.PodSpec`, `[]v1.Container`, `map[string]string`. */
function goType(schema: Schema): string {
  if (schema.type === 'array') return `[]${goType(schema.items ?? {})}`;
  if (schema.additionalProperties) return `map[string]${goType(schema.additionalProperties)}`;
  if (schema.typeName && schema.type === 'object') return `v1.${schema.typeName.split('.').at(-1)}`;
  if (schema.format === 'quantity') return 'resource.Quantity';
  if (schema.type === 'boolean') return 'bool';
  return schema.type === 'integer' ? (schema.format ?? 'int64') : (schema.type ?? 'interface {}');
}
