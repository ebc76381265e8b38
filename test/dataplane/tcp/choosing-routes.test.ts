import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TcpRoute, TcpRule } from '../../../src/dataplane/index.ts';
import { addressMatcher, parseAddressRange, plainAddress } from '../../../src/dataplane/tcp/address.ts';
import { RouteChooser } from '../../../src/dataplane/tcp/route-chooser.ts';
import { compileRule } from '../../../src/dataplane/tcp/rule-matcher.ts';
import { route } from './helpers.ts';

const facts = (serverName: string, clientAddress = '10.0.0.1', alpnProtocols: string[] = []) => ({
  serverName,
  clientAddress,
  alpnProtocols,
});
const host = (name: string): TcpRule => ({ kind: 'hostSni', host: name });

describe('what a rule matches', () => {
  it.each<[TcpRule, string, boolean]>([
    [host('*'), '', true],
    [host('*'), 'a.test', true],
    [host('a.test'), 'a.test', true],
    [host('a.test'), '', false],
    [host('a.test'), 'b.a.test', false],
    [host('*.a.test'), 'b.a.test', true],
    [host('*.a.test'), 'c.b.a.test', false],
    [host('*.a.test'), 'a.test', false],
    [host('*.a.test'), '.a.test', false],
    [{ kind: 'hostSniRegexp', pattern: '^b+$' }, 'bbb', true],
    [{ kind: 'not', operand: host('a.test') }, 'b.test', true],
  ])('%j and the name %j: %s', (rule, name, expected) => {
    expect(compileRule(rule)(facts(name))).toBe(expected);
  });

  it.each([
    ['10.0.0.0/8', '10.200.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['2001:db8::/32', '2001:db8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['0.0.0.0/0', '203.0.113.1', true],
    ['::/0', '203.0.113.1', false],
    ['10.0.0.0/8', plainAddress('::ffff:10.0.0.1'), true],
    ['fe80::/10', plainAddress('fe80::1%eth0'), true],
  ])('ClientIP %s and the client %s: %s', (range, address, expected) => {
    expect(compileRule({ kind: 'clientIp', range })(facts('', address))).toBe(expected);
    expect(addressMatcher([range])(address)).toBe(expected);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0',
    'a',
    '',
    '::/129',
    '1.2.3.4/8/9',
    '10.0.0.0/-1',
    'fe80::1%eth0',
  ])('takes %j for no range', (text) => {
    expect(parseAddressRange(text)).toBeUndefined();
  });
});

const tls = { mode: 'passthrough' } as const;

describe('choosing a route', () => {
  it('finds the first that matches, as a search from the top would', () => {
    const names = ['a.test', 'b.test', 'c.b.test', '*.b.test', '*'];
    const leaf = fc.oneof(
      fc.constantFrom(...names).map(host),
      fc.constantFrom('10.0.0.0/8', '10.0.0.1').map((range): TcpRule => ({ kind: 'clientIp', range })),
    );
    const rule = fc.letrec<{ rule: TcpRule }>((tie) => ({
      rule: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          left: tie('rule'),
          right: tie('rule'),
        }),
        tie('rule').map((operand): TcpRule => ({ kind: 'not', operand })),
      ),
    })).rule;
    const property = fc.property(
      fc.array(rule, { maxLength: 12 }),
      fc.constantFrom('', 'a.test', 'b.test', 'c.b.test', 'd.c.b.test'),
      fc.constantFrom('10.0.0.1', '10.9.9.9', '192.0.2.1'),
      (rules, name, address) => {
        const routes = rules.map(
          (one, index): TcpRoute => route([], { name: String(index), rule: one, tls }),
        );
        const given = facts(name, address);
        const expected = routes.find((one) => compileRule(one.rule)(given));
        expect(new RouteChooser(routes).choose(given, true)?.name).toBe(expected?.name);
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });

  it('keeps routes with TLS and those without apart', () => {
    const chooser = new RouteChooser([route([], { name: 'raw' }), route([], { name: 'secure', tls })]);
    expect(chooser.choose(facts(''), false)?.name).toBe('raw');
    expect(chooser.choose(facts('a.test'), true)?.name).toBe('secure');
  });

  it('waits for first bytes only where there are routes with TLS', () => {
    expect(new RouteChooser([route([])]).needsFirstBytes).toBe(false);
    expect(new RouteChooser([route([]), route([], { tls })]).needsFirstBytes).toBe(true);
  });

  it('looks at few of many routes', () => {
    let compiled = 0;
    const routes = Array.from({ length: 5000 }, (_, index): TcpRoute => {
      const rule = host(`h${index}.test`);
      // Reading the rule's host is what compiling it begins with.
      return route([], { name: `r${index}`, rule, tls });
    });
    const chooser = new RouteChooser(
      routes.map((one) => ({
        ...one,
        get rule() {
          compiled++;
          return one.rule;
        },
      })),
    );
    const afterIndexing = compiled;
    expect(chooser.choose(facts('h4321.test'), true)?.name).toBe('r4321');
    expect(compiled - afterIndexing).toBeLessThan(5);
  });
});
