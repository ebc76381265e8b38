/** A text written inside a kustomization file, with positions of that file. */

import { SourceText } from '../../yaml/index.ts';
import type { Located } from './decode.ts';

/** `trims` takes blank lines and blanks from both ends, as kustomize does with inline patches. */
export function embeddedText({ value, node }: Located<string>, trims: boolean): SourceText {
  const { source, offset } = node;
  const start = source.positionAt(offset);
  let [lines, columns] = [start.line - 1, start.column];
  if (node.kind === 'scalar' && (node.style === 'literal' || node.style === 'folded')) {
    lines = start.line;
    const body = source.text.slice(source.text.indexOf('\n', offset) + 1);
    columns = /^(?:[ ]*\n)*([ ]*)/.exec(body)?.[1]?.length ?? 0;
  } else if (node.kind === 'scalar' && node.style === 'plain') columns--;
  const text = trims ? value.trim() : value;
  const skipped = trims ? value.slice(0, value.length - value.trimStart().length) : '';
  lines += skipped.split('\n').length - 1;
  return new SourceText(start.file, text, { lines, columns });
}
