/**
 * Endpoints' answers on their way to clients: received from one channel after another into one batch, sent by one call per
 * listener. Answers wait here only until the worker has gone through its ready sockets, or a session of theirs ends.
 */

import {
  droppedDatagrams,
  type Libc,
  maxSegmentsPerSend,
  ReceiveBatch,
  SendBatch,
} from '../../native/index.ts';
import { counter } from '../core/counter-slots.ts';
import { hasSimpleHeader, placeWords, simpleHeaderBytes } from '../core/proxy-header.ts';
import { codeOf, dropCode } from '../core/verdicts.ts';
import type { Channels } from './channels.ts';
import { addressLength4, addressLength6 } from './endpoint-addresses.ts';
import { isUnreachable } from './errors.ts';
import type { NativeEntryPoint, NativeListener } from './native-entry-point.ts';
import { isJoinRefused, maxJoinedBytes, maxSendBytes } from './request-path.ts';

const receiveSlots = 64;
const slotBytes = 65_536;
const maxEntries = 1_024;
/** Datagrams taken from one channel at a time, so that none keeps the others waiting. */
const maxPerChannel = 32;
/** Less than any receive buffer that is full of datagrams so large that it holds fewer than `maxPerChannel`. */
const fullBufferBytes = 128 * 1024;

export class ReplyPath {
  /** Whether equal-sized answers to one client leave as one send. Off once the kernel has refused it. */
  joins = true;
  readonly #libc: Libc;
  readonly #channels: Channels;
  readonly #batch: ReceiveBatch;
  readonly #send: SendBatch;
  readonly #single: SendBatch;
  readonly #client = new Uint32Array(placeWords);
  #usedSlots = 0;
  // Entries: answers that were let through, not sent yet.
  #count = 0;
  readonly #owner: NativeEntryPoint[] = [];
  readonly #address = new Float64Array(maxEntries);
  readonly #length = new Int32Array(maxEntries);
  readonly #session = new Int32Array(maxEntries);
  /** Sessions that are over when their last answer is sent. */
  readonly #endingOwner: NativeEntryPoint[] = [];
  readonly #ending = new Int32Array(receiveSlots);
  #endingCount = 0;
  /** Of each message being sent, and one past the last. */
  readonly #firstEntry = new Int32Array(receiveSlots + 1);

  constructor(libc: Libc, channels: Channels) {
    this.#libc = libc;
    this.#channels = channels;
    this.#batch = new ReceiveBatch(libc, { slots: receiveSlots, slotBytes, control: true });
    this.#send = new SendBatch(libc, { messages: receiveSlots, parts: maxEntries });
    this.#single = new SendBatch(libc, { messages: 1 });
  }

