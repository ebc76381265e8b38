/** JSON patches (RFC 6902), with the habits of the library kustomize uses (evanphx/json-patch v4). */

import {
  cloneNode,
  effectiveScalar,
  entryOf,
  fieldOf,
  isNullNode,
  type MapNode,
  resolveOldType,
  type SequenceNode,
  scalarNode,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { floatStyle } from '../json-style.ts';
import { diagnosticAt, refuse } from '../problem.ts';
import type { Resource } from '../resource.ts';
import { markTouched, touchesOf } from './set-value.ts';

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from: string;
  readonly value: YamlNode | undefined;
  readonly node: YamlNode;
}

export type JsonPatch = readonly Operation[];

/** Reads the operations; they are JSON made of YAML 1.1. Throws `KustomizeProblem`. */
export function readJsonPatch(root: SequenceNode): JsonPatch {
  return root.items.map((item) => {
    if (item.kind !== 'map') refuse('SL1010', 'an operation of a JSON patch is a map with op and path', item);
    const value = fieldOf(item, 'value');
    if (value) oldBooleans(value);
    return {
      op: textOf(fieldOf(item, 'op')),
      path: textOf(fieldOf(item, 'path')),
      from: textOf(fieldOf(item, 'from')),
      value,
      node: item,
    };
  });
}

/** `yes` and `on` are booleans in YAML 1.1. */
function oldBooleans(node: YamlNode): void {
  if (node.kind === 'map') for (const { value } of node.entries) oldBooleans(value);
  else if (node.kind === 'sequence') for (const item of node.items) oldBooleans(item);
  else if (node.style === 'plain' && node.tag === '!!str' && resolveOldType(node.text) === 'boolean') {
    node.text = /^(?:y|yes|on)$/i.test(node.text) ? 'true' : 'false';
    node.tag = '!!bool';
  }
}

/** The object after the patch; its numbers have been through JSON. Throws `KustomizeProblem`. */
export function applyJsonPatch(resource: Resource, patch: JsonPatch, build: Build): MapNode {
  const object = resource.describe();
  const root = resource.node;
  for (const operation of patch) {
    try {
      apply(root, operation, build);
    } catch (error) {
      if (!(error instanceof PatchFailure)) throw error;
      const { op, path, node } = operation;
      refuse('SL1010', `${op || 'the operation'} ${path} does not apply: ${error.message}`, node, { object });
    }
  }
  return floatStyle(root, (scalar, after) => {
    const message = `${scalar.text} becomes ${after}: in an object with a JSON patch numbers are 64-bit floats`;
    build.diagnostics.push(
      diagnosticAt('warning', 'SL1112', message, scalar, {
        object,
        hint: 'Put the number in quotes if it may be a string, or patch with a strategic merge.',
      }),
    );
  });
}

class PatchFailure extends Error {}

function apply(root: MapNode, operation: Operation, build: Build): void {
  const { op, path, from, node } = operation;
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
      add(root, path, remove(root, from));
      break;
    case 'copy':
      add(root, path, cloneNode<YamlNode>(lookUp(root, from)));
      break;
    case 'test':
      test(root, path, newValue());
      break;
    default:
      throw new PatchFailure(op === '' ? 'it has no op' : `${op} is no operation of JSON patch`);
  }
}

type Container = MapNode | SequenceNode;

function parentOf(root: MapNode, pointer: string): [parent: Container, key: string] {
  const parts = pointer.split('/');
  if (parts.length < 2) throw new PatchFailure(`${pointer || 'the empty path'} is no path`);
  const steps = parts.slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  let parent: YamlNode = root;
  for (const [index, step] of steps.slice(0, -1).entries()) {
    const next: YamlNode | undefined =
      parent.kind === 'sequence' ? parent.items[indexOf(parent, step)] : fieldOf(parent, step);
    if (!next || next.kind === 'scalar')
      throw new PatchFailure(`there is nothing at /${steps.slice(0, index + 1).join('/')}`);
    parent = next;
  }
  return [parent, steps.at(-1) ?? ''];
}

/** Negative numbers count from the end. -1 for a step that is no number. */
function indexOf(list: SequenceNode, step: string): number {
  if (!/^-?[0-9]+$/.test(step)) return -1;
  const index = Number(step);
  return index < 0 ? index + list.items.length : index;
}

function existingIndex(list: SequenceNode, step: string): number {
  const index = indexOf(list, step);
  if (index < 0 || index >= list.items.length) {
    throw new PatchFailure(`the list has ${list.items.length} items and no item ${step}`);
  }
  return index;
}

function add(root: MapNode, pointer: string, value: YamlNode): void {
  const [parent, key] = parentOf(root, pointer);
  if (parent.kind === 'map') {
    const entry = entryOf(parent, key);
    if (entry) entry.value = value;
    else parent.entries.push({ key: scalarNode(key, '!!str', value), value });
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
    const index = parent.entries.findIndex((entry) => entry.key.text === key);
    const [removed] = index < 0 ? [] : parent.entries.splice(index, 1);
    if (removed) return removed.value;
  }
  throw new PatchFailure(`there is nothing at ${pointer}`);
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
  if (!value) throw new PatchFailure(`there is nothing at ${pointer}`);
  return value;
}

function test(root: MapNode, pointer: string, wanted: YamlNode): void {
  let found: YamlNode | undefined;
  try {
    found = lookUp(root, pointer);
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
