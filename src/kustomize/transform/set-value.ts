/** How transformers set values, and how what they did is written down when somebody asks where a value came from. */

import {
  assignNode,
  entryOf,
  isNullNode,
  mapEntry,
  type Origin,
  type SequenceNode,
  scalarNode,
  type Touch,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';
import { refuse } from '../problem.ts';

/** Who changes an object, and from where; and who wants to hear of it. */
export interface Recorder {
  /** The field of the kustomization: `patches`, `images`, … */
  readonly by: string;
  /** Keep the earlier settings of every value. */
  readonly keepsTouches: boolean;
  /** The fields above the value that is being merged, kept by the merge. */
  readonly path: string[];
  onSet(field: YamlNode, value: YamlNode): void;
  onListReplaced(target: YamlNode, patch: YamlNode): void;
  /** Called before two lists are merged; what it returns is called with the result. */
  beforeListMerge(
    target: SequenceNode,
    patch: SequenceNode | undefined,
    mergeKeys: readonly string[],
  ): ((merged: SequenceNode) => void) | undefined;
}

const ignore = (): undefined => undefined;

export function recorderFor(by: string, keepsTouches: boolean): Recorder {
  return { by, keepsTouches, path: [], onSet: ignore, onListReplaced: ignore, beforeListMerge: ignore };
}

/** The settings of a field once it has taken a value, or undefined where nobody asked for them. */
export function settingOf(field: YamlNode, value: YamlNode, recorder: Recorder): Touch[] | undefined {
  if (!recorder.keepsTouches) return undefined;
  const { source, offset } = value;
  return [...touchesOf(field), { by: recorder.by, source, offset, text: textOf(value) }];
}

export function touchesOf(node: YamlNode): readonly Touch[] {
  const { source, offset } = node;
  // Made by a transformer a moment ago, to be set.
  if (!node.touches && node.kind === 'scalar' && node.text === '' && node.tag === '') return [];
  return node.touches ?? [{ by: 'resources', source, offset, text: textOf(node) }];
}

/** Marks everything in a node as set by the recorder's field, before it becomes part of an object. */
export function markTouched(node: YamlNode, by: string): void {
  const { source, offset } = node;
  node.touches = [{ by, source, offset, text: textOf(node) }];
  if (node.kind === 'map') for (const entry of node.entries) markTouched(entry.value, by);
  else if (node.kind === 'sequence') for (const item of node.items) markTouched(item, by);
}

/** Sets a scalar's text; its quotes stay. A node that is no scalar is refused. */
export function setScalar(
  node: YamlNode,
  text: string,
  tag: string,
  cause: Origin,
  recorder: Recorder,
): void {
  if (isNullNode(node) && node.kind !== 'scalar') return;
  if (node.kind !== 'scalar') {
    refuse('SL1011', `${recorder.by} would set a single value where there is a ${node.kind}`, node);
  }
  const value = scalarNode(text, tag, cause, node.style);
  const touches = settingOf(node, value, recorder);
  assignNode(node, value);
  if (touches) node.touches = touches;
}

/**
 * Sets an entry of a map to a node, which may be shared with other maps: kustomize shares them too, so that a later patch of one
 * label changes the selector that was set together with it.
 */
export function setEntry(node: YamlNode, key: string, shared: YamlNode, recorder: Recorder): void {
  if (node.kind !== 'map') {
    if (isNullNode(node)) return;
    refuse('SL1011', `${recorder.by} would set ${key} where there is no map`, node);
  }
  const entry = entryOf(node, key);
  if (!entry) {
    if (recorder.keepsTouches && !shared.touches) {
      shared.touches = [
        { by: recorder.by, source: shared.source, offset: shared.offset, text: textOf(shared) },
      ];
    }
    node.entries.push(mapEntry(scalarNode(key, '', shared), shared));
    return;
  }
  if (entry.value === shared) return;
  const touches = settingOf(entry.value, shared, recorder);
  if (entry.value.kind === 'scalar' && shared.kind === 'scalar') shared.style = entry.value.style;
  assignNode(entry.value, shared);
  if (touches) entry.value.touches = touches;
}
