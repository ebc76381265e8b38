/**
 * Clients' datagrams of one receive, on their way from a listener to endpoints. One batch at a time, in memory made once:
 *
 *     recvmmsg ──▶ received datagrams ──admit, chooseSlot──▶ entries, chained per channel
 *                                                               │ flush
 *     send (one)  /  sendmmsg, equal sizes to one endpoint joined (UDP_SEGMENT) ◀─┘
 *
 * The order of a client's datagrams to one endpoint is kept. Each datagram gets its verdict here and is counted once.
 */

import {
  errno,
  type Libc,
  linux,
  maxSegmentsPerSend,
  NativeMemory,
  ReceiveBatch,
  SendBatch,
} from '../../native/index.ts';
import type { Backlog } from '../core/backlog.ts';
import { codeOf } from '../core/verdicts.ts';
import type { Bounces } from './bounces.ts';
import type { Channels } from './channels.ts';
import { addressLength4, addressLength6 } from './endpoint-addresses.ts';
import { isUnreachable, openDropCode, sendDropCode } from './errors.ts';
import type { NativeEntryPoint, NativeListener } from './native-entry-point.ts';

/** Datagrams that one receive takes. */
const receiveSlots = 64;
const slotBytes = 65_536;
/** Datagrams of one batch; a received one may hold up to 64 that were joined. */
const maxEntries = 1_024;
/** A datagram is offered to so many endpoints. */
const maxAttempts = 3;
/** Larger ones are not joined: they must fit into a frame of the usual 1,500 bytes. */
export const maxJoinedBytes = 1_452;
/** What one send may carry. */
export const maxSendBytes = 65_507;

/** Room for a header, in whole cache lines. */
const headerStride = 64;

const sendFlags = linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL;

export class RequestPath {
  /** Whether equal-sized datagrams to one endpoint leave as one send. Off once the kernel has refused it. */
  joins = true;
  readonly #libc: Libc;
  readonly #channels: Channels;
  readonly #batch: ReceiveBatch;
  readonly #send: SendBatch;
  readonly #single: SendBatch;
  readonly #bounces: Bounces;
  // Entries: datagrams with a session and an endpoint, not sent yet.
  #count = 0;
  readonly #address = new Float64Array(maxEntries);
  readonly #length = new Int32Array(maxEntries);
  readonly #session = new Int32Array(maxEntries);
  readonly #slot = new Int32Array(maxEntries);
  /** The next entry of the same channel; -1 at the end. */
  readonly #next = new Int32Array(maxEntries);
  /** The next entry of the same message; -1 at the end. */
  readonly #part = new Int32Array(maxEntries);
  /** Number of the message that an entry is in; -1: none yet. */
  readonly #message = new Int32Array(maxEntries);
  /** Of what goes before the datagram; -1: not written yet. */
  readonly #headerLength = new Int32Array(maxEntries);
  readonly #headers: NativeMemory;
  readonly #touched = new Int32Array(maxEntries);
  #touchedCount = 0;
  readonly #firstEntry = new Int32Array(receiveSlots);
  // Entries whose first send failed because an endpoint is unreachable.
  readonly #failed = new Int32Array(maxEntries);
  readonly #failedChannel = new Int32Array(maxEntries);
  #failedCount = 0;
  /** The endpoint that the channel found last leads to. */
  #reached = -1;

  constructor(libc: Libc, channels: Channels, bounces: Bounces) {
    this.#libc = libc;
    this.#channels = channels;
    this.#bounces = bounces;
    this.#batch = new ReceiveBatch(libc, { slots: receiveSlots, slotBytes, control: true });
    this.#send = new SendBatch(libc, { messages: receiveSlots, parts: 2 * maxEntries });
    this.#single = new SendBatch(libc, { messages: 1, parts: 2 });
    this.#headers = new NativeMemory(libc, maxEntries * headerStride);
  }