  /** Takes what waits at the channel (some of it, where it is much); gives how many. `round`: of the worker's loop. */
  receive(entryPoint: NativeEntryPoint, channel: number, nowMs: number, round: number): number {
    const channels = this.#channels;
    if (this.#usedSlots === receiveSlots) this.flush();
    const wanted = Math.min(this.#wanted(channel, round), receiveSlots - this.#usedSlots);
    const fd = channels.fd[channel] as number;
    const first = this.#usedSlots;
    const isOpen = (channels.peer[channel] as number) < 0;
    const received =
      wanted === 1 && !isOpen ? this.#batch.receiveOne(fd, first) : this.#batch.receive(fd, first, wanted);
    if (received <= 0) {
      if (received < 0 && !isUnreachable(-received)) entryPoint.noteReceiveError(-received);
      return 0;
    }
    this.#usedSlots += received;
    channels.outstanding[channel] = Math.max(0, (channels.outstanding[channel] as number) - received);
    const session = channels.session[channel] as number;
    let isAnswered = false;
    for (let at = first; at < first + received; at++) {
      if (this.#take(entryPoint, channel, session, at, nowMs)) isAnswered = true;
    }
    if (this.#mayHaveBeenFull(channel, first, received, wanted)) this.#countDropped(entryPoint, channel);
    if (isAnswered) {
      this.#endingOwner[this.#endingCount] = entryPoint;
      this.#ending[this.#endingCount++] = session;
    }
    return received;
  }

  /** Sends what waits, and ends the sessions that are answered with it. */
  flush(): void {
    this.#sendWaiting();
    this.#usedSlots = 0;
    while (this.#endingCount > 0) {
      const at = --this.#endingCount;
      const { core } = this.#endingOwner[at] as NativeEntryPoint;
      const session = this.#ending[at] as number;
      // More than one of its answers may be in this batch.
      if (core.sessions.keys.has(session)) core.endSession(session, counter.sessionsAnswered);
    }
  }

  #sendWaiting(): void {
    for (let entry = 0; entry < this.#count; ) entry = this.#sendRun(entry);
    this.#count = 0;
  }

  /** Whether the channel's buffer may have been full before this: not of one that just answers. To ask is a system call. */
  #mayHaveBeenFull(channel: number, first: number, received: number, wanted: number): boolean {
    const isBusy = (this.#channels.wanted[channel] as number) > 1;
    if (!isBusy || received === wanted) return isBusy;
    let bytes = 0;
    for (let at = first; at < first + received; at++) bytes += this.#batch.length(at);
    return bytes >= fullBufferBytes;
  }

  #countDropped({ core }: NativeEntryPoint, channel: number): void {
    const { dropped, fd } = this.#channels;
    const before = dropped[channel] as number;
    dropped[channel] = droppedDatagrams(this.#libc, fd[channel] as number);
    core.count(counter.replyKernelDrops, ((dropped[channel] as number) - before) >>> 0);
  }

  /** One datagram for one that is awaited; more for a channel with more under way, or that is ready again at once. */
  #wanted(channel: number, round: number): number {
    const channels = this.#channels;
    const isBusy = channels.round[channel] === round - 1;
    channels.round[channel] = round;
    const before = channels.wanted[channel] as number;
    const wanted = isBusy ? Math.min(maxPerChannel, 2 * before) : 1;
    channels.wanted[channel] = wanted;
    return Math.min(maxPerChannel, Math.max(wanted, channels.outstanding[channel] as number));
  }

  /** Whether the session is over with this answer. */
  #take(entryPoint: NativeEntryPoint, channel: number, session: number, at: number, nowMs: number): boolean {
    const batch = this.#batch;
    const slot = this.#sourceOf(entryPoint, channel, session, at);
    if (slot < 0) {
      entryPoint.core.countReplyDrop(dropCode.reply_unexpected_source);
      return false;
    }
    batch.readControl(at);
    const length = batch.length(at);
    const segment = batch.segmentBytes;
    const address = batch.payloadAddress(at);
    if (segment === 0 || segment >= length)
      return this.#admit(entryPoint, session, slot, address, length, nowMs);
    let isAnswered = false;
    for (let offset = 0; offset < length; offset += segment) {
      const part = Math.min(segment, length - offset);
      if (this.#admit(entryPoint, session, slot, address + offset, part, nowMs)) isAnswered = true;
    }
    return isAnswered;
  }

  /** The endpoint that a received answer is from, or -1 when the session has sent nothing there. */
  #sourceOf(entryPoint: NativeEntryPoint, channel: number, session: number, at: number): number {
    const peer = this.#channels.peer[channel] as number;
    if (peer >= 0) return peer;
    const isIPv6 = this.#channels.isIPv6[channel] === 1;
    const slot = entryPoint.slotOfReceived(
      this.#batch.addressWords,
      this.#batch.addressOffset(at) >> 2,
      isIPv6,
    );
    return slot >= 0 && entryPoint.channels.hasSentTo(session, slot) ? slot : -1;
  }

  #admit(
    entryPoint: NativeEntryPoint,
    session: number,
    slot: number,
    received: number,
    whole: number,
    nowMs: number,
  ): boolean {
    let address = received;
    let length = whole;
    const { core } = entryPoint;
    if (core.plan.clientAddress === 'simple-proxy-protocol') {
      if (!this.#hasHeader(entryPoint, session, received, whole)) {
        core.countReplyDrop(dropCode.reply_proxy_header);
        return false;
      }
      address += simpleHeaderBytes;
      length -= simpleHeaderBytes;
    }
    const verdict = core.admitReply(session, slot, length, nowMs);
    if (verdict < 0) {
      core.countReplyDrop(codeOf(verdict));
      return false;
    }
    // Received datagrams may hold several that were joined.
    if (this.#count === maxEntries) this.#sendWaiting();
    const entry = this.#count++;
    this.#owner[entry] = entryPoint;
    this.#session[entry] = session;
    this.#address[entry] = address;
    this.#length[entry] = length;
    return core.isAnswered(session);
  }

  #hasHeader(entryPoint: NativeEntryPoint, session: number, address: number, length: number): boolean {
    entryPoint.placeOfClient(session, this.#client);
    return hasSimpleHeader(
      this.#batch.payload,
      address - this.#batch.payloadAddress(0),
      length,
      this.#client,
    );
  }

  /** Sends the entries from `first` on that leave through one listener. Gives the entry after them. */
  #sendRun(first: number): number {
    const entryPoint = this.#owner[first] as NativeEntryPoint;
    const number = entryPoint.sessionListener[this.#session[first] as number] as number;
    const listener = entryPoint.listeners[number] as NativeListener;
    let messages = 0;
    let entry = first;
    this.#send.reset();
    while (entry < this.#count && messages < receiveSlots && this.#owner[entry] === entryPoint) {
      if (entryPoint.sessionListener[this.#session[entry] as number] !== number) break;
      this.#firstEntry[messages++] = entry;
      entry = this.#compose(entryPoint, listener, entry);
    }
    this.#firstEntry[messages] = entry;
    this.#sendMessages(entryPoint, listener, messages);
    return entry;
  }

  /** Composes a message of the entry and of those after it that may be joined. Gives the entry after them. */
  #compose(entryPoint: NativeEntryPoint, listener: NativeListener, first: number): number {
    const session = this.#session[first] as number;
    const size = this.#length[first] as number;
    this.#send.begin(entryPoint.clientAddress(session), listener.isIPv6 ? addressLength6 : addressLength4);
    this.#send.append(this.#address[first] as number, size);
    let next = first + 1;
    if (this.joins && size > 0 && size <= maxJoinedBytes) next = this.#join(entryPoint, session, size, next);
    if (next - first > 1) this.#send.segment(size);
    if (listener.isWildcard) entryPoint.leaveFrom(this.#send, session, listener.isIPv6);
    return next;
  }

  #join(entryPoint: NativeEntryPoint, session: number, size: number, from: number): number {
    let next = from;
    let total = size;
    for (; next < this.#count && next - from < maxSegmentsPerSend - 1; next++) {
      const length = this.#length[next] as number;
      total += length;
      if (this.#session[next] !== session || this.#owner[next] !== entryPoint) break;
      if (length > size || length === 0 || total > maxSendBytes) break;
      this.#send.append(this.#address[next] as number, length);
      // Only the last may be shorter.
      if (length < size) return next + 1;
    }
    return next;
  }

  #sendMessages(entryPoint: NativeEntryPoint, listener: NativeListener, messages: number): void {
    for (let done = 0; done < messages; ) {
      const sent = this.#send.send(listener.fd, done, messages - done);
      if (sent > 0) {
        const end = this.#firstEntry[done + sent] as number;
        for (let entry = this.#firstEntry[done] as number; entry < end; entry++) {
          entryPoint.core.countReply(this.#length[entry] as number);
        }
        done += sent;
      } else {
        this.#failMessage(entryPoint, listener, done++, -sent);
      }
    }
  }

  #failMessage(
    entryPoint: NativeEntryPoint,
    listener: NativeListener,
    message: number,
    reason: number,
  ): void {
    const first = this.#firstEntry[message] as number;
    const end = this.#firstEntry[message + 1] as number;
    if (end - first > 1 && isJoinRefused(reason)) this.joins = false;
    for (let entry = first; entry < end; entry++) {
      const failure = end - first > 1 ? this.#sendSingly(entryPoint, listener, entry) : reason;
      if (failure === 0) {
        entryPoint.core.countReply(this.#length[entry] as number);
        continue;
      }
      entryPoint.noteSendError(failure);
      entryPoint.core.countReplyDrop(dropCode.reply_send_error);
    }
  }

  /** Past the batch, whose other messages are still to be sent. Gives 0 or the errno. */
  #sendSingly(entryPoint: NativeEntryPoint, listener: NativeListener, entry: number): number {
    const single = this.#single;
    const session = this.#session[entry] as number;
    single.reset();
    single.begin(entryPoint.clientAddress(session), listener.isIPv6 ? addressLength6 : addressLength4);
    single.append(this.#address[entry] as number, this.#length[entry] as number);
    if (listener.isWildcard) entryPoint.leaveFrom(single, session, listener.isIPv6);
    const sent = single.send(listener.fd);
    return sent < 0 ? -sent : 0;
  }
}
