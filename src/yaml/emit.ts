/**
 * A tree of nodes as the YAML text kustomize prints. kustomize writes its nodes as YAML (go-yaml v3), reads that back into
 * maps, makes JSON of them and turns the JSON into YAML again (go-yaml v2), so the output follows v2's emitter and loses comments,
 * quotes and the order of keys. This file goes the whole way in one step.
 */

import { emitString, mayBeBlock } from './emit-string.ts';
import { compareKeys } from './key-order.ts';
import type { MapEntry, MapNode, ScalarNode, YamlNode } from './nodes.ts';
import { refolded } from './refold.ts';
import {
  formatTimestamp,
  isOldTrue,
  parseInteger,
  resolveOldType,
  resolveType,
  tagOfPlain,
} from './resolve.ts';

/** The tree cannot be written: kustomize fails on it too. */
export class UnprintableError extends Error {
  readonly node: YamlNode;

  constructor(message: string, node: YamlNode) {
    super(message);
    this.name = 'UnprintableError';
    this.node = node;
  }
}

/** go-yaml writes a longer key as `? key`; in bytes. */
const maxSimpleKeyBytes = 128;

/** One document: without `---`, with a line break at the end. Throws `UnprintableError`. */
export function emitDocument(root: YamlNode): string {
  return new Emitter().document(root);
}

/** Writes from the first character to the last. */
class Emitter {
  /** Joined at the end: a string that grows piece by piece stays in pieces, and keeps all of them. */
  readonly #parts: string[] = [];

  document(root: YamlNode): string {
    if (root.kind === 'map' && root.entries.length > 0) {
      this.#map(root, 0, true, true);
      this.#parts.push('\n');
      return this.#parts.join('');
    }
    if (root.kind === 'sequence' && root.items.length > 0) {
      this.#sequence(root.items, 0, true);
      return this.#parts.join('');
    }
    this.#inline(root, 0, 0);
    return `${this.#parts.join('').trimStart()}\n`;
  }

  /** `onSameLine`: the first entry goes on in the line that is there. */
  #map(map: MapNode, indent: number, onSameLine: boolean, isRoot: boolean): void {
    const lineStart = lineStartAt(indent);
    let continues = onSameLine;
    const { entries } = map;
    if (!isRoot) refuseTypedKeys(entries);
    const order = orderOf(entries);
    for (let index = 0; index < entries.length; index++) {
      const { name, value } = entries[order ? order[index]! : index]!;
      if (!continues) this.#parts.push(lineStart);
      continues = false;
      const keyText = keyTextOf(name);
      if (keyText === undefined) this.#longEntry(name, value, indent);
      else {
        this.#parts.push(keyText);
        this.#value(value, indent, indent + keyText.length);
      }
    }
  }

  #longEntry(key: string, value: YamlNode, indent: number): void {
    this.#parts.push(`? ${emitString(key, indent + 2, indent + 2, false) ?? ''}${lineStartAt(indent)}:`);
    this.#item(value, indent);
  }

  /** What follows a key and its colon. `column` is where they end. */
  #value(value: YamlNode, indent: number, column: number): void {
    if (value.kind === 'map' && value.entries.length > 0) this.#map(value, indent + 2, false, false);
    else if (value.kind === 'sequence' && value.items.length > 0) this.#sequence(value.items, indent, false);
    else this.#inline(value, indent, column);
  }

  #sequence(items: readonly YamlNode[], indent: number, onSameLine: boolean): void {
    const lineStart = lineStartAt(indent);
    let continues = onSameLine;
    for (let index = 0; index < items.length; index++) {
      const item = items[index]!;
      if (!continues) this.#parts.push(lineStart);
      this.#parts.push('-');
      continues = false;
      this.#item(item, indent);
    }
  }

  /** What follows a dash, or the colon of a long key, in the same line. */
  #item(value: YamlNode, indent: number): void {
    if (value.kind === 'map' && value.entries.length > 0) {
      this.#parts.push(' ');
      this.#map(value, indent + 2, true, false);
    } else if (value.kind === 'sequence' && value.items.length > 0) {
      this.#parts.push(' ');
      this.#sequence(value.items, indent + 2, true);
    } else this.#inline(value, indent, indent + 1);
  }

  /** A scalar or an empty collection, with the blank before it. `column` is where the text so far ends. */
  #inline(value: YamlNode, indent: number, column: number): void {
    if (value.kind === 'map') this.#parts.push(' {}');
    else if (value.kind === 'sequence') this.#parts.push(' []');
    else if (value.tag === '!!str' && isSafeWord.test(value.text)) this.#parts.push(' ', value.text);
    else if (value.style === 'plain' && isShort.test(value.text)) {
      this.#parts.push(' ', shortTextOf(value, indent + 2, column + 1));
    } else this.#parts.push(' ', emitScalar(value, indent + 2, column + 1));
  }
}

