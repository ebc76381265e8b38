/**
 * The `yaml` package calls itself for each level, and where it runs out of stack within a regular expression that V8 is just compiling, the
 * whole process ends: it must not be given what is too deep.
 */

import { composeDocument, SourceText, type YamlNode } from '../../yaml/index.ts';
import { maxDepth } from './json-text.ts';

/** Blanks, dashes and the like at the beginning of a line: each may be a level. */
const deepLine = new RegExp(`^(?:[ \\t]|[-?:](?=[ \\t])){${maxDepth}}`, 'm');
const bracket = /[[{]/g;

/** Whether a YAML text is nested too deep, or cannot be read to find out. */
export function isTooDeep(text: string): boolean {
  const brackets = text.match(bracket)?.length ?? 0;
  if (brackets <= maxDepth && !deepLine.test(text)) return false;
  // Our own reader has a limit of its own. It reads one document, and a request has no more.
  if (/\n(?:---|\.\.\.)/.test(text)) return true;
  try {
    const root = composeDocument(new SourceText('body', text));
    return root !== undefined && depthOf(root) > maxDepth;
  } catch {
    return true;
  }
}

function depthOf(node: YamlNode): number {
  let depth = 0;
  if (node.kind === 'map') for (const { value } of node.entries) depth = Math.max(depth, depthOf(value));
  if (node.kind === 'sequence') for (const item of node.items) depth = Math.max(depth, depthOf(item));
  return depth + 1;
}
