/**
 * The short way through the YAML that people mostly write: lines of `key: value` and `- item` with each value on one line. Anything
 * else in a document (blocks, flows, anchors, tags, escapes, values that go on in the next line) is left to the composer of
 * compose.ts, which knows the whole of YAML and must make the same tree of what is read here. What makes this quick is one regular
 * expression for a whole line: it is machine code from its second use on, while a scanner in JavaScript is still being interpreted.
 */

import { knownKey } from './known-key.ts';
import {
  MapEntry,
  type MapNode,
  mapNode,
  type ScalarNode,
  type ScalarStyle,
  type SequenceNode,
  sequenceNode,
  type YamlNode,
} from './nodes.ts';
import { tagOfPlain } from './resolve.ts';
import type { SourceText } from './source-text.ts';

const key = '[A-Za-z0-9_./][A-Za-z0-9_./-]{0,200}';
const lineBreaks = '\\n\\r\\x85\\u2028\\u2029';
/** Characters of a plain scalar, without the blank, `:` and `#`, which depend on their neighbours. */
const character = '!"$-9;-~\\u00a0-\\u2027\\u202a-\\ufefe\\uff00-\\ufffd';
const firstCharacter = '(?:[A-Za-z0-9_./~$(+=^;<\\\\]|-(?=[^ \\n]))';
const plain = `${firstCharacter}(?:[${character}#]|:(?=[${character}:#])| +(?=[${character}]|:[${character}:#]))*`;
const value = `(${plain})|"([^"\\\\${lineBreaks}]*)"|'([^'${lineBreaks}]*)'|(\\{\\}|\\[\\])`;
const comment = `(?:(?<![^ \\n])#[^${lineBreaks}]*)?`;
/** `(?! )`: blanks are never given back, which would take quadratic time for a long row of them. */
const linePattern = new RegExp(
  `( *)(?! )(- +(?! ))?(?:(${key}):(?:( +)(?! )(?:${value}))?|(?:${value}))? *${comment}(?:\\n|$)`,
  'y',
);
const documentStart = new RegExp(`--- *${comment}(?:\\n|$)`, 'y');

/** Nothing people write is deeper; what is goes the long way, which refuses it. */
const maxDepth = 100;
/** Of a document; a regular expression keeps a way back for each character, and the room for those is limited. */
const maxLength = 1_000_000;

/** A map or list that is not complete yet, and the column where its keys or dashes stand. */
interface Level {
  readonly column: number;
  readonly node: MapNode | SequenceNode;
}

/** The tree of the document between two places of a text, or undefined where it takes more than this file knows. */
export function composeLines(source: SourceText, start: number, end: number): YamlNode | undefined {
  if (end - start > maxLength) return undefined;
  const composer = new LineComposer(source);
  const { text } = source;
  let position = start;
  let mayStart = true;
  while (position < end) {
    if (mayStart && !composer.root && text.startsWith('---', position)) {
      documentStart.lastIndex = position;
      if (!documentStart.test(text)) return undefined;
      position = documentStart.lastIndex;
      mayStart = false;
      continue;
    }
    linePattern.lastIndex = position;
    const match = linePattern.exec(text);
    if (!match || !composer.addLine(match, position) || composer.depth > maxDepth) return undefined;
    position = linePattern.lastIndex;
  }
  composer.end();
  return composer.root;
}

class LineComposer {
  root: MapNode | undefined;
  readonly #source: SourceText;
  readonly #levels: Level[] = [];
  /** The entry whose key was the last thing read: what it holds may follow on deeper lines. */
  #open: MapEntry | undefined;

  constructor(source: SourceText) {
    this.#source = source;
  }

  get depth(): number {
    return this.#levels.length;
  }