const lineStarts: string[] = [];

/** A line break and the margin after it. */
function lineStartAt(indent: number): string {
  lineStarts[indent] ??= `\n${' '.repeat(indent)}`;
  return lineStarts[indent];
}

/** Keys are few and come again and again. */
const keyTexts = new Map<string, string>();
const maxKeyTexts = 10_000;

/** A key and its colon, or undefined where the key needs the long form. */
function keyTextOf(key: string): string | undefined {
  const known = keyTexts.get(key);
  if (known !== undefined) return known;
  if (key.length > 40 && Buffer.byteLength(key) > maxSimpleKeyBytes) return undefined;
  const text = emitString(key, 0, 0, true);
  if (text === undefined) return undefined;
  if (keyTexts.size >= maxKeyTexts) keyTexts.clear();
  keyTexts.set(key, `${text}:`);
  return `${text}:`;
}

/** Without a blank or a line break the text is the same at every indentation. */
const isShort = /^[!-~]{1,40}$/;

/** What is written for short values, by their tag and text. */
const shortTexts = new Map<string, Map<string, string>>();
const maxShortTexts = 10_000;

/** A short plain value. */
function shortTextOf(value: ScalarNode, indent: number, column: number): string {
  let texts = shortTexts.get(value.tag);
  if (!texts || texts.size >= maxShortTexts) {
    texts = new Map();
    shortTexts.set(value.tag, texts);
  }
  let text = texts.get(value.text);
  if (text === undefined) {
    text = emitScalar(value, indent, column);
    texts.set(value.text, text);
  }
  return text;
}

/** Short texts of letters that neither dialect takes for anything but a string, the great majority. */
const isSafeWord =
  /^(?!(?:[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF|[tT]rue|TRUE|[fF]alse|FALSE|[nN]ull|NULL)$)[A-Za-z][A-Za-z0-9_./-]{0,60}$/;

function emitScalar(node: ScalarNode, indent: number, column: number): string {
  const value = effectiveScalar(node);
  if (value.type !== 'string') return value.text;
  return emitString(value.text, indent, column, false) ?? '';
}

export interface EffectiveScalar {
  readonly type: 'string' | 'integer' | 'float' | 'boolean' | 'null';
  /** A string's own text; for the others the text of the output. */
  readonly text: string;
}

/**
 * What a scalar node is once go-yaml v3 has written it and read it back: quotes make a string of it, a text whose type is not
 * the node's own is quoted where the node is a string, and cannot be read back where it is not.
 */
export function effectiveScalar(node: ScalarNode): EffectiveScalar {
  const { text, tag } = node;
  if (tag === '!!str' || (tag === '' && node.style !== 'plain')) return stringValue(node);
  const type = resolveType(text);
  if (node.style !== 'plain') {
    if (tagOfPlain(text) === tag) return stringValue(node);
    throw new UnprintableError(`cannot read "${text}" as ${tag}`, node);
  }
  if (tag !== '' && tagOfPlain(text) !== tag && !(tag === '!!float' && type === 'integer')) {
    throw new UnprintableError(`cannot read ${text} as ${tag}`, node);
  }
  return typedValue(node, tag === '!!float' ? 'float' : type);
}

const unreadable = /[\x7f-\x84\x86-\x9f\ufffe\uffff]/;

function stringValue(node: ScalarNode): EffectiveScalar {
  const isBlock = node.style === 'literal' || node.style === 'folded';
  if (isBlock && node.text.startsWith('\t') && mayBeBlock(node.text)) {
    throw new UnprintableError('a block that starts with a tab cannot be read back', node);
  }
  const text = node.style === 'folded' ? refolded(node.text) : node.text;
  if (unreadable.test(text)) throw new UnprintableError('control characters are not allowed', node);
  // Reading the JSON back, go-yaml v2 takes U+0085 for a line break and folds it.
  const folded = text.includes('\x85') ? text.replace(/[ \t]*\x85[ \t]*/g, ' ') : text;
  return { type: 'string', text: folded };
}

function typedValue(node: ScalarNode, type: ReturnType<typeof resolveType>): EffectiveScalar {
  const { text } = node;
  switch (type) {
    case 'null':
      return { type: 'null', text: 'null' };
    case 'boolean':
      return { type: 'boolean', text: text.toLowerCase() };
    case 'integer':
      return { type: 'integer', text: String(parseInteger(text.replaceAll('_', ''))) };
    case 'float':
      return floatValue(node);
    case 'timestamp':
      return { type: 'string', text: formatTimestamp(text) };
    default:
      return stringValue(node);
  }
}

function floatValue(node: ScalarNode): EffectiveScalar {
  const value = Number(node.text.replaceAll('_', ''));
  if (!Number.isFinite(value)) throw new UnprintableError(`${node.text} cannot be written as JSON`, node);
  // JSON writes it without a fraction or exponent; what then fits into 64 bits is read back as an integer.
  if (Number.isInteger(value) && Math.abs(value) < 1e21) {
    const integer = parseInteger(value.toString());
    if (integer !== undefined) return { type: 'integer', text: integer.toString() };
  }
  return { type: 'float', text: formatFloat(value) };
}

/** Go's FormatFloat(value, 'g', -1, 64). */
export function formatFloat(value: number): string {
  const [mantissa = '0', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 21 && exponent < 6) return Object.is(value, -0) ? '-0' : value.toString();
  const sign = exponent < 0 ? '-' : '+';
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/**
 * The text of a key once go-yaml v2 has read it and made JSON of it: without quotes `on` is "true" and `1.0` is "1". Undefined for
 * null, which it refuses. Source: convertToJSONableObject of sigs.k8s.io/yaml.
 */
export function oldKeyText(key: ScalarNode): string | undefined {
  const { text } = key;
  if (key.style !== 'plain') return text;
  switch (resolveOldType(text)) {
    case 'null':
      return undefined;
    case 'boolean':
      return String(isOldTrue(text));
    case 'integer':
      return String(parseInteger(text.replaceAll('_', '')));
    case 'float':
      return shortFloat(text.replaceAll('_', '').toLowerCase());
    default:
      return text;
  }
}

/** Go's FormatFloat(value, 'g', -1, 32), with YAML's words for what is no number. */
function shortFloat(text: string): string {
  const value = Number(text);
  if (Number.isNaN(value)) return text.replace('+', '');
  let digits = 1;
  while (digits < 17 && Math.fround(Number(value.toPrecision(digits))) !== Math.fround(value)) digits++;
  return formatFloat(Number(value.toPrecision(digits)));
}

function refuseTypedKeys(entries: readonly MapEntry[]): void {
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index]!;
    if (!entry.hasPlainKey) refuseTypedKey(entry.key);
  }
}

