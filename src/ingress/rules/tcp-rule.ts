/**
 * The rules of IngressRouteTCP: HostSNI, HostSNIRegexp, ClientIP and ALPN, joined by && || ! and parentheses. Pure.
 * Source: Traefik's documentation of TCP rules (v3 syntax).
 */

import { domainToASCII } from 'node:url';
import { compileGoPattern, PatternError, parseAddressRange, type TcpRule } from '../../dataplane/index.ts';
import { nearestName } from '../../diagnostics/index.ts';
import { RuleError, type Token, tokenize } from './tokens.ts';

export type RuleReading =
  | { readonly kind: 'rule'; readonly rule: TcpRule }
  | { readonly kind: 'error'; readonly message: string; readonly offset: number };

/** Rules of people have tens; each costs a test per connection. */
const maxMatchers = 1000;
const maxNesting = 100;

/** Reads a route's `match`. Never throws; `offset` counts characters from 0. */
export function parseTcpRule(text: string): RuleReading {
  try {
    // An API that checks nothing may hand on whatever was written.
    const tokens = tokenize(typeof text === 'string' ? text : '');
    return { kind: 'rule', rule: new RuleParser(tokens).parse() };
  } catch (error) {
    if (error instanceof RuleError) return { kind: 'error', message: error.message, offset: error.offset };
    throw error;
  }
}

/** What a route without `priority` gets: the longer its rule, the higher, and anything at all comes last. */
export function defaultPriority(text: string, rule: TcpRule): number {
  return rule.kind === 'hostSni' && rule.host === '*' ? -1 : Buffer.byteLength(text);
}

/** Whether the rule asks for a name, which only a connection in TLS has. `*` asks for none. */
export function namesHosts(rule: TcpRule): boolean {
  switch (rule.kind) {
    case 'hostSni':
      return rule.host !== '*';
    case 'and':
    case 'or':
      return namesHosts(rule.left) || namesHosts(rule.right);
    case 'not':
      return namesHosts(rule.operand);
    default:
      return false;
  }
}

