/**
 * When to let datagrams gather. A worker that waits for its sockets is woken for every few datagrams; a short sleep
 * first brings it batches several times as long, which leave in joined sends: measured at 16 clients with 16 datagrams
 * each on the way, a fourth to a third less CPU per round trip for the same throughput. But each datagram then waits
 * a little both ways. So a worker gathers while it uses up its core, and answers at once while it has time to spare:
 * the clients' latency comes first until the choice is between a batch and a queue. A worker that does not get its core
 * because others want it too has no time to spare either, but each sleep would cost it its turn: it must not gather.
 * So what counts is the CPU time that it got.
 */

/** Datagrams per millisecond, both directions, below which a sleep costs more than it saves. */
const leastPerMs = 20;
/** Gathering begins when this share of the time was spent computing, for so many windows: not for a burst. */
const busyShare = 0.85;
const busyWindows = 3;
/** It ends when the rate falls below this share of what it began with: gathering itself makes time to spare. */
const lastingShare = 0.7;
/** And after so many windows, some 0.4 s: whether there is time to spare without it shows only then. */
const mostWindows = 50;
const windowMs = 8;
/** A turn that brought so many is no sign of waking too often. */
const fullTurn = 64;

export class Pace {
  readonly #cpuUs: () => number;
  #windowStartMs = 0;
  #cpuUsAtStart = 0;
  #datagrams = 0;
  /** Busy ones in a row while it does not gather, all since it began while it does. */
  #windows = 0;
  /** The rate per millisecond at which gathering began; 0 while it has not. */
  #beganAt = 0;

  /** `cpuUs`: the worker's CPU time so far in microseconds, asked for once in some milliseconds. */
  constructor(cpuUs: () => number) {
    this.#cpuUs = cpuUs;
  }

  /** Whether to sleep before waiting again: after a turn that began at `nowMs` and moved so many datagrams. */
  shouldGather(datagrams: number, nowMs: number): boolean {
    this.#datagrams += datagrams;
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs >= windowMs) this.#decide(elapsedMs, nowMs);
    return this.#beganAt > 0 && datagrams > 0 && datagrams < fullTurn;
  }

  #decide(elapsedMs: number, nowMs: number): void {
    const perMs = this.#datagrams / elapsedMs;
    const cpuUs = this.#cpuUs();
    const share = (cpuUs - this.#cpuUsAtStart) / 1_000 / elapsedMs;
    if (this.#beganAt > 0) this.#mayEnd(perMs);
    else this.#mayBegin(perMs, share);
    this.#windowStartMs = nowMs;
    this.#cpuUsAtStart = cpuUs;
    this.#datagrams = 0;
  }

  #mayBegin(perMs: number, share: number): void {
    this.#windows = perMs >= leastPerMs && share > busyShare ? this.#windows + 1 : 0;
    if (this.#windows < busyWindows) return;
    this.#beganAt = perMs;
    this.#windows = 0;
  }

  #mayEnd(perMs: number): void {
    this.#windows++;
    if (this.#windows < mostWindows && perMs >= Math.max(leastPerMs, lastingShare * this.#beganAt)) return;
    this.#beganAt = 0;
    this.#windows = 0;
  }
}
