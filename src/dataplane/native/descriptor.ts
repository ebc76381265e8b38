/** Opening, binding and setting up sockets and other descriptors. None of it runs per datagram. */

import { linux } from './constants.ts';
import type { Libc } from './libc.ts';
import { NativeMemory } from './memory.ts';
import {
  readSocketAddress,
  type SocketAddress,
  socketAddressBytes,
  writeSocketAddress,
} from './socket-address.ts';
import { check } from './system-error.ts';

export type SocketFamily = 'IPv4' | 'IPv6';

const scratchMemory = new WeakMap<Libc, NativeMemory>();

/** Room for one argument of a call that returns before the next one starts. */
function scratch(libc: Libc): NativeMemory {
  let memory = scratchMemory.get(libc);
  if (!memory) {
    memory = new NativeMemory(libc, 256);
    scratchMemory.set(libc, memory);
  }
  return memory;
}

/** A UDP socket that never blocks and is not inherited by child processes. Throws `SystemCallError`. */
export function openUdpSocket(libc: Libc, family: SocketFamily): number {
  const domain = family === 'IPv4' ? linux.AF_INET : linux.AF_INET6;
  const type = linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
  return check(libc, 'socket', libc.socket(domain, type, 0));
}

/** Throws `SystemCallError` (EADDRINUSE, EADDRNOTAVAIL, EACCES …). An IPv4 address on an IPv6 socket is mapped. */
export function bindSocket(libc: Libc, fd: number, family: SocketFamily, address: SocketAddress): void {
  const memory = scratch(libc);
  const length = writeSocketAddress(memory.bytes, 0, address, family === 'IPv6');
  check(libc, 'bind', libc.bind(fd, memory.address, length), `${address.address}:${address.port}`);
}

/** Sets the peer: only its datagrams are received from then on. Throws `SystemCallError`. */
export function connectSocket(libc: Libc, fd: number, family: SocketFamily, address: SocketAddress): void {
  const memory = scratch(libc);
  const length = writeSocketAddress(memory.bytes, 0, address, family === 'IPv6');
  check(libc, 'connect', libc.connect(fd, memory.address, length), `${address.address}:${address.port}`);
}

/** The address a socket is bound to. Throws `SystemCallError`. */
export function localAddress(libc: Libc, fd: number): SocketAddress {
  const memory = scratch(libc);
  memory.view.setUint32(socketAddressBytes, socketAddressBytes, true);
  const lengthAddress = memory.address + socketAddressBytes;
  check(libc, 'getsockname', libc.getsockname(fd, memory.address, lengthAddress));
  return readSocketAddress(memory.bytes, 0) ?? { address: '', port: 0 };
}

/** A socket option whose value is a C `int`, as [level, name]. */
export type SocketOption = readonly [level: number, name: number];

export const socketOptions = {
  reuseAddress: [linux.SOL_SOCKET, linux.SO_REUSEADDR],
  reusePort: [linux.SOL_SOCKET, linux.SO_REUSEPORT],
  receiveBuffer: [linux.SOL_SOCKET, linux.SO_RCVBUF],
  receiveBufferForce: [linux.SOL_SOCKET, linux.SO_RCVBUFFORCE],
  sendBuffer: [linux.SOL_SOCKET, linux.SO_SNDBUF],
  sendBufferForce: [linux.SOL_SOCKET, linux.SO_SNDBUFFORCE],
  /** Each datagram then tells how many the socket has dropped so far for want of room. */
  receiveOverflow: [linux.SOL_SOCKET, linux.SO_RXQ_OVFL],
  /** Microseconds to poll the device before sleeping. */
  busyPoll: [linux.SOL_SOCKET, linux.SO_BUSY_POLL],
  /** The pending error, cleared by reading it. */
  error: [linux.SOL_SOCKET, linux.SO_ERROR],
  domain: [linux.SOL_SOCKET, linux.SO_DOMAIN],
  packetInfo4: [linux.IPPROTO_IP, linux.IP_PKTINFO],
  receiveErrors4: [linux.IPPROTO_IP, linux.IP_RECVERR],
  transparent4: [linux.IPPROTO_IP, linux.IP_TRANSPARENT],
  freeBind4: [linux.IPPROTO_IP, linux.IP_FREEBIND],
  pathMtuDiscovery4: [linux.IPPROTO_IP, linux.IP_MTU_DISCOVER],
  /** Choose the port at `connect`, when the peer is known, so that one port serves many peers. */
  bindAddressNoPort: [linux.IPPROTO_IP, linux.IP_BIND_ADDRESS_NO_PORT],
  only6: [linux.IPPROTO_IPV6, linux.IPV6_V6ONLY],
  packetInfo6: [linux.IPPROTO_IPV6, linux.IPV6_RECVPKTINFO],
  receiveErrors6: [linux.IPPROTO_IPV6, linux.IPV6_RECVERR],
  transparent6: [linux.IPPROTO_IPV6, linux.IPV6_TRANSPARENT],
  freeBind6: [linux.IPPROTO_IPV6, linux.IPV6_FREEBIND],
  pathMtuDiscovery6: [linux.IPPROTO_IPV6, linux.IPV6_MTU_DISCOVER],
  /** Equal-sized datagrams of one sender may arrive joined, with their size as a control message. */
  receiveJoined: [linux.SOL_UDP, linux.UDP_GRO],
  /** Each send is cut into datagrams of this size. */
  segmentSize: [linux.SOL_UDP, linux.UDP_SEGMENT],
} as const satisfies Record<string, SocketOption>;

