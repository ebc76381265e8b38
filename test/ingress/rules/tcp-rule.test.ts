import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TcpRule } from '../../../src/dataplane/index.ts';
import { defaultPriority, parseTcpRule } from '../../../src/ingress/index.ts';

function rule(text: string): TcpRule {
  const reading = parseTcpRule(text);
  if (reading.kind === 'error') throw new Error(`${reading.message} at ${reading.offset}`);
  return reading.rule;
}

const problem = (text: string) => {
  const reading = parseTcpRule(text);
  return reading.kind === 'error' ? [reading.offset, reading.message] : 'no error';
};

const host = (name: string): TcpRule => ({ kind: 'hostSni', host: name });

/** The rule as text again, every operator in parentheses. */
function print(given: TcpRule): string {
  switch (given.kind) {
    case 'hostSni':
      return `HostSNI(\`${given.host}\`)`;
    case 'hostSniRegexp':
      return `HostSNIRegexp(\`${given.pattern}\`)`;
    case 'clientIp':
      return `ClientIP(\`${given.range}\`)`;
    case 'alpn':
      return `ALPN(\`${given.protocol}\`)`;
    case 'and':
      return `(${print(given.left)} && ${print(given.right)})`;
    case 'or':
      return `(${print(given.left)} || ${print(given.right)})`;
    case 'not':
      return `!${print(given.operand)}`;
  }
}

