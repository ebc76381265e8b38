/** Where a value of a rendered object comes from: every place that set it, and what kustomize did there. */

import { nearestName, type SourcePosition } from '../../diagnostics/index.ts';
import { fieldOf, type YamlNode } from '../../yaml/index.ts';
import type { RenderedObject } from '../index.ts';
import { KustomizeProblem, positionOf } from '../problem.ts';
import { lookUp, splitFieldPath } from '../transform/path-query.ts';
import { touchesOf } from '../transform/set-value.ts';

/** One setting of a value; the last one of a list is how the value is now. */
export interface FieldSetting {
  /** What set it, as the kustomization calls it: `resources`, `patches`, `images`, … */
  readonly by: string;
  readonly position: SourcePosition;
  /** A single value's text; absent for a map or a list. */
  readonly text?: string;
}

/**
 * The settings of the field, the oldest first; empty where the object has no such field. The object must come from a render with
 * `explain: true`, else only the last setting is known. A path is `spec.template.spec.containers.[name=proxy].image`.
 */
export function explainField(object: RenderedObject, path: string): readonly FieldSetting[] {
  const node = nodeAtPath(object, path);
  if (!node) return [];
  return touchesOf(node).map(({ by, source, offset, text }) => ({
    by,
    position: positionOf({ source, offset }),
    ...(node.kind === 'scalar' && { text }),
  }));
}

function nodeAtPath(object: RenderedObject, path: string): YamlNode | undefined {
  try {
    return lookUp(object.node, withEscapedDots(object.node, path), object.node);
  } catch (error) {
    if (error instanceof KustomizeProblem) return undefined;
    throw error;
  }
}

/** Names of labels and annotations have dots: steps that are no names by themselves but one together are one step. */
function withEscapedDots(root: YamlNode, path: string): string {
  const steps = splitFieldPath(path);
  const result: string[] = [];
  let node: YamlNode | undefined = root;
  for (let index = 0; index < steps.length; index++) {
    let step = steps[index] ?? '';
    if (node?.kind === 'map') {
      let length = steps.length - index;
      while (length > 1 && !fieldOf(node, steps.slice(index, index + length).join('.'))) length--;
      step = steps.slice(index, index + length).join('.');
      index += length - 1;
    }
    const escaped = step.startsWith('[') ? step : step.replaceAll('.', '\\.');
    result.push(escaped);
    node = node && lookUp(node, escaped, node);
  }
  return result.join('.');
}

/** The field that was most likely meant, where the path leads nowhere. */
export function nearestField(object: RenderedObject, path: string): string | undefined {
  const steps = splitFieldPath(path);
  for (let length = steps.length - 1; length >= 0; length--) {
    const parent = length === 0 ? object.node : nodeAtPath(object, steps.slice(0, length).join('.'));
    if (parent?.kind !== 'map') continue;
    const names = parent.entries.map((entry) => entry.name);
    const nearest = nearestName(steps[length] ?? '', names);
    const known = nearest ? [nearest] : names;
    return [...steps.slice(0, length), known.length === 1 ? known[0] : `{${known.join(', ')}}`].join('.');
  }
  return undefined;
}

/** The objects that `kind/name` means; the kind's case does not matter. */
export function findObjects(
  objects: readonly RenderedObject[],
  reference: string,
): readonly RenderedObject[] {
  const [kind = '', ...rest] = reference.toLowerCase().split('/');
  const name = rest.at(-1) ?? '';
  const namespace = rest.length > 1 ? rest[0] : undefined;
  return objects.filter(({ value }) => {
    const isKind = value.kind.toLowerCase() === kind || `${value.kind.toLowerCase()}s` === kind;
    const isThere = namespace === undefined || (value.metadata.namespace ?? 'default') === namespace;
    return isKind && isThere && value.metadata.name.toLowerCase() === name;
  });
}
