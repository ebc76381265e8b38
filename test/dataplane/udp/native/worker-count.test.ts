import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { workerCount } from '../../../../src/dataplane/udp/native/native-engine.ts';

describe('the number of workers', () => {
  it.each([
    [1, 1, []],
    [64, 64, []],
    [65, 64, ['65 UDP workers were asked for: 64 are started']],
    [undefined, Math.min(64, availableParallelism()), []],
  ])('when %s are asked for is %i', (asked, count, said) => {
    const lines: string[] = [];
    expect(workerCount(asked, (_, line) => void lines.push(line))).toBe(count);
    expect(lines).toEqual(said);
  });
});
