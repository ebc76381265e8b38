/** A steady stream of numbered datagrams from several clients, and what came back of it. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { closeSocket, eventually, type Place } from './support.ts';

const payloadBytes = 64;
const roomyBytes = 4 * 1024 * 1024;

export interface SteadyLoad {
  readonly sent: () => number;
  readonly answered: () => number;
  /** Answers that came twice. */
  readonly duplicates: () => number;
  /** Stops, and resolves when all is answered or nothing has come for a while. Rejects when nothing ever came. */
  stop(): Promise<void>;
}

export async function startSteadyLoad(target: Place, perSecond: number, clients = 10): Promise<SteadyLoad> {
  const sockets = await Promise.all(Array.from({ length: clients }, openClient));
  const waiting = new Set<number>();
  let sent = 0;
  let answered = 0;
  let duplicates = 0;
  let lastAnswerAt = performance.now();
  for (const socket of sockets) {
    socket.on('message', (datagram) => {
      lastAnswerAt = performance.now();
      if (waiting.delete(datagram.readUInt32BE(0))) answered++;
      else duplicates++;
    });
  }
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) * perSecond) / 1000;
    // After a pause of this process the rest follows in portions: a burst is not what is asked for here.
    for (let portion = 0; sent < due && portion < 100; portion++) {
      const payload = Buffer.alloc(payloadBytes);
      payload.writeUInt32BE(sent);
      waiting.add(sent);
      sockets[sent % clients]?.send(payload, target.port, target.address);
      sent++;
    }
  }, 2);
  const stop = async () => {
    clearInterval(timer);
    lastAnswerAt = performance.now();
    await eventually(() => waiting.size === 0 || performance.now() - lastAnswerAt > 500);
    if (answered === 0) throw new Error(`none of ${sent} datagrams was answered`);
  };
  onTestFinished(() => clearInterval(timer));
  return { sent: () => sent, answered: () => answered, duplicates: () => duplicates, stop };
}

async function openClient(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: roomyBytes });
  socket.on('error', () => {});
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => closeSocket(socket));
  return socket;
}
