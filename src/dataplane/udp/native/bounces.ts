/**
 * Datagrams that came back as ICMP errors. Their endpoint is passed over for a while, and where what the error quotes is the
 * whole datagram, it goes to another.
 */

import { type Libc, linux } from '../../native/index.ts';
import { counter } from '../core/counter-slots.ts';
import type { Channels } from './channels.ts';
import { addressLength4, addressLength6 } from './endpoint-addresses.ts';
import { ErrorQueue } from './error-queue.ts';
import { isUnreachable } from './errors.ts';
import type { NativeEntryPoint } from './native-entry-point.ts';

/** An ICMP error quotes 576 bytes of a packet: a shorter quote of a payload is all of it (RFC 1812, 4.3.2.3). */
const wholeQuoteBytes = 576 - 20 - 8 - 20 - 8;
/** Errors taken from a socket's queue at a time. */
const maxErrorsAtOnce = 64;
const sendFlags = linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL;

export class Bounces {
  readonly #libc: Libc;
  readonly #channels: Channels;
  readonly #errors: ErrorQueue;

  constructor(libc: Libc, channels: Channels) {
    this.#libc = libc;
    this.#channels = channels;
    this.#errors = new ErrorQueue(libc);
  }

  /** Reads what ICMP said to a channel: endpoints that are unreachable, and datagrams to be forwarded again. */
  take(entryPoint: NativeEntryPoint, channel: number, nowMs: number): void {
    const channels = this.#channels;
    const errors = this.#errors;
    const fd = channels.fd[channel] as number;
    const session = channels.session[channel] as number;
    for (let count = 0; count < maxErrorsAtOnce && errors.next(fd); count++) {
      if (!errors.isFromNetwork || !isUnreachable(errors.reason)) continue;
      const peer = channels.peer[channel] as number;
      const slot = peer >= 0 ? peer : entryPoint.slotOf(errors.destination, channels.isIPv6[channel] === 1);
      if (slot < 0) continue;
      const { core } = entryPoint;
      core.slots.quarantine(slot, nowMs);
      entryPoint.forgetAnnouncement(session, slot);
      core.count(counter.datagramsBounced);
      const isWhole =
        errors.quotedBytes === channels.lastBytes[channel] && errors.quotedBytes < wholeQuoteBytes;
      if (isWhole) this.#sendAgain(entryPoint, session, slot, nowMs);
      // Another socket for it may have been had at this session's expense.
      if (channels.session[channel] !== session || channels.fd[channel] !== fd) return;
    }
  }

  #sendAgain(entryPoint: NativeEntryPoint, session: number, refusing: number, nowMs: number): void {
    const { core } = entryPoint;
    const slot = core.chooseSlot(session, nowMs, refusing);
    // What an endpoint sent back is not sent to it again.
    if (slot < 0 || slot === refusing) return;
    const channel = entryPoint.channels.reach(session, slot);
    if (channel < 0) return;
    const channels = this.#channels;
    const fd = channels.fd[channel] as number;
    const { quoteAddress, quotedBytes } = this.#errors;
    const isIPv6 = channels.isIPv6[channel] === 1;
    const isOpen = (channels.peer[channel] as number) < 0;
    const to = isOpen ? entryPoint.endpoints.at(slot, isIPv6) : 0;
    const length = isOpen ? (isIPv6 ? addressLength6 : addressLength4) : 0;
    if (this.#libc.sendto(fd, quoteAddress, quotedBytes, sendFlags, to, length) < 0) return;
    channels.outstanding[channel] = (channels.outstanding[channel] as number) + 1;
    core.slots.countForwarded(slot, quotedBytes);
    core.count(counter.datagramsRetried);
  }
}
