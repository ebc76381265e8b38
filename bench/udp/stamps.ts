/**
 * What a datagram says of its time in the proxy alone. The generator and the backend write down when they send; the
 * kernel, when a datagram reaches the other's socket. What lies between is the proxy's, whoever of the two gets to
 * read it late.
 */

import {
  clockReader,
  clocks,
  type Libc,
  linux,
  type ReceiveBatch,
  readTimespec,
  setSocketOption,
} from '../../src/dataplane/native/index.ts';

/** Behind a datagram's header: when it was sent last, and how long it took to the backend; both microseconds. */
export const sentAtOffset = 16;
export const onwardsOffset = 24;
export const stampedBytes = 32;

/** `asm-generic/socket.h`: as an option and as the type of the control message. */
const SO_TIMESTAMPNS = 35;

/** Asks for the kernel's times of the datagrams that arrive at a socket. */
export function stampArrivals(libc: Libc, fd: number): void {
  if (!setSocketOption(libc, fd, [linux.SOL_SOCKET, SO_TIMESTAMPNS], 1)) throw new Error('no SO_TIMESTAMPNS');
}

/** When the datagram in a slot reached the socket, where nothing but times was asked for. Microseconds since 1970. */
export function arrivalUs(libc: Libc, batch: ReceiveBatch, slot: number): number {
  return readTimespec(libc, batch.controlView, batch.controlOffset(slot));
}

/** Reads the clock of the kernel's timestamps: microseconds since 1970. */
export const stampClock = (libc: Libc): (() => number) => clockReader(libc, clocks.realTime);