  /** Takes one batch from the listener and forwards it. Gives how many it received. `round`: of the worker's loop. */
  receive(entryPoint: NativeEntryPoint, listener: number, nowMs: number, round: number): number {
    const source = entryPoint.listeners[listener] as NativeListener;
    const received = Math.max(0, this.#batch.receive(source.fd));
    const backlog = entryPoint.backlogs[listener] as Backlog;
    entryPoint.core.isBehind = backlog.note(received === receiveSlots, round, nowMs);
    for (let at = 0; at < received; at++) this.#take(entryPoint, listener, source, at, nowMs);
    this.#flush(entryPoint, nowMs);
    return received;
  }

  #take(
    entryPoint: NativeEntryPoint,
    listener: number,
    source: NativeListener,
    at: number,
    nowMs: number,
  ): void {
    const batch = this.#batch;
    entryPoint.writeKey(listener, batch.addressWords, batch.addressOffset(at) >> 2);
    batch.readControl(at);
    if (source.isWildcard) entryPoint.writeLocalAddress(source, batch.controlView, batch.packetInfoOffset);
    const length = batch.length(at);
    const segment = batch.segmentBytes;
    const address = batch.payloadAddress(at);
    if (segment === 0 || segment >= length) {
      this.#admit(entryPoint, address, length, nowMs);
      return;
    }
    for (let offset = 0; offset < length; offset += segment) {
      this.#admit(entryPoint, address + offset, Math.min(segment, length - offset), nowMs);
    }
  }

  #admit(entryPoint: NativeEntryPoint, address: number, received: number, nowMs: number): void {
    if (this.#count === maxEntries) this.#flush(entryPoint, nowMs);
    const { core } = entryPoint;
    const prefix = core.trusted ? this.#readHeader(entryPoint, address, received) : 0;
    if (prefix < 0) {
      core.countDrop(codeOf(prefix), received);
      return;
    }
    const length = received - prefix;
    const session = core.admit(length, nowMs);
    if (session < 0) {
      core.countDrop(codeOf(session), length);
      return;
    }
    const slot = core.chooseSlot(session, nowMs, -1);
    if (slot < 0) {
      core.countDrop(codeOf(slot), length);
      return;
    }
    const channel = this.#reach(entryPoint, session, slot, nowMs);
    if (channel < 0) core.countDrop(openDropCode(-channel), length);
    else this.#enqueue(channel, session, this.#reached, address + prefix, length);
  }

