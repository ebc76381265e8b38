/** Listening sockets for the workers. The engine owns them, so that they and what waits in them outlive a worker. */

import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import {
  bindSocket,
  duplicate,
  getSocketOption,
  type Libc,
  linux,
  localAddress,
  openUdpSocket,
  type SocketAddress,
  type SocketFamily,
  setBufferSizes,
  setNonBlocking,
  setSocketOption,
  socketOptions,
} from '../../native/index.ts';
import type { UdpListener } from '../../udp-engine.ts';
import { descriptorOf } from '../socket-descriptor.ts';
import type { NativeListener } from './native-entry-point.ts';
import { steerByClient } from './steer-by-client.ts';

/** Room for bursts: the kernel gives as much of it as it allows. */
const listenerBufferBytes = 4 * 1024 * 1024;

export interface OpenedListener {
  readonly place: SocketAddress;
  /** One a worker; fewer than there are workers when it cannot be shared. */
  readonly sockets: readonly NativeListener[];
  /** Room for received datagrams that the kernel has really given, in its own terms. */
  readonly receiveBufferBytes: number;
}

/**
 * `byClient`: all datagrams of one client address go to one worker, so that it can hold that address to its limits; otherwise
 * each of its ports goes where the kernel's hash sends it. Throws `SystemCallError` (EADDRINUSE …), with nothing left open.
 */
export function openListener(
  libc: Libc,
  wanted: UdpListener,
  workers: number,
  byClient: boolean,
): OpenedListener {
  if (wanted.kind === 'socket') return adopt(libc, wanted.socket);
  const family: SocketFamily = isIPv6(wanted.address) ? 'IPv6' : 'IPv4';
  const sockets: NativeListener[] = [];
  try {
    // Alone first: among sockets with SO_REUSEPORT a port that another process holds could seem free.
    const alone = openUdpSocket(libc, family);
    sockets.push(describe(alone, family, wanted));
    bindSocket(libc, alone, family, wanted);
    const place = localAddress(libc, alone);
    sockets[0] = describe(alone, family, place);
    if (workers > 1) {
      libc.close(alone);
      sockets.length = 0;
      for (let worker = 0; worker < workers; worker++) {
        const fd = openUdpSocket(libc, family);
        sockets.push(describe(fd, family, place));
        setSocketOption(libc, fd, socketOptions.reusePort, 1);
        bindSocket(libc, fd, family, place);
      }
      if (byClient && sockets[0]) steerByClient(libc, sockets[0].fd, workers);
    }
    const buffers = sockets.map((socket) => prepare(libc, socket));
    return { place, sockets, receiveBufferBytes: Math.min(...buffers) };
  } catch (error) {
    for (const { fd } of sockets) libc.close(fd);
    throw error;
  }
}

/** Takes over a socket that Node has bound: a descriptor of our own, and Node's closed. */
function adopt(libc: Libc, socket: Socket): OpenedListener {
  const fd = duplicate(libc, descriptorOf(socket));
  socket.close();
  try {
    setNonBlocking(libc, fd);
    const family = getSocketOption(libc, fd, socketOptions.domain) === linux.AF_INET6 ? 'IPv6' : 'IPv4';
    const place = localAddress(libc, fd);
    const listener = describe(fd, family, place);
    return { place, sockets: [listener], receiveBufferBytes: prepare(libc, listener) };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function describe(fd: number, family: SocketFamily, { address, port }: SocketAddress): NativeListener {
  const isWildcard = address === '0.0.0.0' || address === '::';
  return { fd, address, port, isIPv6: family === 'IPv6', isWildcard };
}

function prepare(libc: Libc, { fd, isIPv6: is6, isWildcard }: NativeListener): number {
  if (isWildcard) setSocketOption(libc, fd, is6 ? socketOptions.packetInfo6 : socketOptions.packetInfo4, 1);
  return setBufferSizes(libc, fd, listenerBufferBytes).receive;
}
