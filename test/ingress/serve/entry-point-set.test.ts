import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTcpEngine, createUdpEngine, type RouteTable } from '../../../src/dataplane/index.ts';
import { createEntryPointSet, udpOpener } from '../../../src/ingress/serve/entry-point-set.ts';
import { tcpOpener } from '../../../src/ingress/serve/tcp-opener.ts';
import type { EntryPoint } from '../../../src/ingress/static/entry-points.ts';
import { exchange, startNamed } from '../../dataplane/tcp/helpers.ts';
import { engines } from '../../dataplane/udp/engines.ts';
import { eventually, startBackend, startClient } from '../../dataplane/udp/support.ts';
import { freePort } from '../../support/ports.ts';
import { entryPoint } from '../fixtures.ts';

type Wanted = Partial<EntryPoint> & { port: number };
const udp = (name: string, wanted: Wanted) =>
  entryPoint(name, 'udp', { host: '127.0.0.1', udpTimeoutMs: 60_000, ...wanted });
const tcp = (name: string, wanted: Wanted): EntryPoint => ({ ...udp(name, wanted), protocol: 'tcp' });

/** A UDP port that somebody else has. */
async function taken(host = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, host);
  await once(socket, 'listening');
  return socket;
}

async function world(engine: 'dgram' | 'native') {
  const [a, b] = [
    await startBackend({ answer: () => Buffer.from('a') }),
    await startBackend({ answer: () => Buffer.from('b') }),
  ];
  const serve = (entryPoint: string, { endpoint }: typeof a): RouteTable['udp'][number] => ({
    kind: 'forward',
    entryPoint,
    route: { name: `to-${entryPoint}`, services: [{ name: 's', weight: 1, endpoints: [endpoint] }] },
  });
  const udpEngine = await createUdpEngine({ engine, workers: 2 });
  const named = await startNamed('tcp');
  const tcpEngine = createTcpEngine();
  onTestFinished(async () => {
    await udpEngine.close();
    await tcpEngine.close();
  });
  const endpoint = { address: '127.0.0.1', port: named.port, state: 'ready' } as const;
  const table: RouteTable = {
    generation: 1,
    udp: [serve('a', a), serve('b', b)],
    tcp: [
      {
        entryPoint: 't',
        routes: [
          {
            name: 't',
            priority: -1,
            rule: { kind: 'hostSni', host: '*' },
            services: [{ name: 's', weight: 1, endpoints: [endpoint] }],
          },
        ],
      },
    ],
  };
  await udpEngine.apply(table);
  await tcpEngine.apply(table);
  const events: string[] = [];
  const said = (word: string) => (open: { entryPoint: EntryPoint; bound: readonly { port: number }[] }) =>
    void events.push(`${word} ${open.entryPoint.name} ${open.bound[0]?.port}`);
  const set = createEntryPointSet({
    openers: { udp: udpOpener(udpEngine), tcp: tcpOpener(tcpEngine) },
    onOpen: said('open'),
    onShut: said('shut'),
  });
  const portOf = (name: string) => set.open.get(name)?.bound[0]?.port ?? 0;
  const ask = async (port: number) =>
    String(await (await startClient({ address: '127.0.0.1', port })).ask('x'));
  return { set, events, portOf, ask, udpEngine, tcpEngine };
}

