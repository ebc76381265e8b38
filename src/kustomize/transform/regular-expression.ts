/** Regular expressions as Go reads them (RE2), for selectors and image names. */

import type { Origin } from '../../yaml/index.ts';
import { refuse } from '../problem.ts';

const classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
  punct: '!-\\/:-@[-`{-~',
};

/** Compiles a pattern; one that Go would refuse, or that only JavaScript understands, is refused. */
export function compilePattern(pattern: string, at: Origin, object?: string): RegExp {
  const invalid = (reason: string): never =>
    refuse('SL1004', `${pattern} is not a regular expression that kustomize accepts: ${reason}`, at, {
      object,
    });
  if (/\(\?(?:=|!|<=|<!)/.test(pattern)) invalid('look-ahead and look-behind do not exist there');
  if (/(?:^|[^\\])(?:\\\\)*\\(?:[1-9]|k)/.test(pattern)) invalid('back references do not exist there');
  let flags = '';
  const source = pattern
    .replace(/^((?:\^\(\?:)?)\(\?([ims]+)\)/, (_, start: string, letters: string) => {
      flags = letters;
      return start;
    })
    .replaceAll('(?P<', '(?<')
    .replace(/\[:(\w+):\]/g, (whole, name: string) => classes[name] ?? whole)
    .replaceAll('\\z', '$')
    .replaceAll('\\A', '^');
  try {
    return new RegExp(source, flags);
  } catch (error) {
    return invalid(error instanceof Error ? error.message : String(error));
  }
}
