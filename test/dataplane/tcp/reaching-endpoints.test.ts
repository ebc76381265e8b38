import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { TcpRoute } from '../../../src/dataplane/index.ts';
import {
  accounted,
  client,
  deadPort,
  endpoint,
  exchange,
  nextData,
  readAll,
  route,
  service,
  silentPort,
  startBackend,
  startEcho,
  startEngine,
  startNamed,
  table,
  tableTo,
} from './helpers.ts';

async function answers(port: number, count: number): Promise<string[]> {
  const all: string[] = [];
  for (let index = 0; index < count; index++) all.push(await exchange(port, ''));
  return all;
}

const tally = (names: readonly string[]) =>
  Object.fromEntries(
    [...new Set(names)].sort().map((name) => [name, names.filter((one) => one === name).length]),
  );

describe('reaching an endpoint', () => {
  it('tries another endpoint when one refuses, and keeps what the client had sent', async () => {
    const echo = await startEcho();
    const endpoints = [endpoint(await deadPort()), endpoint(await deadPort()), endpoint(echo.port)];
    const { port, over, counters } = await startEngine(table([route([service(endpoints)])]));
    expect(await exchange(port, 'sent before anything was reached')).toBe('sent before anything was reached');
    await over(1);
    expect(counters()).toMatchObject({ forwarded: 1, connectRetries: 2 });
  });

  it('tries an endpoint that has refused last from then on', async () => {
    const echo = await startEcho();
    const endpoints = [endpoint(await deadPort()), endpoint(echo.port)];
    const { port, over, counters } = await startEngine(table([route([service(endpoints)])]));
    for (let index = 0; index < 6; index++) await exchange(port, 'x');
    await over(6);
    expect(counters()).toMatchObject({ forwarded: 6, connectRetries: 1 });
  });

  it('refuses as endpoint_unreachable when all refuse, and names the last in the record', async () => {
    const dead = await deadPort();
    const { port, over, counters, records } = await startEngine(tableTo(dead));
    expect(await exchange(port, 'anyone?')).toBe('reset');
    await over(1);
    expect(counters().refused.endpoint_unreachable).toBe(1);
    expect(records[0]?.outcome).toMatchObject({
      reason: 'endpoint_unreachable',
      detail: expect.stringContaining(`127.0.0.1:${dead}`),
    });
  });

  it('tries five of many that refuse', async () => {
    const dead = await Promise.all(Array.from({ length: 7 }, deadPort));
    const endpoints = dead.map((port) => endpoint(port));
    const { port, over, counters } = await startEngine(table([route([service(endpoints)])]));
    expect(await exchange(port, 'anyone?')).toBe('reset');
    await over(1);
    expect(counters()).toMatchObject({ connectRetries: 4, refused: { endpoint_unreachable: 1 } });
  });

  it('gives up on an endpoint that does not answer within the connect timeout', async () => {
    const echo = await startEcho();
    const services = [
      service([endpoint(await silentPort()), endpoint(echo.port)], { connectTimeoutMs: 300 }),
    ];
    const { port, counters } = await startEngine(table([route(services)]));
    expect(await exchange(port, 'in the end')).toBe('in the end');
    expect(counters().connectRetries).toBe(1);
  });

  it('refuses as no_endpoints where only terminating endpoints are left', async () => {
    const echo = await startEcho();
    const { port, over, counters } = await startEngine(
      table([route([service([endpoint(echo.port, 'terminating')])])]),
    );
    expect(await exchange(port, '')).toBe('reset');
    await over(1);
    expect(counters().refused.no_endpoints).toBe(1);
  });

  it('keeps a broken route its connections, and refuses them for its reason', async () => {
    const echo = await startEcho();
    const broken = route([], {
      name: 'broken',
      refusal: { reason: 'no_service', detail: 'Service backend/gone not found' },
    });
    const { port, over, counters, records } = await startEngine(
      table([broken, route([service([endpoint(echo.port)])])]),
    );
    expect(await exchange(port, 'x')).toBe('reset');
    await over(1);
    expect(counters().refused.no_service).toBe(1);
    expect(records[0]).toMatchObject({
      route: 'broken',
      outcome: { detail: 'Service backend/gone not found' },
    });
  });

  it('refuses as no_route where the entry point has none', async () => {
    const { port, over, counters } = await startEngine({ generation: 1, udp: [] });
    expect(await exchange(port, 'x')).toBe('reset');
    await over(1);
    expect(counters().refused.no_route).toBe(1);
  });
});

