/**
 * Regular expressions in Go's syntax: the text in, its structure out. Pure. Source: the syntax page of Go's
 * regexp/syntax package (RE2), without Unicode classes: host names are ASCII.
 */

/** The pattern is not one. `offset` is where, counted in characters from 0. */
export class PatternError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'PatternError';
    this.offset = offset;
  }
}

export type PatternNode =
  | { kind: 'empty' }
  | { kind: 'chars'; has: (code: number) => boolean }
  | { kind: 'assert'; at: Assertion }
  | { kind: 'sequence'; parts: PatternNode[] }
  | { kind: 'choice'; options: PatternNode[] }
  | { kind: 'repeat'; of: PatternNode; atLeast: number; atMost: number };

export type Assertion = 'start' | 'end' | 'lineStart' | 'lineEnd' | 'wordEdge' | 'notWordEdge';

/** As Go's: a repeat count above 1,000 is refused. */
const maxRepeat = 1000;
const maxNesting = 200;

/** Throws `PatternError`. */
export function parseGoPattern(pattern: string): PatternNode {
  return new PatternParser(pattern).parse();
}

interface Flags {
  ignoreCase: boolean;
  manyLines: boolean;
  dotIsAll: boolean;
}

class PatternParser {
  readonly #text: string;
  #offset = 0;
  #depth = 0;
  #flags: Flags = { ignoreCase: false, manyLines: false, dotIsAll: false };

  constructor(text: string) {
    this.#text = text;
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#offset < this.#text.length) this.#fail('unexpected )');
    return node;
  }

  #choice(): PatternNode {
    if (++this.#depth > maxNesting) this.#fail('nested too deeply');
    const before = { ...this.#flags };
    const options = [this.#sequence()];
    while (this.#accept('|')) options.push(this.#sequence());
    this.#flags = before;
    this.#depth--;
    return options.length === 1 ? options[0]! : { kind: 'choice', options };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#offset < this.#text.length && !this.#sees('|') && !this.#sees(')')) {
      const atom = this.#atom();
      if (atom) parts.push(this.#repeated(atom));
    }
    return parts.length === 0 ? { kind: 'empty' } : { kind: 'sequence', parts };
  }

  #repeated(atom: PatternNode): PatternNode {
    const start = this.#offset;
    const count = this.#count();
    if (!count) return atom;
    this.#accept('?'); // Lazy or not finds the same texts.
    if (this.#sees('*') || this.#sees('+') || this.#sees('?')) this.#fail('a repeat of a repeat');
    const [atLeast, atMost] = count;
    if (
      atLeast > atMost ||
      atLeast > maxRepeat ||
      (atMost > maxRepeat && atMost !== Number.POSITIVE_INFINITY)
    ) {
      throw new PatternError('a bad repeat count', start);
    }
    return { kind: 'repeat', of: atom, atLeast, atMost };
  }

  #count(): [number, number] | undefined {
    if (this.#accept('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#accept('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#accept('?')) return [0, 1];
    const braces = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.#text.slice(this.#offset, this.#offset + 32));
    if (!braces) return undefined; // A brace that is no count stands for itself, as in Go.
    this.#offset += braces[0].length;
    const atLeast = Number(braces[1]);
    if (!braces[2]) return [atLeast, atLeast];
    return [atLeast, braces[3] ? Number(braces[3]) : Number.POSITIVE_INFINITY];
  }

  /** Undefined for what stands for nothing: a group that only sets flags. */
  #atom(): PatternNode | undefined {
    const character = this.#text[this.#offset++]!;
    const { ignoreCase, manyLines, dotIsAll } = this.#flags;
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return this.#class();
      case '.':
        return { kind: 'chars', has: (code) => dotIsAll || code !== 10 };
      case '^':
        return { kind: 'assert', at: manyLines ? 'lineStart' : 'start' };
      case '$':
        return { kind: 'assert', at: manyLines ? 'lineEnd' : 'end' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        this.#offset--;
        return this.#fail('nothing to repeat');
      default:
        return literal(character, ignoreCase);
    }
  }

  #group(): PatternNode | undefined {
    const rest = this.#text.slice(this.#offset);
    const named = /^\?P?<(\w+)>/.exec(rest);
    const flags = /^\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest);
    const outer = { ...this.#flags };
    if (named) this.#offset += named[0].length;
    else if (flags) {
      this.#offset += flags[0].length;
      this.#setFlags(flags[1] ?? '', true);
      this.#setFlags(flags[2] ?? '', false);
      if (flags[3] === ')') return undefined;
    } else if (rest.startsWith('?')) this.#fail('not a group that Go knows');
    const node = this.#choice();
    if (!this.#accept(')')) this.#fail('missing )');
    this.#flags = outer;
    return node;
  }

  #setFlags(letters: string, value: boolean): void {
    if (letters.includes('i')) this.#flags.ignoreCase = value;
    if (letters.includes('m')) this.#flags.manyLines = value;
    if (letters.includes('s')) this.#flags.dotIsAll = value;
  }

  #escape(): PatternNode {
    const letter = this.#text[this.#offset];
    const assertion = letter === undefined ? undefined : assertions[letter];
    if (assertion) {
      this.#offset++;
      return { kind: 'assert', at: assertion };
    }
    if (letter === 'Q') {
      const end = this.#text.indexOf('\\E', this.#offset);
      const quoted = this.#text.slice(this.#offset + 1, end < 0 ? undefined : end);
      this.#offset = end < 0 ? this.#text.length : end + 2;
      const parts = quoted.split('').map((character) => literal(character, this.#flags.ignoreCase));
      return { kind: 'sequence', parts };
    }
    return {
      kind: 'chars',
      has: this.#escapedClass() ?? folded(this.#escapedCode(), this.#flags.ignoreCase),
    };
  }

  /** `\d` and its like, after the backslash. */
  #escapedClass(): ((code: number) => boolean) | undefined {
    const letter = this.#text[this.#offset] ?? '';
    const perl = perlClasses[letter.toLowerCase()];
    if (!perl) return undefined;
    this.#offset++;
    return letter === letter.toLowerCase() ? perl : (code) => !perl(code);
  }

  /** The character that an escape stands for, after the backslash. */
  #escapedCode(): number {
    const rest = this.#text.slice(this.#offset, this.#offset + 16);
    const hex = /^x(?:\{([0-9a-fA-F]{1,8})\}|([0-9a-fA-F]{2}))/.exec(rest);
    if (hex) {
      this.#offset += hex[0].length;
      return Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
    }
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
    if (octal) {
      this.#offset += octal[0].length;
      return Number.parseInt(octal[0], 8);
    }
    const letter = this.#text[this.#offset];
    if (letter === undefined) return this.#fail('a backslash at the end');
    const control = controls[letter];
    if (control === undefined && /[\w\u0080-\uffff]/.test(letter) && letter !== '_') {
      return this.#fail(`\\${letter} is nothing that Go knows, or not for host names`);
    }
    this.#offset++;
    return control ?? letter.charCodeAt(0);
  }

