/** Clocks that Node does not offer, or only together with objects made anew at each reading. */

import { linux } from './constants.ts';
import type { Libc } from './libc.ts';
import { NativeMemory } from './memory.ts';

export const clocks = {
  /** Of this thread's CPU time, whichever thread asks. */
  threadCpu: linux.CLOCK_THREAD_CPUTIME_ID,
  /** Since 1970; the one of the kernel's packet timestamps. */
  realTime: linux.CLOCK_REALTIME,
} as const;

/** Gives a reader of the clock: microseconds, with fractions. */
export function clockReader(libc: Libc, clock: number): () => number {
  const { size } = libc.layout.timespec;
  const memory = new NativeMemory(libc, size);
  return () => {
    libc.clock_gettime(clock, memory.address);
    return readTimespec(libc, memory.view, 0);
  };
}

/** The `struct timespec` at an offset, in microseconds: below a quarter of one exact until the year 2255. */
export function readTimespec({ layout }: Libc, view: DataView, offset: number): number {
  const { tv_sec, tv_nsec } = layout.timespec;
  const seconds = view.getUint32(offset + tv_sec, true) + view.getInt32(offset + tv_sec + 4, true) * 2 ** 32;
  return seconds * 1e6 + view.getUint32(offset + tv_nsec, true) / 1e3;
}
