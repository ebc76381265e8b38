/** From tokens to a tree of nodes, by libyaml's grammar; aliases are expanded and merge keys are merged in. */

import { composeLines } from './compose-lines.ts';
import { knownKey } from './known-key.ts';
import {
  cloneNode,
  entryOf,
  type MapEntry,
  type MapNode,
  mapEntry,
  mapNode,
  type ScalarNode,
  type SequenceNode,
  scalarNode,
  sequenceNode,
  type YamlNode,
} from './nodes.ts';
import { tagOfPlain } from './resolve.ts';
import { Scanner, type Token, token, YamlSyntaxError } from './scanner.ts';
import type { SourceText } from './source-text.ts';

/** Aliases may bring this many nodes into one document: a "billion laughs" text is refused instead of filling the memory. */
const maxAliasedNodes = 100_000;

/** libyaml's reader: characters outside these are refused wherever they stand. */
const forbiddenCharacter = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Refuses a text with characters YAML does not allow. */
export function refuseForbiddenCharacters(text: string): void {
  const match = forbiddenCharacter.exec(text);
  if (match) throw new YamlSyntaxError('control characters are not allowed', match.index);
}

/**
 * The first document between two places of a text, or undefined where there is none. Throws `YamlSyntaxError`. The text must
 * have passed `refuseForbiddenCharacters`.
 */
export function composeDocument(
  source: SourceText,
  start = 0,
  end = source.text.length,
): YamlNode | undefined {
  return composeLines(source, start, end) ?? composeTokens(source, start, end);
}

/** The same by the long way, which knows all of YAML. */
export function composeTokens(source: SourceText, start: number, end: number): YamlNode | undefined {
  return new Composer(source, start, end).document();
}

class Composer {
  readonly #source: SourceText;
  readonly #scanner: Scanner;
  readonly #anchors = new Map<string, YamlNode>();
  /** Anchors whose node is not complete yet: an alias to one would contain itself. */
  readonly #open = new Set<string>();
  #aliasedNodes = 0;

  constructor(source: SourceText, start: number, end: number) {
    this.#source = source;
    this.#scanner = new Scanner(source.text, start, end);
  }

  document(): YamlNode | undefined {
    let next = this.#scanner.peek();
    // The end of a document that has not begun: libyaml takes it for the first token of one.
    if (next.type === token.documentEnd) this.#fail('did not find expected node content', next);
    let explicit = false;
    while (next.type === token.directive) {
      if (!/^%YAML\s+1\.[12]\s*(?:#.*)?$/.test(next.text))
        this.#fail('this directive is not supported', next);
      this.#scanner.take();
      next = this.#scanner.peek();
      explicit = true;
    }
    if (next.type === token.streamEnd && !explicit) return undefined;
    if (next.type === token.documentStart) this.#scanner.take();
    else if (explicit) this.#fail("did not find expected '---'", next);
    next = this.#scanner.peek();
    const empty = next.type <= token.directive;
    return empty ? this.#empty(next) : this.#node(true, false);
  }

  #fail(message: string, at: Token): never {
    throw new YamlSyntaxError(message, at.offset);
  }

  #empty(at: Token): ScalarNode {
    return scalarNode('', '!!null', { source: this.#source, offset: at.offset });
  }

  /**
   * Nothing, inside braces or brackets. go-yaml v3 writes it in quotes there, so it ends as an empty string, though until then it
   * counts as null.
   */
  #emptyInFlow(at: Token): ScalarNode {
    return scalarNode('', '!!null', { source: this.#source, offset: at.offset }, 'single');
  }

  #node(block: boolean, indentlessSequence: boolean): YamlNode {
    const first = this.#scanner.peek();
    if (first.type === token.alias) return this.#alias(this.#scanner.take());
    let [anchor, tag] = ['', ''];
    let next = first;
    while ((next.type === token.anchor && !anchor) || (next.type === token.tag && !tag)) {
      if (next.type === token.anchor) anchor = next.text;
      else tag = this.#readTag(next);
      this.#scanner.take();
      next = this.#scanner.peek();
    }
    if (anchor) this.#open.add(anchor);
    const node = this.#content(next, block, indentlessSequence, anchor !== '' || tag !== '');
    if (tag) this.#setTag(node, tag);
    if (anchor) {
      this.#open.delete(anchor);
      this.#anchors.set(anchor, node);
    }
    return node;
  }

  #content(next: Token, block: boolean, indentlessSequence: boolean, hasProperties: boolean): YamlNode {
    if (indentlessSequence && next.type === token.blockEntry) return this.#indentlessSequence(next);
    switch (next.type) {
      case token.scalar:
        return this.#scalar(this.#scanner.take());
      case token.flowSequenceStart:
        return this.#flowSequence();
      case token.flowMappingStart:
        return this.#flowMapping();
      case token.blockSequenceStart:
        if (block) return this.#blockSequence();
        break;
      case token.blockMappingStart:
        if (block) return this.#blockMapping();
        break;
    }
    if (hasProperties) return this.#empty(next);
    return this.#fail('did not find expected node content', next);
  }

  /** A short tag; every other one is as good as another. */
  #readTag(at: Token): string {
    const { text } = at;
    const long = /^!<tag:yaml\.org,2002:(\w+)>$/.exec(text);
    if (long) return `!!${long[1]}`;
    if (/^!(?:!\w+|[^!]*|<[^>]+>)$/.test(text)) return text;
    return this.#fail(`found undefined tag handle in ${text}`, at);
  }

