/** When a container that ended is started again. Pure. */

export interface BackOffTimes {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Running this long makes a container new: its next end is followed by a start at once. */
  readonly resetMs: number;
}

/**
 * The first end is followed by a start at once, as Kubernetes does it. Then Kubernetes waits 10 s and doubles; someone
 * who sits before the terminal should not wait that long for the second try (as KEP-4603 proposes for all clusters).
 */
export const defaultBackOff: BackOffTimes = { firstMs: 1_000, maxMs: 300_000, resetMs: 600_000 };

export class BackOff {
  private readonly times: BackOffTimes;
  private nextMs = 0;

  constructor(times: BackOffTimes) {
    this.times = times;
  }

  /** How long to wait after an end, given how long it ran. */
  delayAfter(ranMs: number): number {
    const { firstMs, maxMs, resetMs } = this.times;
    if (ranMs >= resetMs) this.nextMs = 0;
    const delayMs = this.nextMs;
    this.nextMs = delayMs === 0 ? firstMs : Math.min(delayMs * 2, maxMs);
    return delayMs;
  }
}

/** As Go prints a duration: `1s`, `1m20s`, `5m0s`, `500ms`. */
export function formatDelay(delayMs: number): string {
  if (delayMs < 1000) return `${delayMs}ms`;
  const [minutes, seconds] = [Math.floor(delayMs / 60_000), (delayMs % 60_000) / 1000];
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
