import { describe, expect, it } from 'vitest';
import { composeDocument, type MapNode, SourceText } from '../../src/yaml/index.ts';

const keysOf = (text: string): string[] =>
  (composeDocument(new SourceText('t.yaml', text)) as MapNode).entries.map(({ key }) => key.text);

describe('the keys of a map', () => {
  it.each(['__proto__', 'constructor', '10', '', 'a b', 'x'.repeat(200), '\u00e9'])(
    'stay %j, in lines and in braces',
    (key) => {
      expect(keysOf(`"${key}": 1\n`)).toEqual([key]);
      expect(keysOf(`{ "${key}": 1 }\n`)).toEqual([key]);
      expect(keysOf(`"${key}": 1\n`)).toEqual([key]);
    },
  );

  it('may be more than are remembered', () => {
    const keys = Array.from({ length: 25_000 }, (_, index) => `key-${index}`);
    expect(keysOf(keys.map((key) => `${key}: 1\n`).join(''))).toEqual(keys);
    expect(keysOf('key-1: 1\nkey-24999: 1\n')).toEqual(['key-1', 'key-24999']);
  });
});
