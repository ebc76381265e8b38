/** Receiving many datagrams with one system call, into memory made once. Nothing here allocates per datagram. */

import { linux } from './constants.ts';
import { alignControl, controlSpace } from './layout.ts';
import type { Libc } from './libc.ts';
import { NativeMemory } from './memory.ts';
import { socketAddressBytes } from './socket-address.ts';
import { errno } from './system-error.ts';

export interface ReceiveBatchOptions {
  /** Slots: how many datagrams one call receives at most. 1 to 1,024. */
  readonly slots: number;
  /** Room for one datagram; a longer one is cut off, and marked. 65,536 holds any, and any that were joined. */
  readonly slotBytes: number;
  /** Room for control messages: joined sizes, the address it was sent to, the overflow counter. Absent: none. */
  readonly control?: boolean;
  /** Senders' addresses. Absent: yes. A connected socket has one sender, known already. */
  readonly addresses?: boolean;
}

/** UDP_GRO's int, SO_RXQ_OVFL's unsigned int, and the larger of the two packet infos. */
const controlBytes = controlSpace(4) + controlSpace(4) + controlSpace(20);

export class ReceiveBatch {
  readonly slots: number;
  /** All slots' payloads, `payloadOffset` apart. */
  readonly payload: Uint8Array;
  /** All senders' addresses (`sockaddr_in` or `sockaddr_in6`), `addressOffset` apart. */
  readonly addresses: Uint8Array;
  /** The same as 32-bit words. */
  readonly addressWords: Int32Array;
  /** Where control data is read; see `packetInfoOffset`. */
  readonly controlView: DataView;
  /** What `readControl` found: the size of each datagram in a joined receive, 0 when it was not joined. */
  segmentBytes = 0;
  /** What `readControl` found: datagrams the socket has dropped so far for want of room, modulo 2^32; -1: not told. */
  overflow = -1;
  /** What `readControl` found: where in `controlView` an `in_pktinfo` or `in6_pktinfo` lies; -1: none. */
  packetInfoOffset = -1;

  readonly #libc: Libc;
  readonly #headers: NativeMemory;
  readonly #names: NativeMemory;
  readonly #control: NativeMemory;
  readonly #slotMemory: NativeMemory;
  readonly #payloadStride: number;
  readonly #slotBytes: number;
  readonly #headerStride: number;
  readonly #controlStride: number;
  readonly #nameLength: number;
  readonly #words: Int32Array;
  readonly #headerWords: number;
  readonly #lengthWord: number;
  readonly #nameLengthWord: number;
  readonly #controlLengthWord: number;
  readonly #flagsWord: number;

  constructor(libc: Libc, options: ReceiveBatchOptions) {
    const { slots, slotBytes, control = false, addresses = true } = options;
    const { msghdr, mmsghdr, iovec } = libc.layout;
    this.#libc = libc;
    this.slots = slots;
    this.#slotBytes = slotBytes;
    // An odd number of cache lines apart, or every slot's beginning would compete for the same lines of the cache.
    this.#payloadStride = (Math.ceil(slotBytes / 64) | 1) * 64;
    this.#controlStride = control ? controlBytes : 0;
    this.#nameLength = addresses ? socketAddressBytes : 0;
    this.#headerStride = mmsghdr.size;
    this.#headers = new NativeMemory(libc, slots * (mmsghdr.size + iovec.size));
    this.#names = new NativeMemory(libc, slots * socketAddressBytes);
    this.#control = new NativeMemory(libc, Math.max(1, slots * this.#controlStride));
    this.#slotMemory = new NativeMemory(libc, slots * this.#payloadStride);
    this.payload = this.#slotMemory.bytes;
    this.addresses = this.#names.bytes;
    this.addressWords = this.#names.words;
    this.controlView = this.#control.view;
    this.#words = this.#headers.words;
    this.#headerWords = mmsghdr.size / 4;
    this.#lengthWord = mmsghdr.msg_len / 4;
    this.#nameLengthWord = msghdr.msg_namelen / 4;
    this.#controlLengthWord = msghdr.msg_controllen / 4;
    this.#flagsWord = msghdr.msg_flags / 4;
    for (let slot = 0; slot < slots; slot += 1) this.#prepare(slot);
  }

