import type { YamlNode } from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { diagnosticAt } from '../problem.ts';

/** Keys that a patch has twice: the first one counts, and nobody says so. */
export function reportDuplicateKeys(node: YamlNode, build: Build): void {
  if (node.kind === 'sequence') for (const item of node.items) reportDuplicateKeys(item, build);
  if (node.kind !== 'map') return;
  const seen = new Set<string>();
  for (const { key, value } of node.entries) {
    if (seen.has(key.text)) {
      const message = `${key.text} is written twice; the first one counts`;
      build.diagnostics.push(
        diagnosticAt('warning', 'SL1108', message, key, { hint: 'Remove one of them.' }),
      );
    }
    seen.add(key.text);
    reportDuplicateKeys(value, build);
  }
}
