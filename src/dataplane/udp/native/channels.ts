/**
 * The sockets towards endpoints of one worker. A channel is one socket that belongs to one session:
 *
 * - connected to one endpoint, while the session's datagrams go to one: 13 % cheaper to send through than an unconnected
 *   one, and the kernel refuses what others send to it; or
 * - open, to any endpoint of the entry point, while its datagrams are spread over several: one socket instead of one per
 *   endpoint, so that ten thousand clients of three endpoints hold ten thousand ports and not thirty. Whose answer came
 *   is then checked here: by its source, and by what the session has sent to.
 *
 * A session whose endpoint changes gets another channel; the old one stays behind it in a chain, for answers still under
 * way. Everything of a channel is in columns indexed by its number.
 */

import {
  errno,
  type Libc,
  linux,
  NativeMemory,
  setSocketOption,
  socketAddressBytes,
  socketOptions,
  writeSocketAddress,
} from '../../native/index.ts';
import { grown } from '../core/key-table.ts';
import type { FileLedger } from './file-ledger.ts';

/** The kernel gives as much of it as it allows. */
const receiveBufferBytes = 1024 * 1024;
/** Datagrams (and errors) of its session before that are looked for in a socket which changes hands. */
const maxStale = 256;

export interface ChannelTarget {
  readonly isIPv6: boolean;
  /** The endpoint's socket address; 0 for an open channel. */
  readonly address: number;
  readonly addressLength: number;
  /** The socket address that the channel's datagrams come from, of the same family; 0: one of this host's. */
  readonly source: number;
}

export class Channels {
  /** -1: not in use. */
  fd = new Int32Array(0);
  session = new Int32Array(0);
  /** Number of the entry point in the worker. */
  owner = new Int32Array(0);
  /** The slot of its endpoint; -1 when it is open. */
  peer = new Int32Array(0);
  isIPv6 = new Uint8Array(0);
  /** The next older channel of the same session, or -1. */
  older = new Int32Array(0);
  /** Datagrams sent, less those received: about how many may be waiting. */
  outstanding = new Int32Array(0);
  /** How many datagrams to ask for at once. */
  wanted = new Uint8Array(0);
  /** When it was last read: number of the worker's round. */
  round = new Float64Array(0);
  /** Bytes of the datagram sent last; -1 once any were joined for sending: what ICMP quotes may then be more than one. */
  lastBytes = new Int32Array(0);
  /** Received datagrams that the kernel had dropped for want of room, when it was asked last. */
  dropped = new Uint32Array(0);
  /** Of the datagrams that wait to be sent through it. -1: none. */
  firstPending = new Int32Array(0);
  lastPending = new Int32Array(0);
  count = 0;
  /** Channels are below this. */
  capacity = 0;
  readonly limit: number;
  readonly #libc: Libc;
  readonly #ledger: FileLedger;
  /** The wildcard addresses, IPv4 and IPv6, with port 0. */
  readonly #any: NativeMemory;
  /** Where the first byte of what is thrown away goes. */
  readonly #discarded: NativeMemory;
  #free = -1;

