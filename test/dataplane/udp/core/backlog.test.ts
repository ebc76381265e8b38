import { describe, expect, it } from 'vitest';
import { Backlog } from '../../../../src/dataplane/udp/core/backlog.ts';

describe('the backlog of a listener', () => {
  it('is there when every turn for 50 ms found all that one look takes, until one finds less', () => {
    const backlog = new Backlog();
    const looks = [
      [true, 1, 0],
      [true, 2, 49],
      [true, 3, 50],
      [true, 4, 51],
      [false, 5, 52],
      [true, 6, 53],
      [true, 7, 102],
      [true, 8, 103],
    ] as const;
    const behind = looks.filter(([isFull, turn, nowMs]) => backlog.note(isFull, turn, nowMs));
    expect(behind.map(([, turn]) => turn)).toEqual([3, 4, 8]);
  });

  it('is not there when there was nothing in between', () => {
    const backlog = new Backlog();
    backlog.note(true, 1, 0);
    expect(backlog.note(true, 3, 60)).toBe(false);
    expect(backlog.note(true, 4, 110)).toBe(true);
  });
});
