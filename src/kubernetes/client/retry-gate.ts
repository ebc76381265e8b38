/** When one list-and-watch may try again, and since when it has failed. */

export interface RetryPolicy {
  /** Of the first pause. */
  readonly firstMs: number;
  /** No pause is longer. */
  readonly lastMs: number;
  /** After this long without a failure the pauses start anew. */
  readonly resetMs: number;
}

/** client-go's reflector: 0.8 s doubling to 30 s, each up to twice as long by chance. */
export const reflectorRetry: RetryPolicy = { firstMs: 800, lastMs: 30_000, resetMs: 120_000 };

export interface GateFailure {
  readonly sinceMs: number;
  readonly error: string;
}

export class RetryGate {
  private readonly policy: RetryPolicy;
  private readonly now: () => number;
  private failure: GateFailure | undefined;
  private failures = 0;
  private failedAtMs = Number.NEGATIVE_INFINITY;
  private openAtMs = Number.NEGATIVE_INFINITY;

  constructor(policy: RetryPolicy, now: () => number = Date.now) {
    this.policy = policy;
    this.now = now;
  }

  /** Undefined while the last try was answered. */
  get failing(): GateFailure | undefined {
    return this.failure;
  }

  /** Whether this ends a failure. */
  succeeded(): boolean {
    const wasFailing = this.failure !== undefined;
    this.failure = undefined;
    return wasFailing;
  }

  /** `retryAfterMs` is what the server asks for. Gives whether this begins a failure. */
  failed(error: unknown, retryAfterMs = 0): boolean {
    const now = this.now();
    const begins = this.failure === undefined;
    this.failure = { sinceMs: this.failure?.sinceMs ?? now, error: String(error) };
    this.pauseNext(retryAfterMs);
    return begins;
  }

  /** Makes the next try wait, without calling it a failure: a connection that was cut as soon as it was made. */
  pauseNext(atLeastMs = 0): void {
    const now = this.now();
    const { firstMs, lastMs, resetMs } = this.policy;
    if (now - this.failedAtMs > resetMs) this.failures = 0;
    const pauseMs = firstMs * 2 ** Math.min(this.failures, 16) * (1 + Math.random());
    this.openAtMs = now + Math.max(atLeastMs, Math.min(pauseMs, lastMs));
    this.failedAtMs = now;
    this.failures++;
  }

  /** Resolves when the next try may be made, or the signal aborts. Keeps no process alive. */
  pass(signal: AbortSignal): Promise<void> {
    const waitMs = this.openAtMs - this.now();
    if (waitMs <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, waitMs);
      signal.addEventListener('abort', finish, { once: true });
    });
  }
}
