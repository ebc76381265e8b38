/** Datagrams of a great many sources. 30,000 of them by default, a million with SLUICE_FULL=1. */

import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { UdpEngineOptions, UdpSessionRecord } from '../../../src/dataplane/index.ts';
import {
  bindSocket,
  isAvailable,
  type Libc,
  loadLibc,
  NativeMemory,
  openUdpSocket,
  SendBatch,
  writeSocketAddress,
} from '../../../src/dataplane/native/index.ts';
import { descriptorOf } from '../../../src/dataplane/udp/socket-descriptor.ts';
import { engines, lacksNative } from './engines.ts';
import {
  eventually,
  forwardTo,
  type Place,
  startBackend,
  startClient,
  startProxy,
  unaccounted,
} from './support.ts';

const isFull = process.env.SLUICE_FULL === '1';
const sources = isFull ? 1_000_000 : 30_000;
const maxSessions = 500;
/** Datagrams of the flood that may be under way: far fewer than a receive buffer holds. */
const mostUnderWay = 640;
const perBatch = 64;

/** One socket that sends each datagram from another address, 127.1.0.0 and up, for all of them are this host's. */
class Flood {
  sent = 0;
  readonly #fd: number;
  readonly #target: NativeMemory;
  readonly #payload: NativeMemory;
  readonly #batch: SendBatch;

