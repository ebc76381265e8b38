/** Time that passes when a test says so. What happens at a time is over, with all that it asked of an API, before the next. */

import type { ElectionClock } from '../../src/ingress/status/leader-election.ts';

/** Turns of the event loop in which an API in this process answers. */
const turns = 5;

export class ManualClock implements ElectionClock {
  private now = Date.parse('2026-01-01T00:00:00Z');
  private readonly due = new Set<{ readonly atMs: number; readonly run: () => void }>();
  private seed = 1;

  nowMs(): number {
    return this.now;
  }

  /** The same numbers in each run. */
  random(): number {
    this.seed = (this.seed * 48_271) % 0x7fffffff;
    return this.seed / 0x7fffffff;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.now + delayMs, run };
    this.due.add(timer);
    return () => this.due.delete(timer);
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.now + ms;
    await settle();
    for (let next = this.next(endMs); next; next = this.next(endMs)) {
      this.now = Math.max(this.now, next.atMs);
      this.due.delete(next);
      next.run();
      await settle();
    }
    this.now = endMs;
  }

  private next(endMs: number) {
    return [...this.due].filter(({ atMs }) => atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)[0];
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
