/** Waiting for sockets: one epoll instance and room for its events, without allocation. */

import { linux } from './constants.ts';
import type { Libc } from './libc.ts';
import { NativeMemory } from './memory.ts';
import { check, errno } from './system-error.ts';

/** Events, or-ed: when a socket is reported, and what was found. */
export const pollEvents = {
  readable: linux.EPOLLIN,
  writable: linux.EPOLLOUT,
  error: linux.EPOLLERR,
  hangUp: linux.EPOLLHUP,
  /** Report once per arrival instead of as long as there is something to read. */
  edge: linux.EPOLLET,
} as const;

export class Poller {
  readonly #libc: Libc;
  readonly #memory: NativeMemory;
  readonly #maxEvents: number;
  readonly #strideWords: number;
  readonly #dataWord: number;
  #epoll: number;

  /** `maxEvents`: how many sockets one `wait` reports at most. Throws `SystemCallError`. */
  constructor(libc: Libc, maxEvents: number) {
    const layout = libc.layout.epoll_event;
    this.#libc = libc;
    this.#maxEvents = maxEvents;
    this.#strideWords = layout.size / 4;
    this.#dataWord = layout.data / 4;
    // One more: the argument of epoll_ctl, so that a change never overwrites events not yet read.
    this.#memory = new NativeMemory(libc, (maxEvents + 1) * layout.size);
    this.#epoll = check(libc, 'epoll_create1', libc.epoll_create1(linux.EPOLL_CLOEXEC));
  }

  /** `key` (32 bits, signed) comes back with the events. Throws `SystemCallError`. */
  add(fd: number, events: number, key: number): void {
    check(this.#libc, 'epoll_ctl', this.#control(linux.EPOLL_CTL_ADD, fd, events, key));
  }

  /** As `add`, for the packet path: gives 0, or the errno. */
  tryAdd(fd: number, events: number, key: number): number {
    return this.#control(linux.EPOLL_CTL_ADD, fd, events, key) < 0 ? this.#libc.errno() : 0;
  }

  modify(fd: number, events: number, key: number): void {
    check(this.#libc, 'epoll_ctl', this.#control(linux.EPOLL_CTL_MOD, fd, events, key));
  }

  /** Closing a socket removes it too, unless another descriptor of it stays open. */
  remove(fd: number): void {
    check(this.#libc, 'epoll_ctl', this.#control(linux.EPOLL_CTL_DEL, fd, 0, 0));
  }

  /** The epoll instance's own descriptor. */
  get fd(): number {
    return this.#epoll;
  }

  /** Blocks the thread until a socket is ready, or `timeoutMs` have passed (-1: for ever). Gives how many are. */
  wait(timeoutMs: number): number {
    const count = this.#libc.epoll_wait(this.#epoll, this.#memory.address, this.#maxEvents, timeoutMs);
    if (count >= 0) return count;
    if (this.#libc.errno() === errno.EINTR) return 0;
    return check(this.#libc, 'epoll_wait', count);
  }

  /** Of the event at `index`, below the last `wait`'s count. */
  key(index: number): number {
    return this.#memory.words[index * this.#strideWords + this.#dataWord] as number;
  }

  events(index: number): number {
    return this.#memory.words[index * this.#strideWords] as number;
  }

  close(): void {
    if (this.#epoll < 0) return;
    this.#libc.close(this.#epoll);
    this.#epoll = -1;
  }

  #control(operation: number, fd: number, events: number, key: number): number {
    const base = this.#maxEvents * this.#strideWords;
    this.#memory.words[base] = events;
    this.#memory.words[base + this.#dataWord] = key;
    this.#memory.words[base + this.#dataWord + 1] = 0;
    return this.#libc.epoll_ctl(this.#epoll, operation, fd, this.#memory.address + base * 4);
  }
}

/**
 * How late the kernel may end this thread's sleeps to save wake-ups, in nanoseconds: 50,000 unless set. Throws
 * `SystemCallError`.
 */
export function setTimerSlack(libc: Libc, nanoseconds: number): void {
  check(libc, 'prctl', libc.prctl(linux.PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0));
}

/** Wakes a thread that blocks in `Poller.wait`, from another thread of the process. */
export class WakeEvent {
  readonly #libc: Libc;
  readonly #memory: NativeMemory;
  /** To be polled for `readable`; handed to another thread as a number. */
  readonly fd: number;

  /** Opens one, or attaches to `fd` that another thread opened. Throws `SystemCallError`. */
  constructor(libc: Libc, fd?: number) {
    this.#libc = libc;
    this.#memory = new NativeMemory(libc, 8);
    this.fd = fd ?? check(libc, 'eventfd', libc.eventfd(0, linux.EFD_NONBLOCK | linux.EFD_CLOEXEC));
  }

  signal(): void {
    this.#memory.setUint64(0, 1);
    this.#libc.write(this.fd, this.#memory.address, 8);
  }

  /** Forgets all signals so far; whether there was one. */
  drain(): boolean {
    return this.#libc.read(this.fd, this.#memory.address, 8) === 8;
  }

  close(): void {
    this.#libc.close(this.fd);
  }
}

/** Wakes `Poller.wait` at a steady pace, more finely than its timeout of whole milliseconds. */
export class IntervalTimer {
  readonly #libc: Libc;
  readonly #memory: NativeMemory;
  /** To be polled for `readable`. */
  readonly fd: number;

  /** `microseconds` from 1 to 999,999. Throws `SystemCallError`. */
  constructor(libc: Libc, microseconds: number) {
    const { itimerspec, timespec } = libc.layout;
    this.#libc = libc;
    this.#memory = new NativeMemory(libc, itimerspec.size);
    const flags = linux.TFD_NONBLOCK | linux.TFD_CLOEXEC;
    this.fd = check(libc, 'timerfd_create', libc.timerfd_create(linux.CLOCK_MONOTONIC, flags));
    for (const part of [itimerspec.it_interval, itimerspec.it_value]) {
      this.#memory.setUint64(part + timespec.tv_nsec, microseconds * 1_000);
    }
    check(libc, 'timerfd_settime', libc.timerfd_settime(this.fd, 0, this.#memory.address, 0));
  }

  /** How often it has come round since the last call. */
  elapsed(): number {
    const length = this.#libc.read(this.fd, this.#memory.address, 8);
    return length === 8 ? (this.#memory.words[0] as number) : 0;
  }

  close(): void {
    this.#libc.close(this.fd);
  }
}
