/** Validation of custom resources, worded as the API server words it. */

import { type ApiErrorCause, isObject, type Schema } from '../../../kubernetes/index.ts';

/** More are not looked for. */
const maxCauses = 100;

export function validateBySchema(value: unknown, schema: Schema): ApiErrorCause[] {
  const validator = new Validator();
  validator.check(value, schema, '');
  return validator.causes.slice(0, maxCauses);
}

class Validator {
  readonly causes: ApiErrorCause[] = [];

  check(value: unknown, schema: Schema, path: string): void {
    if (this.causes.length > maxCauses) return;
    if (value === null && schema.nullable) return;
    if (!this.#typeFits(value, schema, path)) return;
    if (schema.enum && !schema.enum.includes(value)) {
      const supported = schema.enum.map((item) => JSON.stringify(item)).join(', ');
      this.#add(
        'FieldValueNotSupported',
        path,
        `Unsupported value: ${quote(value)}: supported values: ${supported}`,
      );
    }
    if (typeof value === 'number') this.#checkNumber(value, schema, path);
    if (typeof value === 'string') this.#checkString(value, schema, path);
    if (Array.isArray(value)) this.#checkList(value, schema, path);
    else if (isObject(value)) this.#checkObject(value, schema, path);
  }

  #add(reason: string, field: string, message: string): void {
    this.causes.push({ reason, message, field: field || '<nil>' });
  }

  #invalid(path: string, value: unknown, rule: string): void {
    this.#add('FieldValueInvalid', path, `Invalid value: ${quote(value)}: ${path} in body ${rule}`);
  }

  #typeFits(value: unknown, schema: Schema, path: string): boolean {
    const found = typeName(value);
    if (schema.intOrString) {
      if (found === 'integer' || found === 'string') return true;
      this.#wrongType(path, found, 'integer,string');
      return false;
    }
    if (schema.type === undefined || schema.type === found) return true;
    if (schema.type === 'number' && found === 'integer') return true;
    this.#wrongType(path, found, schema.type);
    return false;
  }

  #wrongType(path: string, found: string, wanted: string): void {
    const message = `Invalid value: "${found}": ${path} in body must be of type ${wanted}: "${found}"`;
    this.#add('FieldValueTypeInvalid', path, message);
  }

  #checkNumber(value: number, schema: Schema, path: string): void {
    const { minimum, maximum } = schema;
    if (minimum !== undefined && (value < minimum || (schema.exclusiveMinimum && value === minimum))) {
      const than = schema.exclusiveMinimum ? 'greater than' : 'greater than or equal to';
      this.#invalid(path, value, `should be ${than} ${minimum}`);
    }
    if (maximum !== undefined && (value > maximum || (schema.exclusiveMaximum && value === maximum))) {
      const than = schema.exclusiveMaximum ? 'less than' : 'less than or equal to';
      this.#invalid(path, value, `should be ${than} ${maximum}`);
    }
  }

  #checkString(value: string, { minLength, maxLength, pattern }: Schema, path: string): void {
    if (minLength !== undefined && value.length < minLength) {
      this.#invalid(path, value, `should be at least ${minLength} chars long`);
    }
    if (maxLength !== undefined && value.length > maxLength) {
      this.#add('FieldValueTooLong', path, `Too long: may not be more than ${maxLength} bytes`);
    }
    if (pattern !== undefined && !matches(pattern, value)) {
      this.#invalid(path, value, `should match '${pattern}'`);
    }
  }

  #checkList(value: unknown[], schema: Schema, path: string): void {
    const { minItems, maxItems } = schema;
    if (minItems !== undefined && value.length < minItems) {
      this.#invalid(path, value.length, `should have at least ${minItems} items`);
    }
    if (maxItems !== undefined && value.length > maxItems) {
      this.#add('FieldValueTooMany', path, `Too many: ${value.length}: must have at most ${maxItems} items`);
    }
    for (const [index, item] of value.entries()) this.check(item, schema.items ?? {}, `${path}[${index}]`);
    this.#checkListKeys(value, schema, path);
  }

  #checkListKeys(value: unknown[], { listType, listMapKeys = [] }: Schema, path: string): void {
    if (listType !== 'set' && listType !== 'map') return;
    const seen = new Set<string>();
    for (const [index, item] of value.entries()) {
      const keys = listType === 'set' ? item : isObject(item) ? pick(item, listMapKeys) : undefined;
      const key = JSON.stringify(keys);
      if (seen.has(key)) {
        this.#add('FieldValueDuplicate', `${path}[${index}]`, `Duplicate value: ${quote(keys)}`);
      }
      seen.add(key);
    }
  }

  #checkObject(value: Record<string, unknown>, schema: Schema, path: string): void {
    const at = (field: string) => (path ? `${path}.${field}` : field);
    for (const field of schema.required ?? []) {
      if (!Object.hasOwn(value, field)) this.#add('FieldValueRequired', at(field), 'Required value');
    }
    for (const [field, member] of Object.entries(value)) {
      const declared =
        schema.properties && Object.hasOwn(schema.properties, field) && schema.properties[field];
      const memberSchema = declared || schema.additionalProperties;
      if (memberSchema) this.check(member, memberSchema, at(field));
    }
  }
}

const pick = (object: Record<string, unknown>, keys: readonly string[]) =>
  Object.fromEntries(keys.map((key) => [key, object[key]]));

const quote = (value: unknown) => JSON.stringify(value);

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

const compiled = new Map<string, RegExp | undefined>();
const maxCompiled = 1_000;

/** A pattern that JavaScript cannot read, or that could take for ever, matches everything. */
function matches(pattern: string, value: string): boolean {
  if (!compiled.has(pattern)) {
    if (compiled.size >= maxCompiled) compiled.clear();
    compiled.set(pattern, compile(pattern));
  }
  return compiled.get(pattern)?.test(value) ?? true;
}

function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}
