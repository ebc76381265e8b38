import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGoPattern, PatternError } from '../../../src/dataplane/index.ts';

const found = (pattern: string, text: string) => compileGoPattern(pattern)(text);

describe('a pattern in Go syntax', () => {
  it.each([
    ['^.+\\.example\\.com$', 'a.example.com', true],
    ['^.+\\.example\\.com$', '.example.com', false],
    ['^.+\\.example\\.com$', 'a.example.com.evil.test', false],
    ['example', 'my.example.com', true],
    ['^(foo|bar)\\.test$', 'bar.test', true],
    ['^(?:foo|bar)\\.test$', 'baz.test', false],
    ['^(?P<env>dev|prod)-db$', 'prod-db', true],
    ['^(?<env>dev|prod)-db$', 'test-db', false],
    ['^db-[0-9]{2,3}$', 'db-7', false],
    ['^db-[0-9]{2,3}$', 'db-77', true],
    ['^db-[0-9]{2,3}$', 'db-7777', false],
    ['^db-\\d{2,}$', 'db-7777', true],
    ['^[[:alpha:]]+$', 'abc', true],
    ['^[[:^alpha:]]+$', 'abc', false],
    ['^[^.]+$', 'a.b', false],
    ['^[a-c-]+$', 'a-c', true],
    ['^[]a]+$', ']a', true],
    ['(?i)^DB$', 'db', true],
    ['^(?i:D)B$', 'dB', true],
    ['^(?i:D)B$', 'db', false],
    ['\\Aab\\z', 'ab', true],
    ['\\Qa.b\\E', 'a.b', true],
    ['\\Qa.b\\E', 'axb', false],
    ['a{,2}', 'a{,2}', true],
    ['^\\x61\\x{62}\\143$', 'abc', true],
    ['\\bdb\\b', 'my-db.test', true],
    ['\\Bdb', 'mydb', true],
    ['', '', true],
    ['^$', '', true],
    ['^$', 'a', false],
    ['a||b', 'x', true],
    ['^(a*)*$', 'aaa', true],
    ['^(a|b)*?c$', 'ababc', true],
  ])('%s found in %j: %s', (pattern, text, expected) => {
    expect(found(pattern, text)).toBe(expected);
  });

  it.each([
    ['a(b', 3, 'missing )'],
    ['a)b', 1, 'unexpected )'],
    ['[a', 0, 'missing ]'],
    ['*a', 0, 'nothing to repeat'],
    ['a**', 2, 'a repeat of a repeat'],
    ['a{3,2}', 1, 'a bad repeat count'],
    ['a{1001}', 1, 'a bad repeat count'],
    ['[z-a]', 4, 'backwards'],
    ['(?=a)', 1, 'not a group that Go knows'],
    ['(?<!a)', 1, 'not a group that Go knows'],
    ['\\1', 1, 'nothing that Go knows'],
    ['\\', 1, 'a backslash at the end'],
    ['\\pL', 1, 'not for host names'],
    ['[[:nope:]]', 1, 'no class'],
    ['((a{1000}){1000}){1000}', 0, 'too large'],
    [`${'('.repeat(500)}`, 200, 'nested too deeply'],
  ])('is refused: %s', (pattern, offset, message) => {
    let problem: unknown;
    try {
      compileGoPattern(pattern);
    } catch (error) {
      problem = error;
    }
    expect(problem).toBeInstanceOf(PatternError);
    expect(problem).toMatchObject({ offset, message: expect.stringContaining(message) });
  });

  it("finds what JavaScript's own engine finds, where the two syntaxes agree", () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '-', '\\.', '^', '$', '\\b');
    const pattern = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        atom,
        fc.tuple(tie('node'), tie('node')).map(([left, right]) => left + right),
        fc.tuple(tie('node'), tie('node')).map(([left, right]) => `(${left}|${right})`),
        fc
          .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{0,2}', '*?'))
          .map(([node, times]) => `(?:${node})${times}`),
      ),
    })).node;
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '-', '.'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (given, subject) => {
        expect(found(given, subject)).toBe(new RegExp(given).test(subject));
      }),
      { numRuns: 3000 },
    );
  });

  it('takes no longer for a text that was chosen against it', () => {
    // Backtracking needs 2^60 steps for this; states in parallel need 60 times the size of the pattern.
    const evil = `${'a'.repeat(250)}!`;
    expect(found('^(a+)+$', evil)).toBe(false);
    expect(found('^(a|a)*$', evil)).toBe(false);
    expect(found('^(a?){200}a{200}$', 'a'.repeat(200))).toBe(true);
  });

  it('gives a matcher or a PatternError for any text at all', () => {
    const pieces = fc.constantFrom(
      'a',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '1',
      ',',
      '*',
      '?',
      '\\',
      '^',
      '-',
      '|',
      ':',
      '[:alpha:]',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((parts) => parts.join('')),
        ),
        (given) => {
          try {
            compileGoPattern(given)('a.example');
          } catch (error) {
            expect(error).toBeInstanceOf(PatternError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
