import { Bell, pause } from './timing.ts';

/** How much time a pod has to end. It starts with the first limit and only ever gets shorter. */
export class Grace {
  private endsAtMs = Number.POSITIVE_INFINITY;
  private readonly shortened = new Bell();

  /** From now. A limit that ends later than the present one changes nothing. */
  limitTo(graceMs: number): void {
    const endsAtMs = performance.now() + graceMs;
    if (endsAtMs >= this.endsAtMs) return;
    this.endsAtMs = endsAtMs;
    this.shortened.ring();
  }

  /** Resolves when the time is up. */
  async over(): Promise<void> {
    for (;;) {
      const leftMs = this.endsAtMs - performance.now();
      if (leftMs <= 0) return;
      await pause(leftMs, undefined, this.shortened.next());
    }
  }
}
