import { afterEach, describe, expect, it } from 'vitest';
import {
  bindSocket,
  connectSocket,
  errno,
  getSocketOption,
  isAvailable,
  type Libc,
  loadLibc,
  localAddress,
  maxSegmentsPerSend,
  NativeMemory,
  openUdpSocket,
  Poller,
  pollEvents,
  ReceiveBatch,
  readSocketAddress,
  SendBatch,
  type SocketFamily,
  setBufferSizes,
  setSocketOption,
  socketOptions,
  writeSocketAddress,
} from '../../../src/dataplane/native/index.ts';
import { batchCalls } from '../../../src/dataplane/native/libc.ts';

const loaded = loadLibc();
const largestPayload = 65_507;

const hasSegmentation = (() => {
  if (!isAvailable(loaded)) return false;
  const fd = openUdpSocket(loaded, 'IPv4');
  const known =
    getSocketOption(loaded, fd, socketOptions.segmentSize) !== undefined &&
    getSocketOption(loaded, fd, socketOptions.receiveJoined) !== undefined;
  loaded.close(fd);
  return known;
})();

describe.skipIf(!isAvailable(loaded))('batches (need Linux and koffi)', () => {
  if (!isAvailable(loaded)) return;
  const libc: Libc = loaded;
  const open: number[] = [];

  afterEach(() => {
    for (const fd of open.splice(0)) libc.close(fd);
  });

  const loopback: Readonly<Record<SocketFamily, string>> = { IPv4: '127.0.0.1', IPv6: '::1' };

  function boundSocket(family: SocketFamily, address = loopback[family]): number {
    const fd = openUdpSocket(libc, family);
    open.push(fd);
    setBufferSizes(libc, fd, 1 << 20);
    if (family === 'IPv6') setSocketOption(libc, fd, socketOptions.only6, 0);
    bindSocket(libc, fd, family, { address, port: 0 });
    return fd;
  }

  /** Bytes that tell their position, so that a shifted or foreign one shows. */
  function patterned(length: number, seed: number): NativeMemory {
    const memory = new NativeMemory(libc, Math.max(1, length));
    for (let index = 0; index < length; index += 1) memory.bytes[index] = (index * 31 + seed) & 0xff;
    return memory;
  }

  function destination(family: SocketFamily, fd: number): { memory: NativeMemory; length: number } {
    const memory = new NativeMemory(libc, 32);
    const { address, port } = localAddress(libc, fd);
    const reachable = address === '::' ? '::1' : address;
    return {
      memory,
      length: writeSocketAddress(memory.bytes, 0, { address: reachable, port }, family === 'IPv6'),
    };
  }

  /** Receives until `count` slots are filled. Loopback delivers within the send, so it is there at once. */
  function receiveAll(batch: ReceiveBatch, fd: number, count: number): void {
    const poller = new Poller(libc, 1);
    poller.add(fd, pollEvents.readable, 0);
    let filled = 0;
    while (filled < count && poller.wait(5_000) > 0) filled += batch.receive(fd, filled);
    poller.close();
    expect(filled).toBe(count);
  }

  const payloadOf = (batch: ReceiveBatch, slot: number): Uint8Array => {
    const offset = batch.payloadOffset(slot);
    return batch.payload.slice(offset, offset + batch.length(slot));
  };

  describe.each(['IPv4', 'IPv6'] as const)('over %s', (family) => {
    it('carry datagrams of every length from 0 to 65,507 bytes, a short one after a long one too', () => {
      const [server, client] = [boundSocket(family), boundSocket(family)];
      const lengths = [largestPayload, 0, 1, 1_400, largestPayload, 3, 65_000, 0];
      const to = destination(family, server);
      const sources = lengths.map((length, seed) => patterned(length, seed));
      const sending = new SendBatch(libc, { messages: 8 });
      const receiving = new ReceiveBatch(libc, { slots: 8, slotBytes: 65_536 });
      for (const rotation of [0, 1, 3]) {
        const order = sources.map((_, index) => (index + rotation) % 8);
        sending.reset();
        for (const index of order) {
          sending.begin(to.memory.address, to.length);
          sending.append(sources[index]?.address ?? 0, lengths[index] ?? 0);
        }
        expect(sending.send(client)).toBe(8);
        receiveAll(receiving, server, 8);
        for (const [slot, index] of order.entries()) {
          expect(receiving.isTruncated(slot)).toBe(false);
          const expected = sources[index]?.bytes.subarray(0, lengths[index]) ?? new Uint8Array();
          expect(Buffer.compare(payloadOf(receiving, slot), expected)).toBe(0);
        }
      }
    });

    it('tell who sent each datagram, and answer straight from the batch', () => {
      const server = boundSocket(family);
      const clients = [boundSocket(family), boundSocket(family), boundSocket(family)];
      const to = destination(family, server);
      const request = new SendBatch(libc, { messages: 1 });
      for (const [seed, client] of clients.entries()) {
        request.reset();
        request.begin(to.memory.address, to.length);
        request.append(patterned(10 + seed, seed).address, 10 + seed);
        expect(request.send(client)).toBe(1);
      }
      const batch = new ReceiveBatch(libc, { slots: 4, slotBytes: 2_048 });
      receiveAll(batch, server, 3);
      const reply = new SendBatch(libc, { messages: 4 });
      for (let slot = 0; slot < 3; slot += 1) {
        expect(readSocketAddress(batch.addresses, batch.addressOffset(slot))).toEqual(
          localAddress(libc, clients[slot] ?? -1),
        );
        expect(batch.addressLength(slot)).toBe(family === 'IPv4' ? 16 : 28);
        reply.begin(batch.addressPointer(slot), batch.addressLength(slot));
        reply.append(batch.payloadAddress(slot), batch.length(slot));
      }
      expect(reply.send(server)).toBe(3);
      const answer = new ReceiveBatch(libc, { slots: 1, slotBytes: 2_048 });
      for (const [seed, client] of clients.entries()) {
        receiveAll(answer, client, 1);
        expect(payloadOf(answer, 0)).toEqual(patterned(10 + seed, seed).bytes.subarray(0, 10 + seed));
      }
    });

    it('tell to which address a datagram was sent, and answer from it', () => {
      const server = boundSocket(family, family === 'IPv4' ? '0.0.0.0' : '::');
      const option = family === 'IPv4' ? socketOptions.packetInfo4 : socketOptions.packetInfo6;
      expect(setSocketOption(libc, server, option, 1)).toBe(true);
      const client = boundSocket(family);
      const { port } = localAddress(libc, server);
      // 127.0.0.2 is the machine's as well: without care, the answer would leave from 127.0.0.1.
      const target = family === 'IPv4' ? '127.0.0.2' : '::1';
      connectSocket(libc, client, family, { address: target, port });
      const request = new SendBatch(libc, { messages: 1 });
      expect(request.sendOne(client, patterned(5, 1).address, 5)).toBe(1);

      const batch = new ReceiveBatch(libc, { slots: 2, slotBytes: 2_048, control: true });
      receiveAll(batch, server, 1);
      batch.readControl(0);
      const { in_pktinfo, in6_pktinfo } = libc.layout;
      const reply = new SendBatch(libc, { messages: 1 });
      reply.begin(batch.addressPointer(0), batch.addressLength(0));
      reply.append(batch.payloadAddress(0), batch.length(0));
      expect(batch.packetInfoOffset).toBeGreaterThanOrEqual(0);
      if (family === 'IPv4') {
        const address = batch.packetInfoOffset + in_pktinfo.ipi_addr;
        expect(batch.controlView.getUint32(address)).toBe(0x7f000002);
        reply.leaveFrom4(batch.controlView.getInt32(address, true));
      } else {
        const address = batch.packetInfoOffset + in6_pktinfo.ipi6_addr;
        const words = Int32Array.from([0, 4, 8, 12], (word) =>
          batch.controlView.getInt32(address + word, true),
        );
        expect([...words]).toEqual([0, 0, 0, 0x01000000]);
        reply.leaveFrom6(words, 0, 0);
      }
      expect(reply.send(server)).toBe(1);
      // The client is connected: an answer from another address would not arrive.
      receiveAll(batch, client, 1);
      expect(batch.length(0)).toBe(5);
    });

    describe.skipIf(!hasSegmentation)('segmented (needs a kernel with UDP_SEGMENT and UDP_GRO)', () => {
      it('leave as one send and arrive as single datagrams', () => {
        const [server, client] = [boundSocket(family), boundSocket(family)];
        const to = destination(family, server);
        const sources = [0, 1, 2, 3].map((seed) => patterned(seed === 3 ? 40 : 100, seed));
        const sending = new SendBatch(libc, { messages: 1, parts: 4 });
        sending.begin(to.memory.address, to.length);
        for (const [index, source] of sources.entries())
          sending.append(source.address, index === 3 ? 40 : 100);
        sending.segment(100);
        expect(sending.send(client)).toBe(1);
        const batch = new ReceiveBatch(libc, { slots: 8, slotBytes: 2_048 });
        receiveAll(batch, server, 4);
        for (const [slot, source] of sources.entries()) {
          expect(payloadOf(batch, slot)).toEqual(source.bytes.subarray(0, slot === 3 ? 40 : 100));
        }
      });

      it('arrive joined, with the size of each, where that is asked for', () => {
        const [server, client] = [boundSocket(family), boundSocket(family)];
        expect(setSocketOption(libc, server, socketOptions.receiveJoined, 1)).toBe(true);
        expect(setSocketOption(libc, server, socketOptions.receiveOverflow, 1)).toBe(true);
        const to = destination(family, server);
        const whole = patterned(maxSegmentsPerSend * 512, 9);
        const sending = new SendBatch(libc, { messages: 2, parts: 2 });
        sending.begin(to.memory.address, to.length);
        sending.append(whole.address, maxSegmentsPerSend * 512);
        sending.segment(512);
        sending.begin(to.memory.address, to.length);
        sending.append(whole.address, 33);
        expect(sending.send(client)).toBe(2);
        const batch = new ReceiveBatch(libc, { slots: 4, slotBytes: 65_536, control: true });
        receiveAll(batch, server, 2);
        batch.readControl(0);
        expect(batch.segmentBytes).toBe(512);
        expect(payloadOf(batch, 0)).toEqual(whole.bytes);
        batch.readControl(1);
        expect(batch.segmentBytes).toBe(0);
        expect(batch.length(1)).toBe(33);
      });
    });
  });

  it('take IPv4 and IPv6 clients on one socket', () => {
    const server = boundSocket('IPv6', '::');
    const { port } = localAddress(libc, server);
    const batch = new ReceiveBatch(libc, { slots: 2, slotBytes: 2_048 });
    const sending = new SendBatch(libc, { messages: 1 });
    const clients = [boundSocket('IPv4'), boundSocket('IPv6')];
    connectSocket(libc, clients[0] ?? -1, 'IPv4', { address: '127.0.0.1', port });
    connectSocket(libc, clients[1] ?? -1, 'IPv6', { address: '::1', port });
    for (const client of clients) expect(sending.sendOne(client, patterned(4, 0).address, 4)).toBe(1);
    receiveAll(batch, server, 2);
    const senders = [0, 1].map(
      (slot) => readSocketAddress(batch.addresses, batch.addressOffset(slot))?.address,
    );
    expect(senders).toEqual(['::ffff:127.0.0.1', '::1']);
  });

  it('mark what was cut off', () => {
    const [server, client] = [boundSocket('IPv4'), boundSocket('IPv4')];
    connectSocket(libc, client, 'IPv4', localAddress(libc, server));
    const sending = new SendBatch(libc, { messages: 1 });
    for (const length of [101, 100])
      expect(sending.sendOne(client, patterned(101, 0).address, length)).toBe(1);
    const batch = new ReceiveBatch(libc, { slots: 2, slotBytes: 100 });
    receiveAll(batch, server, 2);
    expect([batch.length(0), batch.isTruncated(0)]).toEqual([100, true]);
    expect([batch.length(1), batch.isTruncated(1)]).toEqual([100, false]);
  });

  it('count what the socket had no room for', () => {
    const [server, client] = [boundSocket('IPv4'), boundSocket('IPv4')];
    setSocketOption(libc, server, socketOptions.receiveOverflow, 1);
    setSocketOption(libc, server, socketOptions.receiveBuffer, 4_096);
    connectSocket(libc, client, 'IPv4', localAddress(libc, server));
    const sending = new SendBatch(libc, { messages: 1 });
    const payload = patterned(1_000, 0);
    for (let sent = 0; sent < 100; sent += 1) sending.sendOne(client, payload.address, 1_000);
    const batch = new ReceiveBatch(libc, { slots: 128, slotBytes: 2_048, control: true });
    const received = batch.receive(server);
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThan(100);
    sending.sendOne(client, payload.address, 1_000);
    receiveAll(batch, server, 1);
    batch.readControl(0);
    expect(batch.overflow).toBe(100 - received);
  });

  it('fill the slots they are told to, and leave the others alone', () => {
    const [server, client] = [boundSocket('IPv4'), boundSocket('IPv4')];
    connectSocket(libc, client, 'IPv4', localAddress(libc, server));
    connectSocket(libc, server, 'IPv4', localAddress(libc, client));
    const sending = new SendBatch(libc, { messages: 1 });
    const batch = new ReceiveBatch(libc, { slots: 8, slotBytes: 2_048, addresses: false });
    for (const length of [11, 12, 13, 14]) sending.sendOne(client, patterned(20, length).address, length);
    expect(batch.receiveOne(server, 5)).toBe(1);
    expect(batch.receive(server, 1, 2)).toBe(2);
    expect(batch.receive(server, 6)).toBe(1);
    expect(batch.receive(server)).toBe(0);
    expect(batch.receiveOne(server, 0)).toBe(0);
    expect([5, 1, 2, 6].map((slot) => batch.length(slot))).toEqual([11, 12, 13, 14]);
    expect(payloadOf(batch, 2)).toEqual(patterned(20, 13).bytes.subarray(0, 13));
    expect(batch.addressLength(1)).toBe(0);
  });

  it('give the negative errno of what failed, and go on behind it', () => {
    const [server, client] = [boundSocket('IPv4'), boundSocket('IPv4')];
    const to = destination('IPv4', server);
    const payload = patterned(65_536, 0);
    const sending = new SendBatch(libc, { messages: 3 });
    for (const length of [10, 65_508, 12]) {
      sending.begin(to.memory.address, to.length);
      sending.append(payload.address, length);
    }
    expect(sending.isFull()).toBe(true);
    expect(sending.send(client)).toBe(1);
    expect(sending.send(client, 1)).toBe(-errno.EMSGSIZE);
    expect(sending.send(client, 2)).toBe(1);
    const batch = new ReceiveBatch(libc, { slots: 4, slotBytes: 2_048 });
    receiveAll(batch, server, 2);
    expect([batch.length(0), batch.length(1)]).toEqual([10, 12]);
    expect(batch.receive(-1)).toBe(-9);
  });

  it('learn from the kernel that nobody listens', () => {
    const [closed, client] = [boundSocket('IPv4'), boundSocket('IPv4')];
    connectSocket(libc, client, 'IPv4', localAddress(libc, closed));
    libc.close(open.shift() ?? -1);
    const sending = new SendBatch(libc, { messages: 1 });
    expect(sending.sendOne(client, patterned(1, 0).address, 1)).toBe(1);
    const batch = new ReceiveBatch(libc, { slots: 1, slotBytes: 100 });
    expect(batch.receive(client)).toBe(-errno.ECONNREFUSED);
    expect(batch.receive(client)).toBe(0);
  });

  it('work the same by direct system calls, as with musl', async () => {
    const { default: koffi } = await import('koffi');
    const direct = { ...libc, ...batchCalls(koffi.load(null), 'musl') };
    const [server, client] = [boundSocket('IPv4'), boundSocket('IPv4')];
    const to = destination('IPv4', server);
    const sending = new SendBatch(direct, { messages: 3 });
    for (const length of [1, 2, 3]) {
      sending.begin(to.memory.address, to.length);
      sending.append(patterned(3, 0).address, length);
    }
    expect(sending.send(client)).toBe(3);
    const batch = new ReceiveBatch(direct, { slots: 4, slotBytes: 100 });
    expect(batch.receive(server)).toBe(3);
    expect([0, 1, 2].map((slot) => batch.length(slot))).toEqual([1, 2, 3]);
    expect(batch.receive(server)).toBe(0);
  });
});
