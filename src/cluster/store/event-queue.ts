/** Events between the store, which gives them at once, and a reader, who takes them when he has the time. */

import { ApiError, type KubeObject, type WatchEvent } from '../../kubernetes/index.ts';

export interface EventQueueOptions {
  /** Past this many waiting the queue ends with Expired: the reader lists anew rather than fills the memory. */
  readonly maxPending: number;
  /** The reader left, the queue overflowed or was ended. */
  onClose(reason: 'left' | 'overflow' | 'ended'): void;
}

export class EventQueue<Kind extends KubeObject> implements AsyncIterator<WatchEvent<Kind>> {
  readonly #options: EventQueueOptions;
  #pending: WatchEvent<Kind>[] = [];
  #taken = 0;
  #waiting: ((result: IteratorResult<WatchEvent<Kind>>) => void) | undefined;
  #closed = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: EventQueueOptions) {
    this.#options = options;
  }

  push(event: WatchEvent<Kind>): void {
    if (this.#closed) return;
    const waiting = this.#waiting;
    if (waiting) {
      this.#waiting = undefined;
      waiting({ value: event, done: false });
      return;
    }
    this.#pending.push(event);
    if (this.#pending.length - this.#taken <= this.#options.maxPending) return;
    this.#failure = { error: new ApiError('Expired', 'the watch fell too far behind: list again') };
    this.#pending = [];
    this.#taken = 0;
    this.#close('overflow');
  }

  /** What waits is still given. */
  end(): void {
    this.#close('ended');
  }

  /** The next read throws `error`, and there is nothing after it. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#close('ended');
  }

  async next(): Promise<IteratorResult<WatchEvent<Kind>>> {
    const event = this.#pending[this.#taken];
    if (event) {
      this.#taken++;
      if (this.#taken === this.#pending.length) {
        this.#pending = [];
        this.#taken = 0;
      }
      return { value: event, done: false };
    }
    if (this.#failure) {
      const { error } = this.#failure;
      this.#failure = undefined;
      throw error;
    }
    if (this.#closed) return { value: undefined, done: true };
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  async return(): Promise<IteratorResult<WatchEvent<Kind>>> {
    this.#pending = [];
    this.#taken = 0;
    this.#close('left');
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchEvent<Kind>> {
    return this;
  }

  #close(reason: 'left' | 'overflow' | 'ended'): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.onClose(reason);
    this.#waiting?.({ value: undefined, done: true });
    this.#waiting = undefined;
  }
}