  /** Writes what never changes: where everything lies. */
  #prepare(slot: number): void {
    const { msghdr, mmsghdr, iovec } = this.#libc.layout;
    const headers = this.#headers;
    const header = slot * mmsghdr.size;
    const vector = this.slots * mmsghdr.size + slot * iovec.size;
    headers.setUint64(vector + iovec.iov_base, this.payloadAddress(slot));
    headers.setUint64(vector + iovec.iov_len, this.#slotBytes);
    headers.setUint64(header + msghdr.msg_iov, headers.address + vector);
    headers.setUint64(header + msghdr.msg_iovlen, 1);
    if (this.#nameLength > 0) headers.setUint64(header + msghdr.msg_name, this.addressPointer(slot));
    if (this.#controlStride > 0) {
      headers.setUint64(header + msghdr.msg_control, this.#control.address + slot * this.#controlStride);
    }
  }

  /**
   * Receives what waits at `fd`, without blocking, into slots `first` to `first + most - 1`. Gives how many slots were
   * filled, 0 when nothing waited, or the negative errno.
   */
  receive(fd: number, first = 0, most = this.slots - first): number {
    const words = this.#words;
    const end = (first + most) * this.#headerWords;
    for (let base = first * this.#headerWords; base < end; base += this.#headerWords) {
      words[base + this.#nameLengthWord] = this.#nameLength;
      words[base + this.#controlLengthWord] = this.#controlStride;
    }
    const headers = this.#headers.address + first * this.#headerStride;
    const count = this.#libc.recvmmsg(fd, headers, most, linux.MSG_DONTWAIT);
    return count >= 0 ? count : this.#failure();
  }

  /**
   * Receives one datagram into `slot`, without its sender or control messages: the cheapest call for a connected
   * socket that seldom has two waiting. Gives 1, 0 when nothing waited, or the negative errno.
   */
  receiveOne(fd: number, slot: number): number {
    const length = this.#libc.recv(
      fd,
      this.#slotMemory.address + slot * this.#payloadStride,
      this.#slotBytes,
      linux.MSG_DONTWAIT,
    );
    if (length < 0) return this.#failure();
    const base = slot * this.#headerWords;
    this.#words[base + this.#lengthWord] = length;
    this.#words[base + this.#flagsWord] = 0;
    this.#words[base + this.#nameLengthWord] = 0;
    this.#words[base + this.#controlLengthWord] = 0;
    return 1;
  }

  /** Bytes received into the slot. */
  length(slot: number): number {
    return this.#words[slot * this.#headerWords + this.#lengthWord] as number;
  }

  /** Whether the datagram was longer than the slot. */
  isTruncated(slot: number): boolean {
    return ((this.#words[slot * this.#headerWords + this.#flagsWord] as number) & linux.MSG_TRUNC) !== 0;
  }

  /** In `payload`. */
  payloadOffset(slot: number): number {
    return slot * this.#payloadStride;
  }

  /** For a `SendBatch`, which then sends straight from this memory. */
  payloadAddress(slot: number): number {
    return this.#slotMemory.address + slot * this.#payloadStride;
  }

  /** In `addresses`; a quarter of it, in `addressWords`. */
  addressOffset(slot: number): number {
    return slot * socketAddressBytes;
  }

  /** For a `SendBatch`: to send to whom the slot came from. */
  addressPointer(slot: number): number {
    return this.#names.address + slot * socketAddressBytes;
  }

  /** 16 for IPv4, 28 for IPv6. */
  addressLength(slot: number): number {
    return this.#words[slot * this.#headerWords + this.#nameLengthWord] as number;
  }

  /** Where in `controlView` the data of the slot's first control message lie. */
  controlOffset(slot: number): number {
    return slot * this.#controlStride + this.#libc.layout.cmsghdr.size;
  }

  /** Reads the slot's control messages into `segmentBytes`, `overflow` and `packetInfoOffset`. */
  readControl(slot: number): void {
    this.segmentBytes = 0;
    this.overflow = -1;
    this.packetInfoOffset = -1;
    const { cmsg_len, cmsg_level, cmsg_type, size } = this.#libc.layout.cmsghdr;
    const words = this.#control.words;
    let offset = slot * this.#controlStride;
    const end = offset + (this.#words[slot * this.#headerWords + this.#controlLengthWord] as number);
    while (offset + size <= end) {
      const length = words[(offset + cmsg_len) >> 2] as number;
      if (length < size) return;
      const level = words[(offset + cmsg_level) >> 2] as number;
      this.#keep(level, words[(offset + cmsg_type) >> 2] as number, offset + size);
      offset += alignControl(length);
    }
  }

  #keep(level: number, type: number, offset: number): void {
    if (level === linux.SOL_UDP && type === linux.UDP_GRO) {
      this.segmentBytes = this.#control.words[offset >> 2] as number;
    } else if (level === linux.SOL_SOCKET && type === linux.SO_RXQ_OVFL) {
      this.overflow = (this.#control.words[offset >> 2] as number) >>> 0;
    } else if (
      (level === linux.IPPROTO_IP && type === linux.IP_PKTINFO) ||
      (level === linux.IPPROTO_IPV6 && type === linux.IPV6_PKTINFO)
    ) {
      this.packetInfoOffset = offset;
    }
  }

  #failure(): number {
    const reason = this.#libc.errno();
    return reason === errno.EAGAIN || reason === errno.EINTR ? 0 : -reason;
  }
}