class RuleParser {
  readonly #tokens: readonly Token[];
  #position = 0;
  #matchers = 0;
  #nesting = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): TcpRule {
    if (this.#sees('end')) throw new RuleError('the rule is empty', 0);
    const rule = this.#or();
    if (!this.#sees('end')) throw this.#unexpected('&& or ||');
    return rule;
  }

  #or(): TcpRule {
    const operands = [this.#and()];
    while (this.#accept('||')) operands.push(this.#and());
    return join('or', operands);
  }

  /** && binds closer than ||, and ! closest, as in Go. */
  #and(): TcpRule {
    const operands = [this.#unary()];
    while (this.#accept('&&')) operands.push(this.#unary());
    return join('and', operands);
  }

  #unary(): TcpRule {
    const { offset } = this.#current;
    if (++this.#nesting > maxNesting) throw new RuleError('nested too deeply', offset);
    try {
      if (this.#accept('!')) return { kind: 'not', operand: this.#unary() };
      if (this.#accept('(')) {
        const inner = this.#or();
        if (!this.#accept(')')) throw this.#unexpected(')');
        return inner;
      }
      return this.#matcher();
    } finally {
      this.#nesting--;
    }
  }

  #matcher(): TcpRule {
    const name = this.#current;
    if (name.kind !== 'name') throw this.#unexpected('a matcher');
    this.#position++;
    if (++this.#matchers > maxMatchers) throw new RuleError(`more than ${maxMatchers} matchers`, name.offset);
    const kind = matcherNames.get(name.text);
    if (!kind) throw unknownMatcher(name);
    if (!this.#accept('(')) throw this.#unexpected('(');
    const values = this.#values();
    const [value] = values;
    if (values.length !== 1 || !value) {
      throw new RuleError(`${name.text} takes one value, not ${values.length}`, name.offset);
    }
    return readers[kind](value);
  }

  #values(): Token[] {
    const values: Token[] = [];
    while (!this.#accept(')')) {
      if (values.length > 0 && !this.#accept(',')) throw this.#unexpected(', or )');
      const value = this.#current;
      if (value.kind !== 'value') throw this.#unexpected('a value in backticks');
      this.#position++;
      values.push(value);
    }
    return values;
  }

  get #current(): Token {
    return this.#tokens[this.#position]!;
  }

  #sees(kind: Token['kind']): boolean {
    return this.#current.kind === kind;
  }

  #accept(kind: Token['kind']): boolean {
    if (!this.#sees(kind)) return false;
    this.#position++;
    return true;
  }

  #unexpected(wanted: string): RuleError {
    const { kind, text, offset } = this.#current;
    const found = kind === 'end' ? 'the end of the rule' : JSON.stringify(text);
    return new RuleError(`expected ${wanted}, found ${found}`, offset);
  }
}

/** A balanced tree: a rule of a thousand names is ten deep. */
function join(kind: 'and' | 'or', operands: readonly TcpRule[]): TcpRule {
  if (operands.length === 1) return operands[0]!;
  const half = Math.ceil(operands.length / 2);
  return { kind, left: join(kind, operands.slice(0, half)), right: join(kind, operands.slice(half)) };
}

const matchers = {
  HostSNI: 'hostSni',
  HostSNIRegexp: 'hostSniRegexp',
  ClientIP: 'clientIp',
  ALPN: 'alpn',
} as const;
type MatcherKind = (typeof matchers)[keyof typeof matchers];

/** Traefik takes each name as documented, in lower case, in upper case, and with one capital. */
const matcherNames = new Map<string, MatcherKind>(
  Object.entries(matchers).flatMap(([name, kind]) => {
    const lower = name.toLowerCase();
    const spellings = [name, lower, name.toUpperCase(), lower.charAt(0).toUpperCase() + lower.slice(1)];
    return spellings.map((spelling): [string, MatcherKind] => [spelling, kind]);
  }),
);

function unknownMatcher({ text, offset }: Token): RuleError {
  const names = Object.keys(matchers);
  const meant = nearestName(text, names);
  const hint = meant ? `did you mean ${meant}?` : `there are ${names.join(', ')}`;
  return new RuleError(`no matcher is called ${text}: ${hint}`, offset);
}

const readers: Readonly<Record<MatcherKind, (value: Token) => TcpRule>> = {
  hostSni: ({ text, offset }) => ({ kind: 'hostSni', host: readHost(text, offset) }),
  hostSniRegexp: ({ text, offset }) => {
    if (!isAscii(text)) throw new RuleError('a pattern for host names holds ASCII only', offset);
    try {
      compileGoPattern(text);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      throw new RuleError(`not a regular expression: ${error.message}`, offset + 1 + error.offset);
    }
    return { kind: 'hostSniRegexp', pattern: text };
  },
  clientIp: ({ text, offset }) => {
    if (!parseAddressRange(text)) {
      throw new RuleError(`${JSON.stringify(text)} is no IP address or CIDR range`, offset);
    }
    return { kind: 'clientIp', range: text.trim() };
  },
  alpn: ({ text, offset }) => {
    // Traefik keeps it for certificates by TLS-ALPN-01.
    if (text === 'acme-tls/1') throw new RuleError('acme-tls/1 may not be routed', offset);
    if (text === '') throw new RuleError('the protocol is empty', offset);
    return { kind: 'alpn', protocol: text };
  },
};

/** `*`, `*.example.com`, or a name; names of other scripts are compared as they travel, in Punycode. */
function readHost(text: string, offset: number): string {
  if (text === '*') return '*';
  const [wildcard, name] = text.startsWith('*.') ? ['*.', text.slice(2)] : ['', text];
  const ascii = isAscii(name) ? name : domainToASCII(name);
  const host = ascii.toLowerCase().replace(/\.$/, '');
  if (!/^[\w.:-]+$/.test(host)) {
    throw new RuleError(`${JSON.stringify(text)} is no host name`, offset);
  }
  return wildcard + host;
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}