  #class(): PatternNode {
    const start = this.#offset - 1;
    const isNegated = this.#accept('^');
    const members: ((code: number) => boolean)[] = [];
    let isFirst = true;
    while (isFirst || !this.#sees(']')) {
      if (this.#offset >= this.#text.length) throw new PatternError('missing ]', start);
      isFirst = false;
      members.push(this.#classMember());
    }
    this.#offset++;
    const has = (code: number) => members.some((member) => member(code));
    return { kind: 'chars', has: isNegated ? (code) => !has(code) : has };
  }

  #classMember(): (code: number) => boolean {
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.#text.slice(this.#offset));
    if (posix) {
      const named = posixClasses[posix[2] ?? ''];
      if (!named) this.#fail(`no class ${posix[0]}`);
      this.#offset += posix[0].length;
      return posix[1] ? (code) => !named?.(code) : (code) => Boolean(named?.(code));
    }
    if (this.#sees('\\')) {
      this.#offset++;
      const escaped = this.#escapedClass();
      if (escaped) return escaped;
      return this.#range(this.#escapedCode());
    }
    return this.#range(this.#text.charCodeAt(this.#offset++));
  }

  #range(low: number): (code: number) => boolean {
    let high = low;
    if (this.#sees('-') && this.#text[this.#offset + 1] !== ']' && this.#offset + 1 < this.#text.length) {
      this.#offset++;
      high = this.#accept('\\') ? this.#escapedCode() : this.#text.charCodeAt(this.#offset++);
      if (high < low) this.#fail('a class range backwards');
    }
    const inRange = (code: number) => code >= low && code <= high;
    return this.#flags.ignoreCase ? (code) => inRange(lower(code)) || inRange(upper(code)) : inRange;
  }

  #sees(character: string): boolean {
    return this.#text[this.#offset] === character;
  }

  #accept(character: string): boolean {
    if (!this.#sees(character)) return false;
    this.#offset++;
    return true;
  }

  #fail(message: string): never {
    throw new PatternError(message, Math.min(this.#offset, this.#text.length));
  }
}

const assertions: Readonly<Record<string, Assertion>> = {
  A: 'start',
  z: 'end',
  b: 'wordEdge',
  B: 'notWordEdge',
};
const controls: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

const inRanges =
  (...ranges: [number, number][]) =>
  (code: number) =>
    ranges.some(([low, high]) => code >= low && code <= high);
const isDigit = inRanges([48, 57]);
export const isWord = inRanges([48, 57], [65, 90], [95, 95], [97, 122]);
const isSpace = inRanges([9, 10], [12, 13], [32, 32]);

const perlClasses: Readonly<Record<string, (code: number) => boolean>> = {
  d: isDigit,
  w: isWord,
  s: isSpace,
};
const posixClasses: Readonly<Record<string, (code: number) => boolean>> = {
  alnum: inRanges([48, 57], [65, 90], [97, 122]),
  alpha: inRanges([65, 90], [97, 122]),
  ascii: inRanges([0, 127]),
  blank: inRanges([9, 9], [32, 32]),
  cntrl: inRanges([0, 31], [127, 127]),
  digit: isDigit,
  graph: inRanges([33, 126]),
  lower: inRanges([97, 122]),
  print: inRanges([32, 126]),
  punct: inRanges([33, 47], [58, 64], [91, 96], [123, 126]),
  space: inRanges([9, 13], [32, 32]),
  upper: inRanges([65, 90]),
  word: isWord,
  xdigit: inRanges([48, 57], [65, 70], [97, 102]),
};

const lower = (code: number) => (code >= 65 && code <= 90 ? code + 32 : code);
const upper = (code: number) => (code >= 97 && code <= 122 ? code - 32 : code);

function literal(character: string, ignoreCase: boolean): PatternNode {
  return { kind: 'chars', has: folded(character.charCodeAt(0), ignoreCase) };
}

function folded(wanted: number, ignoreCase: boolean): (code: number) => boolean {
  return ignoreCase ? (code) => lower(code) === lower(wanted) : (code) => code === wanted;
}
