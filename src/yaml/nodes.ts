/**
 * YAML as a tree of nodes that remember how and where each value was written. The renderer works on these nodes and
 * makes plain values of them only at the end, because what kustomize does depends on the way a value was written.
 */

import type { SourceText } from './source-text.ts';

export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded';

/** One setting of a node, kept only when somebody asked for an explanation. The last one is how the node is now. */
export interface Touch {
  /** What set it, as the kustomization calls it: `resources`, `patches`, `images`, … */
  readonly by: string;
  readonly source: SourceText;
  readonly offset: number;
  /** A scalar's text after it. */
  readonly text: string;
}

interface NodeBase {
  /**
   * The short tag, as the reader resolved it or the text spells it: `!!str`, `!!int`, `!!null`, … Empty for a node made by a
   * transformer that leaves the type to the text.
   */
  tag: string;
  source: SourceText;
  /** Index into the source's text. */
  offset: number;
  touches?: Touch[];
}

export interface ScalarNode extends NodeBase {
  kind: 'scalar';
  text: string;
  style: ScalarStyle;
}

/**
 * A key with its value. Most keys are plain texts that nobody asks for more than their `name`, so the node of such a key is made
 * when somebody does: trees are a fifth smaller for it.
 */
export class MapEntry implements Origin {
  /** The text of the key, which never changes. */
  readonly name: string;
  value: YamlNode;
  /** Where the key was written. */
  readonly source: SourceText;
  readonly offset: number;
  #key: ScalarNode | undefined;

  /** Without a node the key is a plain one that is resolved to a string. */
  constructor(name: string, at: Origin, value: YamlNode, key?: ScalarNode) {
    this.name = name;
    this.value = value;
    this.source = at.source;
    this.offset = at.offset;
    this.#key = key;
  }

  get key(): ScalarNode {
    this.#key ??= scalarNode(this.name, '!!str', this);
    return this.#key;
  }

  /** Whether the key is known to be a string, without a look at it. */
  get hasPlainKey(): boolean {
    return this.#key === undefined;
  }

  /** Another entry with the same key, and the same node for it. */
  withValue(value: YamlNode): MapEntry {
    return new MapEntry(this.name, this, value, this.#key);
  }

  /** Another entry with the same key, and a node of its own for it. */
  withOwnKey(value: YamlNode): MapEntry {
    return new MapEntry(this.name, this, value, this.#key && cloneNode(this.#key));
  }
}

interface CollectionNode extends NodeBase {
  /** The `MarkedNodes` it belongs to, 0 for none. */
  mark: number;
}

export interface MapNode extends CollectionNode {
  kind: 'map';
  entries: MapEntry[];
}

export interface SequenceNode extends CollectionNode {
  kind: 'sequence';
  items: YamlNode[];
}

export type YamlNode = ScalarNode | MapNode | SequenceNode;

/** Where something was written: what a node made by a transformer takes over from its cause. */
export interface Origin {
  readonly source: SourceText;
  readonly offset: number;
}

export function scalarNode(
  text: string,
  tag: string,
  origin: Origin,
  style: ScalarStyle = 'plain',
): ScalarNode {
  return { kind: 'scalar', tag, source: origin.source, offset: origin.offset, text, style };
}

export function mapNode(origin: Origin, entries: MapEntry[] = []): MapNode {
  return { kind: 'map', tag: '!!map', source: origin.source, offset: origin.offset, entries, mark: 0 };
}

export function sequenceNode(origin: Origin, items: YamlNode[] = []): SequenceNode {
  return { kind: 'sequence', tag: '!!seq', source: origin.source, offset: origin.offset, items, mark: 0 };
}

/** The text of the key must not change any more. */
export function mapEntry(key: ScalarNode, value: YamlNode): MapEntry {
  return new MapEntry(key.text, key, value, key);
}

let lastMark = 0;

/**
 * A set of maps and lists that is asked about very often: who belongs to it is written into the nodes, so that a node belongs to one such
 * set at a time.
 */
export class MarkedNodes {
  readonly #mark = ++lastMark;

  has(node: MapNode | SequenceNode): boolean {
    return node.mark === this.#mark;
  }

  add(node: MapNode | SequenceNode): void {
    node.mark = this.#mark;
  }

  delete(node: MapNode | SequenceNode): void {
    node.mark = 0;
  }
}

export const isNullNode = (node: YamlNode): boolean => node.tag === '!!null';

/** The entry with this key, the first one where a key is written twice. */
export function entryOf(node: YamlNode | undefined, key: string): MapEntry | undefined {
  if (node?.kind !== 'map') return undefined;
  const { entries } = node;
  // By index: until it is compiled, `for … of` makes an object for every step, and nothing is asked for as often as this.
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index]!;
    if (entry.name === key) return entry;
  }
  return undefined;
}

export function fieldOf(node: YamlNode | undefined, key: string): YamlNode | undefined {
  return entryOf(node, key)?.value;
}

/** The text of a scalar field, or '' where there is none. */
export function textOf(node: YamlNode | undefined): string {
  return node?.kind === 'scalar' ? node.text : '';
}

/** Follows field names and list indices; undefined where the path leaves the tree. */
export function nodeAt(node: YamlNode | undefined, path: readonly (string | number)[]): YamlNode | undefined {
  let current = node;
  for (const step of path) {
    if (current?.kind === 'sequence') current = current.items[Number(step)];
    else current = fieldOf(current, String(step));
    if (!current) return undefined;
  }
  return current;
}

export function cloneNode<Node extends YamlNode>(node: Node): Node;
export function cloneNode(node: YamlNode): YamlNode {
  const { tag, source, offset } = node;
  let copy: YamlNode;
  if (node.kind === 'scalar') {
    copy = { kind: 'scalar', tag, source, offset, text: node.text, style: node.style };
  } else if (node.kind === 'map') {
    const entries = [] as MapEntry[];
    for (const entry of node.entries) entries.push(entry.withOwnKey(cloneNode<YamlNode>(entry.value)));
    copy = { kind: 'map', tag, source, offset, entries, mark: 0 };
  } else {
    const items = [] as YamlNode[];
    for (const item of node.items) items.push(cloneNode<YamlNode>(item));
    copy = { kind: 'sequence', tag, source, offset, items, mark: 0 };
  }
  if (node.touches) copy.touches = [...node.touches];
  return copy;
}

/**
 * Gives a node the contents of another one while it stays the same object, so that everything that holds it sees the
 * change: a label set by one `labels` entry is one object in the metadata, the selector and the template.
 */
export function assignNode(target: YamlNode, value: YamlNode): void {
  if (target === value) return;
  if (target.kind === 'scalar' && value.kind === 'scalar') {
    target.tag = value.tag;
    target.source = value.source;
    target.offset = value.offset;
    target.text = value.text;
    target.style = value.style;
    if (value.touches) target.touches = value.touches;
    else if (target.touches) delete target.touches;
    return;
  }
  const holder = target as unknown as Record<string, unknown>;
  if (target.kind !== value.kind) {
    for (const field of ['text', 'style', 'entries', 'items', 'mark']) delete holder[field];
  }
  Object.assign(target, value);
  if (target.touches && !value.touches) delete target.touches;
}
