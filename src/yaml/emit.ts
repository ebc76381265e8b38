/**
 * A tree of nodes as the YAML text kustomize prints. kustomize writes its nodes as YAML (go-yaml v3), reads that back into
 * maps, makes JSON of them and turns the JSON into YAML again (go-yaml v2), so the output follows v2's emitter and loses comments,
 * quotes and the order of keys. This file goes the whole way in one step.
 */

import { emitString } from './emit-string.ts';
import { compareKeys } from './key-order.ts';
import type { MapEntry, MapNode, ScalarNode, YamlNode } from './nodes.ts';
import { refolded } from './refold.ts';
import { formatTimestamp, parseInteger, resolveType, tagOfPlain } from './resolve.ts';

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
  if (root.kind === 'map' && root.entries.length > 0) return `${emitMap(root, 0, true)}`.slice(1);
  if (root.kind === 'sequence' && root.items.length > 0) return emitSequence(root.items, 0).slice(1);
  return `${emitInline(root, 0, 0).trimStart()}\n`;
}

/** Every line starts with its break, so that a first line can be moved behind a `- `. Ends with a break. */
function emitMap(map: MapNode, indent: number, isRoot = false): string {
  const margin = ' '.repeat(indent);
  let output = '';
  for (const { key, value } of sortedEntries(map, isRoot)) {
    output += `\n${margin}${emitEntry(key.text, value, indent)}`;
  }
  return isRoot ? `${output}\n` : output;
}

function emitEntry(key: string, value: YamlNode, indent: number): string {
  const keyText = emitString(key, indent, indent, true);
  if (keyText === undefined || (key.length > 40 && Buffer.byteLength(key) > maxSimpleKeyBytes)) {
    const longKey = emitString(key, indent + 2, indent + 2, false) ?? '';
    const inner = emitBlock(value, indent + 2, true) ?? emitInline(value, indent, indent + 1);
    return `? ${longKey}\n${' '.repeat(indent)}:${inner}`;
  }
  return `${keyText}:${emitBlock(value, indent, false) ?? emitInline(value, indent, indent + keyText.length + 1)}`;
}

/** A collection that has something in it, to follow a key; undefined for all that goes on the key's own line. */
function emitBlock(value: YamlNode, indent: number, onSameLine: boolean): string | undefined {
  let output: string;
  if (value.kind === 'map' && value.entries.length > 0) {
    output = emitMap(value, onSameLine ? indent : indent + 2);
  } else if (value.kind === 'sequence' && value.items.length > 0) {
    output = emitSequence(value.items, indent);
  } else return undefined;
  return onSameLine ? ` ${output.slice(1 + indent)}` : output;
}

function emitSequence(items: readonly YamlNode[], indent: number): string {
  const margin = ' '.repeat(indent);
  let output = '';
  for (const item of items) {
    const inner = emitBlock(item, indent + 2, true) ?? emitInline(item, indent, indent + 1);
    output += `\n${margin}-${inner}`;
  }
  return output;
}

/** A scalar or an empty collection, with the blank before it. `column` is where the text so far ends. */
function emitInline(value: YamlNode, indent: number, column: number): string {
  if (value.kind === 'map') return ' {}';
  if (value.kind === 'sequence') return ' []';
  if (value.tag === '!!str' && isSafeWord.test(value.text)) return ` ${value.text}`;
  return ` ${emitScalar(value, indent + 2, column + 1)}`;
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
  if (exponent >= -4 && exponent < 21 && exponent < 6) return value.toString();
  const sign = exponent < 0 ? '-' : '+';
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** In go-yaml's order. Refuses what cannot be a map of Go or JSON: a key twice, and below the root a key that is no string. */
function sortedEntries(map: MapNode, isRoot: boolean): readonly MapEntry[] {
  const { entries } = map;
  for (const { key } of entries) {
    const isString =
      key.style !== 'plain' || key.tag === '!!str' || (key.tag === '' && tagOfPlain(key.text) === '!!str');
    if (!isString && !isRoot) throw new UnprintableError(`the key ${key.text} is not a string`, key);
  }
  if (entries.length < 2) return entries;
  const sorted = [...entries].sort((one, other) => compareKeys(one.key.text, other.key.text));
  for (let index = 1; index < sorted.length; index++) {
    const { key } = sorted[index]!;
    if (key.text === sorted[index - 1]!.key.text) {
      throw new UnprintableError(`the key ${key.text} is written twice`, key);
    }
  }
  return sorted;
}
