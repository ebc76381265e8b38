/**
 * From characters to tokens, by the rules of libyaml, which go-yaml follows: the same indentation, the same simple keys, the
 * same refusals. An own scanner, because the libraries for JavaScript accept and refuse other texts than kustomize does.
 */

import type { ScalarStyle } from './nodes.ts';

export const token = {
  streamEnd: 0,
  documentStart: 1,
  documentEnd: 2,
  directive: 3,
  blockSequenceStart: 4,
  blockMappingStart: 5,
  blockEnd: 6,
  flowSequenceStart: 7,
  flowSequenceEnd: 8,
  flowMappingStart: 9,
  flowMappingEnd: 10,
  blockEntry: 11,
  flowEntry: 12,
  key: 13,
  value: 14,
  alias: 15,
  anchor: 16,
  tag: 17,
  scalar: 18,
} as const;

export interface Token {
  readonly type: number;
  readonly offset: number;
  /** The text of a scalar, the name of an anchor, alias or tag. */
  readonly text: string;
  readonly style: ScalarStyle;
}

/** The text is not YAML as go-yaml reads it. */
export class YamlSyntaxError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'YamlSyntaxError';
    this.offset = offset;
  }
}

interface SimpleKey {
  possible: boolean;
  required: boolean;
  tokenNumber: number;
  offset: number;
  line: number;
  column: number;
}