describe.each(engines)('entry points over the $engine engine', ({ engine }) => {
  it('open where they are to be before they are shut where they were', async () => {
    const { set, events, portOf, ask, udpEngine } = await world(engine);
    await set.set([udp('a', { port: 0 })]);
    const before = portOf('a');
    const port = await freePort();
    expect(await set.set([udp('a', { port })])).toEqual([]);
    expect(events).toEqual([`open a ${before}`, `open a ${port}`, `shut a ${before}`]);
    expect(await ask(port)).toBe('a');
    await eventually(() => udpEngine.counters()[0]?.endpoints[0]?.replies === 1);
    // The old port is free again.
    const socket = createSocket('udp4').bind(before, '127.0.0.1');
    await once(socket, 'listening');
    socket.close();
  });

  it('go on where they are while they cannot be opened where they are to be, and move once they can', async () => {
    const { set, portOf, ask } = await world(engine);
    await set.set([udp('a', { port: 0 })]);
    const before = portOf('a');
    const client = await startClient({ address: '127.0.0.1', port: before });
    await client.ask('x');
    const other = await taken();
    const wanted = udp('a', { port: other.address().port });
    const [failure] = await set.set([wanted]);
    expect(failure).toMatchObject({
      entryPoint: wanted,
      error: { code: 'EADDRINUSE' },
      kept: { bound: [{ port: before }] },
    });
    expect(String(await client.ask('still'))).toBe('a');
    await new Promise<void>((resolve) => other.close(resolve));
    expect(await set.set([wanted])).toEqual([]);
    expect(await ask(wanted.port)).toBe('a');
  });

  it('exchange their ports, and take over the port of one that moves away', async () => {
    const { set, ask } = await world(engine);
    const [one, two, three] = [await freePort(), await freePort(), await freePort()];
    await set.set([udp('a', { port: one }), udp('b', { port: two })]);
    expect(await set.set([udp('a', { port: two }), udp('b', { port: one })])).toEqual([]);
    expect([await ask(two), await ask(one)]).toEqual(['a', 'b']);
    expect(await set.set([udp('a', { port: one }), udp('b', { port: three })])).toEqual([]);
    expect([await ask(one), await ask(three)]).toEqual(['a', 'b']);
  });

  it('change from one address to every address of a port, and back where that cannot be had', async () => {
    const { set, ask, events } = await world(engine);
    const port = await freePort();
    await set.set([udp('a', { port })]);
    const every = udp('a', { port, host: '0.0.0.0' });
    const other = createSocket('udp4').bind(port, '127.0.0.2');
    await once(other, 'listening');
    const failures = await set.set([every]);
    expect(failures).toMatchObject([
      { entryPoint: every, error: { code: 'EADDRINUSE' }, kept: { entryPoint: { host: '127.0.0.1' } } },
    ]);
    expect(await ask(port)).toBe('a');
    // Another try would interrupt it again.
    const count = events.length;
    expect(await set.set([every])).toHaveLength(1);
    expect(events).toHaveLength(count);
    await new Promise<void>((resolve) => other.close(resolve));
    expect(await set.set([udp('a', { port, host: '0.0.0.0', udpTimeoutMs: 50_000 })])).toEqual([]);
    expect(await ask(port)).toBe('a');
  });

  it('forget a change that could not be had when it is taken back', async () => {
    const { set } = await world(engine);
    const port = await freePort();
    const other = createSocket('udp4').bind(port, '127.0.0.2');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    await set.set([udp('a', { port })]);
    expect(await set.set([udp('a', { port, host: '0.0.0.0' })])).toHaveLength(1);
    expect(await set.set([udp('a', { port })])).toEqual([]);
  });
});

describe('TCP entry points', () => {
  it('open where they are to be before they are shut where they were', async () => {
    const { set, portOf, events } = await world('dgram');
    await set.set([tcp('t', { port: 0 })]);
    const before = portOf('t');
    const port = await freePort();
    expect(await set.set([tcp('t', { port })])).toEqual([]);
    expect(events).toEqual([`open t ${before}`, `open t ${port}`, `shut t ${before}`]);
    expect(await exchange(port, '')).toBe('tcp');
  });

  it('go on where they are while they cannot be opened where they are to be', async () => {
    const { set, portOf, tcpEngine } = await world('dgram');
    await set.set([tcp('t', { port: 0 })]);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const wanted = tcp('t', { port: (other.address() as { port: number }).port });
    expect(await set.set([wanted])).toMatchObject([{ error: { code: 'EADDRINUSE' }, kept: {} }]);
    expect(await exchange(portOf('t'), '')).toBe('tcp');
    expect(tcpEngine.counters()).toMatchObject([{ entryPoint: 't', forwarded: 1 }]);
  });

  it('become UDP ones, and back', async () => {
    const { set, portOf, ask } = await world('dgram');
    await set.set([tcp('a', { port: 0 })]);
    expect(await set.set([udp('a', { port: 0 })])).toEqual([]);
    expect(await ask(portOf('a'))).toBe('a');
    expect(await set.set([tcp('a', { port: 0 })])).toEqual([]);
    expect(set.open.get('a')?.entryPoint.protocol).toBe('tcp');
  });
});
