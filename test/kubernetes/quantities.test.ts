import { describe, expect, it } from 'vitest';
import { formatQuantity, parseQuantity } from '../../src/kubernetes/index.ts';

describe('quantity', () => {
  it.each([
    ['128Mi', 134_217_728],
    ['1Ki', 1024],
    ['1.5Gi', 1_610_612_736],
    ['100m', 0.1],
    ['2', 2],
    ['0.5', 0.5],
    ['.5', 0.5],
    ['1e3', 1000],
    ['1E', 1e18],
    ['5k', 5000],
    ['-1', -1],
    [7, 7],
  ])('%j is %d', (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  it.each(['', 'Mi', '1 Mi', '1mi', '1KiB', '0x10', 'NaN', '1.2.3'])('refuses %j', (text) => {
    expect(() => parseQuantity(text)).toThrow('quantities must match the regular expression');
  });

  it.each([
    [134_217_728, 'binary', '128Mi'],
    [1025, 'binary', '1025'],
    [0, 'binary', '0'],
    [0.1, 'decimal', '100m'],
    [2, 'decimal', '2'],
  ] as const)('%d is written as %s: %s', (value, style, text) => {
    expect(formatQuantity(value, style)).toBe(text);
  });
});
