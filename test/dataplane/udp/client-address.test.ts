import { describe, expect, it } from 'vitest';
import type { UdpEntryPoint, UdpRoute } from '../../../src/dataplane/index.ts';
import { parseAddress } from '../../../src/dataplane/udp/core/address.ts';
import {
  emptyProxyHeader,
  readProxyHeader,
  writeProxyHeader,
} from '../../../src/dataplane/udp/core/proxy-header.ts';
import { engines } from './engines.ts';
import {
  type Client,
  eventually,
  forwardTo,
  startBackend,
  startClient,
  startProxy,
  unaccounted,
} from './support.ts';

function portOf({ socket }: Client): number {
  return socket.address().port;
}

/** The port of the client that the datagram's header names, and what follows the header. */
function readHeader(datagram: Buffer | undefined): { port: number | undefined; payload: string } {
  const found = emptyProxyHeader();
  if (!datagram || !readProxyHeader(datagram, 0, datagram.length, found))
    return { port: undefined, payload: '' };
  return {
    port: found.namesClient ? found.client[4] : undefined,
    payload: String(datagram.subarray(found.bytes)),
  };
}

function headerFor(address: string, port: number): Buffer {
  const [client, local] = [new Uint32Array(5), new Uint32Array(5)];
  parseAddress(address, client);
  parseAddress('127.0.0.1', local);
  client[4] = port;
  const bytes = Buffer.alloc(64);
  return bytes.subarray(0, writeProxyHeader(bytes, 0, client, local));
}

describe.each(engines)("the client's address, with the $engine engine", (options) => {
  async function start(route: Partial<UdpRoute>, entryPoint: Partial<UdpEntryPoint> = {}, answers = true) {
    const backend = await startBackend(answers ? {} : { answer: () => undefined });
    const proxy = await startProxy(options, forwardTo([backend.endpoint], route), entryPoint);
    return { ...proxy, backend, client: await startClient(proxy.place) };
  }

  it('is before every datagram, as PROXY protocol', async () => {
    const { backend, client } = await start({ clientAddress: 'proxy-v2' });
    for (const payload of ['one', '', 'three']) {
      client.send(payload);
      await client.received(client.replies.length + 1);
      expect(readHeader(backend.received.at(-1))).toEqual({ port: portOf(client), payload });
    }
  });

  it('is before every datagram of a burst', async () => {
    const { backend, client } = await start({ clientAddress: 'proxy-v2' });
    for (let count = 0; count < 50; count++) client.send(`datagram ${count % 10}`);
    await client.received(50);
    const payloads = backend.received.map((datagram) => readHeader(datagram));
    expect(payloads.every(({ port }) => port === portOf(client))).toBe(true);
    expect(payloads.map(({ payload }) => payload)).toEqual(
      Array.from({ length: 50 }, (_, count) => `datagram ${count % 10}`),
    );
  });

  it('makes a datagram too large that would not fit with it', async () => {
    const { client, counters } = await start({ clientAddress: 'proxy-v2' });
    client.send(Buffer.alloc(65_507));
    await eventually(() => counters().drops.too_large === 1);
    expect((await client.ask(Buffer.alloc(65_507 - 28, 1))).length).toBe(65_507);
  });

  it('is before the first datagram that each endpoint gets of a session', async () => {
    const { engine, backend, client } = await start({ clientAddress: 'proxy-v2-first' });
    await client.ask('one');
    await client.ask('two');
    expect(readHeader(backend.received[0])).toEqual({ port: portOf(client), payload: 'one' });
    expect(String(backend.received[1])).toBe('two');
    const second = await startBackend();
    await engine.apply(forwardTo([second.endpoint], { clientAddress: 'proxy-v2-first' }));
    await client.ask('three');
    expect(readHeader(second.received[0])).toEqual({ port: portOf(client), payload: 'three' });
  });

  it('is before every datagram both ways, as Simple Proxy Protocol, and taken off answers', async () => {
    const { backend, client } = await start({ clientAddress: 'simple-proxy-protocol' });
    expect(String(await client.ask('hello'))).toBe('hello');
    expect(backend.received[0]?.length).toBe(38 + 5);
    expect(backend.received[0]?.readUInt16BE(0)).toBe(0x56ec);
    expect(backend.received[0]?.readUInt16BE(34)).toBe(portOf(client));
  });

  it('keeps back an answer without its simple header', async () => {
    const { place, engine, counters } = await start({});
    const bare = await startBackend({ answer: () => Buffer.from('bare') });
    await engine.apply(forwardTo([bare.endpoint], { clientAddress: 'simple-proxy-protocol' }));
    (await startClient(place)).send('x');
    await eventually(() => counters().drops.reply_proxy_header === 1);
    expect(unaccounted(counters())).toEqual({ requests: 0, replies: 0 });
  });

  it('is taken from the PROXY header of a trusted peer, and its lists go by it', async () => {
    const { backend, client, counters } = await start(
      { clientAddress: 'proxy-v2' },
      { proxyProtocolFrom: ['127.0.0.0/8'], deny: ['203.0.113.0/24'] },
    );
    client.send(Buffer.concat([headerFor('192.0.2.7', 777), Buffer.from('hello')]));
    await client.received(1);
    expect(readHeader(backend.received[0])).toEqual({ port: 777, payload: 'hello' });
    // Its later datagrams need no header of their own.
    await client.ask('again');
    expect(readHeader(backend.received[1])).toEqual({ port: 777, payload: 'again' });
    client.send(Buffer.concat([headerFor('203.0.113.9', 1), Buffer.from('no')]));
    await eventually(() => counters().drops.denied === 1);
    client.send(headerFor('192.0.2.7', 777).subarray(0, 20));
    await eventually(() => counters().drops.proxy_header === 1);
    expect(unaccounted(counters())).toEqual({ requests: 0, replies: 0 });
  });

  it('is the peer itself again once its header says that it speaks for itself', async () => {
    const { backend, client } = await start(
      { clientAddress: 'proxy-v2' },
      { proxyProtocolFrom: ['127.0.0.0/8'] },
    );
    const named = headerFor('192.0.2.7', 777);
    const local = Buffer.from(named.subarray(0, 16));
    local[12] = 0x20;
    local[15] = 0;
    for (const header of [named, local, Buffer.alloc(0)]) {
      await client.ask(Buffer.concat([header, Buffer.from('x')]));
    }
    const own = portOf(client);
    expect(backend.received.map((datagram) => readHeader(datagram).port)).toEqual([777, own, own]);
  });

  it('is not taken from the header of a peer that is not trusted', async () => {
    const { backend, client } = await start({}, { proxyProtocolFrom: ['10.0.0.0/8'] });
    const datagram = Buffer.concat([headerFor('192.0.2.7', 777), Buffer.from('hello')]);
    await client.ask(datagram);
    expect(backend.received[0]?.equals(datagram)).toBe(true);
  });
});