/** Throws `UnprintableError` for a key that is no string: JSON has no other. */
export function refuseTypedKey(key: ScalarNode): void {
  const isString =
    key.style !== 'plain' || key.tag === '!!str' || (key.tag === '' && tagOfPlain(key.text) === '!!str');
  if (!isString) throw new UnprintableError(`the key ${key.text} is not a string`, key);
}

/**
 * The places of the entries in go-yaml's order, or undefined where they stand in it. Refuses a key that is written twice: no map of Go or
 * JSON has one.
 */
function orderOf(entries: readonly MapEntry[]): readonly number[] | undefined {
  const { length } = entries;
  if (length > maxKnownKeys) return sortedPlaces(entries);
  let known = orders;
  for (let index = 0; index < length; index++) {
    const { name } = entries[index]!;
    known = known.following.get(name) ?? learnFollowing(known, name);
  }
  if (known.places === undefined) known.places = sortedPlaces(entries) ?? 'as they are';
  return known.places === 'as they are' ? undefined : known.places;
}

/** What is known of maps that begin with some keys, in the order in which they are written: few maps have keys of their own. */
class KnownOrder {
  readonly following = new Map<string, KnownOrder>();
  /** Of maps with these keys and no others. */
  places: readonly number[] | 'as they are' | undefined;
}

/** Longer maps are rarely alike. */
const maxKnownKeys = 24;
const maxKnownOrders = 20_000;
let orders = new KnownOrder();
let orderCount = 0;

function learnFollowing(known: KnownOrder, name: string): KnownOrder {
  if (orderCount >= maxKnownOrders) {
    // The one that is being followed goes on outside of what is kept.
    orders = new KnownOrder();
    orderCount = 0;
  }
  orderCount++;
  const next = new KnownOrder();
  known.following.set(name, next);
  return next;
}

function sortedPlaces(entries: readonly MapEntry[]): readonly number[] | undefined {
  if (areInOrder(entries)) return undefined;
  const nameAt = (place: number): string => entries[place]!.name;
  const places = Array.from(entries.keys()).sort((one, other) => compareKeys(nameAt(one), nameAt(other)));
  for (let index = 1; index < places.length; index++) {
    const place = places[index]!;
    if (nameAt(place) === nameAt(places[index - 1]!)) {
      throw new UnprintableError(`the key ${nameAt(place)} is written twice`, entries[place]!.key);
    }
  }
  return places;
}

function areInOrder(entries: readonly MapEntry[]): boolean {
  for (let index = 1; index < entries.length; index++) {
    if (compareKeys(entries[index - 1]!.name, entries[index]!.name) >= 0) return false;
  }
  return true;
}
