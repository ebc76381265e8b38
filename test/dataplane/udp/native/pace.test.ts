import { describe, expect, it } from 'vitest';
import { Pace } from '../../../../src/dataplane/udp/native/pace.ts';

/** Turns of a tenth of a millisecond. Gives whether the worker would gather after the last one. */
function turns(
  pace: Pace,
  { fromMs, ms, perTurn, waited }: { fromMs: number; ms: number; perTurn: number; waited: number },
): boolean {
  let gathers = false;
  for (let turn = 1; turn <= ms * 10; turn += 1) {
    gathers = pace.shouldGather(perTurn, fromMs + turn / 10, waited / 10);
  }
  return gathers;
}

describe('the pace of a worker', () => {
  it('is to answer at once while it has time to spare, however many datagrams there are', () => {
    expect(turns(new Pace(), { fromMs: 0, ms: 50, perTurn: 10, waited: 0.4 })).toBe(false);
  });

  it('is to gather once it has none', () => {
    expect(turns(new Pace(), { fromMs: 0, ms: 50, perTurn: 10, waited: 0.1 })).toBe(true);
  });

  it('is to answer at once where few datagrams keep it from waiting', () => {
    expect(turns(new Pace(), { fromMs: 0, ms: 50, perTurn: 1, waited: 0 })).toBe(false);
  });

  it('lasts though gathering makes time to spare, until there is less to do', () => {
    const pace = new Pace();
    turns(pace, { fromMs: 0, ms: 50, perTurn: 10, waited: 0.1 });
    expect(turns(pace, { fromMs: 50, ms: 50, perTurn: 9, waited: 0.5 })).toBe(true);
    expect(turns(pace, { fromMs: 100, ms: 50, perTurn: 6, waited: 0.5 })).toBe(false);
  });

  it('does not gather after a turn that was full, or brought nothing', () => {
    const pace = new Pace();
    turns(pace, { fromMs: 0, ms: 50, perTurn: 10, waited: 0 });
    expect(pace.shouldGather(64, 50.1, 0)).toBe(false);
    expect(pace.shouldGather(0, 50.2, 0)).toBe(false);
    expect(pace.shouldGather(1, 50.3, 0)).toBe(true);
  });

  it('begins anew after silence', () => {
    const pace = new Pace();
    turns(pace, { fromMs: 0, ms: 50, perTurn: 10, waited: 0 });
    expect(pace.shouldGather(1, 1_000, 950)).toBe(false);
  });
});
