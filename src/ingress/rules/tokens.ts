/** A rule's text in, its words out. The words are those of Go expressions, as Traefik's rules are. Pure. */

export type Token =
  | {
      readonly kind: '(' | ')' | ',' | '!' | '&&' | '||' | 'end';
      readonly offset: number;
      readonly text: string;
    }
  | { readonly kind: 'name' | 'value'; readonly offset: number; readonly text: string };

/** The text is not a rule. `offset` is where, in characters from 0. */
export class RuleError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'RuleError';
    this.offset = offset;
  }
}

const symbols = ['&&', '||', '(', ')', ',', '!'] as const;

/** Throws `RuleError`. The last token is `end`. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  while (offset < text.length) {
    const blanks = /^[ \t\r\n]+/.exec(text.slice(offset));
    if (blanks) {
      offset += blanks[0].length;
      continue;
    }
    const { token, length } = nextToken(text, offset);
    tokens.push(token);
    offset += length;
  }
  return [...tokens, { kind: 'end', offset: text.length, text: '' }];
}

function nextToken(text: string, offset: number): { token: Token; length: number } {
  const rest = text.slice(offset);
  const symbol = symbols.find((candidate) => rest.startsWith(candidate));
  if (symbol) return { token: { kind: symbol, offset, text: symbol }, length: symbol.length };
  const name = /^[A-Za-z_]\w*/.exec(rest)?.[0];
  if (name) return { token: { kind: 'name', offset, text: name }, length: name.length };
  if (rest.startsWith('`')) return rawString(rest, offset);
  if (rest.startsWith('"')) return quotedString(rest, offset);
  if (rest.startsWith("'"))
    throw new RuleError("a value is written in backticks or double quotes, not in '", offset);
  if (/^[&|]/.test(rest)) throw new RuleError(`"${rest[0]}" alone; write "${rest[0]}${rest[0]}"`, offset);
  throw new RuleError(`unexpected ${JSON.stringify(String.fromCodePoint(rest.codePointAt(0) ?? 0))}`, offset);
}

function rawString(rest: string, offset: number): { token: Token; length: number } {
  const end = rest.indexOf('`', 1);
  if (end < 0) throw new RuleError('a backtick without its partner', offset);
  return { token: { kind: 'value', offset, text: rest.slice(1, end) }, length: end + 1 };
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

function quotedString(rest: string, offset: number): { token: Token; length: number } {
  let text = '';
  for (let index = 1; index < rest.length; index++) {
    const character = rest[index]!;
    if (character === '"') return { token: { kind: 'value', offset, text }, length: index + 1 };
    if (character === '\n') break;
    if (character !== '\\') {
      text += character;
      continue;
    }
    const code = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/.exec(rest.slice(index + 1));
    const escaped = code ? String.fromCharCode(Number.parseInt(code[1] ?? code[2] ?? '', 16)) : undefined;
    const meant = escaped ?? escapes[rest[index + 1] ?? ''];
    if (meant === undefined) throw new RuleError('a backslash before nothing that Go knows', offset + index);
    text += meant;
    index += code ? code[0].length : 1;
  }
  throw new RuleError('a double quote without its partner', offset);
}
