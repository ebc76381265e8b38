import { describe, expect, it } from 'vitest';
import { composeTokens } from '../../src/yaml/compose.ts';
import { composeLines } from '../../src/yaml/compose-lines.ts';
import { SourceText, type YamlNode } from '../../src/yaml/index.ts';
import { topics } from '../kustomize/cases/index.ts';
import { Random } from '../kustomize/random/generate.ts';
import { mutate } from '../kustomize/random/mutate.ts';

const count = Number(process.env.SLUICE_YAML_SEEDS ?? 4000);

/** What the long way answers: a tree, or that it refuses. */
function byTokens(text: string): YamlNode | undefined | 'refused' {
  try {
    return composeTokens(new SourceText('t.yaml', text), 0, text.length);
  } catch {
    return 'refused';
  }
}

/** Everything about a tree but the source, which differs between two readings. */
const plainTree = (root: unknown): string =>
  JSON.stringify(root, (name, value: unknown) => (name === 'source' ? undefined : value));

function byLines(text: string): YamlNode | undefined {
  return composeLines(new SourceText('t.yaml', text), 0, text.length);
}

const keys = ['a', 'name', 'spec', 'x.y/z', '10', 'true', 'yes', 'http'];
const values = [
  'x',
  '1',
  'a b  c',
  'http://x:80/y',
  '"q: #"',
  "'s'",
  '{}',
  '[]',
  '-1',
  '--flag=x',
  'a#b',
  'null',
  '~',
  '',

  'a:b',
  '"a b" # c',
  'x # c',
  '2001-01-01',
  '0x1F',
  'é ü',
  'a,b [c] {d}',
  'x:',
  'a: b',
  '<<',
  '"',
  "'",
  '|',
];

/** Lines that mostly belong together, with dashes and indentation that mostly make sense. */
function linesOf(random: Random): string {
  const lines: string[] = random.chance(0.2) ? ['---'] : [];
  const columns = [0];
  for (let line = random.below(12); line >= 0; line--) {
    if (random.chance(0.1)) lines.push(random.pick(['', '# c', '  # c', '   ']));
    const column = random.chance(0.03) ? random.below(8) : (columns.at(-1) ?? 0);
    const dash = lines.length > 0 && random.chance(0.3) ? random.pick(['- ', '- ', '-   ', '- - ']) : '';
    const key = random.chance(0.95) ? `${random.pick(keys)}:` : '';
    const value = random.chance(0.6) ? `${random.pick([' ', ' ', '  '])}${random.pick(values)}` : '';
    lines.push(' '.repeat(column) + dash + (key ? key + value : value.trim()) + random.pick(['', '', ' ']));
    if (dash) columns.push(column + dash.length);
    if (value === '') columns.push(column + dash.length + random.pick([0, 2, 2, 2, 3]));
    else while (columns.length > 1 && random.chance(0.3)) columns.pop();
  }
  return lines.join('\n') + random.pick(['\n', '']);
}

describe('lines of keys, dashes and values', () => {
  it.each([
    [
      'an object',
      'kind: A\nmetadata:\n  name: x\nspec:\n  list:\n    - a: 1\n      b: "2"\n    - c\n  last:\n',
    ],
    ['a list in the column of its key', 'a:\n- b: c\n  d:\n  - e\n- f\ng: h\n'],
    ['comments, blank lines and a start of the document', '# c\n---\n\na: b # c\n  # d\nc:\n  - d\n'],
    ['empty collections and other nothings', 'a: {}\nb: []\nc:\nd: ""\ne: ~\n'],
    ['no line break at the end', 'a:\n  b: c'],
  ])('are read without tokens: %s', (_, text) => {
    expect(byLines(text)).toBeDefined();
    expect(plainTree(byLines(text))).toBe(plainTree(byTokens(text)));
  });

  it.each([
    ['a block', 'a: |\n  b\n'],
    ['a flow', 'a: [b]\n'],
    ['an anchor', 'a: &b c\n'],
    ['a value that goes on', 'a: b\n  c\n'],
    ['a tab', 'a:\tb\n'],
    ['a second document', 'a: b\n---\nc: d\n'],
    ['a list beside keys', 'a: b\n- c\n'],
    ['a very long value', `a: ${'x'.repeat(20_000_000)}`],
    ['a row of blanks that is no line', `${' '.repeat(300_000)}\t`],
    ['a row of blanks after a dash', `a:\n-${' '.repeat(300_000)}\t`],
    ['a row of blanks after a key', `a:${' '.repeat(300_000)}\t`],
  ])('leave %s to the reader of tokens', (_, text) => {
    expect(byLines(text)).toBeUndefined();
  });

  it(`make the tree that tokens make, whatever the lines (${count} seeds)`, () => {
    let read = 0;
    for (let seed = 1; seed <= count; seed++) {
      const text = linesOf(new Random(seed));
      const root = byLines(text);
      if (root) read++;
      if (root)
        expect(plainTree(root), `seed ${seed}: ${JSON.stringify(text)}`).toBe(plainTree(byTokens(text)));
    }
    expect(read).toBeGreaterThan(count / 8);
  });

  it(`make the tree that tokens make, in damaged files (${count} seeds)`, () => {
    const texts = Object.values(topics).flatMap((cases) =>
      Object.values(cases).flatMap((files) => Object.values(files)),
    );
    for (let seed = 1; seed <= count; seed++) {
      const random = new Random(seed);
      const text = mutate(random.pick(texts), random);
      const root = byLines(text);
      if (root)
        expect(plainTree(root), `seed ${seed}: ${JSON.stringify(text)}`).toBe(plainTree(byTokens(text)));
    }
  });
});