describe('the rules of TCP routes', () => {
  it.each<[string, TcpRule]>([
    ['HostSNI(`*`)', host('*')],
    ['HostSNI(`a.example.com`)', host('a.example.com')],
    ['HostSNI("a.example.com")', host('a.example.com')],
    ['  HostSNI (\n`a.example.com` ) ', host('a.example.com')],
    ['HostSNI(`A.Example.COM`)', host('a.example.com')],
    ['HostSNI(`a.example.com.`)', host('a.example.com')],
    ['HostSNI(`*.example.com`)', host('*.example.com')],
    ['HostSNI(`bücher.example`)', host('xn--bcher-kva.example')],
    ['HostSNI(`10.0.0.1`)', host('10.0.0.1')],
    ['hostsni(`a`)', host('a')],
    ['HOSTSNI(`a`)', host('a')],
    ['Hostsni(`a`)', host('a')],
    ['HostSNIRegexp(`^.+\\.example\\.com$`)', { kind: 'hostSniRegexp', pattern: '^.+\\.example\\.com$' }],
    ['HostSNIRegexp("^a\\\\.b$")', { kind: 'hostSniRegexp', pattern: '^a\\.b$' }],
    ['ClientIP(`10.0.0.1`)', { kind: 'clientIp', range: '10.0.0.1' }],
    ['ClientIP(`10.0.0.0/8`)', { kind: 'clientIp', range: '10.0.0.0/8' }],
    ['ClientIP(`2001:db8::/32`)', { kind: 'clientIp', range: '2001:db8::/32' }],
    ['ALPN(`h2`)', { kind: 'alpn', protocol: 'h2' }],
    ['!HostSNI(`a`)', { kind: 'not', operand: host('a') }],
    ['!!HostSNI(`a`)', { kind: 'not', operand: { kind: 'not', operand: host('a') } }],
    ['(((HostSNI(`a`))))', host('a')],
  ])('reads %s', (text, expected) => {
    expect(rule(text)).toEqual(expected);
  });

  it.each([
    ['HostSNI(`a`) || HostSNI(`b`) && HostSNI(`c`)', '(HostSNI(`a`) || (HostSNI(`b`) && HostSNI(`c`)))'],
    ['HostSNI(`a`) && HostSNI(`b`) || HostSNI(`c`)', '((HostSNI(`a`) && HostSNI(`b`)) || HostSNI(`c`))'],
    ['(HostSNI(`a`) || HostSNI(`b`)) && HostSNI(`c`)', '((HostSNI(`a`) || HostSNI(`b`)) && HostSNI(`c`))'],
    ['!HostSNI(`a`) && HostSNI(`b`)', '(!HostSNI(`a`) && HostSNI(`b`))'],
    ['!(HostSNI(`a`) || HostSNI(`b`))', '!(HostSNI(`a`) || HostSNI(`b`))'],
  ])('binds the operators of %s as Go does', (text, expected) => {
    expect(print(rule(text))).toBe(expected);
  });

  it.each([
    ['', 0, 'the rule is empty'],
    ['   ', 0, 'the rule is empty'],
    ['HostSNI', 7, 'expected (, found the end of the rule'],
    ['HostSNI(', 8, 'expected a value in backticks, found the end'],
    ['HostSNI(`a`', 11, 'expected , or )'],
    ['HostSNI()', 0, 'takes one value, not 0'],
    ['HostSNI(`a`, `b`)', 0, 'takes one value, not 2'],
    ['HostSNI(`a`) HostSNI(`b`)', 13, 'expected && or ||'],
    ['HostSNI(`a`) &&', 15, 'expected a matcher, found the end'],
    ['HostSNI(`a`) & HostSNI(`b`)', 13, 'write "&&"'],
    ['HostSNI(`a`) | HostSNI(`b`)', 13, 'write "||"'],
    ['(HostSNI(`a`)', 13, 'expected )'],
    ['HostSNI(`a`))', 12, 'expected && or ||, found ")"'],
    ['HostSNI(`a)', 8, 'a backtick without its partner'],
    ['HostSNI("a)', 8, 'a double quote without its partner'],
    ["HostSNI('a')", 8, 'backticks or double quotes'],
    ['HostSNI(a)', 8, 'expected a value in backticks, found "a"'],
    ['Host(`a`)', 0, 'no matcher is called Host'],
    ['HostSNIRegex(`a`)', 0, 'did you mean HostSNIRegexp?'],
    ['HostSNI(`a b`)', 8, 'is no host name'],
    ['HostSNI(``)', 8, 'is no host name'],
    ['HostSNI(`*.*.a`)', 8, 'is no host name'],
    ['HostSNIRegexp(`a(b`)', 18, 'not a regular expression: missing )'],
    ['HostSNIRegexp(`[`)', 15, 'missing ]'],
    ['HostSNIRegexp(`ä`)', 14, 'ASCII only'],
    ['ClientIP(`10.0.0.0/33`)', 9, 'is no IP address or CIDR range'],
    ['ClientIP(`example.com`)', 9, 'is no IP address or CIDR range'],
    ['ALPN(`acme-tls/1`)', 5, 'may not be routed'],
    ['HostSNI(`a`) ; HostSNI(`b`)', 13, 'unexpected ";"'],
  ])('says what is wrong with %j, and where', (text, offset, message) => {
    expect(problem(text)).toEqual([offset, expect.stringContaining(message)]);
  });

  it.each([
    ['HostSNI(`*`)', -1],
    ['(HostSNI(`*`))', -1],
    ['HostSNI(`a`)', 12],
    ['HostSNI(`ä.de`)', 16],
    ['ClientIP(`10.0.0.1`)', 20],
    ['HostSNI(`*`) && ClientIP(`10.0.0.1`)', 36],
  ])('gives %s the priority %i by default: its length in bytes', (text, expected) => {
    expect(defaultPriority(text, rule(text))).toBe(expected);
  });

  it('reads a rule of a thousand names and refuses a longer one', () => {
    const names = (count: number) =>
      Array.from({ length: count }, (_, index) => `HostSNI(\`h${index}\`)`).join(' || ');
    expect(rule(names(1000)).kind).toBe('or');
    expect(problem(names(1001))).toEqual([expect.any(Number), 'more than 1000 matchers']);
  });

  it('refuses a rule nested without end', () => {
    expect(problem(`${'('.repeat(10_000)}HostSNI(\`a\`)`)).toEqual([100, 'nested too deeply']);
    expect(problem('!'.repeat(10_000))).toEqual([100, 'nested too deeply']);
  });

  const leaf = fc.oneof(
    fc.constantFrom('*', 'a.example.com', '*.b.test').map(host),
    fc.constantFrom('10.0.0.0/8', '::1').map((range): TcpRule => ({ kind: 'clientIp', range })),
    fc.constantFrom('h2', 'mqtt').map((protocol): TcpRule => ({ kind: 'alpn', protocol })),
  );
  const tree = fc.letrec<{ rule: TcpRule }>((tie) => ({
    rule: fc.oneof(
      { maxDepth: 6 },
      leaf,
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        left: tie('rule'),
        right: tie('rule'),
      }),
      tie('rule').map((operand): TcpRule => ({ kind: 'not', operand })),
    ),
  })).rule;

  it('reads back every rule that it can be asked for', () => {
    fc.assert(fc.property(tree, (given) => print(rule(print(given))) === print(given)));
  });

  it('gives a rule or an error inside the text for any text at all', () => {
    const pieces = fc.constantFrom(
      'HostSNI',
      'ALPN',
      '(',
      ')',
      '`',
      '"',
      '&&',
      '||',
      '!',
      ',',
      'a',
      '*',
      '\\',
      ' ',
      'é',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(pieces).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (given) => {
        const reading = parseTcpRule(given);
        return reading.kind === 'rule' || (reading.offset >= 0 && reading.offset <= given.length);
      }),
    );
  });
});
