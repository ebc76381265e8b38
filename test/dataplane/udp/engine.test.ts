import { describe, expect, it } from 'vitest';
import type { UdpSessionRecord, WeightedService } from '../../../src/dataplane/index.ts';
import { engines } from './engines.ts';
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

describe.each(engines)('the $engine engine', (options) => {
  it('answers from the address that the client sent to', async () => {
    const backend = await startBackend();
    const { place, counters } = await startProxy(options, forwardTo([backend.endpoint]));
    const client = await startClient(place);
    expect(String(await client.ask('hello udp'))).toBe('hello udp');
    expect(client.replies[0]?.from).toEqual(place);
    await eventually(() => counters().datagramsOut === 1);
    expect(counters()).toMatchObject({
      route: 'default-echo-0',
      datagramsIn: 1,
      bytesIn: 9,
      datagramsForwarded: 1,
      repliesIn: 1,
      bytesOut: 9,
      sessions: 1,
      sessionsOpened: 1,
    });
    expect(counters().endpoints).toMatchObject([{ port: backend.port, datagrams: 1, replies: 1 }]);
  });

  it('answers from whichever local address was sent to when it listens on all of them', async () => {
    const backend = await startBackend();
    const { place } = await startProxy(options, forwardTo([backend.endpoint]), {}, '0.0.0.0');
    const target = { address: '127.0.0.1', port: place.port };
    const client = await startClient(target);
    await client.ask('x');
    expect(client.replies[0]?.from).toEqual(target);
  });

  it('serves IPv6 and IPv4 clients of one dual-stack listener, and an IPv6 endpoint', async () => {
    const backend = await startBackend({ address: '::1' });
    const { place } = await startProxy(options, forwardTo([backend.endpoint]), {}, '::');
    for (const address of ['::1', '127.0.0.1']) {
      const client = await startClient({ address, port: place.port }, address);
      expect(String(await client.ask(address))).toBe(address);
      expect(client.replies[0]?.from).toEqual({ address, port: place.port });
    }
  });

  it('carries empty and largest datagrams both ways, big after small and small after big', async () => {
    const backend = await startBackend();
    const { place } = await startProxy(options, forwardTo([backend.endpoint]));
    const client = await startClient(place);
    for (const length of [0, 65_507, 1, 0, 1_472, 65_507, 3, 9_000, 0]) {
      const payload = Buffer.alloc(length, length % 251);
      expect((await client.ask(payload)).equals(payload)).toBe(true);
    }
  });

  it('balances each datagram on its own, evenly', async () => {
    const backends = await Promise.all([startBackend(), startBackend(), startBackend()]);
    const { place } = await startProxy(options, forwardTo(backends.map(({ endpoint }) => endpoint)));
    const client = await startClient(place);
    for (let count = 0; count < 30; count++) await client.ask(`${count}`);
    expect(backends.map(({ received }) => received.length)).toEqual([10, 10, 10]);
  });

  it('keeps a session at one endpoint when it balances per session', async () => {
    const backends = await Promise.all([startBackend(), startBackend()]);
    const table = forwardTo(
      backends.map(({ endpoint }) => endpoint),
      { balance: 'session' },
    );
    const { place } = await startProxy({ ...options, workers: 1 }, table);
    for (let index = 0; index < 4; index++) {
      const client = await startClient(place);
      for (let count = 0; count < 5; count++) await client.ask('x');
    }
    expect(backends.map(({ received }) => received.length)).toEqual([10, 10]);
  });

  it('keeps all sessions of a client address at one endpoint when it balances by source', async () => {
    const backends = await Promise.all([startBackend(), startBackend(), startBackend()]);
    const table = forwardTo(
      backends.map(({ endpoint }) => endpoint),
      { balance: 'source' },
    );
    const { place } = await startProxy(options, table);
    for (let index = 0; index < 5; index++) await (await startClient(place)).ask('x');
    const counts = backends.map(({ received }) => received.length);
    expect(counts.filter((count) => count > 0)).toEqual([5]);
  });

  it('shares by weight, and gives nothing to a weight of 0', async () => {
    const backends = await Promise.all([startBackend(), startBackend(), startBackend()]);
    const services = backends.map(({ endpoint }, index) => ({
      name: `default/${index}`,
      weight: [3, 1, 0][index] ?? 0,
      endpoints: [endpoint],
    }));
    const { place } = await startProxy({ ...options, workers: 1 }, forwardTo([], { services }));
    const client = await startClient(place);
    for (let count = 0; count < 8; count++) await client.ask('x');
    expect(backends.map(({ received }) => received.length)).toEqual([6, 2, 0]);
  });

  it('drops the share of a service that is refused, for its reason, and gives none of it to the others', async () => {
    const [a, b] = await Promise.all([startBackend(), startBackend()]);
    const services = [
      { name: 'default/a', weight: 3, endpoints: [a.endpoint] },
      { name: 'default/missing', weight: 4, endpoints: [], refusal: 'no_service' as const },
      { name: 'default/b', weight: 1, endpoints: [b.endpoint] },
      { name: 'default/empty', weight: 2, endpoints: [], refusal: 'no_endpoints' as const },
    ];
    const { place, counters } = await startProxy(options, forwardTo([], { services }));
    const client = await startClient(place);
    for (let count = 0; count < 100; count++) {
      client.send('x');
      await eventually(() => counters().datagramsIn === count + 1);
    }
    await client.received(40);
    expect([a.received.length, b.received.length]).toEqual([30, 10]);
    expect(counters()).toMatchObject({ datagramsIn: 100, datagramsForwarded: 40, sessions: 1 });
    expect(counters().drops).toMatchObject({ no_service: 40, no_endpoints: 20 });
    expect(unaccounted(counters())).toEqual({ requests: 0, replies: 0 });
  });

  it('drops a session that falls to a service that is refused as a whole, and serves it when that is mended', async () => {
    const [a, b] = await Promise.all([startBackend(), startBackend()]);
    const toBoth = (second: Partial<WeightedService>) => {
      const services = [
        { name: 'default/a', weight: 1, endpoints: [a.endpoint] },
        { name: 'default/b', weight: 1, endpoints: [], ...second },
      ];
      return forwardTo([], { services, balance: 'session' });
    };
    const proxy = await startProxy({ ...options, workers: 1 }, toBoth({ refusal: 'no_service' }));
    const { counters } = proxy;
    const clients = await Promise.all([1, 2, 3, 4].map(() => startClient(proxy.place)));
    for (let round = 0; round < 5; round++) {
      for (const client of clients) {
        const before = counters().datagramsIn;
        client.send('x');
        await eventually(() => counters().datagramsIn === before + 1);
      }
    }
    await eventually(() => counters().datagramsOut === 10);
    expect(counters().drops.no_service).toBe(10);
    expect(clients.map(({ replies }) => replies.length).sort((left, right) => left - right)).toEqual([
      0, 0, 5, 5,
    ]);
    await proxy.engine.apply(toBoth({ endpoints: [b.endpoint] }));
    for (const client of clients) await client.ask('y');
    expect(counters().sessionsMoved).toBe(0);
  });

  it('does not lose the datagrams of an unreachable endpoint to a service that is refused', async () => {
    const [dead, live] = await Promise.all([startBackend(), startBackend()]);
    await dead.stop();
    const services = [
      { name: 'default/a', weight: 1, endpoints: [dead.endpoint, live.endpoint] },
      { name: 'default/missing', weight: 1, endpoints: [], refusal: 'no_service' as const },
    ];
    const { place, counters } = await startProxy({ ...options, workers: 1 }, forwardTo([], { services }));
    const client = await startClient(place);
    for (let count = 0; count < 20; count++) {
      client.send('x');
      await eventually(() => counters().datagramsIn === count + 1);
    }
    await client.received(10);
    expect(counters().drops.no_service).toBe(10);
    expect(live.received).toHaveLength(10);
  });

  it('says why it dropped a datagram, each exactly once', async () => {
    const { engine, place, counters } = await startProxy(options, { generation: 1, udp: [] });
    const client = await startClient(place);
    client.send('a');
    await eventually(() => counters().drops.no_route === 1);
    const refuse = (reason: 'no_service' | 'no_endpoints') =>
      engine.apply({ generation: 2, udp: [{ kind: 'drop', entryPoint: 'test', reason, detail: '' }] });
    await refuse('no_service');
    client.send('b');
    await eventually(() => counters().drops.no_service === 1);
    await refuse('no_endpoints');
    client.send('c');
    await eventually(() => counters().drops.no_endpoints === 1);
    await engine.apply(forwardTo([]));
    client.send('d');
    await eventually(() => counters().drops.no_endpoints === 2);
    expect(counters()).toMatchObject({ datagramsIn: 4, datagramsForwarded: 0, sessions: 0 });
    expect(unaccounted(counters())).toEqual({ requests: 0, replies: 0 });
  });

  it('sends what an unreachable endpoint refused, and all that follows, to the others', async () => {
    const [dead, live] = await Promise.all([startBackend(), startBackend()]);
    const { place, counters } = await startProxy(
      { ...options, workers: 1 },
      forwardTo([dead.endpoint, live.endpoint]),
    );
    const client = await startClient(place);
    await client.ask('1');
    await client.ask('2');
    await dead.stop();
    for (let count = 0; count < 10; count++) await client.ask(`after ${count}`);
    expect(live.received.length).toBe(11);
    expect(counters().datagramsBounced).toBeGreaterThan(0);
    expect(counters().datagramsRetried).toBe(counters().datagramsBounced);
    expect(unaccounted(counters()).requests).toBe(0);
  });

  it('moves a session whose endpoint is unreachable', async () => {
    const [dead, live] = await Promise.all([startBackend(), startBackend()]);
    const table = forwardTo([dead.endpoint, live.endpoint], { balance: 'session' });
    const { place, counters } = await startProxy({ ...options, workers: 1 }, table);
    const client = await startClient(place);
    await client.ask('1');
    expect(dead.received.length).toBe(1);
    await dead.stop();
    await client.ask('2');
    await client.ask('3');
    expect(live.received.length).toBe(2);
    expect(counters().sessionsMoved).toBe(1);
  });

  it('tries a lone endpoint again once it is back', async () => {
    const backend = await startBackend();
    const { place, counters } = await startProxy(options, forwardTo([backend.endpoint]));
    const client = await startClient(place);
    await client.ask('1');
    await backend.stop();
    client.send('2');
    client.send('3');
    await eventually(() => counters().datagramsIn === 3 && counters().datagramsBounced > 0);
    const again = await startBackend({ port: backend.port });
    expect(String(await client.ask('4'))).toBe('4');
    expect(again.received.length).toBe(1);
    expect(unaccounted(counters()).requests).toBe(0);
  });

  it('moves the sessions of a removed endpoint at once', async () => {
    const [first, second] = await Promise.all([startBackend(), startBackend()]);
    const { engine, place, counters } = await startProxy(
      options,
      forwardTo([first.endpoint], { balance: 'session' }),
    );
    const client = await startClient(place);
    await client.ask('1');
    await engine.apply(forwardTo([second.endpoint], { balance: 'session' }));
    await client.ask('2');
    expect([first.received.length, second.received.length]).toEqual([1, 1]);
    expect(counters().sessionsMoved).toBe(1);
    expect(counters().sessions).toBe(1);
  });

  it('gives a terminating endpoint nothing new and delivers what it still answers', async () => {
    const slow = await startBackend({ answer: () => undefined });
    const other = await startBackend();
    const { engine, place } = await startProxy(options, forwardTo([slow.endpoint], { balance: 'session' }));
    const client = await startClient(place);
    let asker = { address: '', port: 0 };
    slow.socket.on('message', (_, from) => {
      asker = from;
    });
    client.send('question');
    await eventually(() => asker.port !== 0);
    await engine.apply(
      forwardTo([{ ...slow.endpoint, state: 'terminating' }, other.endpoint], { balance: 'session' }),
    );
    expect(String(await client.ask('next'))).toBe('next');
    slow.socket.send('late answer', asker.port, asker.address);
    await client.received(2);
    expect(String(client.replies[1]?.payload)).toBe('late answer');
    expect(slow.received.length).toBe(1);
  });

  it('refuses an answer from anyone but the endpoint', async () => {
    const backend = await startBackend({ answer: () => undefined });
    const { place, counters } = await startProxy(options, forwardTo([backend.endpoint]));
    const client = await startClient(place);
    let asker = { address: '', port: 0 };
    backend.socket.on('message', (_, from) => {
      asker = from;
    });
    client.send('question');
    await eventually(() => asker.port !== 0);
    const stranger = await boundSocket();
    stranger.send('spoofed', asker.port, '127.0.0.1');
    await closeSocket(stranger);
    backend.socket.send('true', asker.port, '127.0.0.1');
    await client.received(1);
    expect(client.replies.map(({ payload }) => String(payload))).toEqual(['true']);
    expect(unaccounted(counters())).toEqual({ requests: 0, replies: 0 });
  });

  it('forgets a session that is idle in both directions', async () => {
    const backend = await startBackend();
    const { place, counters } = await startProxy(options, forwardTo([backend.endpoint]), {
      idleTimeoutMs: 30,
    });
    await (await startClient(place)).ask('x');
    await eventually(() => counters().sessions === 0);
    expect(counters().sessionsExpired).toBe(1);
  });

  it('forgets it after the idle time of its route, where that says one', async () => {
    const backend = await startBackend();
    const table = forwardTo([backend.endpoint], { idleTimeoutMs: 50 });
    const { place, counters, engine } = await startProxy(options, table, { idleTimeoutMs: 60_000 });
    const client = await startClient(place);
    await client.ask('x');
    await eventually(() => counters().sessionsExpired === 1);
    await engine.apply(forwardTo([backend.endpoint], { idleTimeoutMs: 60_000 }));
    await client.ask('x');
    await engine.apply(forwardTo([backend.endpoint], { idleTimeoutMs: 50 }));
    await eventually(() => counters().sessionsExpired === 2);
  });

  it('serves flows that are never answered and flows that are answered many times', async () => {
    const silent = await startBackend({ answer: () => undefined });
    const one = await startProxy(options, forwardTo([silent.endpoint]));
    const client = await startClient(one.place);
    for (let count = 0; count < 20; count++) client.send('log line');
    await eventually(() => silent.received.length === 20);
    const chatty = await startBackend();
    chatty.socket.on('message', (datagram, from) => {
      for (let count = 0; count < 4; count++) chatty.socket.send(datagram, from.port, from.address);
    });
    const two = await startProxy(options, forwardTo([chatty.endpoint]));
    const asker = await startClient(two.place);
    asker.send('tell me');
    await asker.received(5);
  });

  it('ends a session after the number of answers that the route names', async () => {
    const backend = await startBackend();
    const { place, counters } = await startProxy(options, forwardTo([backend.endpoint], { responses: 1 }));
    await (await startClient(place)).ask('x');
    await eventually(() => counters().sessionsAnswered === 1);
    expect(counters().sessions).toBe(0);
  });

  it('listens on a socket that is bound already', async () => {
    const backend = await startBackend();
    const socket = await boundSocket();
    const engine = await startEngine(options);
    await engine.apply(forwardTo([backend.endpoint]));
    const [place] = await engine.open({ name: 'test' }, [{ kind: 'socket', socket }]);
    expect(place?.port).toBeGreaterThan(0);
    const client = await startClient(place ?? { address: '', port: 0 });
    expect(String(await client.ask('x'))).toBe('x');
  });

  it('rejects a port that is taken and leaves nothing open', async () => {
    const taken = await boundSocket();
    const { port } = taken.address();
    const engine = await startEngine(options);
    const listeners = [
      { kind: 'address', address: '127.0.0.1', port: 0 },
      { kind: 'address', address: '127.0.0.1', port },
    ] as const;
    await expect(engine.open({ name: 'test' }, listeners)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(engine.counters()).toEqual([]);
    await closeSocket(taken);
    expect(await engine.open({ name: 'test' }, listeners)).toHaveLength(2);
  });

  it('keeps the decision it has when a new one is of no use, and takes those of others', async () => {
    const backend = await startBackend();
    const { engine, place } = await startProxy(options, forwardTo([backend.endpoint]));
    const [other] = await engine.open({ name: 'other' }, [
      { kind: 'address', address: '127.0.0.1', port: 0 },
    ]);
    const useless = forwardTo([], { allow: ['not a range'] }).udp;
    const table = { generation: 2, udp: [...useless, ...forwardTo([backend.endpoint], {}, 'other').udp] };
    await expect(engine.apply(table)).rejects.toThrow('not a range');
    await (await startClient(place)).ask('x');
    await (await startClient(other ?? place)).ask('y');
    expect(backend.received.map(String)).toEqual(['x', 'y']);
    await expect(
      engine.open({ name: 'bad', deny: ['x'] }, [{ kind: 'address', address: '127.0.0.1', port: 0 }]),
    ).rejects.toThrow('not an address');
    expect(engine.counters().map(({ entryPoint }) => entryPoint)).toEqual(['test', 'other']);
  });

  it('offers a decision again that was of no use, and goes back to the one before it', async () => {
    const [a, b] = await Promise.all([startBackend(), startBackend()]);
    const { engine, place } = await startProxy(options, { generation: 1, udp: [] });
    const good = forwardTo([a.endpoint]);
    const bad = forwardTo([b.endpoint], { allow: ['nonsense'] });
    await engine.apply(good);
    await expect(engine.apply(bad)).rejects.toThrow();
    await expect(engine.apply(bad)).rejects.toThrow();
    await engine.apply(good);
    await (await startClient(place)).ask('x');
    await engine.apply(forwardTo([b.endpoint]));
    await engine.apply(good);
    await (await startClient(place)).ask('x');
    expect([a.received.length, b.received.length]).toEqual([2, 0]);
  });

  it('tells what became of each session when it is over', async () => {
    const records: UdpSessionRecord[] = [];
    const backend = await startBackend({ answer: (datagram) => Buffer.concat([datagram, datagram]) });
    const table = forwardTo([backend.endpoint], { balance: 'session' });
    const told = { ...options, onSession: (record: UdpSessionRecord) => void records.push(record) };
    const { place, engine } = await startProxy(told, table, { idleTimeoutMs: 60_000, maxSessions: 100 });
    const clients = [await startClient(place), await startClient(place)];
    const placeOf = ({ socket }: (typeof clients)[number]) => `127.0.0.1:${socket.address().port}`;
    for (const text of ['12345', '', '123']) await clients[0]?.ask(text);
    await clients[1]?.ask('x');
    expect(records).toEqual([]);
    await engine.apply(forwardTo([backend.endpoint], { balance: 'session', idleTimeoutMs: 20 }));
    await eventually(() => records.length === 2);
    const first = records.find(({ client }) => client === placeOf(clients[0]!));
    expect(first).toEqual({
      entryPoint: 'test',
      client: placeOf(clients[0]!),
      route: 'default-echo-0',
      endpoint: `127.0.0.1:${backend.port}`,
      reason: 'idle_timeout',
      datagramsIn: 3,
      bytesIn: 8,
      datagramsOut: 3,
      bytesOut: 16,
      durationMs: expect.any(Number) as number,
    });
    expect(first?.durationMs).toBeGreaterThan(0);
    // The rest, with what each of them ends by.
    await engine.apply(forwardTo([backend.endpoint], { responses: 1 }));
    await clients[0]?.ask('z');
    await eventually(() => records.length === 3);
    expect(records[2]).toMatchObject({ reason: 'answered', endpoint: `127.0.0.1:${backend.port}` });
    await engine.apply(forwardTo([backend.endpoint]));
    await clients[1]?.ask('y');
    await engine.shut('test');
    expect(records[3]).toMatchObject({ client: placeOf(clients[1]!), reason: 'shut', datagramsIn: 1 });
    expect(records).toHaveLength(4);
  });

  it('tells of sessions that were evicted', async () => {
    const records: UdpSessionRecord[] = [];
    const backend = await startBackend({ answer: () => undefined });
    const told = {
      ...options,
      workers: 1,
      onSession: (record: UdpSessionRecord) => void records.push(record),
    };
    const { place, counters } = await startProxy(told, forwardTo([backend.endpoint]), { maxSessions: 1 });
    const clients = await Promise.all(Array.from({ length: 5 }, () => startClient(place)));
    for (let sent = 0; sent < 20; sent++) {
      clients[sent % 5]?.send('x');
      await eventually(() => counters().datagramsIn === sent + 1);
    }
    await eventually(() => records.length + counters().sessionRecordsMissed >= 19);
    expect(records[0]).toMatchObject({ reason: 'evicted', datagramsIn: 1, datagramsOut: 0 });
    expect(records[0]).not.toHaveProperty('endpoint');
    expect(counters()).toMatchObject({ sessionsOpened: 20, sessionsEvicted: 19 });
  });

  it('notes what became of sampled datagrams, and what was missed', async () => {
    const backend = await startBackend();
    const { engine, place } = await startProxy({ ...options, workers: 1 }, forwardTo([backend.endpoint]), {
      maxDatagramBytes: 10,
    });
    const client = await startClient(place);
    await client.ask('not seen');
    const tap = engine.tap({ every: 1, records: 4 });
    client.send('more than ten bytes');
    await client.ask('seen');
    const seen = [...tap.read()];
    await eventually(() => seen.push(...tap.read()) >= 3);
    const from = { address: '127.0.0.1', port: client.socket.address().port };
    const endpoint = { address: '127.0.0.1', port: backend.port };
    expect(seen).toMatchObject([
      { direction: 'request', client: from, bytes: 19, verdict: 'too_large', entryPoint: 'test' },
      { direction: 'request', client: from, endpoint, bytes: 4, verdict: 'passed' },
      { direction: 'reply', client: from, endpoint, bytes: 4, verdict: 'passed' },
    ]);
    for (let count = 0; count < 5; count++) await client.ask('x');
    expect(tap.read()).toHaveLength(4);
    expect(tap.missed()).toBe(6);
    tap.close();
    await engine.apply(forwardTo([backend.endpoint]));
    await client.ask('not seen');
    expect(tap.read()).toEqual([]);
  });

  it('stops listening when an entry point is shut, and closes twice', async () => {
    const backend = await startBackend();
    const { engine, place } = await startProxy(options, forwardTo([backend.endpoint]));
    await (await startClient(place)).ask('x');
    await engine.shut('test');
    await closeSocket(await boundSocket(place.address, place.port));
    await engine.close();
    await engine.close();
  });

  it('evicts the session that was idle longest at the cap', async () => {
    const backend = await startBackend();
    const { engine, place } = await startProxy({ ...options, workers: 1 }, forwardTo([backend.endpoint]), {
      maxSessions: 3,
    });
    const clients = await Promise.all([1, 2, 3, 4].map(() => startClient(place)));
    for (const client of clients) await client.ask('x');
    expect(countersOf(engine)).toMatchObject({ sessions: 3, sessionsOpened: 4, sessionsEvicted: 1 });
    for (const client of clients.slice(1)) await client.ask('again');
    expect(countersOf(engine)).toMatchObject({ sessions: 3, sessionsOpened: 4 });
  });
});
