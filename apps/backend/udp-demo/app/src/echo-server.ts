import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { logLine } from './log-line.ts';

export interface EchoServer {
  readonly address: string;
  readonly port: number;
  /** Answers what has already arrived, then closes. */
  stop(): Promise<void>;
}

/** After this long without a datagram, whatever the kernel had queued for us has been answered. */
const quietMs = 100;
/** A client that never pauses must not keep the process alive. */
const drainLimitMs = 2_000;
/** Room for bursts of large datagrams; the kernel gives as much of it as it allows. */
const receiveBufferBytes = 4 * 1024 * 1024;

/** Answers every datagram with itself, from the port it came to, whatever its size (0 to 65,507 bytes). */
export async function startEchoServer(
  host: string,
  port: number,
  log: (line: string) => void,
): Promise<EchoServer> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', recvBufferSize: receiveBufferBytes });
  socket.bind(port, host);
  await once(socket, 'listening');
  let lastArrivalMs = performance.now();
  socket.on('message', (payload, sender) => {
    lastArrivalMs = performance.now();
    log(logLine(payload, sender));
    socket.send(payload, sender.port, sender.address, (error) => {
      if (error) log(`Error writing back to ${sender.address}:${sender.port}: ${error.message}`);
    });
  });
  socket.on('error', (error) => log(`Error reading: ${error.message}`));
  const bound = socket.address();
  return { address: bound.address, port: bound.port, stop: () => drain(socket, () => lastArrivalMs) };
}

async function drain(socket: Socket, lastArrivalMs: () => number): Promise<void> {
  const startedMs = performance.now();
  const isDone = () => {
    const nowMs = performance.now();
    return nowMs - Math.max(lastArrivalMs(), startedMs) >= quietMs || nowMs - startedMs >= drainLimitMs;
  };
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, quietMs / 4));
  const closed = once(socket, 'close');
  socket.close();
  await closed;
}