  /** A channel to the endpoint, or where the kernel knows no way there to another: `#reached`. Or a negative errno. */
  #reach(entryPoint: NativeEntryPoint, session: number, wanted: number, nowMs: number): number {
    const { core, channels } = entryPoint;
    let slot = wanted;
    let channel = channels.reach(session, slot);
    for (let attempt = 1; isUnreachable(-channel) && attempt < maxAttempts; attempt++) {
      core.slots.quarantine(slot, nowMs);
      const next = core.chooseSlot(session, nowMs, slot);
      if (next < 0 || next === slot) break;
      slot = next;
      channel = channels.reach(session, slot);
    }
    if (channel < 0 && !isUnreachable(-channel)) entryPoint.noteSendError(-channel);
    this.#reached = slot;
    return channel;
  }

  #readHeader({ core }: NativeEntryPoint, address: number, length: number): number {
    return core.readHeader(this.#batch.payload, address - this.#batch.payloadAddress(0), length);
  }

  #enqueue(channel: number, session: number, slot: number, address: number, length: number): void {
    const { firstPending, lastPending } = this.#channels;
    const entry = this.#count++;
    this.#address[entry] = address;
    this.#length[entry] = length;
    this.#session[entry] = session;
    this.#slot[entry] = slot;
    this.#next[entry] = -1;
    this.#message[entry] = -1;
    this.#headerLength[entry] = -1;
    if ((firstPending[channel] as number) < 0) {
      firstPending[channel] = entry;
      this.#touched[this.#touchedCount++] = channel;
    } else this.#next[lastPending[channel] as number] = entry;
    lastPending[channel] = entry;
  }

  #flush(entryPoint: NativeEntryPoint, nowMs: number): void {
    for (let index = 0; index < this.#touchedCount; index++) {
      const channel = this.#touched[index] as number;
      const first = this.#channels.firstPending[channel] as number;
      if (first < 0) continue;
      this.#channels.firstPending[channel] = -1;
      const isOne = (this.#next[first] as number) < 0 && entryPoint.core.plan.clientAddress === undefined;
      if (isOne) this.#sendFirst(entryPoint, channel, first);
      else this.#sendAll(entryPoint, channel, first);
    }
    this.#touchedCount = 0;
    for (let index = 0; index < this.#failedCount; index++) {
      this.#sendElsewhere(
        entryPoint,
        this.#failedChannel[index] as number,
        this.#failed[index] as number,
        nowMs,
      );
    }
    this.#failedCount = 0;
    this.#count = 0;
  }

  /** Sends what waits for a channel that is about to be closed, in the middle of a batch. */
  drain(entryPoint: NativeEntryPoint, channel: number): void {
    let entry = this.#channels.firstPending[channel] as number;
    this.#channels.firstPending[channel] = -1;
    for (; entry >= 0; entry = this.#next[entry] as number) {
      const reason = this.#sendOne(entryPoint, channel, entry);
      if (reason === 0) this.#countSent(entryPoint, channel, entry);
      else {
        if (!isUnreachable(reason)) entryPoint.noteSendError(reason);
        entryPoint.core.countDrop(sendDropCode(reason), this.#length[entry] as number);
      }
    }
  }

  /** Past the batch. Gives 0 or the errno. */
  #sendOne(entryPoint: NativeEntryPoint, channel: number, entry: number): number {
    if (entryPoint.core.plan.clientAddress !== undefined)
      return this.#sendWithHeader(entryPoint, channel, entry);
    const channels = this.#channels;
    const fd = channels.fd[channel] as number;
    const address = this.#address[entry] as number;
    const length = this.#length[entry] as number;
    if ((channels.peer[channel] as number) >= 0) {
      return this.#libc.send(fd, address, length, sendFlags) < 0 ? this.#libc.errno() : 0;
    }
    const isIPv6 = channels.isIPv6[channel] === 1;
    const to = entryPoint.endpoints.at(this.#slot[entry] as number, isIPv6);
    const sent = this.#libc.sendto(
      fd,
      address,
      length,
      sendFlags,
      to,
      isIPv6 ? addressLength6 : addressLength4,
    );
    return sent < 0 ? this.#libc.errno() : 0;
  }

  #sendWithHeader(entryPoint: NativeEntryPoint, channel: number, entry: number): number {
    const channels = this.#channels;
    const isOpen = (channels.peer[channel] as number) < 0;
    const isIPv6 = channels.isIPv6[channel] === 1;
    const to = isOpen ? entryPoint.endpoints.at(this.#slot[entry] as number, isIPv6) : 0;
    this.#single.reset();
    this.#single.begin(to, isOpen ? (isIPv6 ? addressLength6 : addressLength4) : 0);
    const header = this.#writeHeader(entryPoint, entry);
    if (header > 0) this.#single.append(this.#headers.address + entry * headerStride, header);
    this.#single.append(this.#address[entry] as number, this.#length[entry] as number);
    const sent = this.#single.send(channels.fd[channel] as number);
    return sent < 0 ? -sent : 0;
  }

  /** Gives the header's length. It stays in `#headers` until the batch is over. */
  #writeHeader(entryPoint: NativeEntryPoint, entry: number): number {
    const session = this.#session[entry] as number;
    const slot = this.#slot[entry] as number;
    const length = entryPoint.writeHeader(session, slot, this.#headers.bytes, entry * headerStride);
    this.#headerLength[entry] = length;
    return length;
  }

  #sendFirst(entryPoint: NativeEntryPoint, channel: number, entry: number): void {
    const reason = this.#sendOne(entryPoint, channel, entry);
    if (reason === 0) this.#countSent(entryPoint, channel, entry);
    else this.#fail(entryPoint, channel, entry, reason);
  }

  #countSent(entryPoint: NativeEntryPoint, channel: number, entry: number): void {
    const channels = this.#channels;
    const length = this.#length[entry] as number;
    channels.outstanding[channel] = (channels.outstanding[channel] as number) + 1;
    if ((channels.lastBytes[channel] as number) >= 0) {
      // With a header before the first datagram only, what ICMP quotes may or may not have one.
      const how = entryPoint.core.plan.clientAddress;
      if (how === undefined) channels.lastBytes[channel] = length;
      else if (how === 'proxy-v2-first') channels.lastBytes[channel] = -1;
      else channels.lastBytes[channel] = length + (this.#headerLength[entry] as number);
    }
    entryPoint.core.countForwarded(this.#slot[entry] as number, length);
  }

  /** Sends a chain of at least two entries: as few calls as their sizes and endpoints allow. */
  #sendAll(entryPoint: NativeEntryPoint, channel: number, first: number): void {
    const isOpen = (this.#channels.peer[channel] as number) < 0;
    const isIPv6 = this.#channels.isIPv6[channel] === 1;
    let entry = first;
    while (entry >= 0) {
      this.#send.reset();
      let messages = 0;
      for (; entry >= 0 && messages < receiveSlots; entry = this.#next[entry] as number) {
        if ((this.#message[entry] as number) >= 0) continue;
        const to = isOpen ? entryPoint.endpoints.at(this.#slot[entry] as number, isIPv6) : 0;
        this.#send.begin(to, isOpen ? (isIPv6 ? addressLength6 : addressLength4) : 0);
        this.#firstEntry[messages] = entry;
        this.#compose(entryPoint, entry, messages++);
      }
      this.#sendMessages(entryPoint, channel, messages);
    }
  }

  /** Puts the entry, and what may be joined to it, into the message that was begun. */
  #compose(entryPoint: NativeEntryPoint, entry: number, message: number): void {
    const size = this.#sizeOf(entryPoint, entry);
    const slot = this.#slot[entry] as number;
    const mayJoin = this.joins && size > 0 && size <= maxJoinedBytes;
    let last = entry;
    let parts = 1;
    let total = size;
    this.#add(entry, message);
    for (
      let next = mayJoin ? (this.#next[entry] as number) : -1;
      next >= 0;
      next = this.#next[next] as number
    ) {
      if (this.#slot[next] !== slot || (this.#message[next] as number) >= 0) continue;
      const length = this.#sizeOf(entryPoint, next);
      total += length;
      if (length > size || length === 0 || parts === maxSegmentsPerSend || total > maxSendBytes) break;
      this.#part[last] = next;
      this.#add(next, message);
      last = next;
      parts++;
      // Only the last may be shorter.
      if (length < size) break;
    }
    if (parts > 1) this.#send.segment(size);
  }

  /** With its header, which is written at the first question. */
  #sizeOf(entryPoint: NativeEntryPoint, entry: number): number {
    if (entryPoint.core.plan.clientAddress === undefined) return this.#length[entry] as number;
    if ((this.#headerLength[entry] as number) < 0) this.#writeHeader(entryPoint, entry);
    return (this.#headerLength[entry] as number) + (this.#length[entry] as number);
  }

  #add(entry: number, message: number): void {
    const header = this.#headerLength[entry] as number;
    if (header > 0) this.#send.append(this.#headers.address + entry * headerStride, header);
    this.#send.append(this.#address[entry] as number, this.#length[entry] as number);
    this.#message[entry] = message;
    this.#part[entry] = -1;
  }

  #sendMessages(entryPoint: NativeEntryPoint, channel: number, messages: number): void {
    const fd = this.#channels.fd[channel] as number;
    for (let done = 0; done < messages; ) {
      const sent = this.#send.send(fd, done, messages - done);
      if (sent > 0) {
        for (let message = done; message < done + sent; message++) {
          this.#countMessage(entryPoint, channel, this.#firstEntry[message] as number);
        }
        done += sent;
      } else {
        this.#failMessage(entryPoint, channel, this.#firstEntry[done] as number, -sent);
        done++;
      }
    }
  }

  #countMessage(entryPoint: NativeEntryPoint, channel: number, first: number): void {
    if ((this.#part[first] as number) >= 0) this.#channels.lastBytes[channel] = -1;
    for (let entry = first; entry >= 0; entry = this.#part[entry] as number) {
      this.#countSent(entryPoint, channel, entry);
    }
  }

  #failMessage(entryPoint: NativeEntryPoint, channel: number, first: number, reason: number): void {
    const isJoined = (this.#part[first] as number) >= 0;
    if (isJoined && isJoinRefused(reason)) {
      // A device or a path that cannot have it: from now on each on its own.
      this.joins = false;
      for (let entry = first; entry >= 0; entry = this.#part[entry] as number) {
        this.#sendFirst(entryPoint, channel, entry);
      }
      return;
    }
    for (let entry = first; entry >= 0; entry = this.#part[entry] as number) {
      this.#fail(entryPoint, channel, entry, reason);
    }
  }

  #fail(entryPoint: NativeEntryPoint, channel: number, entry: number, reason: number): void {
    if (isUnreachable(reason)) {
      this.#failed[this.#failedCount] = entry;
      this.#failedChannel[this.#failedCount++] = channel;
      return;
    }
    entryPoint.noteSendError(reason);
    entryPoint.core.countDrop(sendDropCode(reason), this.#length[entry] as number);
  }

  /**
   * The kernel refused a datagram because one before it had found nobody (or there is no way at all): the endpoint's
   * error queue says which, and the datagram, which has not left, goes where it can.
   */
  #sendElsewhere(entryPoint: NativeEntryPoint, failed: number, entry: number, nowMs: number): void {
    const { core } = entryPoint;
    const session = this.#session[entry] as number;
    let channel = failed;
    let reason = errno.ECONNREFUSED as number;
    for (let attempt = 1; attempt < maxAttempts; attempt++) {
      // The session may have been evicted since, for another's socket.
      if (!core.sessions.keys.has(session) || this.#channels.session[channel] !== session) break;
      const peer = this.#channels.peer[channel] as number;
      if (peer >= 0) core.slots.quarantine(peer, nowMs);
      this.#bounces.take(entryPoint, channel, nowMs);
      const slot = core.chooseSlot(session, nowMs, peer);
      if (slot < 0) {
        core.countDrop(codeOf(slot), this.#length[entry] as number);
        return;
      }
      channel = this.#reach(entryPoint, session, slot, nowMs);
      if (channel < 0) {
        core.countDrop(openDropCode(-channel), this.#length[entry] as number);
        return;
      }
      this.#slot[entry] = this.#reached;
      reason = this.#sendOne(entryPoint, channel, entry);
      if (reason === 0) {
        this.#countSent(entryPoint, channel, entry);
        return;
      }
      if (!isUnreachable(reason)) break;
    }
    if (!isUnreachable(reason)) entryPoint.noteSendError(reason);
    core.countDrop(sendDropCode(reason), this.#length[entry] as number);
  }
}

/** EINVAL, EIO, EMSGSIZE: the kernel, the device or the path's packet size do not allow a joined send. */
export function isJoinRefused(reason: number): boolean {
  return reason === errno.EINVAL || reason === 5 || reason === errno.EMSGSIZE;
}
