/** What only the native engine can do. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  bindSocket,
  connectSocket,
  isAvailable,
  loadLibc,
  localAddress,
  NativeMemory,
  openUdpSocket,
  SendBatch,
  setSocketOption,
  socketOptions,
} from '../../../src/dataplane/native/index.ts';
import type { NativeUdpEngine } from '../../../src/dataplane/udp/native/native-engine.ts';
import { lacksNative } from './engines.ts';
import {
  boundSocket,
  closeSocket,
  countersOf,
  eventually,
  forwardTo,
  startBackend,
  startClient,
  startEngine,
  startProxy,
  unaccounted,
} from './support.ts';

describe.skipIf(lacksNative)('the native UDP engine (needs koffi)', () => {
  it.each([
    ['0.0.0.0', ['127.0.0.1', '127.0.0.5', '127.9.9.9']],
    ['::', ['127.0.0.5', '::1', '127.0.0.1']],
  ])(
    'answers one socket from each local address that it sent to, listening on %s',
    async (wildcard, targets) => {
      const backend = await startBackend();
      const { place, counters } = await startProxy(
        { engine: 'native' },
        forwardTo([backend.endpoint]),
        {},
        wildcard,
      );
      const sockets = { v4: await boundSocket('127.0.0.1'), v6: await boundSocket('::1') };
      const replies: string[] = [];
      for (const socket of Object.values(sockets)) {
        socket.on('message', (payload, from) =>
          replies.push(`${String(payload)} from ${from.address}:${from.port}`),
        );
      }
      for (const target of targets) {
        const socket = target.includes(':') ? sockets.v6 : sockets.v4;
        socket.send(target, place.port, target);
        await eventually(() => replies.includes(`${target} from ${target}:${place.port}`));
      }
      expect(replies).toHaveLength(targets.length);
      expect(counters().sessions).toBe(targets.length);
      await Promise.all(Object.values(sockets).map(closeSocket));
    },
  );

  it('keeps the sessions of a wildcard listener and of a particular one apart', async () => {
    const backend = await startBackend();
    const engine = await startEngine({ engine: 'native', workers: 1 });
    await engine.apply(forwardTo([backend.endpoint]));
    const places = await engine.open({ name: 'test' }, [
      { kind: 'address', address: '0.0.0.0', port: 0 },
      { kind: 'address', address: '127.0.0.1', port: 0 },
    ]);
    const [anywhere, here] = places.map(({ port }) => ({ address: '127.0.0.1', port }));
    const elsewhere = { address: '127.0.0.7', port: anywhere?.port ?? 0 };
    const clients = [
      await startClient(anywhere ?? elsewhere),
      await startClient(here ?? elsewhere),
      await startClient(elsewhere),
    ];
    for (let round = 0; round < 3; round++) for (const client of clients) await client.ask('x');
    await eventually(() => countersOf(engine).datagramsOut === 9);
    expect(countersOf(engine)).toMatchObject({ sessions: 3, sessionsOpened: 3 });
  });

  it('spreads clients over its workers and adds their counters up', async () => {
    const backend = await startBackend();
    const { place, counters } = await startProxy(
      { engine: 'native', workers: 3 },
      forwardTo([backend.endpoint]),
    );
    const clients = await Promise.all(Array.from({ length: 40 }, () => startClient(place)));
    for (const client of clients) await client.ask('x');
    const { workers, datagramsIn, endpoints } = counters();
    expect(workers).toHaveLength(3);
    expect(Math.min(...workers)).toBeGreaterThan(0);
    expect([datagramsIn, endpoints[0]?.datagrams]).toEqual([40, 40]);
  });

  it('holds a client address, and all together, to their limits whatever worker gets its datagrams', async () => {
    const backend = await startBackend();
    const slow = { datagramsPerSecond: 0.001, burst: 5 };
    const options = { engine: 'native', workers: 4 } as const;
    for (const [address, source] of [
      ['127.0.0.1', '127.0.0.1'],
      ['::', '127.0.0.1'],
      ['::', '::1'],
    ] as const) {
      for (const limit of ['ratePerClient', 'rate'] as const) {
        const table = forwardTo([backend.endpoint]);
        const { place, counters } = await startProxy(options, table, { [limit]: slow }, address);
        const target = { address: source, port: place.port };
        const clients = await Promise.all(Array.from({ length: 20 }, () => startClient(target, source)));
        for (const client of clients) client.send('x');
        await eventually(() => counters().datagramsIn === 20);
        expect(counters().datagramsForwarded).toBe(5);
        expect(counters().workers.filter((count) => count > 0).length > 1).toBe(limit === 'rate');
      }
    }
  });

  it('holds a client address to the rate of a route that comes later, whatever worker gets its datagrams', async () => {
    const backend = await startBackend();
    const options = { engine: 'native', workers: 4 } as const;
    const { engine, place, counters } = await startProxy(options, forwardTo([backend.endpoint]));
    const ratePerClient = { datagramsPerSecond: 0.001, burst: 5 };
    await engine.apply(forwardTo([backend.endpoint], { ratePerClient }));
    const clients = await Promise.all(Array.from({ length: 20 }, () => startClient(place)));
    for (const client of clients) client.send('x');
    await eventually(() => counters().datagramsIn === 20);
    expect(counters().datagramsForwarded).toBe(5);
    expect(counters().workers.filter((count) => count > 0)).toHaveLength(1);
  });

  it('spreads client addresses over its workers when it has limits per client', async () => {
    const backend = await startBackend();
    const options = { engine: 'native', workers: 2 } as const;
    const { place, counters } = await startProxy(options, forwardTo([backend.endpoint]), {
      maxSessionsPerClient: 9,
    });
    for (let host = 1; host <= 24; host++) await (await startClient(place, `127.0.0.${host}`)).ask('x');
    expect(Math.min(...counters().workers)).toBeGreaterThan(2);
  });

  it('uses one socket for a session of many endpoints, and takes answers only from those it has sent to', async () => {
    const backends = await Promise.all(
      Array.from({ length: 3 }, () => startBackend({ answer: () => undefined })),
    );
    const ports: number[] = [];
    for (const { socket } of backends) socket.on('message', (_, { port }) => ports.push(port));
    const options = { engine: 'native', workers: 1 } as const;
    const { place, counters } = await startProxy(
      options,
      forwardTo(backends.map(({ endpoint }) => endpoint)),
    );
    const client = await startClient(place);
    client.send('one');
    client.send('two');
    await eventually(() => ports.length === 2);
    expect(new Set(ports).size).toBe(1);
    const [asked, unasked] = [0, 2].map((index) => backends[index]?.socket);
    unasked?.send('not asked', ports[0] ?? 0, '127.0.0.1');
    asked?.send('asked', ports[0] ?? 0, '127.0.0.1');
    await client.received(1);
    await eventually(() => counters().drops.reply_unexpected_source === 1);
    expect(String(client.replies[0]?.payload)).toBe('asked');
    expect(unaccounted(counters())).toEqual({ requests: 0, replies: 0 });
  });

  it('keeps the order and the bounds of a burst whose sizes vary', async () => {
    const backend = await startBackend();
    const { place } = await startProxy({ engine: 'native', workers: 1 }, forwardTo([backend.endpoint]));
    const client = await startClient(place);
    const lengths = [64, 64, 64, 10, 64, 0, 64, 64, 1_400, 1_400, 3_000, 3_000, 64, 64, 65, 65, 1, 0, 0, 7];
    const payloads = lengths.map((length, index) => Buffer.alloc(length, index + 1));
    for (let round = 0; round < 20; round++) for (const payload of payloads) client.send(payload);
    await client.received(20 * payloads.length);
    const received = client.replies.map(({ payload }) => `${payload.length} ${payload[0] ?? ''}`);
    const sent = payloads.map((payload) => `${payload.length} ${payload[0] ?? ''}`);
    expect(received).toEqual(Array.from({ length: 20 }, () => sent).flat());
  });

  it('takes apart what the kernel received joined, where a listener came so', async () => {
    const libc = loadLibc();
    if (!isAvailable(libc)) throw new Error('no libc');
    const backend = await startBackend();
    const fd = openUdpSocket(libc, 'IPv4');
    setSocketOption(libc, fd, socketOptions.receiveJoined, 1);
    bindSocket(libc, fd, 'IPv4', { address: '127.0.0.1', port: 0 });
    const place = localAddress(libc, fd);
    const socket = createSocket('udp4');
    const listening = once(socket, 'listening');
    socket.bind({ fd });
    await listening;
    const engine = await startEngine({ engine: 'native', workers: 1 });
    await engine.apply(forwardTo([backend.endpoint]));
    await engine.open({ name: 'test' }, [{ kind: 'socket', socket }]);
    const client = openUdpSocket(libc, 'IPv4');
    connectSocket(libc, client, 'IPv4', place);
    const payload = new NativeMemory(libc, 1_050);
    payload.bytes.set(Array.from({ length: 1_050 }, (_, at) => at >> 2));
    const batch = new SendBatch(libc, { messages: 1 });
    batch.begin(0, 0);
    batch.append(payload.address, 1_050);
    batch.segment(100);
    expect(batch.send(client)).toBe(1);
    await eventually(() => backend.received.length === 11);
    const expected = Array.from({ length: 11 }, (_, index) =>
      payload.bytes.slice(100 * index, 100 * (index + 1)).toString(),
    );
    expect(backend.received.map((datagram) => Uint8Array.from(datagram).toString())).toEqual([
      ...expected.slice(0, 10),
      payload.bytes.slice(1_000, 1_050).toString(),
    ]);
    libc.close(client);
  });

  it('counts what the kernel dropped for want of room in its receive buffer', async () => {
    const backend = await startBackend({ answer: () => undefined });
    const { engine, place, counters } = await startProxy(
      { engine: 'native', workers: 1 },
      forwardTo([backend.endpoint]),
    );
    const client = await startClient(place);
    client.send('before');
    await eventually(() => counters().datagramsIn === 1);
    // While the worker is away nobody reads: 400 of the largest are more than any buffer of ours holds.
    (engine as NativeUdpEngine).crashWorker(0);
    for (let count = 0; count < 400; count++) client.send(Buffer.alloc(65_507));
    await eventually(() => counters().kernelDrops > 0);
  });

  it('keeps the decision it has when a new one has an endpoint behind an interface that is not there', async () => {
    const [backend, other] = await Promise.all([startBackend(), startBackend()]);
    const { engine, place } = await startProxy({ engine: 'native' }, forwardTo([backend.endpoint]));
    const nowhere = { address: 'fe80::1%nozone', port: 9, state: 'ready' } as const;
    await expect(engine.apply(forwardTo([nowhere, other.endpoint]))).rejects.toThrow(
      /^there is no interface nozone/,
    );
    const client = await startClient(place);
    await client.ask('x');
    await client.ask('y');
    expect(backend.received).toHaveLength(2);
  });

  it('keeps four sockets of a session whose endpoint changes, and counts those that it gives up', async () => {
    const backends = await Promise.all(Array.from({ length: 6 }, () => startBackend()));
    const options = { engine: 'native', workers: 1 } as const;
    const upTo = (last: number) => {
      const endpoints = backends.slice(0, last + 1).map(({ endpoint }) => endpoint);
      const leaving = endpoints.map((endpoint, at) =>
        at < last ? { ...endpoint, state: 'terminating' as const } : endpoint,
      );
      return forwardTo(leaving, { balance: 'session' });
    };
    const { engine, place, counters } = await startProxy(options, upTo(0));
    const client = await startClient(place);
    const ports: number[] = [];
    for (const { socket } of backends) socket.on('message', (_, { port }) => ports.push(port));
    for (const last of backends.keys()) {
      await engine.apply(upTo(last));
      await client.ask(`to ${last}`);
    }
    expect(counters()).toMatchObject({ sessionsOpened: 1, socketsGivenUp: 2 });
    // What the third was asked still has its answer; the second's finds nobody.
    for (const late of [1, 2]) backends[late]?.socket.send(`late ${late}`, ports[late] ?? 0, '127.0.0.1');
    await client.received(7);
    expect(String(client.replies[6]?.payload)).toBe('late 2');
  });

  it('tells who waits for a worker that it failed three times in a row, and tries it again', async () => {
    const [backend, other] = await Promise.all([startBackend(), startBackend()]);
    const lines: string[] = [];
    const log = (_: string, line: string) => void lines.push(line);
    const options = { engine: 'native', workers: 1, log } as const;
    const { engine, place } = await startProxy(options, forwardTo([backend.endpoint]));
    const heard = (text: string) => lines.filter((line) => line.includes(text)).length;
    for (let count = 1; count <= 2; count++) {
      (engine as NativeUdpEngine).crashWorker(0);
      await eventually(() => heard('is back') === count);
    }
    (engine as NativeUdpEngine).crashWorker(0);
    await expect(engine.apply(forwardTo([other.endpoint]))).rejects.toThrow('made to crash');
    expect(heard('failed (made to crash)')).toBe(3);
    await eventually(() => heard('is back') === 3);
    await (await startClient(place)).ask('x');
    expect(other.received).toHaveLength(1);
  });

  it('answers within the limit of open files by evicting who was idle longest', async () => {
    const backend = await startBackend();
    const options = { engine: 'native', workers: 1, maxSockets: 5 } as const;
    const { place, counters } = await startProxy(options, forwardTo([backend.endpoint]));
    const clients = await Promise.all(Array.from({ length: 8 }, () => startClient(place)));
    for (const client of clients) await client.ask('x');
    expect(counters()).toMatchObject({ sessions: 5, sessionsEvicted: 3, datagramsForwarded: 8 });
  });
});