  /** What a tag makes of a node: one that go-yaml does not know makes a text of a scalar, and nothing of the rest. */
  #setTag(node: YamlNode, tag: string): void {
    if (node.kind !== 'scalar' || tag === '!') return;
    if (tag === '!!binary') node.text = decodeBase64(node);
    if (!/^!!(?:int|float|bool|null|timestamp|merge)$/.test(tag)) {
      node.tag = '!!str';
      return;
    }
    node.tag = tag;
    // `!!int "5"` is a number: the tag outweighs the quotes.
    node.style = 'plain';
  }

  #scalar(at: Token): ScalarNode {
    const tag = at.style !== 'plain' ? '!!str' : tagOfPlain(at.text);
    return scalarNode(at.text, tag, { source: this.#source, offset: at.offset }, at.style);
  }

  #alias(at: Token): YamlNode {
    if (this.#open.has(at.text)) this.#fail(`anchor '${at.text}' value contains itself`, at);
    const target = this.#anchors.get(at.text);
    if (!target) return this.#fail(`unknown anchor '${at.text}' referenced`, at);
    this.#aliasedNodes += countNodes(target, maxAliasedNodes - this.#aliasedNodes + 1);
    if (this.#aliasedNodes > maxAliasedNodes) {
      this.#fail(`aliases expand to more than ${maxAliasedNodes} values`, at);
    }
    return cloneNode<YamlNode>(target);
  }

  #blockSequence(): SequenceNode {
    const start = this.#scanner.take();
    const items: YamlNode[] = [];
    for (;;) {
      const next = this.#scanner.take();
      if (next.type === token.blockEnd) break;
      if (next.type !== token.blockEntry) this.#fail("did not find expected '-' indicator", next);
      const inner = this.#scanner.peek();
      const isEmpty = inner.type === token.blockEntry || inner.type === token.blockEnd;
      items.push(isEmpty ? this.#empty(inner) : this.#node(true, false));
    }
    return sequenceNode({ source: this.#source, offset: start.offset }, items);
  }

  #indentlessSequence(start: Token): SequenceNode {
    const items: YamlNode[] = [];
    while (this.#scanner.peek().type === token.blockEntry) {
      this.#scanner.take();
      const { type } = this.#scanner.peek();
      const isEmpty =
        type === token.blockEntry || type === token.key || type === token.value || type === token.blockEnd;
      items.push(isEmpty ? this.#empty(this.#scanner.peek()) : this.#node(true, false));
    }
    return sequenceNode({ source: this.#source, offset: start.offset }, items);
  }

  #blockMapping(): MapNode {
    const start = this.#scanner.take();
    const entries: MapEntry[] = [];
    for (;;) {
      const next = this.#scanner.take();
      if (next.type === token.blockEnd) break;
      if (next.type !== token.key) this.#fail('did not find expected key', next);
      const key = this.#blockNodeOrEmpty();
      let value: YamlNode;
      if (this.#scanner.peek().type === token.value) {
        const colon = this.#scanner.take();
        value = this.#blockNodeOrEmpty(colon);
      } else {
        value = this.#empty(this.#scanner.peek());
      }
      this.#addEntry(entries, key, value);
    }
    return this.#merged(mapNode({ source: this.#source, offset: start.offset }, entries));
  }

  #blockNodeOrEmpty(before?: Token): YamlNode {
    const next = this.#scanner.peek();
    const isEmpty = next.type === token.key || next.type === token.value || next.type === token.blockEnd;
    return isEmpty ? this.#empty(before ?? next) : this.#node(true, true);
  }

  #flowSequence(): SequenceNode {
    const start = this.#scanner.take();
    const items: YamlNode[] = [];
    for (;;) {
      if (this.#scanner.peek().type === token.flowSequenceEnd) break;
      if (items.length > 0) {
        const comma = this.#scanner.take();
        if (comma.type !== token.flowEntry) this.#fail("did not find expected ',' or ']'", comma);
        if (this.#scanner.peek().type === token.flowSequenceEnd) break;
      }
      items.push(this.#scanner.peek().type === token.key ? this.#flowPair() : this.#node(false, false));
    }
    this.#scanner.take();
    return sequenceNode({ source: this.#source, offset: start.offset }, items);
  }

  /** `[a: b]`: a map of one entry. */
  #flowPair(): MapNode {
    const start = this.#scanner.take();
    const ends = [token.value, token.flowEntry, token.flowSequenceEnd] as const;
    const key = this.#flowNodeOrEmpty(ends);
    let value: YamlNode = this.#emptyInFlow(this.#scanner.peek());
    if (this.#scanner.peek().type === token.value) {
      this.#scanner.take();
      value = this.#flowNodeOrEmpty([token.flowEntry, token.flowSequenceEnd]);
    }
    const entries: MapEntry[] = [];
    this.#addEntry(entries, key, value);
    return this.#merged(mapNode({ source: this.#source, offset: start.offset }, entries));
  }

  #flowNodeOrEmpty(ends: readonly number[]): YamlNode {
    const next = this.#scanner.peek();
    return ends.includes(next.type) ? this.#emptyInFlow(next) : this.#node(false, false);
  }

  #flowMapping(): MapNode {
    const start = this.#scanner.take();
    const entries: MapEntry[] = [];
    let first = true;
    for (;;) {
      if (this.#scanner.peek().type === token.flowMappingEnd) break;
      if (!first) {
        const comma = this.#scanner.take();
        if (comma.type !== token.flowEntry) this.#fail("did not find expected ',' or '}'", comma);
        if (this.#scanner.peek().type === token.flowMappingEnd) break;
      }
      first = false;
      if (this.#scanner.peek().type === token.key) {
        this.#scanner.take();
        const key = this.#flowNodeOrEmpty([token.value, token.flowEntry, token.flowMappingEnd]);
        let value: YamlNode = this.#emptyInFlow(this.#scanner.peek());
        if (this.#scanner.peek().type === token.value) {
          this.#scanner.take();
          value = this.#flowNodeOrEmpty([token.flowEntry, token.flowMappingEnd]);
        }
        this.#addEntry(entries, key, value);
      } else {
        const key = this.#node(false, false);
        this.#addEntry(entries, key, this.#emptyInFlow(this.#scanner.peek()));
      }
    }
    this.#scanner.take();
    return this.#merged(mapNode({ source: this.#source, offset: start.offset }, entries));
  }

  #addEntry(entries: MapEntry[], key: YamlNode, value: YamlNode): void {
    if (key.kind !== 'scalar') throw new YamlSyntaxError('a key must be a simple value', key.offset);
    key.text = knownKey(key.text).text;
    entries.push(mapEntry(key, value));
  }

  /** Takes the entries of `<<` in; what the map says itself wins, and of several sources the first. */
  #merged(map: MapNode): MapNode {
    if (!map.entries.some((entry) => entry.key.tag === '!!merge')) return map;
    const sources = map.entries.filter((entry) => entry.key.tag === '!!merge');
    if (sources[1]) throw new YamlSyntaxError('duplicate merge key', sources[1].key.offset);
    map.entries = map.entries.filter((entry) => entry.key.tag !== '!!merge');
    for (const { value } of sources) {
      for (const source of value.kind === 'sequence' ? value.items : [value]) {
        if (source.kind !== 'map')
          throw new YamlSyntaxError('map merge requires map or sequence of maps as the value', value.offset);
        for (const entry of source.entries) if (!entryOf(map, entry.name)) map.entries.push(entry);
      }
    }
    return map;
  }
}

function decodeBase64(node: ScalarNode): string {
  const bytes = Buffer.from(node.text, 'base64');
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  throw new YamlSyntaxError('!!binary holds bytes that are no text', node.offset);
}

/** How many nodes a tree has, counted up to a limit. */
function countNodes(node: YamlNode, limit: number): number {
  let count = 1;
  if (node.kind === 'map') {
    for (const entry of node.entries) {
      count += 1 + countNodes(entry.value, limit - count);
      if (count >= limit) return count;
    }
  } else if (node.kind === 'sequence') {
    for (const item of node.items) {
      count += countNodes(item, limit - count);
      if (count >= limit) return count;
    }
  }
  return count;
}
