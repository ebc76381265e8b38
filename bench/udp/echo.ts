/** The backend: answers every datagram with itself. `echo.js ADDRESS:PORT`; prints `ready` when it listens. */

import { writeSync } from 'node:fs';
import {
  bindSocket,
  openUdpSocket,
  Poller,
  pollEvents,
  ReceiveBatch,
  SendBatch,
  setBufferSizes,
} from '../../src/dataplane/native/index.ts';
import { parseAddress, requireLibc } from './require-libc.ts';

const batchSize = 64;

function serve(text: string): never {
  const libc = requireLibc();
  const fd = openUdpSocket(libc, 'IPv4');
  setBufferSizes(libc, fd, 16 << 20);
  bindSocket(libc, fd, 'IPv4', parseAddress(text));
  const poller = new Poller(libc, 1);
  poller.add(fd, pollEvents.readable, 0);
  const received = new ReceiveBatch(libc, { slots: batchSize, slotBytes: 65_536 });
  const replies = new SendBatch(libc, { messages: batchSize });
  writeSync(1, 'ready\n');
  for (;;) {
    poller.wait(-1);
    const count = received.receive(fd);
    replies.reset();
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

serve(process.argv[2] ?? '127.0.0.1:0');
