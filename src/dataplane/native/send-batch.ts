/** Sending many datagrams with one system call, from where they already lie. Nothing here allocates per datagram. */

import { linux } from './constants.ts';
import { controlSpace } from './layout.ts';
import type { Libc } from './libc.ts';
import { NativeMemory } from './memory.ts';

export interface SendBatchOptions {
  /** How many messages one call sends at most. 1 to 1,024. */
  readonly messages: number;
  /** Parts of all messages together. Absent: as many as messages. */
  readonly parts?: number;
}

/** The kernel refuses more parts of one message (UIO_MAXIOV), and more datagrams of one segmented send. */
export const maxPartsPerMessage = 1_024;
export const maxSegmentsPerSend = 64;

/** UDP_SEGMENT's 16 bits and the larger of the two packet infos. */
const controlBytes = controlSpace(2) + controlSpace(20);

/**
 * Messages are composed in order: `begin`, then `append` for each part, then the options of that message; `send` sends
 * any run of them; `reset` starts over. The memory of the parts and addresses must stay as it is until they are sent.
 */
export class SendBatch {
  readonly capacity: number;
  /** Messages begun since `reset`. */
  count = 0;
  /** Parts appended since `reset`. */
  parts = 0;

  readonly partCapacity: number;
  readonly #libc: Libc;
  readonly #headers: NativeMemory;
  readonly #control: NativeMemory;
  readonly #words: Int32Array;
  readonly #vectorStart: number;
  #header = 0;

  constructor(libc: Libc, { messages, parts = messages }: SendBatchOptions) {
    const { msghdr, mmsghdr, iovec } = libc.layout;
    this.#libc = libc;
    this.capacity = messages;
    this.partCapacity = parts;
    this.#vectorStart = messages * mmsghdr.size;
    this.#headers = new NativeMemory(libc, this.#vectorStart + parts * iovec.size);
    this.#control = new NativeMemory(libc, messages * controlBytes);
    this.#words = this.#headers.words;
    for (let index = 0; index < messages; index += 1) {
      const address = this.#control.address + index * controlBytes;
      this.#headers.setUint64(index * mmsghdr.size + msghdr.msg_control, address);
    }
  }

  reset(): void {
    this.count = 0;
    this.parts = 0;
  }

  /** Whether there is room for another message of one part. */
  isFull(): boolean {
    return this.count === this.capacity || this.parts === this.partCapacity;
  }

  /** Begins a message to the socket address at `address`; 0 and 0 for a connected socket's peer. */
  begin(address: number, addressLength: number): void {
    const { msghdr, mmsghdr, iovec } = this.#libc.layout;
    const header = this.count * mmsghdr.size;
    const headers = this.#headers;
    headers.setUint64(header + msghdr.msg_name, address);
    headers.setUint64(header + msghdr.msg_iov, headers.address + this.#vectorStart + this.parts * iovec.size);
    this.#words[(header + msghdr.msg_namelen) >> 2] = addressLength;
    this.#words[(header + msghdr.msg_iovlen) >> 2] = 0;
    this.#words[(header + msghdr.msg_controllen) >> 2] = 0;
    this.#header = header;
    this.count += 1;
  }

  /** Adds `length` bytes at `address` to the message begun last. */
  append(address: number, length: number): void {
    const { msghdr, iovec } = this.#libc.layout;
    const vector = this.#vectorStart + this.parts * iovec.size;
    this.#headers.setUint64(vector + iovec.iov_base, address);
    this.#words[(vector + iovec.iov_len) >> 2] = length;
    const iovLength = (this.#header + msghdr.msg_iovlen) >> 2;
    this.#words[iovLength] = (this.#words[iovLength] as number) + 1;
    this.parts += 1;
  }

  /** The message begun last leaves as datagrams of `bytes` each, the last of what remains (UDP_SEGMENT). */
  segment(bytes: number): void {
    const data = this.#addControl(linux.SOL_UDP, linux.UDP_SEGMENT, 2);
    this.#control.view.setUint16(data, bytes, true);
  }

  /** The message begun last leaves from the IPv4 address whose four bytes are the word `source`. */
  leaveFrom4(source: number): void {
    const { in_pktinfo } = this.#libc.layout;
    const data = this.#addControl(linux.IPPROTO_IP, linux.IP_PKTINFO, in_pktinfo.size);
    const words = this.#control.words;
    words[(data + in_pktinfo.ipi_ifindex) >> 2] = 0;
    words[(data + in_pktinfo.ipi_spec_dst) >> 2] = source;
    words[(data + in_pktinfo.ipi_addr) >> 2] = 0;
  }

  /**
   * The message begun last leaves from the IPv6 address (or mapped IPv4 address) in the four words at `offset`, by the
   * interface `index`, which link-local addresses need; 0 leaves it to the route.
   */
  leaveFrom6(source: Int32Array, offset: number, index: number): void {
    const { in6_pktinfo } = this.#libc.layout;
    const data = this.#addControl(linux.IPPROTO_IPV6, linux.IPV6_PKTINFO, in6_pktinfo.size);
    const words = this.#control.words;
    for (let word = 0; word < 4; word += 1) {
      words[((data + in6_pktinfo.ipi6_addr) >> 2) + word] = source[offset + word] as number;
    }
    words[(data + in6_pktinfo.ipi6_ifindex) >> 2] = index;
  }

  /**
   * Sends messages `first` to `first + most - 1` without blocking. Gives how many were sent, which may be fewer than
   * asked (the next one then tells why), or the negative errno of message `first`.
   */
  send(fd: number, first = 0, most = this.count - first): number {
    const headers = this.#headers.address + first * this.#libc.layout.mmsghdr.size;
    const flags = linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL;
    const sent =
      most === 1 ? this.#libc.sendmsg(fd, headers, flags) : this.#libc.sendmmsg(fd, headers, most, flags);
    if (sent < 0) return -this.#libc.errno();
    return most === 1 ? 1 : sent;
  }

  /** Sends one datagram of a connected socket at once, past the batch. Gives 1 or the negative errno. */
  sendOne(fd: number, address: number, length: number): number {
    const sent = this.#libc.send(fd, address, length, linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL);
    return sent < 0 ? -this.#libc.errno() : 1;
  }

  /** Gives where the data of the new control message begins. */
  #addControl(level: number, type: number, dataBytes: number): number {
    const { msghdr, cmsghdr } = this.#libc.layout;
    const lengthWord = (this.#header + msghdr.msg_controllen) >> 2;
    const used = this.#words[lengthWord] as number;
    const start = (this.count - 1) * controlBytes + used;
    const words = this.#control.words;
    words[(start + cmsghdr.cmsg_len) >> 2] = cmsghdr.size + dataBytes;
    words[(start + cmsghdr.cmsg_len + 4) >> 2] = 0;
    words[(start + cmsghdr.cmsg_level) >> 2] = level;
    words[(start + cmsghdr.cmsg_type) >> 2] = type;
    this.#words[lengthWord] = used + controlSpace(dataBytes);
    return start + cmsghdr.size;
  }
}
