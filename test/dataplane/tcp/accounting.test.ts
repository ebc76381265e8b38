import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  accounted,
  client,
  deadPort,
  endpoint,
  exchange,
  readAll,
  route,
  service,
  startBackend,
  startEcho,
  startEngine,
  table,
} from './helpers.ts';

/** The same numbers in every run (mulberry32), so that a failure can be seen again. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What clients and servers do to each other. */
const manners: readonly ((socket: Socket, random: (below: number) => number) => void)[] = [
  (socket) => socket.end('a word'),
  (socket) => socket.end(),
  (socket, random) => socket.end(Buffer.alloc(random(300_000), 'x')),
  (socket) => socket.resetAndDestroy(),
  (socket) => socket.destroy(),
  (socket, random) => {
    socket.write(Buffer.alloc(random(100_000), 'y'));
    setTimeout(() => socket.resetAndDestroy(), random(30));
  },
  (socket, random) => {
    socket.write('one ');
    setTimeout(() => socket.end('two'), random(30));
  },
  (socket, random) => setTimeout(() => socket.destroy(), random(50)),
  (socket) => socket.write(Buffer.from([22, 3, 1, 0, 200])),
  (socket) => socket.end(Buffer.from([22, 3, 1, 0, 3, 1, 2, 3])),
  (socket) => socket.end('PROXY TCP4 203.0.113.9 192.0.2.1 1 2\r\nhello'),
  (socket) => socket.end('PROXY TCP4 nonsense\r\n'),
];

describe('the counters', () => {
  it.each([1, 2, 3])('account for every connection, whatever happened to it (seed %i)', async (seed) => {
    const random = randomNumbers(seed);
    const pick = () => manners[random(manners.length)]!;
    const echo = await startEcho();
    const rough = await startBackend((socket) => {
      socket.resume();
      pick()(socket, random);
    });
    const endpoints = [echo.port, rough.port, await deadPort()].map((port) => endpoint(port));
    const tls = { mode: 'passthrough' } as const;
    const tables = [
      table([route([service(endpoints)])]),
      table([route([service(endpoints)]), route([service(endpoints)], { name: 'tls', tls })]),
      table([route([service(endpoints)], { maxConnectionsPerClient: 5, allowedSources: [['127.0.0.0/8']] })]),
      table([]),
    ];
    const { port, engine, over, counters, records } = await startEngine(tables[0]!, {
      maxConnections: 40,
      maxConnectionsPerClient: 30,
      openingTimeoutMs: 300,
      idleTimeoutMs: 300,
      halfClosedIdleMs: 200,
      removedEndpointGraceMs: 20,
      proxyProtocol: { trustedSources: ['127.0.0.2'] },
    });
    const total = 250;
    for (let index = 0; index < total; index++) {
      if (random(12) === 0) await engine.apply(tables[random(tables.length)]!);
      const socket = await client(port, { from: `127.0.0.${1 + random(3)}` }).catch(() => undefined);
      if (!socket) continue;
      void readAll(socket);
      pick()(socket, random);
      expect(accounted(counters())).toBe(true);
    }
    // A connection that was reset before it was accepted never was one.
    await over(counters().accepted);
    expect(counters()).toMatchObject({ opening: 0, open: 0 });
    expect(accounted(counters())).toBe(true);
    expect(records).toHaveLength(counters().accepted);
    // Nothing of the past counts against the clients of today.
    const limited = route([service([endpoint(echo.port)])], { maxConnectionsPerClient: 4 });
    await engine.apply(table([limited]));
    const answers = await Promise.all([1, 2, 3, 4].map((number) => exchange(port, `${number}`, '127.0.0.3')));
    expect(answers).toEqual(['1', '2', '3', '4']);
  });
});
