/** Nodes as plain values: what the printed YAML means to a program that reads it. */

import { effectiveScalar, type YamlNode } from '../../yaml/index.ts';

export function toValue(node: YamlNode): unknown {
  if (node.kind === 'sequence') return node.items.map(toValue);
  if (node.kind === 'map') {
    const value: Record<string, unknown> = {};
    for (const entry of node.entries) {
      // Not by assignment: a key may be called __proto__.
      Object.defineProperty(value, entry.name, {
        value: toValue(entry.value),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return value;
  }
  const { type, text } = effectiveScalar(node);
  if (type === 'null') return null;
  if (type === 'boolean') return text === 'true';
  return type === 'string' ? text : Number(text);
}
