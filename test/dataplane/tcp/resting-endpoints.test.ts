import { describe, expect, it } from 'vitest';
import { RestingEndpoints } from '../../../src/dataplane/tcp/resting-endpoints.ts';

describe('endpoints that have just refused', () => {
  it('rest for ten seconds, or until one is reached', () => {
    let nowMs = 0;
    const resting = new RestingEndpoints(() => nowMs);
    resting.rest('a');
    resting.rest('b');
    resting.forgive('b');
    nowMs = 9_999;
    expect(resting.with(new Set(['c']))).toEqual(new Set(['a', 'c']));
    nowMs = 10_000;
    expect(resting.with(new Set())).toEqual(new Set());
  });

  it('are all forgotten when they are more than any cluster has that works', () => {
    const resting = new RestingEndpoints(() => 0);
    for (let count = 0; count < 10_000; count++) resting.rest(`${count}`);
    expect(resting.with(new Set()).size).toBe(10_000);
    resting.rest('one more');
    expect(resting.with(new Set())).toEqual(new Set(['one more']));
  });
});
