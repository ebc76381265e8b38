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

/** A specification made ready for many resources. */
export interface FieldPath {
  readonly spec: FieldSpec;
  readonly steps: readonly Step[];
}

export const fieldPath = (spec: FieldSpec): FieldPath => ({ spec, steps: stepsOf(spec.path) });

/** Calls `set` with each node the path means in the resource. */
export function eachField(
  resource: Resource,
  { spec, steps }: FieldPath,
  creation: Creation,
  cause: Origin,
  set: (node: YamlNode) => void,
): void {
  if ((spec.kind || spec.group || spec.version) && !isSelectedGvk(resource.gvk, spec)) return;
  walk(resource.node, steps, 0, { spec, creation, cause, set, resource });
}

interface Walk {
  readonly spec: FieldSpec;
  readonly creation: Creation;
  readonly cause: Origin;
  readonly set: (node: YamlNode) => void;
  readonly resource: Resource;
}

function walk(start: YamlNode, steps: readonly Step[], from: number, context: Walk): void {
  let node = start;
  for (let depth = from; depth < steps.length; depth++) {
    if (isNullNode(node)) return;
    if (node.kind === 'sequence') {
      for (const item of node.items) walk(item, steps, depth, context);
      return;
    }
    const next = nextNode(node, steps[depth]!, depth === steps.length - 1, context);
    if (!next) return;
    node = next;
  }
  context.set(node);
}

/** One step down; undefined where there is nothing and nothing is to be made. */
function nextNode(
  node: YamlNode,
  { name, isList }: Step,
  isLast: boolean,
  context: Walk,
): YamlNode | undefined {
  if (node.kind !== 'map') {
    refuse('SL1011', `the path ${context.spec.path} leads through a single value`, node, {
      object: context.resource.describe(),
    });
  }
  if (name === '') refuse('SL1011', `the path ${context.spec.path} has an empty step`, node);
  const entry = entryOf(node, name);
  if (entry && !isNullNode(entry.value)) return entry.value;
  if (context.spec.create !== true || context.creation === 'none' || isList) return entry?.value;
  const value = created(isLast, context);
  if (entry) entry.value = value;
  else node.entries.push(mapEntry(scalarNode(name, '', context.cause), value));
  return value;
}

function created(isLast: boolean, { creation, cause }: Walk): YamlNode {
  return isLast && creation === 'scalar' ? scalarNode('', '', cause) : mapNode(cause);
}

interface Step {
  readonly name: string;
  /** Written with `[]`: nothing is made there. */
  readonly isList: boolean;
}

function stepsOf(path: string): readonly Step[] {
  // `\/` is a slash within a name.
  return path.split(/(?<!\\)\//).map((part) => {
    const isList = part.endsWith('[]');
    return { name: (isList ? part.slice(0, -2) : part).replaceAll('\\/', '/'), isList };
  });
}

/** The paths of those specifications that may mean something in a resource of a kind, in their order. */
export function pathsByKind(specs: readonly FieldSpec[]): (kind: string) => readonly FieldPath[] {
  const byKind = new Map<string, readonly FieldPath[]>();
  return (kind) => {
    let chosen = byKind.get(kind);
    if (!chosen) {
      chosen = specs.filter((spec) => !spec.kind || spec.kind === kind).map(fieldPath);
      byKind.set(kind, chosen);
    }
    return chosen;
  };
}
