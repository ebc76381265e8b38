/** `node:dgram` sockets made without waiting: an address that is one already needs no name lookup. */

import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

/** Room for bursts: the kernel gives as much of it as it allows. */
const listenerBufferBytes = 4 * 1024 * 1024;
const upstreamBufferBytes = 256 * 1024;

type Lookup = NonNullable<SocketOptions['lookup']>;

/** Calls back at once, which makes bind, connect and send take effect before they return. */
const lookup: Lookup = (address, _options, callback) => callback(null, address, isIPv6(address) ? 6 : 4);

/** Rejects with the system's error. */
export async function bindListener(address: string, port: number, reuseAddr: boolean): Promise<Socket> {
  const type = isIPv6(address) ? 'udp6' : 'udp4';
  const socket = createSocket({ type, reuseAddr, lookup, recvBufferSize: listenerBufferBytes });
  try {
    const listening = once(socket, 'listening');
    socket.bind(port, address);
    await listening;
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/**
 * A socket connected to the endpoint, so that the kernel refuses what comes from elsewhere and reports what ICMP says.
 * Gives the error's code where there is none to be had (EMFILE …). Undefined where the kernel knows no way to the endpoint or
 * forbids it: Node tells why a moment later, and so `onRefused` is told (ENETUNREACH …).
 */
export function openUpstream(
  address: string,
  port: number,
  onRefused: (code: string) => void,
): Socket | string | undefined {
  const socket = createSocket({
    type: isIPv6(address) ? 'udp6' : 'udp4',
    lookup,
    recvBufferSize: upstreamBufferBytes,
  });
  let failure: string | undefined;
  let isRefused = false;
  const onError = ({ code = 'unknown' }: NodeJS.ErrnoException) => {
    failure ??= code;
    if (isRefused) onRefused(code);
  };
  socket.once('error', onError);
  try {
    socket.connect(port, address);
    socket.remoteAddress();
    if (failure === undefined) {
      socket.off('error', onError);
      return socket;
    }
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    isRefused = failure === undefined && code === 'ERR_SOCKET_DGRAM_NOT_CONNECTED';
    if (!isRefused) failure ??= code;
  }
  socket.close();
  return failure;
}
