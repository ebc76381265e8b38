/** JSON patches (RFC 6902), with the habits of the library kustomize uses (evanphx/json-patch v4). */

import { nearestName } from '../../diagnostics/index.ts';
import {
  cloneNode,
  effectiveScalar,
  entryOf,
  fieldOf,
  isNullNode,
  type MapEntry,
  type MapNode,
  mapEntry,
  oldKeyText,
  resolveOldType,
  type SequenceNode,
  scalarNode,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { adviseOnPointer, adviseOnStep, reportSuspicious } from '../diagnose/json-patch.ts';
import { floatStyle } from '../json-style.ts';
import { diagnosticAt, refuse } from '../problem.ts';
import type { Resource } from '../resource.ts';
import { follow, indexOf, pointerTo, stepsOf } from './json-pointer.ts';
import { markTouched, touchesOf } from './set-value.ts';

export interface Operation {
  readonly op: string;
  /** Undefined when the operation has none. */
  readonly path: string | undefined;
  readonly from: string | undefined;
  readonly value: YamlNode | undefined;
  readonly node: MapNode;
}

export type JsonPatch = readonly Operation[];

/** Reads the operations; they are JSON made of YAML 1.1. Throws `KustomizeProblem`. */
export function readJsonPatch(root: SequenceNode): JsonPatch {
  return root.items.map((item) => {
    if (item.kind !== 'map') refuse('SL1010', 'an operation of a JSON patch is a map with op and path', item);
    const value = fieldOf(item, 'value');
    if (value) readAsOld(value);
    return {
      op: textOf(fieldOf(item, 'op')),
      path: optionalText(item, 'path'),
      from: optionalText(item, 'from'),
      value,
      node: item,
    };
  });
}

function optionalText(item: MapNode, field: string): string | undefined {
  const node = fieldOf(item, field);
  return node && textOf(node);
}

/** `yes` and `on` are booleans in YAML 1.1, keys too; JSON makes texts of all keys. Nothing in braces is null from the start. */
function readAsOld(node: YamlNode): void {
  if (node.kind === 'map') {
    node.entries = node.entries.map((entry) => withOldKey(entry));
    for (const { value } of node.entries) readAsOld(value);
  } else if (node.kind === 'sequence') for (const item of node.items) readAsOld(item);
  else if (isNullNode(node)) node.style = 'plain';
  else if (node.style === 'plain' && node.tag === '!!str' && resolveOldType(node.text) === 'boolean') {
    node.text = /^(?:y|yes|on)$/i.test(node.text) ? 'true' : 'false';
    node.tag = '!!bool';
  }
}

function withOldKey(entry: MapEntry): MapEntry {
  const name = oldKeyText(entry.key);
  if (name === entry.name && (entry.hasPlainKey || entry.key.style !== 'plain')) return entry;
  if (name === undefined)
    refuse('SL1010', 'a key in a JSON patch is null', entry.key, { hint: 'Put it in quotes.' });
  return mapEntry(scalarNode(name, '!!str', entry), entry.value);
}

/** The object after the patch; its numbers have been through JSON. Throws `KustomizeProblem`. */
export function applyJsonPatch(resource: Resource, patch: JsonPatch, build: Build): MapNode {
  const object = resource.describe();
  const root = resource.node;
  for (const operation of patch) {
    reportSuspicious(root, operation, resource, build);
    try {
      apply(root, operation, build);
    } catch (error) {
      if (!(error instanceof PatchFailure)) throw error;
      const { op, path, node } = operation;
      const message = `${op || 'the operation'} ${path ?? ''} does not apply: ${error.message}`;
      refuse('SL1010', message, fieldOf(node, error.field) ?? node, { object, hint: error.hint });
    }
  }
  // A copy, for after JSON no node is shared any more: labels and selectors that were set together go their own ways.
  return floatStyle(cloneNode(root), (scalar, after) => {
    const message = `${scalar.text} becomes ${after}: in an object with a JSON patch numbers are 64-bit floats`;
    build.diagnostics.push(
      diagnosticAt('warning', 'SL1112', message, scalar, {
        object,
        hint: 'Put the number in quotes if it may be a string, or patch with a strategic merge.',
      }),
    );
  });
}

class PatchFailure extends Error {
  readonly hint: string | undefined;
  /** The field of the operation that is to blame. */
  field: 'path' | 'from' | 'op' = 'path';

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

function apply(root: MapNode, operation: Operation, build: Build): void {
  const { op, path, node } = operation;
  if (path === undefined) throw new PatchFailure('it has no path');
  const newValue = (): YamlNode => {
    const value = operation.value ? cloneNode<YamlNode>(operation.value) : scalarNode('null', '!!null', node);
    if (build.explains) markTouched(value, 'patches');
    return value;
  };
  switch (op) {
    case 'add':
      add(root, path, newValue());
      break;
    case 'remove':
      remove(root, path);
      break;
    case 'replace':
      replace(root, path, newValue(), build);
      break;
    case 'move':
      add(root, path, atFrom(operation, root, remove));
      break;
    case 'copy':
      add(root, path, atFrom(operation, root, copyOf));
      break;
    case 'test':
      test(root, operation);
      break;
    default:
      throw unknownOperation(op);
  }
}

function unknownOperation(op: string): PatchFailure {
  const nearest = nearestName(op, ['add', 'remove', 'replace', 'move', 'copy', 'test']);
  const failure = new PatchFailure(
    op === '' ? 'it has no op' : `${op} is no operation of JSON patch`,
    nearest && `Did you mean ${nearest}?`,
  );
  failure.field = 'op';
  return failure;
}

function atFrom(
  { from }: Operation,
  root: MapNode,
  take: (root: MapNode, pointer: string) => YamlNode,
): YamlNode {
  try {
    if (from === undefined) throw new PatchFailure('it has no from');
    return take(root, from);
  } catch (error) {
    if (error instanceof PatchFailure) error.field = 'from';
    throw error;
  }
}

/** The library copies null where a map has no such field. */
function copyOf(root: MapNode, from: string): YamlNode {
  const [parent, key] = parentOf(root, from);
  if (parent.kind === 'map' && !entryOf(parent, key)) return scalarNode('null', '!!null', parent);
  return cloneNode<YamlNode>(lookUp(root, from));
}

type Container = MapNode | SequenceNode;

function parentOf(root: MapNode, pointer: string): [parent: Container, key: string] {
  const steps = stepsOf(pointer);
  if (steps.length === 0) throw new PatchFailure(`${pointer || 'the empty path'} is no path`);
  const { last, found } = follow(root, steps.slice(0, -1));
  if (found < steps.length - 1 || last.kind === 'scalar') throw nothingAt(root, pointer);
  return [last, steps.at(-1) ?? ''];
}

/** Says how far the path leads, and what is there. */
function nothingAt(root: MapNode, pointer: string): PatchFailure {
  const steps = stepsOf(pointer);
  const { found } = follow(root, steps);
  const place = found + 1 < steps.length ? pointerTo(steps.slice(0, found + 1)) : pointer;
  return new PatchFailure(`there is nothing at ${place}`, adviseOnPointer(root, pointer));
}

function existingIndex(list: SequenceNode, step: string): number {
  const index = indexOf(list, step);
  if (index < 0 || index >= list.items.length) {
    throw new PatchFailure(
      `the list has ${list.items.length} items and no item ${step}`,
      adviseOnStep(list, step, []),
    );
  }
  return index;
}

function add(root: MapNode, pointer: string, value: YamlNode): void {
  const [parent, key] = parentOf(root, pointer);
  if (parent.kind === 'map') {
    const entry = entryOf(parent, key);
    if (entry) entry.value = value;
    else parent.entries.push(mapEntry(scalarNode(key, '!!str', value), value));
    return;
  }
  if (key === '-') {
    parent.items.push(value);
    return;
  }
  if (!/^-?[0-9]+$/.test(key)) throw new PatchFailure(`${key} is no index of a list`);
  const index = Number(key) < 0 ? Number(key) + parent.items.length + 1 : Number(key);
  if (index < 0 || index > parent.items.length) {
    throw new PatchFailure(`the list has ${parent.items.length} items, ${key} is beyond them`);
  }
  parent.items.splice(index, 0, value);
}

function remove(root: MapNode, pointer: string): YamlNode {
  const [parent, key] = parentOf(root, pointer);
  if (parent.kind === 'sequence') {
    const [removed] = parent.items.splice(existingIndex(parent, key), 1);
    if (removed) return removed;
  } else {
    const index = parent.entries.findIndex((entry) => entry.name === key);
    const [removed] = index < 0 ? [] : parent.entries.splice(index, 1);
    if (removed) return removed.value;
  }
  throw nothingAt(root, pointer);
}

function replace(root: MapNode, pointer: string, value: YamlNode, build: Build): void {
  if (pointer === '') {
    // The whole object; a value that is no map is passed over in silence.
    if (value.kind === 'map') root.entries = value.entries;
    return;
  }
  const [parent, key] = parentOf(root, pointer);
  if (parent.kind === 'map' && !entryOf(parent, key)) {
    // RFC 6902 makes this an error; the library does not.
    add(root, pointer, value);
    return;
  }
  const old = lookUp(root, pointer);
  if (build.explains && value.touches) value.touches = [...touchesOf(old), ...value.touches];
  if (parent.kind === 'sequence') parent.items[existingIndex(parent, key)] = value;
  else {
    const entry = entryOf(parent, key);
    if (entry) entry.value = value;
  }
}

function lookUp(root: MapNode, pointer: string): YamlNode {
  const [parent, key] = parentOf(root, pointer);
  const value = parent.kind === 'sequence' ? parent.items[existingIndex(parent, key)] : fieldOf(parent, key);
  if (!value) throw nothingAt(root, pointer);
  return value;
}

function test(root: MapNode, { path = '', value: wanted }: Operation): void {
  // The library crashes without one.
  if (!wanted) throw new PatchFailure('it has no value');
  let found: YamlNode | undefined;
  try {
    found = lookUp(root, path);
  } catch (error) {
    if (!(error instanceof PatchFailure) || !isNullNode(wanted)) throw error;
    return;
  }
  if (!isEqual(found, wanted)) throw new PatchFailure('the value there is another one');
}

function isEqual(one: YamlNode, other: YamlNode): boolean {
  if (one.kind === 'scalar' && other.kind === 'scalar') {
    const [left, right] = [effectiveScalar(one), effectiveScalar(other)];
    return left.text === right.text && (left.type === 'string') === (right.type === 'string');
  }
  if (one.kind === 'sequence' && other.kind === 'sequence') {
    return (
      one.items.length === other.items.length &&
      one.items.every((item, index) => isEqual(item, other.items[index]!))
    );
  }
  if (one.kind !== 'map' || other.kind !== 'map' || one.entries.length !== other.entries.length) return false;
  return one.entries.every(({ key, value }) => {
    const match = fieldOf(other, key.text);
    return match !== undefined && isEqual(value, match);
  });
}
