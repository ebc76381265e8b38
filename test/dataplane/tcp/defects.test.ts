/** Known faults of TCP proxies, Traefik's among them, each as a test that sluice passes. */

import { describe, expect, it } from 'vitest';
import {
  client,
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

describe('faults of others', () => {
  it('a route that breaks stops serving the endpoints it had', async () => {
    const echo = await startEcho();
    const { port, engine } = await startEngine(tableTo(echo.port));
    expect(await exchange(port, 'x')).toBe('x');
    const refusal = { reason: 'no_service', detail: 'Service backend/echo not found' } as const;
    await engine.apply(table([route([], { refusal })]));
    expect(await exchange(port, 'x')).toBe('reset');
  });

  it('a slow connect is no idleness: the first bytes arrive', async () => {
    const echo = await startEcho();
    const services = [
      service([endpoint(await silentPort()), endpoint(echo.port)], { connectTimeoutMs: 400 }),
    ];
    const { port } = await startEngine(table([route(services)]), { idleTimeoutMs: 100 });
    expect(await exchange(port, 'first')).toBe('first');
  });

  it('an answer that takes its time is not cut off because the client has sent its end', async () => {
    // Traefik allows 100 ms by default.
    const slow = await startBackend((socket) => {
      socket.resume();
      socket.on('end', () => setTimeout(() => socket.end('late'), 400));
    });
    const { port } = await startEngine(tableTo(slow.port));
    expect(await exchange(port, 'question')).toBe('late');
  });

  it('a long answer to a client that has sent its end is not cut off while it flows, even by a short delay', async () => {
    const long = await startBackend((socket) => {
      socket.resume();
      socket.on('end', () => {
        let left = 20;
        const timer = setInterval(() => {
          socket.write('piece ');
          if (--left === 0) {
            clearInterval(timer);
            socket.end();
          }
        }, 30);
      });
    });
    const services = [service([endpoint(long.port)], { terminationDelayMs: 250 })];
    const { port } = await startEngine(table([route(services)]));
    expect(await exchange(port, 'question')).toBe('piece '.repeat(20));
  });

  it('a server that speaks first is heard although the entry point has routes with TLS', async () => {
    const greeter = await startNamed('220 ready');
    const tls = { mode: 'passthrough' } as const;
    const rule = { kind: 'hostSni', host: 'a.test' } as const;
    const routes = [route([], { name: 'secure', rule, tls }), route([service([endpoint(greeter.port)])])];
    const { port } = await startEngine(table(routes), { openingTimeoutMs: 3000 });
    expect((await readAll(await client(port))).toString()).toBe('220 ready');
  });

  it('frequent changes of the table do not send every connection to the first endpoint', async () => {
    const named = await Promise.all(['a', 'b'].map(startNamed));
    const routes = () => [route([service(named.map(({ port: at }) => endpoint(at)))])];
    const { port, engine } = await startEngine(table(routes()));
    let answers = '';
    for (let index = 0; index < 8; index++) {
      await engine.apply(table(routes(), { generation: index + 2 }));
      answers += await exchange(port, '');
    }
    expect(answers).toBe('abababab');
  });

  it('one client cannot use up the connections of the others', async () => {
    const echo = await startEcho();
    const given = tableTo(echo.port);
    const { port } = await startEngine(given, { maxConnections: 10, maxConnectionsPerClient: 5 });
    const greedy = Array.from({ length: 20 }, () => exchange(port, '', '127.0.0.66'));
    const held = [];
    for (let index = 0; index < 5; index++) {
      const socket = await client(port, { from: '127.0.0.2' });
      socket.write('x');
      held.push(nextData(socket));
    }
    expect((await Promise.all(held)).map(String)).toEqual(['x', 'x', 'x', 'x', 'x']);
    await Promise.all(greedy);
  });
});
