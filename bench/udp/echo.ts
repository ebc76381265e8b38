/**
 * The backend: answers every datagram with itself. `echo.js ADDRESS:PORT [stamps]`; prints `ready` when it listens.
 * With `stamps` it writes its times into what it answers: see `stamps.ts`.
 */

import { writeSync } from 'node:fs';
import {
  bindSocket,
  type Libc,
  openUdpSocket,
  Poller,
  pollEvents,
  ReceiveBatch,
  SendBatch,
  setBufferSizes,
} from '../../src/dataplane/native/index.ts';
import { parseAddress, requireLibc } from './require-libc.ts';
import { arrivalUs, onwardsOffset, sentAtOffset, stampArrivals, stampClock } from './stamps.ts';

const batchSize = 64;

function serve(text: string, stamps: boolean): never {
  const libc = requireLibc();
  const fd = openUdpSocket(libc, 'IPv4');
  setBufferSizes(libc, fd, 16 << 20);
  bindSocket(libc, fd, 'IPv4', parseAddress(text));
  const poller = new Poller(libc, 1);
  poller.add(fd, pollEvents.readable, 0);
  const received = new ReceiveBatch(libc, { slots: batchSize, slotBytes: 65_536, control: stamps });
  const stamp = stamps ? stamper(libc, fd, received) : undefined;
  const replies = new SendBatch(libc, { messages: batchSize });
  writeSync(1, 'ready\n');
  for (;;) {
    poller.wait(-1);
    const count = received.receive(fd);
    replies.reset();
    stamp?.(count);
    for (let slot = 0; slot < count; slot += 1) {
      replies.begin(received.addressPointer(slot), received.addressLength(slot));
      replies.append(received.payloadAddress(slot), received.length(slot));
    }
    for (let sent = 0; sent < count; ) {
      // What fails (a full buffer) is skipped: the generator counts it as lost.
      sent += Math.max(1, replies.send(fd, sent));
    }
  }
}

/** Writes how long the received datagrams were on their way, and that they are sent now. */
function stamper(libc: Libc, fd: number, received: ReceiveBatch): (count: number) => void {
  const now = stampClock(libc);
  const payload = new DataView(received.payload.buffer, received.payload.byteOffset);
  stampArrivals(libc, fd);
  return (count) => {
    for (let slot = 0; slot < count; slot += 1) {
      const offset = received.payloadOffset(slot);
      const onwards = arrivalUs(libc, received, slot) - payload.getFloat64(offset + sentAtOffset, true);
      payload.setFloat64(offset + onwardsOffset, onwards, true);
    }
    const sentAt = now();
    for (let slot = 0; slot < count; slot += 1) {
      payload.setFloat64(received.payloadOffset(slot) + sentAtOffset, sentAt, true);
    }
  };
}

serve(process.argv[2] ?? '127.0.0.1:0', process.argv[3] === 'stamps');
