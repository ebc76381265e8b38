import type { ScalarNode, YamlNode } from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { diagnosticAt } from '../problem.ts';

/** Keys that a patch has twice: the first one counts, and nobody says so. */
export function reportDuplicateKeys(node: YamlNode, build: Build): void {
  for (const key of duplicateKeysIn(node)) {
    const message = `${key.text} is written twice; the first one counts`;
    build.diagnostics.push(diagnosticAt('warning', 'SL1108', message, key, { hint: 'Remove one of them.' }));
  }
}

/** Keys that their map has before them, at every depth. */
export function* duplicateKeysIn(node: YamlNode): Generator<ScalarNode> {
  if (node.kind === 'sequence') for (const item of node.items) yield* duplicateKeysIn(item);
  if (node.kind !== 'map') return;
  const seen = new Set<string>();
  for (const { key, value } of node.entries) {
    if (seen.has(key.text)) yield key;
    seen.add(key.text);
    yield* duplicateKeysIn(value);
  }
}
