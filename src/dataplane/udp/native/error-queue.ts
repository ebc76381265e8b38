/** What ICMP says about datagrams that were sent: the kernel keeps it in a queue beside the socket (IP_RECVERR, ip(7)). */

import { type Libc, linux, NativeMemory, socketAddressBytes } from '../../native/index.ts';

const payloadBytes = 2048;
const controlBytes = 512;

/** Where an error was found (linux/errqueue.h). */
const origins = { icmp: 2, icmp6: 3 } as const;

export class ErrorQueue {
  /** Of the error read last: its errno; whether a router or the endpoint's host said so, and not the local kernel. */
  reason = 0;
  isFromNetwork = false;
  /** Bytes quoted of the datagram that it is about. */
  quotedBytes = 0;
  /** Words of the socket address that the datagram was sent to. */
  readonly destination: Int32Array;
  /** Where the quoted bytes are. */
  readonly quoteAddress: number;
  readonly #libc: Libc;
  readonly #memory: NativeMemory;
  readonly #message: number;
  readonly #control: number;

  constructor(libc: Libc) {
    const { msghdr, iovec } = libc.layout;
    this.#libc = libc;
    this.#message = 0;
    const vector = msghdr.size;
    const name = vector + iovec.size + 8;
    this.#control = name + socketAddressBytes;
    const payload = this.#control + controlBytes;
    this.#memory = new NativeMemory(libc, payload + payloadBytes);
    this.quoteAddress = this.#memory.address + payload;
    this.destination = this.#memory.words.subarray(name / 4, (name + socketAddressBytes) / 4);
    this.#memory.setUint64(vector + iovec.iov_base, this.quoteAddress);
    this.#memory.setUint64(vector + iovec.iov_len, payloadBytes);
    this.#memory.setUint64(msghdr.msg_name, this.#memory.address + name);
    this.#memory.setUint64(msghdr.msg_iov, this.#memory.address + vector);
    this.#memory.setUint64(msghdr.msg_iovlen, 1);
    this.#memory.setUint64(msghdr.msg_control, this.#memory.address + this.#control);
  }

  /** Reads the next error of the socket into the fields above. False: there is none left. */
  next(fd: number): boolean {
    const { msghdr } = this.#libc.layout;
    this.#memory.setUint64(msghdr.msg_namelen, socketAddressBytes);
    this.#memory.setUint64(msghdr.msg_controllen, controlBytes);
    const flags = linux.MSG_ERRQUEUE | linux.MSG_DONTWAIT;
    const length = this.#libc.recvmsg(fd, this.#memory.address + this.#message, flags);
    if (length < 0) return false;
    this.quotedBytes = length;
    this.#readControl();
    return true;
  }

  #readControl(): void {
    const { cmsghdr, sock_extended_err, msghdr } = this.#libc.layout;
    const { view } = this.#memory;
    this.reason = 0;
    this.isFromNetwork = false;
    const end = this.#control + view.getUint32(msghdr.msg_controllen, true);
    for (let at = this.#control; at + cmsghdr.size <= end; ) {
      const length = view.getUint32(at + cmsghdr.cmsg_len, true);
      if (length < cmsghdr.size) return;
      const level = view.getInt32(at + cmsghdr.cmsg_level, true);
      const type = view.getInt32(at + cmsghdr.cmsg_type, true);
      if (
        (level === linux.IPPROTO_IP && type === linux.IP_RECVERR) ||
        (level === linux.IPPROTO_IPV6 && type === linux.IPV6_RECVERR)
      ) {
        const data = at + cmsghdr.size;
        this.reason = view.getUint32(data + sock_extended_err.ee_errno, true);
        const origin = view.getUint8(data + sock_extended_err.ee_origin);
        this.isFromNetwork = origin === origins.icmp || origin === origins.icmp6;
      }
      at += (length + 7) & ~7;
    }
  }
}