  /** False where the line cannot be read here. */
  addLine(match: RegExpExecArray, offset: number): boolean {
    const column = match[1]!.length;
    const dash = match[2];
    const hasKey = match[3] !== undefined;
    if (dash === undefined) {
      if (!hasKey) return isBlank(match);
      const entries = this.#entriesAt(column, offset + column);
      if (!entries) return false;
      this.#addEntry(entries, match, offset + column);
      return true;
    }
    if (!hasKey && isBlank(match)) return false;
    const items = this.#itemsAt(column, offset + column);
    if (!items) return false;
    const inner = column + dash.length;
    if (hasKey) {
      const map = this.#newMap(inner, offset + inner);
      items.push(map);
      this.#addEntry(map.entries, match, offset + inner);
    } else items.push(this.#value(match, item, offset + inner));
    return true;
  }

  /** The entries of the map whose keys stand in this column, if there can be one. */
  #entriesAt(column: number, offset: number): MapEntry[] | undefined {
    const open = this.#open;
    this.#open = undefined;
    if (this.#levels.length === 0) {
      if (column !== 0) return undefined;
      this.root = this.#newMap(0, offset);
      return this.root.entries;
    }
    if (open && column > this.#innermost().column) {
      const map = this.#newMap(column, offset);
      open.value = map;
      return map.entries;
    }
    this.#leave(column);
    // A list may stand in the column of the map that it belongs to.
    const { node, column: found } = this.#innermost();
    if (node.kind === 'sequence' && found === column && this.#levels.length > 1) this.#complete();
    const level = this.#innermost();
    return level.column === column && level.node.kind === 'map' ? level.node.entries : undefined;
  }

  /** The items of the list whose dashes stand in this column, if there can be one. */
  #itemsAt(column: number, offset: number): YamlNode[] | undefined {
    const open = this.#open;
    this.#open = undefined;
    if (this.#levels.length === 0) return undefined;
    if (open && column >= this.#innermost().column) {
      const list = this.#newList(column, offset);
      open.value = list;
      return list.items;
    }
    this.#leave(column);
    const level = this.#innermost();
    return level.column === column && level.node.kind === 'sequence' ? level.node.items : undefined;
  }

  #innermost(): Level {
    return this.#levels[this.#levels.length - 1]!;
  }

  /** Ends what stands further to the right. The root's column is 0, so that it stays. */
  #leave(column: number): void {
    while (this.#innermost().column > column) this.#complete();
  }

  /** To be called after the last line. */
  end(): void {
    while (this.#levels.length > 0) this.#complete();
  }

  /** An array that grew by push has room for 17, which most maps never need: the copy has room for what is there. */
  #complete(): void {
    const node = this.#levels.pop()?.node;
    if (node?.kind === 'map') node.entries = node.entries.slice();
    else if (node) node.items = node.items.slice();
  }

  #newMap(column: number, offset: number): MapNode {
    const map = mapNode({ source: this.#source, offset });
    this.#levels.push({ column, node: map });
    return map;
  }

  #newList(column: number, offset: number): SequenceNode {
    const list = sequenceNode({ source: this.#source, offset });
    this.#levels.push({ column, node: list });
    return list;
  }

  #addEntry(entries: MapEntry[], match: RegExpExecArray, offset: number): void {
    const { text: name, plainTag } = knownKey(match[3]!);
    const afterColon = offset + name.length + 1;
    const blanks = match[4];
    const isOpen = blanks === undefined;
    const entry = new MapEntry(
      name,
      { source: this.#source, offset },
      // Where nothing follows, the colon is the place of the null.
      isOpen
        ? this.#scalar('', '!!null', afterColon - 1, 'plain')
        : this.#value(match, entryValue, afterColon + blanks.length),
      plainTag === '!!str' ? undefined : this.#scalar(name, plainTag, offset, 'plain'),
    );
    entries.push(entry);
    this.#open = isOpen ? entry : undefined;
  }

  /** The value in one of the four groups that begin at `group`. */
  #value(match: RegExpExecArray, group: number, offset: number): YamlNode {
    const text = match[group];
    if (text !== undefined) return this.#scalar(text, tagOfPlain(text), offset, 'plain');
    const double = match[group + 1];
    if (double !== undefined) return this.#scalar(double, '!!str', offset, 'double');
    const single = match[group + 2];
    if (single !== undefined) return this.#scalar(single, '!!str', offset, 'single');
    const origin = { source: this.#source, offset };
    return match[group + 3] === '{}' ? mapNode(origin) : sequenceNode(origin);
  }

  #scalar(text: string, tag: string, offset: number, style: ScalarStyle): ScalarNode {
    return { kind: 'scalar', tag, source: this.#source, offset, text, style };
  }
}

/** Groups of the pattern: the value after a key, and the value that is an item itself. */
const [entryValue, item] = [5, 9];

const isBlank = (match: RegExpExecArray): boolean =>
  match[item] === undefined &&
  match[item + 1] === undefined &&
  match[item + 2] === undefined &&
  match[item + 3] === undefined;
