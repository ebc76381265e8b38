/**
 * What becomes of a folded text (`>`) that go-yaml v3 writes and reads back: it writes an empty line too many before lines that
 * are indented, by a slip in yaml_emitter_write_folded_scalar that looks at the start of the text instead of the place it is at.
 */

import { mayBeBlock } from './emit-string.ts';
import { Scanner, token } from './scanner.ts';

export function refolded(text: string): string {
  if (!text.includes('\n') || !mayBeBlock(text)) return text;
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const chomping = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
  const scanner = new Scanner(`>${hint}${chomping}\n${written(text)}`);
  for (let next = scanner.take(); next.type !== token.streamEnd; next = scanner.take()) {
    if (next.type === token.scalar) return next.text;
  }
  return text;
}

/** The lines as go-yaml writes them, indented by two. */
function written(text: string): string {
  const startsBlank = /^\n*(?:[ \t]|$)/.test(text);
  let output = '';
  let [afterBreak, isIndented] = [true, true];
  for (const character of text) {
    if (character === '\n') {
      if (!afterBreak && !isIndented && !startsBlank) output += '\n';
      output += '\n';
      afterBreak = true;
      continue;
    }
    if (afterBreak) {
      output += '  ';
      isIndented = character === ' ' || character === '\t';
    }
    output += character;
    afterBreak = false;
  }
  return output;
}
