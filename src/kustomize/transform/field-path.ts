/**
 * Fields named as `spec/template/metadata/labels`: a step into a list means each of its items. Source: api/filters/fieldspec of
 * kustomize 5.5.
 */

import {
  entryOf,
  isNullNode,
  mapEntry,
  mapNode,
  type Origin,
  scalarNode,
  type YamlNode,
} from '../../yaml/index.ts';
import { refuse } from '../problem.ts';
import { type Gvk, isSelectedGvk, type Resource } from '../resource.ts';

export interface FieldSpec extends Partial<Gvk> {
  readonly path: string;
  readonly create?: boolean;
}

/** What is made where a path ends in nothing; `none` makes nothing. */
export type Creation = 'map' | 'scalar' | 'none';

/** Calls `set` with each node the specification means in the resource. */
export function eachField(
  resource: Resource,
  spec: FieldSpec,
  creation: Creation,
  cause: Origin,
  set: (node: YamlNode) => void,
): void {
  if (spec.kind && spec.kind !== resource.kind) return;
  if ((spec.group || spec.version) && !isSelectedGvk(resource.gvk, spec)) return;
  walk(resource.node, splitPath(spec.path), 0, { spec, creation, cause, set, resource });
}

interface Walk {
  readonly spec: FieldSpec;
  readonly creation: Creation;
  readonly cause: Origin;
  readonly set: (node: YamlNode) => void;
  readonly resource: Resource;
}

function walk(node: YamlNode, path: readonly string[], depth: number, context: Walk): void {
  if (depth === path.length) {
    context.set(node);
    return;
  }
  if (isNullNode(node)) return;
  if (node.kind === 'sequence') {
    for (const item of node.items) walk(item, path, depth, context);
    return;
  }
  if (node.kind !== 'map') {
    refuse('SL1011', `the path ${context.spec.path} leads through a single value`, node, {
      object: context.resource.describe(),
    });
  }
  const step = path[depth] ?? '';
  const isList = step.endsWith('[]');
  const name = isList ? step.slice(0, -2) : step;
  if (name === '') refuse('SL1011', `the path ${context.spec.path} has an empty step`, node);
  const mayCreate = context.spec.create === true && context.creation !== 'none' && !isList;
  const isLast = depth === path.length - 1;
  let entry = entryOf(node, name);
  if (!entry) {
    if (!mayCreate) return;
    entry = mapEntry(scalarNode(name, '', context.cause), created(isLast, context));
    node.entries.push(entry);
  } else if (isNullNode(entry.value) && mayCreate) {
    entry.value = created(isLast, context);
  }
  walk(entry.value, path, depth + 1, context);
}

function created(isLast: boolean, { creation, cause }: Walk): YamlNode {
  return isLast && creation === 'scalar' ? scalarNode('', '', cause) : mapNode(cause);
}

const split = new Map<string, readonly string[]>();

/** `\/` is a slash within a name. */
export function splitPath(path: string): readonly string[] {
  let parts = split.get(path);
  if (!parts) {
    parts = path.split(/(?<!\\)\//).map((part) => part.replaceAll('\\/', '/'));
    split.set(path, parts);
  }
  return parts;
}
