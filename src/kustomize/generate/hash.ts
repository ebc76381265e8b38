/** The hash that kustomize appends to the names of generated objects. Source: api/hasher of kustomize 5.5. */

import { effectiveScalar, fieldOf, type MapNode, textOf, type YamlNode } from '../../yaml/index.ts';

const letters: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };

/** Ten letters for what a ConfigMap or Secret holds. The name has no part in it, by an oversight that must stay. */
export function contentHash(node: MapNode): string {
  // Loading it takes some 5 ms, and most kustomizations generate nothing.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const digest = createHash('sha256').update(contentJson(node)).digest('hex');
  return digest.slice(0, 10).replace(/[013ae]/g, (letter) => letters[letter] ?? letter);
}

function contentJson(node: MapNode): string {
  const fields = new Map<string, string>([
    ['kind', quote(textOf(fieldOf(node, 'kind')))],
    ['name', '""'],
  ]);
  const data = fieldOf(node, 'data');
  fields.set('data', data ? json(data) : '""');
  const isSecret = textOf(fieldOf(node, 'kind')) === 'Secret';
  const extra = fieldOf(node, isSecret ? 'stringData' : 'binaryData');
  if (extra?.kind === 'map') fields.set(isSecret ? 'stringData' : 'binaryData', json(extra));
  if (isSecret) fields.set('type', quote(textOf(fieldOf(node, 'type'))));
  return object(fields);
}

function json(node: YamlNode): string {
  if (node.kind === 'sequence') return `[${node.items.map(json).join(',')}]`;
  if (node.kind === 'map')
    return object(new Map(node.entries.map(({ key, value }) => [key.text, json(value)])));
  const { type, text } = effectiveScalar(node);
  if (type !== 'string') return text;
  // U+0085 is folded away only when the output is written.
  return quote(node.text.includes('\x85') ? node.text : text);
}

function object(fields: ReadonlyMap<string, string>): string {
  const sorted = [...fields].sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  return `{${sorted.map(([key, value]) => `${quote(key)}:${value}`).join(',')}}`;
}

/** A string as Go's encoding/json writes it: what HTML could misread is escaped too. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
}
