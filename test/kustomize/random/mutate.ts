/** Texts with small random damage, for fuzzing what reads them. */

import type { Random } from './generate.ts';

const pieces = [
  '\n',
  '\n  ',
  '\n- ',
  ' ',
  '  ',
  '\t',
  ':',
  ': ',
  '- ',
  '? ',
  '#',
  ' #',
  '"',
  "'",
  '|',
  '>',
  '|-\n',
  '>+\n',
  '|2\n',
  '[',
  ']',
  '{',
  '}',
  ',',
  '&a ',
  '*a',
  '<<: *a',
  '!!str ',
  '!x ',
  '---\n',
  '\n---\n',
  '...\n',
  '%',
  '@',
  '`',
  '\\',
  '\\x',
  '\u0000',
  '\u0007',
  '\u0085',
  '\u2028',
  '\ufeff',
  '\r',
  '\r\n',
  'é',
  '🚀',
  '~',
  'null',
  'true',
  'yes',
  '0x1F',
  '1e3',
  '.inf',
  '1:2',
  '2001-01-01',
  '$patch: delete',
  '$patch',
  '9'.repeat(40),
  'a'.repeat(200),
];

/** The text after some insertions, deletions, doublings and exchanges. */
export function mutate(text: string, random: Random, changes = 1 + random.below(4)): string {
  let result = text;
  for (let change = 0; change < changes; change++) {
    const at = random.below(result.length + 1);
    const length = random.below(12);
    switch (random.below(5)) {
      case 0:
        result = result.slice(0, at) + result.slice(at + length);
        break;
      case 1:
        result = result.slice(0, at) + result.slice(at, at + length) + result.slice(at);
        break;
      case 2: {
        const lines = result.split('\n');
        const line = random.below(lines.length);
        const [moved = ''] = lines.splice(line, 1);
        lines.splice(random.below(lines.length + 1), 0, moved);
        result = lines.join('\n');
        break;
      }
      default:
        result = result.slice(0, at) + random.pick(pieces) + result.slice(at);
    }
  }
  return result;
}