/** Whether the kernel accepted it; `libc.errno()` says why not. */
export function setSocketOption(libc: Libc, fd: number, option: SocketOption, value: number): boolean {
  const memory = scratch(libc);
  memory.view.setInt32(0, value, true);
  return libc.setsockopt(fd, option[0], option[1], memory.address, 4) === 0;
}

/** `undefined` when the kernel does not know the option. */
export function getSocketOption(libc: Libc, fd: number, option: SocketOption): number | undefined {
  const memory = scratch(libc);
  memory.view.setInt32(0, 0, true);
  memory.view.setUint32(8, 4, true);
  const result = libc.getsockopt(fd, option[0], option[1], memory.address, memory.address + 8);
  return result === 0 ? memory.view.getInt32(0, true) : undefined;
}

/**
 * Asks for room for `bytes` of datagrams each way and gives what there is now. The kernel counts its own overhead in,
 * and keeps an ordinary process below net.core.rmem_max and wmem_max.
 */
export function setBufferSizes(libc: Libc, fd: number, bytes: number): { receive: number; send: number } {
  const { receiveBuffer, receiveBufferForce, sendBuffer, sendBufferForce } = socketOptions;
  if (!setSocketOption(libc, fd, receiveBufferForce, bytes)) setSocketOption(libc, fd, receiveBuffer, bytes);
  if (!setSocketOption(libc, fd, sendBufferForce, bytes)) setSocketOption(libc, fd, sendBuffer, bytes);
  return {
    receive: getSocketOption(libc, fd, receiveBuffer) ?? 0,
    send: getSocketOption(libc, fd, sendBuffer) ?? 0,
  };
}

/** A second descriptor of the same socket, not inherited by child processes. Throws `SystemCallError` (EMFILE …). */
export function duplicate(libc: Libc, fd: number): number {
  return check(libc, 'fcntl', libc.fcntl(fd, linux.F_DUPFD_CLOEXEC, 0));
}

/** Sockets that Node opened block or not as Node needs; the packet path needs that they do not. */
export function setNonBlocking(libc: Libc, fd: number): void {
  const flags = check(libc, 'fcntl', libc.fcntl(fd, linux.F_GETFL, 0));
  check(libc, 'fcntl', libc.fcntl(fd, linux.F_SETFL, flags | linux.O_NONBLOCK));
}

/** Of the nine 32-bit words of SO_MEMINFO (linux/sock_diag.h, SK_MEMINFO_DROPS). */
const dropsWord = 8;
const memoryInfoBytes = 36;

/** Datagrams that the socket has dropped so far, modulo 2^32: for want of room, mostly. 0 where it is not told. */
export function droppedDatagrams(libc: Libc, fd: number): number {
  const memory = scratch(libc);
  memory.view.setUint32(memoryInfoBytes, memoryInfoBytes, true);
  const lengthAddress = memory.address + memoryInfoBytes;
  const result = libc.getsockopt(fd, linux.SOL_SOCKET, linux.SO_MEMINFO, memory.address, lengthAddress);
  return result === 0 ? memory.view.getUint32(4 * dropsWord, true) : 0;
}

/** How many descriptors this process may have open, now and at most. */
export interface DescriptorLimit {
  readonly current: number;
  readonly maximum: number;
}

export function descriptorLimit(libc: Libc): DescriptorLimit {
  const memory = scratch(libc);
  check(libc, 'getrlimit', libc.getrlimit(linux.RLIMIT_NOFILE, memory.address));
  const { rlim_cur, rlim_max } = libc.layout.rlimit;
  return {
    current: Number(memory.view.getBigUint64(rlim_cur, true)),
    maximum: Number(memory.view.getBigUint64(rlim_max, true)),
  };
}

/** Raises the limit as far as this process may, towards `wanted`, and gives what it is then. Never lowers it. */
export function raiseDescriptorLimit(libc: Libc, wanted: number): DescriptorLimit {
  const before = descriptorLimit(libc);
  if (before.current >= wanted) return before;
  const beyond = wanted > before.maximum && writeLimit(libc, wanted, wanted);
  if (!beyond) writeLimit(libc, Math.min(wanted, before.maximum), before.maximum);
  return descriptorLimit(libc);
}

function writeLimit(libc: Libc, current: number, maximum: number): boolean {
  const memory = scratch(libc);
  const { rlim_cur, rlim_max } = libc.layout.rlimit;
  memory.view.setBigUint64(rlim_cur, BigInt(current), true);
  memory.view.setBigUint64(rlim_max, BigInt(maximum), true);
  return libc.setrlimit(linux.RLIMIT_NOFILE, memory.address) === 0;
}
