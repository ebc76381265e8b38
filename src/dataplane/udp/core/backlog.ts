/**
 * Whether an engine has fallen behind with a listener: for a while now each look at it has found all that one look takes.
 * What comes faster than it is served fills the kernel's buffer, and is then dropped there, whoever sent it.
 */

/** A burst is over by then; and what comes meanwhile fits into the buffer that is asked for, unless it is far more than can be served. */
const behindAfterMs = 50;

export class Backlog {
  #sinceMs = -1;
  #turn = -1;

  /**
   * To be called for each look that found anything, with the number of the engine's turn: in those left out it found nothing.
   * `isFull`: it found all that one takes. Gives whether the engine is behind.
   */
  note(isFull: boolean, turn: number, nowMs: number): boolean {
    if (!isFull) this.#sinceMs = -1;
    else if (this.#sinceMs < 0 || turn !== this.#turn + 1) this.#sinceMs = nowMs;
    this.#turn = turn;
    return isFull && nowMs - this.#sinceMs >= behindAfterMs;
  }
}