describe('balancing', () => {
  it('gives each endpoint of a service its turn', async () => {
    const [a, b, c] = [await startNamed('a'), await startNamed('b'), await startNamed('c')];
    const { port } = await startEngine(
      table([route([service([a, b, c].map(({ port: at }) => endpoint(at)))])]),
    );
    expect(tally(await answers(port, 9))).toEqual({ a: 3, b: 3, c: 3 });
  });

  it('gives services connections by weight, and those of weight 0 none', async () => {
    const [a, b, c] = [await startNamed('a'), await startNamed('b'), await startNamed('c')];
    const services = [
      service([endpoint(a.port)], { name: 'backend/a', weight: 3 }),
      service([endpoint(b.port)], { name: 'backend/b', weight: 1 }),
      service([endpoint(c.port)], { name: 'backend/c', weight: 0 }),
    ];
    const { port } = await startEngine(table([route(services)]));
    expect(tally(await answers(port, 8))).toEqual({ a: 6, b: 2 });
  });

  it('passes over a service whose endpoints are gone', async () => {
    const a = await startNamed('a');
    const services = [
      service([endpoint(a.port)], { name: 'backend/a' }),
      service([], { name: 'backend/b', weight: 9 }),
    ];
    const { port } = await startEngine(table([route(services)]));
    expect(tally(await answers(port, 4))).toEqual({ a: 4 });
  });

  it('goes on where it stood when the table changes', async () => {
    const named = await Promise.all(['a', 'b', 'c'].map(startNamed));
    const routes = () => [route([service(named.map(({ port: at }) => endpoint(at)))])];
    const { port, engine } = await startEngine(table(routes()));
    const seen: string[] = [];
    for (let index = 0; index < 6; index++) {
      seen.push(await exchange(port, ''));
      await engine.apply(table(routes(), { generation: index + 2 }));
    }
    expect(seen).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('keeps the turn of those that stay when an endpoint comes or goes', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(startNamed));
    const routeTo = (...backends: { port: number }[]) => [
      route([service(backends.map(({ port: at }) => endpoint(at)))]),
    ];
    const { port, engine } = await startEngine(table(routeTo(a!, b!)));
    expect(await exchange(port, '')).toBe('a');
    await engine.apply(table(routeTo(a!, c!, b!)));
    expect(await answers(port, 3)).toEqual(['b', 'a', 'c']);
    await engine.apply(table(routeTo(c!, b!)));
    expect(await answers(port, 2)).toEqual(['b', 'c']);
  });

  it('refuses the share of a service that is refused, for its reason, and gives none of it to the others', async () => {
    const a = await startNamed('a');
    const services = [
      service([endpoint(a.port)], { name: 'backend/a', weight: 3 }),
      service([], { name: 'backend/missing', weight: 4, refusal: 'no_service' }),
      service([], { name: 'backend/empty', weight: 1, refusal: 'no_endpoints' }),
    ];
    const { port, counters, over, records } = await startEngine(table([route(services)]));
    expect(tally(await answers(port, 16))).toEqual({ reset: 10, a: 6 });
    await over(16);
    expect(counters()).toMatchObject({
      accepted: 16,
      forwarded: 6,
      refused: { no_service: 8, no_endpoints: 2 },
    });
    expect(records.map(({ outcome }) => outcome)).toContainEqual({
      kind: 'refused',
      reason: 'no_service',
      detail: 'the share of backend/missing is refused',
    });
    expect(accounted(counters())).toBe(true);
  });

  it('refuses the share of a service that is refused by client address when it balances by source', async () => {
    const a = await startNamed('a');
    const services = [
      service([endpoint(a.port)], { name: 'backend/a' }),
      service([], { name: 'backend/missing', refusal: 'no_service' }),
    ];
    const { port } = await startEngine(table([route(services, { balance: 'source' })]));
    const of = async (from: string) => [await exchange(port, '', from), await exchange(port, '', from)];
    const perClient = await Promise.all(Array.from({ length: 16 }, (_, index) => of(`127.0.1.${index + 1}`)));
    expect(perClient.every(([first, second]) => first === second)).toBe(true);
    expect(new Set(perClient.flat())).toEqual(new Set(['reset', 'a']));
  });

  it('keeps a client with its endpoint when it balances by source', async () => {
    const named = await Promise.all(['a', 'b', 'c', 'd'].map(startNamed));
    const bySource: Partial<TcpRoute> = { balance: 'source' };
    const routes = [route([service(named.map(({ port: at }) => endpoint(at)))], bySource)];
    const { port } = await startEngine(table(routes));
    const of = async (from: string) =>
      new Set([await exchange(port, '', from), await exchange(port, '', from)]);
    const perClient = await Promise.all(Array.from({ length: 12 }, (_, index) => of(`127.0.1.${index + 1}`)));
    expect(perClient.every((endpoints) => endpoints.size === 1)).toBe(true);
    expect(new Set(perClient.flatMap((endpoints) => [...endpoints])).size).toBeGreaterThan(1);
  });
});

