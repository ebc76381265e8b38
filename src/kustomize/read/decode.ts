/**
 * A kustomization file's nodes as typed values. kustomize reads it as JSON made by go-yaml v2: YAML 1.1 decides the types, a field
 * is found whatever its case, and of a field written twice the last one counts.
 */

import { nearestName } from '../../diagnostics/index.ts';
import {
  isNullNode,
  isOldTrue,
  type MapNode,
  mapNode,
  oldKeyText,
  parseInteger,
  resolveOldType,
  type ScalarNode,
  type YamlNode,
} from '../../yaml/index.ts';
import { refuse } from '../problem.ts';

/** Reads a value of one type; throws `KustomizeProblem`. `path` is for the message. */
export type Decoder<Value> = (node: YamlNode, path: string, notes: DecodeNotes) => Value;

/** What was odd without being an error. */
export interface DecodeNotes {
  duplicate(key: ScalarNode): void;
  otherCase(key: ScalarNode, field: string): void;
  /** Fields that are not known are passed over, at every depth: kustomize does so outside of kustomization files. */
  readonly ignoresUnknown?: boolean;
}

/** A value with the node it was read from. */
export interface Located<Value> {
  readonly value: Value;
  readonly node: YamlNode;
}

function wrongType(node: YamlNode, path: string, wanted: string): never {
  const found = node.kind === 'scalar' ? `${node.text} is not ${wanted}` : `a ${node.kind} is not ${wanted}`;
  const type = node.kind === 'scalar' ? resolveOldType(node.text) : '';
  const canBeQuoted = wanted === 'a string' && ['integer', 'float', 'boolean', 'timestamp'].includes(type);
  refuse('SL1004', `${path}: ${found}`, node, {
    hint: canBeQuoted && node.kind === 'scalar' ? `Put it in quotes: "${node.text}".` : undefined,
  });
}

export const string: Decoder<string> = (node, path) => {
  if (isNullValue(node)) return '';
  if (node.kind === 'scalar') {
    const type = scalarType(node);
    if (type === 'string' || type === 'merge') return node.text;
    // A date reaches the JSON as a string.
    if (type === 'timestamp') return node.text;
  }
  return wrongType(node, path, 'a string');
};

/** Whether YAML 1.1 takes the node for null. */
function isNullValue(node: YamlNode): boolean {
  return isNullNode(node) || (node.kind === 'scalar' && scalarType(node) === 'null');
}

function scalarType(node: ScalarNode): ReturnType<typeof resolveOldType> {
  if (node.style !== 'plain' || node.tag === '!!str') {
    return node.style !== 'plain' ? 'string' : resolvePlain(node);
  }
  return resolveOldType(node.text);
}

/** A plain text that YAML 1.2 takes for a string may be a boolean of YAML 1.1. */
function resolvePlain(node: ScalarNode): ReturnType<typeof resolveOldType> {
  return resolveOldType(node.text);
}

export const boolean: Decoder<boolean> = (node, path) => {
  if (isNullValue(node)) return false;
  if (node.kind !== 'scalar' || scalarType(node) !== 'boolean') return wrongType(node, path, 'true or false');
  return isOldTrue(node.text);
};

export const integer: Decoder<number> = (node, path) => {
  if (isNullValue(node)) return 0;
  const isNumber = node.kind === 'scalar' && scalarType(node) === 'integer';
  const value = isNumber ? parseInteger(node.text.replaceAll('_', '')) : undefined;
  return value === undefined ? wrongType(node, path, 'a whole number') : Number(value);
};

export function located<Value>(inner: Decoder<Value>): Decoder<Located<Value>> {
  return (node, path, notes) => ({ value: inner(node, path, notes), node });
}

export function list<Value>(item: Decoder<Value>): Decoder<Value[]> {
  return (node, path, notes) => {
    if (isNullValue(node)) return [];
    if (node.kind !== 'sequence') return wrongType(node, path, 'a list');
    return node.items.map((value, index) => item(value, `${path}[${index}]`, notes));
  };
}

export function mapOf<Value>(inner: Decoder<Value>): Decoder<Map<string, Value>> {
  return (node, path, notes) => {
    const values = new Map<string, Value>();
    if (isNullValue(node)) return values;
    if (node.kind !== 'map') return wrongType(node, path, 'a map');
    for (const { key, value } of node.entries) {
      const name = oldKeyText(key);
      if (name === undefined) refuse('SL1004', `${path}: a key is null`, key, { hint: 'Put it in quotes.' });
      if (values.has(name)) notes.duplicate(key);
      values.set(name, inner(value, `${path}.${name}`, notes));
    }
    return values;
  };
}

export type Fields = Readonly<Record<string, Decoder<unknown>>>;
export type Decoded<Shape extends Fields> = {
  readonly [Field in keyof Shape]?: ReturnType<Shape[Field]>;
} & { readonly node: MapNode };

/** A map whose fields are all known; another one is refused with the nearest name, or ignored where `lenient`. */
export function record<Shape extends Fields>(
  fields: Shape,
  what: string,
  lenient = false,
): Decoder<Decoded<Shape>> {
  const names = Object.keys(fields);
  const byLowerCase = new Map(names.map((name) => [name.toLowerCase(), name]));
  return (given, path, notes) => {
    // For Go's JSON an empty entry of a list is one without fields.
    const node = isNullValue(given) && path !== '' ? mapNode(given) : given;
    if (node.kind !== 'map') return wrongType(node, path || what, 'a map');
    const result: Record<string, unknown> = { node };
    for (const { key, value } of node.entries) {
      const name = Object.hasOwn(fields, key.text) ? key.text : byLowerCase.get(key.text.toLowerCase());
      if (name === undefined) {
        if (lenient || notes.ignoresUnknown) continue;
        return unknownField(key, names, what);
      }
      if (name !== key.text) notes.otherCase(key, name);
      if (Object.hasOwn(result, name)) notes.duplicate(key);
      if (isNullValue(value) && name !== 'node') delete result[name];
      else result[name] = fields[name]?.(value, path ? `${path}.${name}` : name, notes);
    }
    return result as Decoded<Shape>;
  };
}

function unknownField(key: ScalarNode, names: readonly string[], what: string): never {
  const nearest = nearestName(key.text, names);
  refuse('SL1003', `${what} has no field ${key.text}`, key, {
    hint: nearest ? `Did you mean ${nearest}?` : `The fields are ${names.join(', ')}.`,
  });
}

/** Anything; for parts that are read elsewhere or refused by name. */
export const anything: Decoder<YamlNode> = (node) => node;
