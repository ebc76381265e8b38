import { describe, expect, it } from 'vitest';
import type { UdpDropReason, UdpEntryPoint, UdpRoute } from '../../../src/dataplane/index.ts';
import { maxEndpoints } from '../../../src/dataplane/udp/core/endpoint-slots.ts';
import { engines } from './engines.ts';
import { eventually, forwardTo, startBackend, startClient, startProxy, unaccounted } from './support.ts';

describe.each(engines)('limits of the $engine engine', (options) => {
  async function start(entryPoint: Partial<UdpEntryPoint>, route: Partial<UdpRoute> = {}) {
    const backend = await startBackend();
    const table = forwardTo([backend.endpoint], route);
    const proxy = await startProxy({ ...options, workers: 1 }, table, entryPoint);
    const client = await startClient(proxy.place);
    return { ...proxy, backend, client };
  }

  async function expectDrops(
    { counters }: Awaited<ReturnType<typeof start>>,
    reason: UdpDropReason,
    count: number,
  ): Promise<void> {
    await eventually(() => counters().drops[reason] >= count);
    expect(counters().drops[reason]).toBe(count);
    expect(unaccounted(counters())).toEqual({ requests: 0, replies: 0 });
  }

  it('hold source addresses that are denied, or not allowed, by entry point or route', async () => {
    for (const [entryPoint, route] of [
      [{ deny: ['127.0.0.0/8'] }, {}],
      [{ allow: ['10.0.0.0/8', '::1'] }, {}],
      [{}, { deny: ['127.0.0.1'] }],
      [{}, { allow: ['192.168.0.0/16'] }],
    ] as const) {
      const proxy = await start(entryPoint, route);
      proxy.client.send('x');
      await expectDrops(proxy, 'denied', 1);
      expect(proxy.backend.received).toEqual([]);
    }
  });

  it('hold the rate of a client address and of all, as the entry point and the route allow it', async () => {
    const slow = { datagramsPerSecond: 0.001, burst: 3 };
    const quick = { datagramsPerSecond: 1e6, burst: 1e6 };
    for (const [entryPoint, route, reason] of [
      [{ ratePerClient: slow }, {}, 'rate_client'],
      [{ rate: slow }, {}, 'rate_entry_point'],
      [{}, { ratePerClient: slow }, 'rate_client'],
      [{}, { rate: slow }, 'rate_entry_point'],
      [{ ratePerClient: slow }, { ratePerClient: quick }, 'rate_client'],
      [{ rate: quick }, { rate: slow }, 'rate_entry_point'],
    ] as const) {
      const proxy = await start(entryPoint, route);
      for (let count = 0; count < 5; count++) proxy.client.send(`${count}`);
      await expectDrops(proxy, reason, 2);
      await proxy.client.received(3);
    }
  });

  it('hold datagrams that are too large, either way', async () => {
    const proxy = await start({ maxDatagramBytes: 100 });
    proxy.client.send(Buffer.alloc(101));
    await expectDrops(proxy, 'too_large', 1);
    const backend = await startBackend({ answer: () => Buffer.alloc(101) });
    await proxy.engine.apply(forwardTo([backend.endpoint]));
    proxy.client.send(Buffer.alloc(100));
    await expectDrops(proxy, 'reply_too_large', 1);
  });

  it('hold answers that amplify too much', async () => {
    const proxy = await start({ maxAmplification: 2 });
    const backend = await startBackend({ answer: () => Buffer.alloc(30) });
    await proxy.engine.apply(forwardTo([backend.endpoint]));
    proxy.client.send(Buffer.alloc(10));
    await expectDrops(proxy, 'amplification', 1);
    await proxy.client.ask(Buffer.alloc(5));
  });

  it('hold what the route allows, and never more than the entry point does', async () => {
    for (const [entryPoint, route] of [
      [{}, { maxDatagramBytes: 10 }],
      [{ maxDatagramBytes: 100 }, { maxDatagramBytes: 10 }],
      [{ maxDatagramBytes: 10 }, { maxDatagramBytes: 100 }],
    ] as const) {
      const proxy = await start(entryPoint, route);
      proxy.client.send(Buffer.alloc(11));
      await expectDrops(proxy, 'too_large', 1);
      await proxy.client.ask(Buffer.alloc(10));
    }
  });

  it('take a rate that a route gets later, and let it go with the route', async () => {
    const proxy = await start({});
    await proxy.client.ask('x');
    const slow = { datagramsPerSecond: 0.001, burst: 2 };
    const endpoints = [proxy.backend.endpoint];
    await proxy.engine.apply(forwardTo(endpoints, { ratePerClient: slow }));
    for (let count = 0; count < 3; count++) proxy.client.send('y');
    await expectDrops(proxy, 'rate_client', 1);
    await proxy.engine.apply(forwardTo(endpoints, { rate: slow }));
    for (let count = 0; count < 3; count++) proxy.client.send('z');
    await expectDrops(proxy, 'rate_entry_point', 1);
    await proxy.engine.apply(forwardTo(endpoints));
    await proxy.client.ask('free');
  });

  it('drop everything for a route that cannot be understood', async () => {
    const proxy = await start({});
    const decision = { kind: 'drop', entryPoint: 'test', reason: 'route_invalid', detail: '' } as const;
    await proxy.engine.apply({ generation: 2, udp: [decision] });
    proxy.client.send('x');
    await expectDrops(proxy, 'route_invalid', 1);
    expect(proxy.backend.received).toEqual([]);
  });

  it('keep one client address from taking all sessions', async () => {
    const proxy = await start({ maxSessionsPerClient: 2 });
    const other = await startClient(proxy.place, '127.0.0.2');
    await other.ask('x');
    for (let count = 0; count < 4; count++) await (await startClient(proxy.place)).ask('x');
    expect(proxy.counters()).toMatchObject({ sessions: 3, sessionsEvicted: 2, sessionsOpened: 5 });
    await other.ask('y');
    expect(proxy.counters().sessionsOpened).toBe(5);
  });

  it('remember few more client addresses than sessions, and count those that make room', async () => {
    const quick = { datagramsPerSecond: 1e6, burst: 1e6 };
    const proxy = await start({ maxSessions: 2, ratePerClient: quick });
    for (let host = 1; host <= 6; host++) {
      await (await startClient(proxy.place, `127.0.0.${host}`)).ask('x');
    }
    expect(proxy.counters()).toMatchObject({ sessions: 2, sessionsEvicted: 4, clientsForgotten: 3 });
  });

  it('leave out the endpoints that are too many, and count them', async () => {
    const backend = await startBackend();
    const others = Array.from({ length: maxEndpoints + 1 }, (_, index) => ({
      address: `10.${index >> 16}.${(index >> 8) & 0xff}.${index & 0xff}`,
      port: 9,
      state: 'terminating' as const,
    }));
    const proxy = await startProxy({ ...options, workers: 2 }, forwardTo([backend.endpoint, ...others]));
    expect(proxy.counters()).toMatchObject({ endpointsLeftOut: 2 });
    expect(proxy.counters().endpoints).toHaveLength(maxEndpoints);
    await (await startClient(proxy.place)).ask('x');
    await proxy.engine.apply(forwardTo([backend.endpoint]));
    expect(proxy.counters()).toMatchObject({ endpointsLeftOut: 0 });
  });
});
