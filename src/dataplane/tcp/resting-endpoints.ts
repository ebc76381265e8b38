/** Endpoints that have just refused a connection: they are tried last for a while. */

/** nginx takes the same ten seconds (`fail_timeout`). */
const restMs = 10_000;
/** Far more than the endpoints that fail at once in a cluster that works at all. */
const maxResting = 10_000;

export class RestingEndpoints {
  readonly #untilMs = new Map<string, number>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  rest(key: string): void {
    if (this.#untilMs.size >= maxResting) this.#untilMs.clear();
    this.#untilMs.set(key, this.#nowMs() + restMs);
  }

  forgive(key: string): void {
    if (this.#untilMs.size > 0) this.#untilMs.delete(key);
  }

  /** Those that rest now, and `also`. */
  with(also: ReadonlySet<string>): ReadonlySet<string> {
    if (this.#untilMs.size === 0) return also;
    const nowMs = this.#nowMs();
    for (const [key, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(key);
    return new Set([...this.#untilMs.keys(), ...also]);
  }
}
