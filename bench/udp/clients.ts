/** The generator's sockets, one per client, and what their datagrams say. */

import {
  bindSocket,
  connectSocket,
  errno,
  type Libc,
  NativeMemory,
  openUdpSocket,
  Poller,
  pollEvents,
  ReceiveBatch,
  raiseDescriptorLimit,
  SendBatch,
  type SocketAddress,
  SystemCallError,
} from '../../src/dataplane/native/index.ts';
import { arrivalUs, onwardsOffset, sentAtOffset, stampArrivals, stampClock } from './stamps.ts';

/** Each datagram starts with its client (32 bits), its number (32 bits) and its time (64 bits, microseconds). */
export const headerBytes = 16;

/** Below those that the kernel gives out itself (32,768 and up), which the proxies need for their sessions. */
const firstPort = 2_000;
const portsPerAddress = 30_000;
export const maxBurst = 64;

export interface ClientOptions {
  readonly count: number;
  readonly target: SocketAddress;
  readonly payloadBytes: number;
  readonly isStamped?: boolean;
}

export interface Clients {
  readonly count: number;
  readonly poller: Poller;
  readonly received: ReceiveBatch;
  /** Sends `count` (at most `maxBurst`) datagrams, numbered from `number`, as of `time`. Gives how many left. */
  send(client: number, count: number, number: number, time: number): number;
  /** Receives at most `most` datagrams of a client into the first slots of `received`. */
  receive(client: number, most: number): number;
  /** Of the datagram in a slot. Throws `Error` when it is not one of the client's, or not as long as it was. */
  numberIn(client: number, slot: number): number;
  timeIn(slot: number): number;
  /** Of the answer in a slot, both ways. Only with `isStamped`. */
  inProxyUs(slot: number): number;
}

/** `timerKey` in events, next to client numbers. */
export const timerKey = -1;

export function openClients(
  libc: Libc,
  { count, target, payloadBytes, isStamped = false }: ClientOptions,
): Clients {
  raiseDescriptorLimit(libc, count + 200);
  const poller = new Poller(libc, 512);
  const fds = new Int32Array(count);
  for (let client = 0; client < count; client += 1) {
    fds[client] = openClient(libc, target, client);
    if (isStamped) stampArrivals(libc, fds[client] as number);
    poller.add(fds[client] as number, pollEvents.readable, client);
  }
  const received = new ReceiveBatch(libc, {
    slots: maxBurst,
    slotBytes: 2_048,
    addresses: false,
    control: isStamped,
  });
  const payload = new DataView(received.payload.buffer, received.payload.byteOffset);
  const sender = burstSender(libc, payloadBytes, isStamped ? stampClock(libc) : undefined);
  return {
    count,
    poller,
    received,
    send: (client, burst, number, time) => sender(fds[client] as number, client, burst, number, time),
    receive: (client, most) =>
      most === 1
        ? received.receiveOne(fds[client] as number, 0)
        : received.receive(fds[client] as number, 0, Math.min(most, maxBurst)),
    numberIn(client, slot) {
      const offset = received.payloadOffset(slot);
      const whose = payload.getUint32(offset, true);
      const length = received.length(slot);
      if (whose === client && length === payloadBytes) return payload.getUint32(offset + 4, true);
      throw new Error(`client ${client} was sent client ${whose}'s datagram, of ${length} bytes`);
    },
    timeIn: (slot) => payload.getFloat64(received.payloadOffset(slot) + 8, true),
    inProxyUs(slot) {
      const offset = received.payloadOffset(slot);
      const back = arrivalUs(libc, received, slot) - payload.getFloat64(offset + sentAtOffset, true);
      return payload.getFloat64(offset + onwardsOffset, true) + back;
    },
  };
}

function openClient(libc: Libc, target: SocketAddress, client: number): number {
  const fd = openUdpSocket(libc, 'IPv4');
  const address = `127.0.0.${2 + Math.floor(client / portsPerAddress)}`;
  let port = firstPort + (client % portsPerAddress);
  while (!isBound(libc, fd, { address, port }))
    port = port === firstPort + portsPerAddress ? firstPort : port + 1;
  connectSocket(libc, fd, 'IPv4', target);
  return fd;
}

/** False where the port is taken. */
function isBound(libc: Libc, fd: number, address: SocketAddress): boolean {
  try {
    bindSocket(libc, fd, 'IPv4', address);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.code === 'EADDRINUSE') return false;
    throw error;
  }
}

function burstSender(
  libc: Libc,
  payloadBytes: number,
  clock: (() => number) | undefined,
): (fd: number, client: number, burst: number, number: number, time: number) => number {
  const stride = (Math.ceil(payloadBytes / 64) | 1) * 64;
  const memory = new NativeMemory(libc, maxBurst * stride);
  const batch = new SendBatch(libc, { messages: maxBurst });
  for (let slot = 0; slot < maxBurst; slot += 1) {
    batch.begin(0, 0);
    batch.append(memory.address + slot * stride, payloadBytes);
  }
  return (fd, client, burst, number, time) => {
    for (let slot = 0; slot < burst; slot += 1) {
      memory.view.setUint32(slot * stride, client, true);
      memory.view.setUint32(slot * stride + 4, number + slot, true);
      memory.view.setFloat64(slot * stride + 8, time, true);
      if (clock) memory.view.setFloat64(slot * stride + sentAtOffset, clock(), true);
    }
    const sent = burst === 1 ? batch.sendOne(fd, memory.address, payloadBytes) : batch.send(fd, 0, burst);
    if (sent >= 0) return sent;
    // A full buffer, or nobody there yet: not sent, and the caller tries again.
    if (sent === -errno.EAGAIN || sent === -errno.ECONNREFUSED || sent === -errno.ENOBUFS) return 0;
    throw new Error(`sending failed with errno ${-sent}`);
  };
}
