import { describe, expect, it } from 'vitest';
import { Pace } from '../../../../src/dataplane/udp/native/pace.ts';

/** Turns of a tenth of a millisecond, `busy` of which is CPU time. */
function worker() {
  let nowMs = 0;
  let cpuUs = 0;
  const pace = new Pace(() => cpuUs);
  const turn = (datagrams: number, busy: number, ms = 0.1) => {
    nowMs += ms;
    cpuUs += busy * ms * 1_000;
    return pace.shouldGather(datagrams, nowMs);
  };
  /** Gives whether the worker would gather after the last one. */
  const turns = ({ ms, perTurn, busy }: { ms: number; perTurn: number; busy: number }): boolean => {
    let gathers = false;
    for (let index = 0; index < ms * 10; index += 1) gathers = turn(perTurn, busy);
    return gathers;
  };
  return { turn, turns };
}

describe('the pace of a worker', () => {
  it('is to answer at once while it has time to spare, however many datagrams there are', () => {
    expect(worker().turns({ ms: 50, perTurn: 10, busy: 0.6 })).toBe(false);
  });

  it('is to gather once it uses up its core', () => {
    expect(worker().turns({ ms: 50, perTurn: 10, busy: 0.9 })).toBe(true);
  });

  it('is to answer at once where others use its core: it would lose its turn by sleeping', () => {
    const { turn } = worker();
    // Each turn was kept from the core for most of the time that it took.
    for (let index = 0; index < 50; index += 1) expect(turn(30, 0.2, 1)).toBe(false);
  });

  it('is to answer at once after a burst', () => {
    const { turns } = worker();
    expect(turns({ ms: 16, perTurn: 20, busy: 1 })).toBe(false);
    expect(turns({ ms: 16, perTurn: 10, busy: 0.5 })).toBe(false);
    expect(turns({ ms: 16, perTurn: 20, busy: 1 })).toBe(false);
  });

  it('looks every now and then whether there is time to spare without gathering', () => {
    const { turn, turns } = worker();
    turns({ ms: 50, perTurn: 10, busy: 0.9 });
    let gathered = 0;
    for (let index = 0; index < 20_000; index++) if (turn(10, 0.5)) gathered++;
    // It begins anew only when it is busy without gathering, which it is not here.
    expect(gathered).toBeGreaterThan(3_000);
    expect(gathered).toBeLessThan(5_000);
  });

  it('is to answer at once where few datagrams keep it from waiting', () => {
    expect(worker().turns({ ms: 50, perTurn: 1, busy: 1 })).toBe(false);
  });

  it('lasts though gathering makes time to spare, until there is less to do', () => {
    const { turns } = worker();
    turns({ ms: 50, perTurn: 10, busy: 0.9 });
    expect(turns({ ms: 50, perTurn: 9, busy: 0.5 })).toBe(true);
    expect(turns({ ms: 50, perTurn: 6, busy: 0.5 })).toBe(false);
  });

  it('does not gather after a turn that was full, or brought nothing', () => {
    const { turn, turns } = worker();
    turns({ ms: 50, perTurn: 10, busy: 1 });
    expect(turn(64, 1)).toBe(false);
    expect(turn(0, 1)).toBe(false);
    expect(turn(1, 1)).toBe(true);
  });

  it('begins anew after silence', () => {
    const { turn, turns } = worker();
    turns({ ms: 50, perTurn: 10, busy: 1 });
    expect(turn(1, 0.05, 950)).toBe(false);
  });
});