  /** `limit`: open sockets at a time. */
  constructor(libc: Libc, ledger: FileLedger, limit: number) {
    this.#libc = libc;
    this.#ledger = ledger;
    this.#any = new NativeMemory(libc, 2 * socketAddressBytes);
    this.#discarded = new NativeMemory(libc, 1);
    writeSocketAddress(this.#any.bytes, 0, { address: '0.0.0.0', port: 0 });
    writeSocketAddress(this.#any.bytes, socketAddressBytes, { address: '::', port: 0 });
    this.limit = limit;
  }

  /** Gives the new channel's number, or the negative errno. */
  open(owner: number, session: number, peer: number, target: ChannelTarget): number {
    if (this.count >= this.limit) return -errno.EMFILE;
    const libc = this.#libc;
    const fd = libc.socket(
      target.isIPv6 ? linux.AF_INET6 : linux.AF_INET,
      linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC,
      0,
    );
    if (fd < 0) return -libc.errno();
    this.#ledger.add(fd);
    setSocketOption(libc, fd, socketOptions.receiveBuffer, receiveBufferBytes);
    setSocketOption(libc, fd, target.isIPv6 ? socketOptions.receiveErrors6 : socketOptions.receiveErrors4, 1);
    if (target.isIPv6) {
      setSocketOption(libc, fd, socketOptions.only6, 0);
      setSocketOption(libc, fd, socketOptions.receiveErrors4, 1);
    }
    if (target.source !== 0) {
      const reason = this.#takeAddress(fd, target);
      if (reason !== 0) {
        this.#ledger.close(fd);
        return -reason;
      }
    }
    // An open channel is bound now, for a lack of ports to show here and not as a send that would block.
    const result =
      peer >= 0
        ? libc.connect(fd, target.address, target.addressLength)
        : libc.bind(
            fd,
            this.#any.address + (target.isIPv6 ? socketAddressBytes : 0),
            target.isIPv6 ? 28 : 16,
          );
    if (result < 0) {
      const reason = libc.errno();
      this.#ledger.close(fd);
      return -reason;
    }
    return this.#register(fd, owner, session, peer, target.isIPv6);
  }

  /**
   * Gives the channel to another session. What its socket has received by now was for the session before: it is thrown
   * away, and how many datagrams that were, is the result.
   */
  handOver(channel: number, session: number): number {
    this.session[channel] = session;
    this.older[channel] = -1;
    this.outstanding[channel] = 0;
    this.wanted[channel] = 1;
    // What ICMP quotes from now on may still be a datagram of the session before: it is not to be sent again.
    this.lastBytes[channel] = -1;
    return this.#discard(this.fd[channel] as number);
  }

  #discard(fd: number): number {
    const libc = this.#libc;
    let discarded = 0;
    for (let step = 0; step < maxStale; step++) {
      if (libc.recv(fd, this.#discarded.address, 1, linux.MSG_DONTWAIT) >= 0) discarded++;
      else if (libc.errno() === errno.EAGAIN) break;
    }
    return discarded;
  }

  close(channel: number): void {
    this.#ledger.close(this.fd[channel] as number);
    this.fd[channel] = -1;
    this.session[channel] = -1;
    this.older[channel] = this.#free;
    this.#free = channel;
    this.count--;
  }

  /** Binds the socket to an address that is not this host's. Gives 0 or the errno. */
  #takeAddress(fd: number, { isIPv6, source, addressLength }: ChannelTarget): number {
    const option = isIPv6 ? socketOptions.transparent6 : socketOptions.transparent4;
    if (!setSocketOption(this.#libc, fd, option, 1)) return this.#libc.errno();
    // A client that is served by two endpoints has two sockets of its address.
    setSocketOption(this.#libc, fd, socketOptions.reuseAddress, 1);
    return this.#libc.bind(fd, source, addressLength) < 0 ? this.#libc.errno() : 0;
  }

  #register(fd: number, owner: number, session: number, peer: number, isIPv6: boolean): number {
    if (this.#free < 0) this.#grow();
    const channel = this.#free;
    this.#free = this.older[channel] as number;
    this.fd[channel] = fd;
    this.owner[channel] = owner;
    this.session[channel] = session;
    this.peer[channel] = peer;
    this.isIPv6[channel] = isIPv6 ? 1 : 0;
    this.older[channel] = -1;
    this.outstanding[channel] = 0;
    this.wanted[channel] = 1;
    this.round[channel] = -2;
    this.lastBytes[channel] = 0;
    this.dropped[channel] = 0;
    this.firstPending[channel] = -1;
    this.lastPending[channel] = -1;
    this.count++;
    return channel;
  }

  #grow(): void {
    const from = this.capacity;
    const capacity = Math.max(64, 2 * from);
    this.fd = grown(this.fd, new Int32Array(capacity).fill(-1));
    this.session = grown(this.session, new Int32Array(capacity));
    this.owner = grown(this.owner, new Int32Array(capacity));
    this.peer = grown(this.peer, new Int32Array(capacity));
    this.isIPv6 = grown(this.isIPv6, new Uint8Array(capacity));
    this.older = grown(this.older, new Int32Array(capacity));
    this.outstanding = grown(this.outstanding, new Int32Array(capacity));
    this.wanted = grown(this.wanted, new Uint8Array(capacity));
    this.round = grown(this.round, new Float64Array(capacity));
    this.lastBytes = grown(this.lastBytes, new Int32Array(capacity));
    this.dropped = grown(this.dropped, new Uint32Array(capacity));
    this.firstPending = grown(this.firstPending, new Int32Array(capacity));
    this.lastPending = grown(this.lastPending, new Int32Array(capacity));
    for (let channel = capacity - 1; channel >= from; channel--) {
      this.older[channel] = this.#free;
      this.#free = channel;
    }
    this.capacity = capacity;
  }
}