describe('a change of the table', () => {
  it('leaves open connections with their endpoint, even one that is gone', async () => {
    const [old, young] = [await startEcho(), await startNamed('young')];
    const { port, engine } = await startEngine(tableTo(old.port));
    const socket = await client(port);
    socket.write('one');
    expect((await nextData(socket)).toString()).toBe('one');
    await engine.apply(tableTo(young.port));
    socket.write('two');
    expect((await nextData(socket)).toString()).toBe('two');
    expect(await exchange(port, '')).toBe('young');
  });

  it('cuts connections to an endpoint that stays away for the grace it was given', async () => {
    const echo = await startEcho();
    const given = { removedEndpointGraceMs: 150 };
    const { port, engine, over, counters } = await startEngine(tableTo(echo.port), given);
    const socket = await client(port);
    socket.write('hello');
    await nextData(socket);
    const rest = readAll(socket);
    await engine.apply(table([]));
    expect(await rest).toBe('reset');
    await over(1);
    expect(counters().ended.endpoint_removed).toBe(1);
  });

  it('spares them when the endpoint only became terminating', async () => {
    const [echo, other] = [await startEcho(), await startNamed('other')];
    const { port, engine } = await startEngine(tableTo(echo.port), {
      removedEndpointGraceMs: 0,
    });
    const socket = await client(port);
    socket.write('hello');
    await nextData(socket);
    await engine.apply(table([route([service([endpoint(echo.port, 'terminating'), endpoint(other.port)])])]));
    expect(await exchange(port, '')).toBe('other');
    socket.write('still here');
    expect((await nextData(socket)).toString()).toBe('still here');
  });

  it('stops serving when the last route goes', async () => {
    const echo = await startEcho();
    const { port, engine, over, counters } = await startEngine(tableTo(echo.port));
    expect(await exchange(port, 'x')).toBe('x');
    await engine.apply({ generation: 2, udp: [], tcp: [] });
    expect(await exchange(port, 'x')).toBe('reset');
    await over(2);
    expect(counters().refused.no_route).toBe(1);
  });
});

describe('stopping', () => {
  it('drains: takes no new connection, and waits for those there are', async () => {
    const echo = await startEcho();
    const { port, engine, counters } = await startEngine(tableTo(echo.port));
    const socket = await client(port);
    socket.write('before');
    await nextData(socket);
    const drained = engine.drain(20_000);
    await expect(client(port)).rejects.toThrow('ECONNREFUSED');
    const answer = readAll(socket);
    socket.end('after');
    expect((await answer).toString()).toBe('after');
    expect(await drained).toBe(0);
    expect(accounted(counters())).toBe(true);
  });

  it('refuses those that have reached no endpoint by then', async () => {
    const slow = service([endpoint(await silentPort())], { connectTimeoutMs: 60_000 });
    const { port, engine, counters } = await startEngine(table([route([slow])]));
    const rest = readAll(await client(port));
    while (counters().opening === 0) await new Promise(setImmediate);
    expect(await engine.drain(0)).toBe(1);
    expect(await rest).toBe('reset');
    expect(counters().refused.shutting_down).toBe(1);
    expect(accounted(counters())).toBe(true);
  });

  it('resets what is left after the grace, and says how much it was', async () => {
    const echo = await startEcho();
    const { port, engine, counters } = await startEngine(tableTo(echo.port));
    const socket = await client(port);
    socket.write('hello');
    await nextData(socket);
    const rest = readAll(socket);
    expect(await engine.drain(50)).toBe(1);
    expect(await rest).toBe('reset');
    expect(counters().ended.shutting_down).toBe(1);
  });

  it('closes twice without complaint, and frees the port', async () => {
    const { port, engine } = await startEngine(table([]));
    await engine.close();
    await engine.close();
    const again = createServer().listen(port, '127.0.0.1');
    await once(again, 'listening');
    again.close();
  });

  it('opens nothing when one of the listeners cannot be had', async () => {
    const taken = await startBackend(() => {});
    const { engine } = await startEngine(table([]));
    const free = await deadPort();
    const listeners = [free, taken.port].map(
      (port) => ({ kind: 'address', address: '127.0.0.1', port }) as const,
    );
    await expect(engine.open({ name: 'second' }, listeners)).rejects.toThrow('EADDRINUSE');
    await expect(client(free)).rejects.toThrow('ECONNREFUSED');
    expect(engine.counters().map(({ entryPoint }) => entryPoint)).toEqual(['mytcp']);
  });
});
