/** Waiting that can be cut short. */

/** Resolves after the time, or as soon as the signal aborts or one of the promises settles. Never rejects. */
export function pause(
  durationMs: number,
  signal: AbortSignal | undefined,
  ...sooner: readonly Promise<unknown>[]
): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    // Longer than the largest delay a timer takes is for ever.
    const timer = setTimeout(finish, Math.min(durationMs, 2 ** 31 - 1));
    signal?.addEventListener('abort', finish, { once: true });
    if (signal?.aborted) finish();
    for (const promise of sooner) promise.then(finish, finish);
  });
}

/** Something that happens again and again, to be waited for. */
export class Bell {
  private resolveNext: (() => void) | undefined;
  private upcoming: Promise<void> | undefined;

  /** Resolves at the next `ring`. */
  next(): Promise<void> {
    this.upcoming ??= new Promise((resolve) => {
      this.resolveNext = resolve;
    });
    return this.upcoming;
  }

  ring(): void {
    this.resolveNext?.();
    this.upcoming = undefined;
    this.resolveNext = undefined;
  }
}
