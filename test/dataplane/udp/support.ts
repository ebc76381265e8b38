/** Backends, clients and tables for the data plane's tests: real sockets on ports that the kernel chooses. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  createUdpEngine,
  type Endpoint,
  type RouteTable,
  type UdpEngine,
  type UdpEngineOptions,
  type UdpEntryPoint,
  type UdpEntryPointCounters,
  type UdpRoute,
  udpReplyDropReasons,
  udpRequestDropReasons,
} from '../../../src/dataplane/index.ts';

export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface Backend extends Place {
  readonly socket: Socket;
  readonly received: Buffer[];
  /** Ready, at this backend. */
  readonly endpoint: Endpoint;
  stop(): Promise<void>;
}

const roomyBytes = 4 * 1024 * 1024;

export async function boundSocket(address = '127.0.0.1', port = 0): Promise<Socket> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', recvBufferSize: roomyBytes });
  socket.on('error', () => {});
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
}

export function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    try {
      socket.close(resolve);
    } catch {
      resolve();
    }
  });
}

/** Answers every datagram with `answer`'s result, or with itself. */
export async function startBackend({
  address = '127.0.0.1',
  port = 0,
  answer = (datagram: Buffer): Buffer | undefined => datagram,
} = {}): Promise<Backend> {
  const socket = await boundSocket(address, port);
  const received: Buffer[] = [];
  socket.on('message', (datagram, from) => {
    received.push(datagram);
    const reply = answer(datagram);
    if (reply) socket.send(reply, from.port, from.address);
  });
  const bound = socket.address();
  const stop = () => closeSocket(socket);
  onTestFinished(stop);
  const place = { address: bound.address, port: bound.port };
  return { ...place, socket, received, endpoint: { ...place, state: 'ready' }, stop };
}

export interface Client {
  readonly socket: Socket;
  readonly replies: { readonly payload: Buffer; readonly from: Place }[];
  send(payload: Buffer | string): void;
  /** Resolves when that many replies in all have arrived. */
  received(count: number): Promise<void>;
  /** Sends, and gives the next reply. */
  ask(payload: Buffer | string): Promise<Buffer>;
}

export async function startClient(target: Place, address = '127.0.0.1'): Promise<Client> {
  const socket = await boundSocket(address);
  onTestFinished(() => closeSocket(socket));
  const replies: { payload: Buffer; from: Place }[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (payload, from) => {
    replies.push({ payload, from: { address: from.address, port: from.port } });
    for (const wake of waiting) wake();
  });
  const send = (payload: Buffer | string) => socket.send(payload, target.port, target.address);
  const received = (count: number) => when(() => replies.length >= count, waiting);
  const ask = async (payload: Buffer | string) => {
    const count = replies.length + 1;
    send(payload);
    await received(count);
    return replies[count - 1]?.payload ?? Buffer.alloc(0);
  };
  return { socket, replies, send, received, ask };
}

function when(isTrue: () => boolean, waiting: Set<() => void>): Promise<void> {
  if (isTrue()) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = () => {
      if (!isTrue()) return;
      waiting.delete(wake);
      resolve();
    };
    waiting.add(wake);
  });
}

/** Resolves when the condition holds, looking at it again and again. The test's own timeout is the limit. */
export async function eventually(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 2));
}

export async function startEngine(options: UdpEngineOptions): Promise<UdpEngine> {
  const engine = await createUdpEngine(options);
  onTestFinished(() => engine.close());
  return engine;
}

export function forwardTo(
  endpoints: readonly Endpoint[],
  route: Partial<UdpRoute> = {},
  entryPoint = 'test',
): RouteTable {
  const services = [{ name: 'default/echo', weight: 1, endpoints }];
  return {
    generation: 1,
    udp: [{ kind: 'forward', entryPoint, route: { name: 'default-echo-0', services, ...route } }],
  };
}

export interface Proxy {
  readonly engine: UdpEngine;
  readonly place: Place;
  readonly counters: () => UdpEntryPointCounters;
}

/** An engine with one entry point, `test`, on a port of 127.0.0.1. */
export async function startProxy(
  options: UdpEngineOptions,
  table: RouteTable,
  entryPoint: Partial<UdpEntryPoint> = {},
  address = '127.0.0.1',
): Promise<Proxy> {
  const engine = await startEngine(options);
  await engine.apply(table);
  const [place] = await engine.open({ name: 'test', ...entryPoint }, [{ kind: 'address', address, port: 0 }]);
  if (!place) throw new Error('nothing was bound');
  return { engine, place, counters: () => countersOf(engine) };
}

export function countersOf(engine: UdpEngine, name = 'test'): UdpEntryPointCounters {
  const found = engine.counters().find(({ entryPoint }) => entryPoint === name);
  if (!found) throw new Error(`no counters of ${name}`);
  return found;
}

/** What is left when each datagram's one verdict is taken away: 0 for requests and for replies. */
export function unaccounted(counters: UdpEntryPointCounters): { requests: number; replies: number } {
  const sum = (reasons: readonly (keyof typeof counters.drops)[]) =>
    reasons.reduce((total, reason) => total + counters.drops[reason], 0);
  return {
    requests: counters.datagramsIn - counters.datagramsForwarded - sum(udpRequestDropReasons),
    replies: counters.repliesIn - counters.datagramsOut - sum(udpReplyDropReasons),
  };
}