/** libyaml: a key that is not marked with `?` may be this long, in characters. */
const maxSimpleKeyLength = 1024;
/** libyaml's: a version, or a handle with its prefix, and perhaps a comment. */
const directive =
  /^%(?:YAML[ \t]+[0-9]{1,9}\.[0-9]{1,9}|TAG[ \t]+!(?:[A-Za-z0-9_-]*!)?[ \t]+\S+)(?:[ \t]+#.*|[ \t]*)$/;

/** Deeper nesting is refused: nothing real is, and each level costs stack. */
const maxDepth = 1000;

const [tab, newline, carriageReturn, space] = [0x09, 0x0a, 0x0d, 0x20];

export class Scanner {
  readonly #text: string;
  readonly #end: number;
  #position: number;
  #line = 0;
  #lineStart: number;
  #indent = -1;
  readonly #indents: number[] = [];
  #simpleKeyAllowed = true;
  readonly #simpleKeys: (SimpleKey | undefined)[] = [undefined];
  #flowLevel = 0;
  #tokens: Token[] = [];
  #head = 0;
  #taken = 0;
  #ended = false;

  constructor(text: string, start = 0, end = text.length) {
    this.#text = text;
    this.#position = start;
    this.#lineStart = start;
    this.#end = end;
  }

  peek(): Token {
    if (this.#head >= this.#tokens.length || this.#mayBecomeKey()) this.#fetchMore();
    return this.#tokens[this.#head]!;
  }

  take(): Token {
    const next = this.peek();
    this.#head++;
    this.#taken++;
    if (this.#head === this.#tokens.length) {
      this.#tokens = [];
      this.#head = 0;
    }
    return next;
  }

  /** Whether the token at the head could still turn out to be the start of a simple key, which inserts tokens before it. */
  #mayBecomeKey(): boolean {
    for (const key of this.#simpleKeys) {
      if (key?.possible && key.tokenNumber === this.#taken && this.#isValid(key)) return true;
    }
    return false;
  }

  #fetchMore(): void {
    do this.#fetchNext();
    while (this.#mayBecomeKey());
  }

  get #column(): number {
    return this.#position - this.#lineStart;
  }

  #at(offset: number): number {
    return offset < this.#end ? this.#text.charCodeAt(offset) : 0;
  }

  #isValid(key: SimpleKey): boolean {
    if (key.line === this.#line && key.offset + maxSimpleKeyLength >= this.#position) return true;
    if (key.required) throw new YamlSyntaxError("could not find expected ':'", key.offset);
    key.possible = false;
    return false;
  }

  #push(type: number, offset: number, text = '', style: ScalarStyle = 'plain'): void {
    this.#tokens.push({ type, offset, text, style });
  }

  #fetchNext(): void {
    this.#skipToToken();
    for (const key of this.#simpleKeys) if (key?.possible) this.#isValid(key);
    this.#unrollIndent(this.#column);
    const offset = this.#position;
    if (offset >= this.#end) {
      this.#fetchStreamEnd();
      return;
    }
    const character = this.#text.charCodeAt(offset);
    if (this.#column === 0) {
      if (character === 0x25) {
        this.#fetchDirective();
        return;
      }
      if (this.#isDocumentIndicator(offset)) {
        this.#fetchDocumentIndicator(character);
        return;
      }
    }
    if (!this.#fetchIndicator(character, offset)) this.#fetchPlainScalar();
  }

  /** What starts with a special character. False where the character starts a plain scalar. */
  #fetchIndicator(character: number, offset: number): boolean {
    const followedByBlank = this.#isBlankz(offset + 1);
    switch (character) {
      case 0x5b: // [
        return this.#fetchFlowStart(token.flowSequenceStart);
      case 0x7b: // {
        return this.#fetchFlowStart(token.flowMappingStart);
      case 0x5d: // ]
        return this.#fetchFlowEnd(token.flowSequenceEnd);
      case 0x7d: // }
        return this.#fetchFlowEnd(token.flowMappingEnd);
      case 0x2c: // ,
        return this.#fetchFlowEntry();
      case 0x2d: // -
        return followedByBlank && this.#fetchBlockEntry();
      case 0x3f: // ?
        return (this.#flowLevel > 0 || followedByBlank) && this.#fetchKey();
      case 0x3a: // :
        return (this.#flowLevel > 0 || followedByBlank) && this.#fetchValue();
      case 0x2a: // *
        return this.#fetchAnchor(token.alias);
      case 0x26: // &
        return this.#fetchAnchor(token.anchor);
      case 0x21: // !
        return this.#fetchTag();
      case 0x7c: // |
        if (this.#flowLevel > 0) break;
        return this.#fetchBlockScalar('literal');
      case 0x3e: // >
        if (this.#flowLevel > 0) break;
        return this.#fetchBlockScalar('folded');
      case 0x27: // '
        return this.#fetchQuoted('single');
      case 0x22: // "
        return this.#fetchQuoted('double');
      case tab:
      case 0x23: // #
      case 0x25: // %
      case 0x40: // @
      case 0x60: // `
        break;
      default:
        return false;
    }
    throw new YamlSyntaxError('found character that cannot start any token', offset);
  }

  #skipToToken(): void {
    for (;;) {
      let character = this.#at(this.#position);
      while (character === space || (character === tab && (this.#flowLevel > 0 || !this.#simpleKeyAllowed))) {
        character = this.#at(++this.#position);
      }
      // At the start of the stream only: go-yaml's is_bom looks at the buffer's first bytes, wherever it is asked about.
      if (character === 0xfeff && this.#position === 0) {
        this.#position++;
        this.#lineStart++;
        continue;
      }
      if (character === 0x23) while (!this.#isBreakz(this.#position)) this.#position++;
      if (!this.#isBreak(this.#position)) return;
      this.#skipLine();
      if (this.#flowLevel === 0) this.#simpleKeyAllowed = true;
    }
  }

  #isBreak(offset: number): boolean {
    if (offset >= this.#end) return false;
    const character = this.#text.charCodeAt(offset);
    if (character > carriageReturn && character < 0x85) return false;
    return (
      character === newline ||
      character === carriageReturn ||
      character === 0x85 ||
      character === 0x2028 ||
      character === 0x2029
    );
  }

  #isBreakz(offset: number): boolean {
    return offset >= this.#end || this.#isBreak(offset);
  }

  #isBlankz(offset: number): boolean {
    const character = this.#at(offset);
    return character === space || character === tab || this.#isBreakz(offset);
  }

  #isDocumentIndicator(offset: number): boolean {
    const three = this.#text.startsWith('---', offset) || this.#text.startsWith('...', offset);
    return three && offset + 3 <= this.#end && this.#isBlankz(offset + 3);
  }

  #skipLine(): void {
    const crlf = this.#at(this.#position) === carriageReturn && this.#at(this.#position + 1) === newline;
    this.#position += crlf ? 2 : 1;
    this.#line++;
    this.#lineStart = this.#position;
  }

  /** Passes a line break and says what it stands for. */
  #readLine(): string {
    const character = this.#at(this.#position);
    this.#skipLine();
    return character === 0x2028 || character === 0x2029 ? String.fromCharCode(character) : '\n';
  }

  #saveSimpleKey(): void {
    const required = this.#flowLevel === 0 && this.#indent === this.#column;
    if (!this.#simpleKeyAllowed) return;
    this.#removeSimpleKey();
    this.#simpleKeys[this.#flowLevel] = {
      possible: true,
      required,
      tokenNumber: this.#taken + this.#tokens.length - this.#head,
      offset: this.#position,
      line: this.#line,
      column: this.#column,
    };
  }

  #removeSimpleKey(): void {
    const key = this.#simpleKeys[this.#flowLevel];
    if (key?.possible && key.required) throw new YamlSyntaxError("could not find expected ':'", key.offset);
    this.#simpleKeys[this.#flowLevel] = undefined;
  }

  #rollIndent(column: number, tokenNumber: number, type: number, offset: number): void {
    if (this.#flowLevel > 0 || this.#indent >= column) return;
    if (this.#indents.length >= maxDepth) throw new YamlSyntaxError('nested too deeply', offset);
    this.#indents.push(this.#indent);
    this.#indent = column;
    const start: Token = { type, offset, text: '', style: 'plain' };
    if (tokenNumber < 0) this.#tokens.push(start);
    else this.#tokens.splice(this.#head + tokenNumber - this.#taken, 0, start);
  }

  #unrollIndent(column: number): void {
    if (this.#flowLevel > 0) return;
    while (this.#indent > column) {
      this.#push(token.blockEnd, this.#position);
      this.#indent = this.#indents.pop() ?? -1;
    }
  }

  #fetchStreamEnd(): void {
    if (this.#ended) throw new YamlSyntaxError('unexpected end of the text', this.#position);
    this.#ended = true;
    this.#flowLevel = 0;
    this.#unrollIndent(-1);
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = false;
    this.#push(token.streamEnd, this.#position);
  }

  #fetchDirective(): void {
    const offset = this.#position;
    this.#unrollIndent(-1);
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = false;
    while (!this.#isBreakz(this.#position)) this.#position++;
    const text = this.#text.slice(offset, this.#position);
    if (!directive.test(text)) throw new YamlSyntaxError('this is not a directive of YAML', offset);
    this.#push(token.directive, offset, text);
  }

  #fetchDocumentIndicator(character: number): void {
    this.#unrollIndent(-1);
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = false;
    this.#push(character === 0x2d ? token.documentStart : token.documentEnd, this.#position);
    this.#position += 3;
  }

  #fetchFlowStart(type: number): true {
    this.#saveSimpleKey();
    if (this.#flowLevel >= maxDepth) throw new YamlSyntaxError('nested too deeply', this.#position);
    this.#flowLevel++;
    this.#simpleKeys[this.#flowLevel] = undefined;
    this.#simpleKeyAllowed = true;
    this.#push(type, this.#position++);
    return true;
  }

  #fetchFlowEnd(type: number): true {
    this.#removeSimpleKey();
    if (this.#flowLevel > 0) {
      this.#simpleKeys.length = this.#flowLevel;
      this.#flowLevel--;
    }
    this.#simpleKeyAllowed = false;
    this.#push(type, this.#position++);
    return true;
  }

  #fetchFlowEntry(): true {
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = true;
    this.#push(token.flowEntry, this.#position++);
    return true;
  }

  #fetchBlockEntry(): true {
    if (this.#flowLevel === 0) {
      if (!this.#simpleKeyAllowed) {
        throw new YamlSyntaxError('block sequence entries are not allowed in this context', this.#position);
      }
      this.#rollIndent(this.#column, -1, token.blockSequenceStart, this.#position);
    }
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = true;
    this.#push(token.blockEntry, this.#position++);
    return true;
  }

  #fetchKey(): true {
    if (this.#flowLevel === 0) {
      if (!this.#simpleKeyAllowed) {
        throw new YamlSyntaxError('mapping keys are not allowed in this context', this.#position);
      }
      this.#rollIndent(this.#column, -1, token.blockMappingStart, this.#position);
    }
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = this.#flowLevel === 0;
    this.#push(token.key, this.#position++);
    return true;
  }

  #fetchValue(): true {
    const key = this.#simpleKeys[this.#flowLevel];
    if (key?.possible && this.#isValid(key)) {
      const start: Token = { type: token.key, offset: key.offset, text: '', style: 'plain' };
      this.#tokens.splice(this.#head + key.tokenNumber - this.#taken, 0, start);
      this.#rollIndent(key.column, key.tokenNumber, token.blockMappingStart, key.offset);
      this.#simpleKeys[this.#flowLevel] = undefined;
      this.#simpleKeyAllowed = false;
    } else {
      if (this.#flowLevel === 0) {
        if (!this.#simpleKeyAllowed) {
          throw new YamlSyntaxError('mapping values are not allowed in this context', this.#position);
        }
        this.#rollIndent(this.#column, -1, token.blockMappingStart, this.#position);
      }
      this.#simpleKeyAllowed = this.#flowLevel === 0;
    }
    this.#push(token.value, this.#position++);
    return true;
  }

  #fetchAnchor(type: number): true {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    const offset = this.#position++;
    while (/[0-9A-Za-z_-]/.test(this.#text.charAt(this.#position)) && this.#position < this.#end)
      this.#position++;
    const name = this.#text.slice(offset + 1, this.#position);
    const next = this.#text.charAt(this.#position);
    if (name === '' || !(this.#isBlankz(this.#position) || '?:,]}%@`'.includes(next))) {
      throw new YamlSyntaxError('did not find expected alphabetic or numeric character', offset);
    }
    this.#push(type, offset, name);
    return true;
  }

  #fetchTag(): true {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    const offset = this.#position;
    while (!this.#isBlankz(this.#position) && !(this.#flowLevel > 0 && this.#at(this.#position) === 0x2c)) {
      this.#position++;
    }
    this.#push(token.tag, offset, this.#text.slice(offset, this.#position));
    return true;
  }

  #fetchQuoted(style: 'single' | 'double'): true {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    const offset = this.#position;
    const text = this.#scanQuoted(style === 'single' ? 0x27 : 0x22, offset);
    this.#push(token.scalar, offset, text, style);
    return true;
  }

  #scanQuoted(quote: number, start: number): string {
    let text = '';
    this.#position++;
    for (;;) {
      if (this.#column === 0 && this.#isDocumentIndicator(this.#position)) {
        throw new YamlSyntaxError('found unexpected document indicator in a quoted text', this.#position);
      }
      if (this.#position >= this.#end) throw new YamlSyntaxError('found no end of a quoted text', start);
      let leadingBlanks = false;
      while (!this.#isBlankz(this.#position)) {
        const character = this.#text.charCodeAt(this.#position);
        if (character === quote) {
          if (quote === 0x22 || this.#at(this.#position + 1) !== 0x27) break;
          text += "'";
          this.#position += 2;
        } else if (character === 0x5c && quote === 0x22) {
          if (this.#isBreak(this.#position + 1)) {
            this.#position++;
            this.#skipLine();
            leadingBlanks = true;
            break;
          }
          text += this.#scanEscape();
        } else {
          text += this.#text[this.#position++];
        }
      }
      if (!leadingBlanks && this.#at(this.#position) === quote && this.#position < this.#end) break;
      text += this.#scanFlowBlanks(leadingBlanks);
    }
    this.#position++;
    return text;
  }

  /** Blanks and line breaks inside a quoted text, folded. */
  #scanFlowBlanks(afterEscapedBreak: boolean): string {
    let leadingBlanks = afterEscapedBreak;
    let [whitespace, leadingBreak, trailingBreaks] = ['', '', ''];
    for (;;) {
      const character = this.#at(this.#position);
      if (character === space || character === tab) {
        if (!leadingBlanks) whitespace += this.#text[this.#position];
        this.#position++;
      } else if (this.#isBreak(this.#position)) {
        if (leadingBlanks) trailingBreaks += this.#readLine();
        else {
          whitespace = '';
          leadingBreak = this.#readLine();
          leadingBlanks = true;
        }
      } else break;
    }
    return leadingBlanks ? foldBreaks(leadingBreak, trailingBreaks) : whitespace;
  }

  #scanEscape(): string {
    const offset = this.#position;
    const code = this.#text[offset + 1] ?? '';
    const simple = simpleEscapes.get(code);
    if (simple !== undefined) {
      this.#position += 2;
      return simple;
    }
    const length = { x: 2, u: 4, U: 8 }[code];
    if (!length) throw new YamlSyntaxError('found unknown escape character', offset);
    const digits = this.#text.slice(offset + 2, offset + 2 + length);
    const value = Number.parseInt(digits, 16);
    const isHex = /^[0-9a-fA-F]+$/.test(digits) && digits.length === length;
    if (!isHex || (value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) {
      throw new YamlSyntaxError('found an escape that names no character', offset);
    }
    this.#position += 2 + length;
    return String.fromCodePoint(value);
  }

  #fetchBlockScalar(style: 'literal' | 'folded'): true {
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = true;
    const offset = this.#position;
    const header = /[|>](?:([-+])([1-9])?|([1-9])([-+])?)?/y;
    header.lastIndex = offset;
    const match = header.exec(this.#text);
    this.#position += match?.[0].length ?? 1;
    if (this.#at(this.#position) === 0x30) {
      throw new YamlSyntaxError('found an indentation indicator equal to 0', this.#position);
    }
    while (this.#at(this.#position) === space || this.#at(this.#position) === tab) this.#position++;
    if (this.#at(this.#position) === 0x23) while (!this.#isBreakz(this.#position)) this.#position++;
    if (!this.#isBreakz(this.#position)) {
      throw new YamlSyntaxError('did not find expected comment or line break', this.#position);
    }
    if (this.#isBreak(this.#position)) this.#skipLine();
    const increment = Number(match?.[2] ?? match?.[3] ?? 0);
    const text = this.#scanBlockText(style === 'literal', increment, match?.[1] ?? match?.[4] ?? '');
    this.#push(token.scalar, offset, text, style);
    return true;
  }

  #scanBlockText(literal: boolean, increment: number, chomping: string): string {
    const fixed = increment === 0 ? 0 : Math.max(this.#indent, 0) + increment;
    let { indent, breaks: trailingBreaks } = this.#scanBlockBreaks(fixed);
    let [text, leadingBreak, leadingBlank] = ['', '', false];
    while (this.#column === indent && this.#position < this.#end) {
      const first = this.#at(this.#position);
      const trailingBlank = first === space || first === tab;
      if (!literal && !leadingBlank && !trailingBlank && leadingBreak.startsWith('\n')) {
        if (trailingBreaks === '') text += ' ';
      } else {
        text += leadingBreak;
      }
      text += trailingBreaks;
      leadingBlank = trailingBlank;
      const start = this.#position;
      while (!this.#isBreakz(this.#position)) this.#position++;
      text += this.#text.slice(start, this.#position);
      leadingBreak = this.#position < this.#end ? this.#readLine() : '';
      ({ indent, breaks: trailingBreaks } = this.#scanBlockBreaks(indent));
    }
    if (chomping !== '-') text += leadingBreak;
    if (chomping === '+') text += trailingBreaks;
    return text;
  }

  /** Passes indentation and empty lines; finds the indentation out where it is not known yet (0). */
  #scanBlockBreaks(known: number): { indent: number; breaks: string } {
    let maxIndent = 0;
    let breaks = '';
    for (;;) {
      while ((known === 0 || this.#column < known) && this.#at(this.#position) === space) this.#position++;
      maxIndent = Math.max(maxIndent, this.#column);
      if ((known === 0 || this.#column < known) && this.#at(this.#position) === tab) {
        throw new YamlSyntaxError(
          'found a tab character where an indentation space is expected',
          this.#position,
        );
      }
      if (!this.#isBreak(this.#position)) break;
      breaks += this.#readLine();
    }
    return { indent: known || Math.max(maxIndent, this.#indent + 1, 1), breaks };
  }

  #fetchPlainScalar(): void {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    const offset = this.#position;
    this.#push(token.scalar, offset, this.#scanPlain());
  }

  #scanPlain(): string {
    const indent = this.#indent + 1;
    let [text, whitespace, leadingBreak, trailingBreaks] = ['', '', '', ''];
    let leadingBlanks = false;
    for (;;) {
      if (this.#column === 0 && this.#isDocumentIndicator(this.#position)) break;
      if (this.#at(this.#position) === 0x23) break;
      const start = this.#position;
      this.#passPlainWord();
      if (this.#position > start) {
        text += leadingBlanks ? foldBreaks(leadingBreak, trailingBreaks) : whitespace;
        text += this.#text.slice(start, this.#position);
        [whitespace, leadingBreak, trailingBreaks, leadingBlanks] = ['', '', '', false];
      }
      if (!this.#isBlankz(this.#position) || this.#position >= this.#end) break;
      for (;;) {
        const character = this.#at(this.#position);
        if (character === space || character === tab) {
          if (leadingBlanks && this.#column < indent && character === tab) {
            throw new YamlSyntaxError('found a tab character that violates indentation', this.#position);
          }
          if (!leadingBlanks) whitespace += this.#text[this.#position];
          this.#position++;
        } else if (this.#isBreak(this.#position)) {
          if (leadingBlanks) trailingBreaks += this.#readLine();
          else {
            whitespace = '';
            leadingBreak = this.#readLine();
            leadingBlanks = true;
          }
        } else break;
      }
      if (this.#flowLevel === 0 && this.#column < indent) break;
    }
    if (leadingBlanks) this.#simpleKeyAllowed = true;
    return text;
  }

  /** Passes the characters up to a blank or to an indicator that ends a plain scalar. */
  #passPlainWord(): void {
    const text = this.#text;
    const end = this.#end;
    const inFlow = this.#flowLevel > 0;
    let position = this.#position;
    for (; position < end; position++) {
      const character = text.charCodeAt(position);
      if (character <= space) {
        if (character === space || character === tab || character === newline || character === carriageReturn)
          break;
      } else if (character === 0x3a) {
        if (this.#isBlankz(position + 1)) break;
      } else if (inFlow && isFlowEnd(character)) break;
      else if (character >= 0x85 && this.#isBreak(position)) break;
    }
    this.#position = position;
  }
}

const isFlowEnd = (character: number): boolean =>
  character === 0x2c ||
  character === 0x3f ||
  character === 0x5b ||
  character === 0x5d ||
  character === 0x7b ||
  character === 0x7d;

function foldBreaks(leadingBreak: string, trailingBreaks: string): string {
  if (!leadingBreak.startsWith('\n')) return leadingBreak + trailingBreaks;
  return trailingBreaks === '' ? ' ' : trailingBreaks;
}

const simpleEscapes = new Map([
  ['0', '\0'],
  ['a', '\x07'],
  ['b', '\b'],
  ['t', '\t'],
  ['\t', '\t'],
  ['n', '\n'],
  ['v', '\v'],
  ['f', '\f'],
  ['r', '\r'],
  ['e', '\x1b'],
  [' ', ' '],
  ['"', '"'],
  ["'", "'"],
  ['\\', '\\'],
  ['N', '\x85'],
  ['_', '\xa0'],
  ['L', '\u2028'],
  ['P', '\u2029'],
]);
