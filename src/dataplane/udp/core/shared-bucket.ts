/** A token bucket that several threads draw from: what all of them let through together keeps to one rate. */

/** Tokens are counted in parts, so that a slow rate refills evenly. */
const partsPerToken = 1_024;
/** What 31 bits hold. */
const mostTokens = 2_000_000;

export const sharedBucketBytes = 8;

export class SharedBucket {
  /** Parts left; then the millisecond up to which it is refilled, modulo 2^32. */
  readonly #cells: Int32Array;
  readonly #partsPerMs: number;
  readonly #fullParts: number;

  /** `shared`: zeroed at first; full from the start. `burst` is at most 2,000,000. */
  constructor(shared: SharedArrayBuffer, perSecond: number, burst: number) {
    this.#cells = new Int32Array(shared);
    this.#partsPerMs = (perSecond * partsPerToken) / 1_000;
    this.#fullParts = Math.max(1, Math.min(mostTokens, Math.floor(burst))) * partsPerToken;
  }

  /** Whether there was a token. `atMs` is the time since 1970, the same on every thread. */
  take(atMs: number): boolean {
    const cells = this.#cells;
    this.#refill(atMs);
    if (Atomics.sub(cells, 0, partsPerToken) >= partsPerToken) return true;
    Atomics.add(cells, 0, partsPerToken);
    return false;
  }

  #refill(atMs: number): void {
    const cells = this.#cells;
    const now = atMs | 0;
    const before = Atomics.load(cells, 1);
    if (before === now) return;
    const elapsedMs = (now - before) | 0;
    // A slow rate gains less than a part in a millisecond: wait until it is one.
    if (before !== 0 && elapsedMs * this.#partsPerMs < 1) return;
    // Whoever moves the clock refills.
    if (Atomics.compareExchange(cells, 1, before, now) !== before) return;
    const held = Atomics.load(cells, 0);
    const gained = before === 0 ? this.#fullParts : Math.floor(elapsedMs * this.#partsPerMs);
    Atomics.add(cells, 0, Math.max(0, Math.min(gained, this.#fullParts - held)));
  }
}