  constructor(libc: Libc, target: Place) {
    this.#fd = openUdpSocket(libc, 'IPv4');
    bindSocket(libc, this.#fd, 'IPv4', { address: '0.0.0.0', port: 0 });
    this.#target = new NativeMemory(libc, 16);
    this.#payload = new NativeMemory(libc, 64);
    this.#batch = new SendBatch(libc, { messages: perBatch });
    writeSocketAddress(this.#target.bytes, 0, target);
    onTestFinished(() => void libc.close(this.#fd));
  }

  send(): void {
    this.#batch.reset();
    for (let count = 0; count < perBatch; count++) {
      this.#batch.begin(this.#target.address, 16);
      this.#batch.append(this.#payload.address, 64);
      this.#batch.leaveFrom4(sourceOf(this.sent + count));
    }
    for (let done = 0; done < perBatch; ) done += Math.max(0, this.#batch.send(this.#fd, done));
    this.sent += perBatch;
  }
}

/** The bytes of 127.1.0.0 plus the number, as a word. */
function sourceOf(number: number): number {
  return Buffer.from([127, 1 + (number >> 16), (number >> 8) & 0xff, number & 0xff]).readInt32LE();
}

/** One entry point with one worker, and a flood towards it. */
async function startFlooded(options: UdpEngineOptions, answer?: (datagram: Buffer) => Buffer | undefined) {
  const libc = loadLibc();
  if (!isAvailable(libc)) throw new Error(libc.unavailable);
  const backend = await startBackend(answer ? { answer } : {});
  backend.received.push = () => 0;
  const entryPoint = { maxSessions, idleTimeoutMs: 600_000 };
  const proxy = await startProxy({ ...options, workers: 1 }, forwardTo([backend.endpoint]), entryPoint);
  return { ...proxy, flood: new Flood(libc, proxy.place) };
}

describe.skipIf(lacksNative).each(engines)(
  'a flood of spoofed sources, with the $engine engine (needs koffi)',
  (options) => {
    it(`of ${sources} takes no answer from established clients, and no more room than there is for sessions`, async () => {
      const { place, counters, flood } = await startFlooded(options);
      const clients = await Promise.all(Array.from({ length: 10 }, () => startClient(place)));
      for (const client of [...clients, ...clients]) await client.ask('hello');
      const before = counters();
      const memory: number[] = [];
      let asked = 0;
      while (flood.sent < sources) {
        flood.send();
        await eventually(
          () => flood.sent + asked - counters().datagramsIn + before.datagramsIn < mostUnderWay,
        );
        if (flood.sent % (10 * perBatch) === 0) await clients[asked++ % clients.length]?.ask(`${asked}`);
        if (flood.sent % (sources / 4) < perBatch) memory.push(process.memoryUsage().rss);
      }
      await eventually(() => counters().datagramsIn === before.datagramsIn + flood.sent + asked);
      // No client had to begin another session.
      const opened = clients.length + flood.sent - counters().drops.session_cap;
      expect(counters()).toMatchObject({
        kernelDrops: 0,
        sessions: maxSessions,
        sessionsOpened: opened,
        sessionsEvicted: opened - maxSessions,
      });
      expect(unaccounted(counters()).requests).toBe(0);
      expect(asked).toBeGreaterThan(sources / 1_000);
      // What it has by a fourth of them is all that it takes.
      expect(Math.max(...memory) - (memory[0] ?? 0)).toBeLessThan(64 * 1024 * 1024);
    }, 600_000);

    it('that is faster than it is served costs new clients their sessions, and established ones nothing', async () => {
      const { place, counters, flood } = await startFlooded(options);
      const clients = await Promise.all(Array.from({ length: 10 }, () => startClient(place)));
      for (const client of [...clients, ...clients]) await client.ask('hello');
      const before = counters().datagramsIn;
      while (counters().drops.session_cap === 0) {
        for (const most = 5_000 + 2 * flood.sent; flood.sent < most; ) flood.send();
        await eventually(() => counters().datagramsIn - before + counters().kernelDrops === flood.sent);
      }
      for (const client of clients) await client.ask('still there');
      const { sessionsOpened, kernelDrops, drops } = counters();
      expect(sessionsOpened).toBe(clients.length + flood.sent - kernelDrops - drops.session_cap);
      await eventually(() => unaccounted(counters()).requests === 0);
    });
  },
);

describe.skipIf(lacksNative)('a flood that nobody has time to hear of (needs koffi)', () => {
  it('leaves records of as many of its sessions as there is room for', async () => {
    const records: UdpSessionRecord[] = [];
    const onSession = (record: UdpSessionRecord) => void records.push(record);
    const { counters, flood } = await startFlooded({ engine: 'native', onSession }, () => undefined);
    // Nobody fetches them while this thread is busy.
    while (flood.sent < 5_000) {
      flood.send();
      while (counters().datagramsIn < flood.sent);
    }
    const ended = counters().sessionsEvicted;
    await eventually(() => records.length + counters().sessionRecordsMissed === ended);
    expect(records.length).toBe(2_048);
    expect(ended).toBeGreaterThan(4_000);
  });
});

const largest = Buffer.alloc(65_507);

/** Sends more and more at once, until some are dropped; each of them is then counted, in one place. `send` says how many it sent. */
async function untilDropped(
  send: () => number,
  count: () => { told: number; dropped: number },
): Promise<void> {
  for (let sent = 0; count().dropped === 0; ) {
    for (const most = 200 + 2 * sent; sent < most; ) sent += send();
    await eventually(() => count().told + count().dropped === sent);
  }
}

/** Sends 64 datagrams of ten bytes with each call, faster than anybody reads them. */
function joinedSends(fd: number, to: Place): () => number {
  const libc = loadLibc();
  if (!isAvailable(libc)) throw new Error(libc.unavailable);
  const [target, payload] = [new NativeMemory(libc, 16), new NativeMemory(libc, 640)];
  writeSocketAddress(target.bytes, 0, to);
  const batch = new SendBatch(libc, { messages: 1 });
  batch.begin(target.address, 16);
  batch.append(payload.address, 640);
  batch.segment(10);
  return () => (batch.send(fd) > 0 ? 64 : 0);
}

describe.each(engines)(
  'more datagrams at once than a receive buffer holds, with the $engine engine',
  (options) => {
    it('are told by the kernel, and those that it kept are forwarded', async () => {
      const backend = await startBackend({ answer: () => undefined });
      const { place, counters } = await startProxy({ ...options, workers: 1 }, forwardTo([backend.endpoint]));
      const client = await startClient(place);
      await untilDropped(
        () => {
          client.send(largest);
          return 1;
        },
        () => ({ told: counters().datagramsIn, dropped: counters().kernelDrops }),
      );
      expect(counters().datagramsForwarded).toBe(counters().datagramsIn);
    });

    async function startAnswers() {
      const backend = await startBackend({ answer: () => undefined });
      const { place, counters } = await startProxy(
        { ...options, workers: 1 },
        forwardTo([backend.endpoint]),
        {
          idleTimeoutMs: 600_000,
        },
      );
      const asked = once(backend.socket, 'message');
      (await startClient(place)).send('x');
      const [, session] = (await asked) as [Buffer, Place];
      const count = () => ({ told: counters().repliesIn, dropped: counters().replyKernelDrops });
      return { backend, session, counters, count };
    }

    it('are told of answers too', async () => {
      const { backend, session, counters, count } = await startAnswers();
      await untilDropped(() => {
        backend.socket.send(largest, session.port, session.address);
        return 1;
      }, count);
      expect(unaccounted(counters()).replies).toBe(0);
    });

    it.skipIf(lacksNative)('are told of small answers too (needs koffi)', async () => {
      const { backend, session, counters, count } = await startAnswers();
      const joined = joinedSends(descriptorOf(backend.socket), session);
      await untilDropped(joined, count);
      expect(unaccounted(counters()).replies).toBe(0);
    });
  },
);
