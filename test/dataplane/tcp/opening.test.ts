import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { createServer } from 'node:net';
import {
  type ConnectionOptions,
  createServer as createTlsServer,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { RouteTable, TcpRule } from '../../../src/dataplane/index.ts';
import {
  accounted,
  client,
  clientHello,
  closeLater,
  endpoint,
  exchange,
  hasOpenssl,
  makeCertificate,
  nextData,
  readAll,
  route,
  service,
  startBackend,
  startEcho,
  startEngine,
  startNamed,
  type TestCertificate,
  table,
  tableTo,
} from './helpers.ts';

/** Records of a handshake with nothing but a zero in them. */
const oneByteRecords = (count: number): Buffer[] =>
  Array.from({ length: count }, () => Buffer.from([22, 3, 1, 0, 1, 0]));

const sni = (host: string): TcpRule => ({ kind: 'hostSni', host });

async function tlsClient(port: number, servername: string, more: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = tlsConnect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false, ...more });
  closeLater(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

async function tlsExchange(port: number, servername: string, payload: string, more: ConnectionOptions = {}) {
  const socket = await tlsClient(port, servername, more);
  socket.end(payload);
  return (await readAll(socket)).toString('latin1');
}

const tlsProblem = async (port: number, servername: string, more: ConnectionOptions = {}) =>
  tlsClient(port, servername, more).then(
    async (socket) => {
      // In TLS 1.3 the client is done before the server has judged its certificate.
      const [error] = (await Promise.race([once(socket, 'error'), once(socket, 'close')])) as [
        Error | boolean,
      ];
      return String(error);
    },
    (error: Error) => error.message,
  );

/** A TLS server that answers with its name and then echoes. */
async function startTlsBackend(name: string, certificate: TestCertificate, more = {}) {
  const { certificateChain: cert, privateKey: key } = certificate;
  const server = createTlsServer({ cert, key, ...more }, (socket) => {
    socket.on('error', () => {});
    socket.write(`${name}:`);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater(() => server.close());
  return { port: (server.address() as { port: number }).port, server };
}

describe.skipIf(!hasOpenssl)('TLS passthrough (needs openssl)', () => {
  const certificate = makeCertificate(['a.example.com', 'b.example.com']);

  async function passthrough(more: Partial<RouteTable> = {}, plain = false) {
    const [a, b] = [await startTlsBackend('a', certificate), await startTlsBackend('b', certificate)];
    const tls = { mode: 'passthrough' } as const;
    const raw = await startNamed('plain');
    const routes = [
      route([service([endpoint(a.port)])], { name: 'a', rule: sni('a.example.com'), tls }),
      route([service([endpoint(b.port)])], { name: 'b', rule: sni('*.example.com'), tls }),
      ...(plain ? [route([service([endpoint(raw.port)])], { name: 'plain' })] : []),
    ];
    return startEngine(table(routes, more), { openingTimeoutMs: 5000 });
  }

  it('routes by the name in the ClientHello and leaves the bytes alone', async () => {
    const { port, records, over } = await passthrough();
    expect(await tlsExchange(port, 'a.example.com', 'hello')).toBe('a:hello');
    expect(await tlsExchange(port, 'other.example.com', 'hello')).toBe('b:hello');
    await over(2);
    expect(records.map(({ serverName, route: name }) => [serverName, name])).toEqual([
      ['a.example.com', 'a'],
      ['other.example.com', 'b'],
    ]);
  });

  it('compares names without regard to case', async () => {
    const { port } = await passthrough();
    expect(await tlsExchange(port, 'A.Example.COM', 'x')).toBe('a:x');
  });

  it('refuses a name that no route has with the alert for it', async () => {
    const { port, over, counters } = await passthrough();
    expect(await tlsProblem(port, 'elsewhere.test')).toMatch(/unrecognized name/i);
    await over(1);
    expect(counters().refused.no_route).toBe(1);
  });

  it('does not give a TLS connection to a route without TLS next to it', async () => {
    const { port } = await passthrough({}, true);
    expect(await tlsProblem(port, 'elsewhere.test')).toMatch(/unrecognized name/i);
  });

  it('gives a connection that is not TLS to the route without TLS, at once', async () => {
    const { port } = await passthrough({}, true);
    expect(await exchange(port, 'GET / HTTP/1.0\r\n\r\n')).toBe('plain');
  });

  it('gives a client that waits for the server to speak to the route without TLS, before long', async () => {
    const { port } = await passthrough({}, true);
    expect((await nextData(await client(port))).toString()).toBe('plain');
  });

  it('reads a ClientHello that comes one byte at a time', async () => {
    const { port } = await passthrough();
    const dripping = await startBackend((socket) => {
      void client(port).then((onward) => {
        onward.pipe(socket);
        socket.on('data', (chunk: Buffer) => {
          for (const byte of chunk) onward.write(Buffer.from([byte]));
        });
      });
    });
    expect(await tlsExchange(dripping.port, 'a.example.com', 'drip')).toBe('a:drip');
  });

  it('routes by ALPN', async () => {
    const [a, b] = [
      await startTlsBackend('mqtt', certificate, { ALPNProtocols: ['mqtt'] }),
      await startTlsBackend('other', certificate, { ALPNProtocols: ['other'] }),
    ];
    const tls = { mode: 'passthrough' } as const;
    const routes = [
      route([service([endpoint(a.port)])], { name: 'a', rule: { kind: 'alpn', protocol: 'mqtt' }, tls }),
      route([service([endpoint(b.port)])], { name: 'b', tls }),
    ];
    const { port } = await startEngine(table(routes));
    expect(await tlsExchange(port, 'x.test', '1', { ALPNProtocols: ['mqtt'] })).toBe('mqtt:1');
    expect(await tlsExchange(port, 'x.test', '2', { ALPNProtocols: ['other'] })).toBe('other:2');
  });

  it('refuses a client that never finishes its ClientHello', async () => {
    const a = await startTlsBackend('a', certificate);
    const routes = [route([service([endpoint(a.port)])], { tls: { mode: 'passthrough' } })];
    const { port, over, counters } = await startEngine(table(routes), { openingTimeoutMs: 200 });
    const socket = await client(port);
    const rest = readAll(socket);
    socket.write(Buffer.from([22, 3, 1, 2, 0, 1]));
    expect(await rest).toBe('reset');
    await over(1);
    expect(counters().refused.opening_timeout).toBe(1);
  });

  it.each([
    ['that is none', Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 0])],
    ['of 64 KiB', Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 0])],
    [
      'in more than 1,024 records',
      Buffer.concat([Buffer.from([22, 3, 1, 0, 4, 1, 0, 0x10, 0]), ...oneByteRecords(1_024)]),
    ],
  ])('refuses a ClientHello %s', async (_, bytes) => {
    const a = await startTlsBackend('a', certificate);
    const routes = [route([service([endpoint(a.port)])], { tls: { mode: 'passthrough' } })];
    const { port, over, counters } = await startEngine(table(routes));
    expect(await exchange(port, bytes)).toBe('reset');
    await over(1);
    expect(counters().refused.hello_invalid).toBe(1);
  });

  it('lets PostgreSQL clients into TLS in their own way, and asks the endpoint the same', async () => {
    const request = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
    const inner = await startTlsBackend('postgres', certificate);
    const database = await startBackend((socket) => {
      socket.once('data', (first: Buffer) => {
        expect(first).toEqual(request);
        void client(inner.port).then((onward) => {
          socket.pipe(onward).pipe(socket);
        });
        socket.write('S');
      });
    });
    const routes = [
      route([service([endpoint(database.port)])], { rule: sni('db.test'), tls: { mode: 'passthrough' } }),
    ];
    const { port } = await startEngine(table(routes));
    const raw = await client(port);
    raw.write(request);
    expect((await nextData(raw)).toString()).toBe('S');
    const socket = tlsConnect({ socket: raw, servername: 'db.test', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    socket.write('select 1');
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      if (text === 'postgres:select 1') break;
    }
    expect(text).toBe('postgres:select 1');
  });
});

describe.skipIf(!hasOpenssl)('TLS termination (needs openssl)', () => {
  const [one, two] = [makeCertificate(['one.test', '*.wild.test']), makeCertificate(['two.test'])];
  const certificates = [
    { name: 'backend/one', ...one },
    { name: 'backend/two', ...two },
  ];

  async function terminate(
    options = {},
    certificate: string | undefined = 'backend/one',
    openingTimeoutMs = 5000,
  ) {
    const echo = await startEcho();
    const tls = { mode: 'terminate', options, ...(certificate ? { certificate } : {}) } as const;
    const given = table([route([service([endpoint(echo.port)])], { tls })], { certificates });
    return startEngine(given, { openingTimeoutMs });
  }

  it('ends TLS and carries the decrypted bytes', async () => {
    const { port, over, counters } = await terminate();
    expect(
      await tlsExchange(port, 'one.test', 'secret', { rejectUnauthorized: true, ca: one.certificateChain }),
    ).toBe('secret');
    await over(1);
    expect(counters()).toMatchObject({ bytesIn: 6, bytesOut: 6, ended: { finished: 1 } });
  });

  it.each([
    ['one.test', 'one.test'],
    ['a.wild.test', 'one.test'],
    ['two.test', 'two.test'],
    ['unknown.test', 'one.test'],
  ])('shows a client that asks for %s the certificate of %s', async (asked, shown) => {
    const { port } = await terminate();
    const socket = await tlsClient(port, asked);
    expect(socket.getPeerCertificate().subjectaltname).toContain(`DNS:${shown}`);
  });

  it('refuses an unknown name where sniStrict asks for it', async () => {
    const { port, over, counters } = await terminate({ sniStrict: true });
    expect(await tlsProblem(port, 'unknown.test')).toMatch(/unrecognized name/i);
    await over(1);
    expect(counters().refused.tls_handshake).toBe(1);
  });

  it('refuses a client that does not go on with the handshake', async () => {
    const { port, over, counters } = await terminate({}, 'backend/one', 300);
    const socket = await client(port);
    const rest = readAll(socket);
    socket.write(await clientHello({ servername: 'one.test' }));
    await rest;
    await over(1);
    expect(counters().refused.opening_timeout).toBe(1);
  });

  it('keeps to the TLS versions of its options', async () => {
    const { port, over, counters } = await terminate({ minVersion: 'TLSv1.3' });
    expect(await tlsProblem(port, 'one.test', { maxVersion: 'TLSv1.2' })).toMatch(/protocol version/i);
    await over(1);
    expect(counters().refused.tls_handshake).toBe(1);
    expect(await tlsExchange(port, 'one.test', 'x')).toBe('x');
  });

  it('agrees on a protocol of its options', async () => {
    const { port } = await terminate({ alpnProtocols: ['mqtt', 'other'] });
    expect((await tlsClient(port, 'one.test', { ALPNProtocols: ['zzz', 'other'] })).alpnProtocol).toBe(
      'other',
    );
  });

  it('asks for a client certificate and refuses a wrong one, and none', async () => {
    const { port, over, counters } = await terminate({
      clientCertificate: 'require',
      clientAuthorities: [two.certificateChain],
    });
    const as = ({ certificateChain: cert, privateKey: key }: TestCertificate) => ({ cert, key });
    expect(await tlsExchange(port, 'one.test', 'hello', as(two))).toBe('hello');
    await tlsProblem(port, 'one.test', as(one));
    await tlsProblem(port, 'one.test');
    await over(3);
    expect(counters()).toMatchObject({ forwarded: 1, refused: { tls_handshake: 2 } });
  });

  it('takes a client without a certificate where one is only checked if given', async () => {
    const options = { clientCertificate: 'verify-if-given', clientAuthorities: [two.certificateChain] };
    const { port } = await terminate(options);
    expect(await tlsExchange(port, 'one.test', 'hello')).toBe('hello');
  });

  it('refuses, and keeps running, where the key does not fit the certificate', async () => {
    const echo = await startEcho();
    const broken = {
      name: 'backend/broken',
      certificateChain: one.certificateChain,
      privateKey: two.privateKey,
    };
    const tls = { mode: 'terminate', certificate: 'backend/broken' } as const;
    const given = table([route([service([endpoint(echo.port)])], { tls })], { certificates: [broken] });
    const { port, over, counters } = await startEngine(given);
    await tlsProblem(port, 'one.test');
    await over(1);
    expect(counters().refused.route_invalid).toBe(1);
  });

  it('takes a new certificate for new connections', async () => {
    const { port, engine } = await terminate();
    const echo = await startEcho();
    const tls = { mode: 'terminate', certificate: 'backend/one' } as const;
    const renewed = makeCertificate(['one.test', 'renewed.test']);
    await engine.apply(
      table([route([service([endpoint(echo.port)])], { tls })], {
        certificates: [{ name: 'backend/one', ...renewed }],
      }),
    );
    const socket = await tlsClient(port, 'one.test');
    expect(socket.getPeerCertificate().subjectaltname).toContain('DNS:renewed.test');
  });

  it('carries a megabyte each way through TLS on both sides', async () => {
    const inner = makeCertificate(['127.0.0.1', 'inner.test']);
    const server = createTlsServer(
      { cert: inner.certificateChain, key: inner.privateKey, allowHalfOpen: true },
      (socket) => {
        socket.on('error', () => {});
        socket.pipe(socket);
      },
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closeLater(() => server.close());
    const { port: innerPort } = server.address() as { port: number };
    const endpointTls = { rootAuthorities: [inner.certificateChain], serverName: 'inner.test' };
    const tls = { mode: 'terminate', certificate: 'backend/one' } as const;
    const services = [service([endpoint(innerPort)], { tls: endpointTls })];
    const { port } = await startEngine(table([route(services, { tls })], { certificates }));
    const payload = 'payload '.repeat(131_072);
    const socket = await tlsClient(port, 'one.test');
    const answer = readAll(socket);
    socket.write(payload);
    let length = 0;
    socket.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length === payload.length) socket.end();
    });
    expect((await answer).toString()).toBe(payload);
  });

  it('tells the endpoint who the client is, in front of the decrypted bytes', async () => {
    const echo = await startEcho();
    const tls = { mode: 'terminate', certificate: 'backend/one' } as const;
    const services = [service([endpoint(echo.port)], { proxyProtocol: 1 })];
    const { port } = await startEngine(table([route(services, { tls })], { certificates }));
    expect(await tlsExchange(port, 'one.test', 'secret')).toMatch(
      new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 \\d+ ${port}\r\nsecret$`),
    );
  });

  it('refuses an endpoint whose certificate nobody vouches for', async () => {
    const inner = await startTlsBackend('inner', makeCertificate(['inner.test']));
    const refusedRoute = route([service([endpoint(inner.port)], { tls: { serverName: 'inner.test' } })]);
    const { port, over, records } = await startEngine(table([refusedRoute]));
    expect(await exchange(port, 'x')).toBe('reset');
    await over(1);
    expect(records[0]?.outcome).toMatchObject({
      reason: 'endpoint_unreachable',
      detail: expect.stringMatching(/self-signed/),
    });
    const trusting = route([service([endpoint(inner.port)], { tls: { insecureSkipVerify: true } })]);
    const second = await startEngine(table([trusting]));
    expect((await nextData(await client(second.port))).toString()).toBe('inner:');
  });
});

describe('PROXY protocol from the client', () => {
  const trusting = { proxyProtocol: { trustedSources: ['127.0.0.0/30'] } };
  const header = 'PROXY TCP4 203.0.113.7 198.51.100.1 4711 9999\r\n';

  it('takes the address of the header for the client, and takes it off the bytes', async () => {
    const echo = await startEcho();
    const { port, over, records } = await startEngine(tableTo(echo.port), trusting);
    expect(await exchange(port, `${header}payload`)).toBe('payload');
    await over(1);
    expect(records[0]?.client).toBe('203.0.113.7:4711');
  });

  it('routes by that address', async () => {
    const [inside, outside] = [await startNamed('inside'), await startNamed('outside')];
    const routes = [
      route([service([endpoint(inside.port)])], {
        name: 'inside',
        rule: { kind: 'clientIp', range: '203.0.113.0/24' },
      }),
      route([service([endpoint(outside.port)])], { name: 'outside' }),
    ];
    const { port } = await startEngine(table(routes), trusting);
    expect(await exchange(port, header)).toBe('inside');
    expect(await exchange(port, 'PROXY TCP4 192.0.2.1 198.51.100.1 1 2\r\n')).toBe('outside');
  });

  it('does without a header where there is none', async () => {
    const echo = await startEcho();
    const { port, over, records } = await startEngine(tableTo(echo.port), trusting);
    expect(await exchange(port, 'no header')).toBe('no header');
    await over(1);
    expect(records[0]?.client).toMatch(/^127\.0\.0\.1:/);
  });

  it('does not believe a header from anybody else, and hands it on as what it is: bytes', async () => {
    const echo = await startEcho();
    const { port, over, records } = await startEngine(tableTo(echo.port), trusting);
    expect(await exchange(port, `${header}x`, '127.0.0.9')).toBe(`${header}x`);
    await over(1);
    expect(records[0]?.client).toMatch(/^127\.0\.0\.9:/);
  });

  it('refuses a client that never finishes its header', async () => {
    const echo = await startEcho();
    const { port, over, counters } = await startEngine(tableTo(echo.port), {
      ...trusting,
      openingTimeoutMs: 200,
    });
    const socket = await client(port);
    const rest = readAll(socket);
    socket.write('PROXY TCP4 203.0.113.7');
    expect(await rest).toBe('reset');
    await over(1);
    expect(counters().refused.opening_timeout).toBe(1);
  });

  it.each([
    ['that is broken', 'PROXY TCP4 300.0.0.1 198.51.100.1 1 2\r\n'],
    ['of version 1 that is longer than any', `PROXY TCP4 ${'1'.repeat(120)}`],
    ['of version 2 with more than 4 KiB', Buffer.from('0d0a0d0a000d0a515549540a21111001', 'hex')],
  ])('refuses a header %s', async (_, bytes) => {
    const echo = await startEcho();
    const { port, over, counters } = await startEngine(tableTo(echo.port), trusting);
    expect(await exchange(port, bytes)).toBe('reset');
    await over(1);
    expect(counters().refused.proxy_header_invalid).toBe(1);
  });
});

describe('PROXY protocol to the endpoint', () => {
  it('tells the endpoint who the client is, in version 1', async () => {
    const echo = await startEcho();
    const services = [service([endpoint(echo.port)], { proxyProtocol: 1 })];
    const { port } = await startEngine(table([route(services)]));
    expect(await exchange(port, 'hello')).toMatch(
      new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 \\d+ ${port}\r\nhello$`),
    );
  });

  it('tells it in version 2, and hands on what a PROXY header told us', async () => {
    const echo = await startEcho();
    const services = [service([endpoint(echo.port)], { proxyProtocol: 2 })];
    const { port } = await startEngine(table([route(services)]), { proxyProtocol: { trustAll: true } });
    const answer = await exchange(port, 'PROXY TCP4 203.0.113.7 198.51.100.1 4711 9999\r\nhello');
    const expected = '0d0a0d0a000d0a515549540a 21 11 000c cb007107 c6336401 1267 270f'.replaceAll(' ', '');
    expect(Buffer.from(answer, 'latin1').toString('hex')).toBe(
      expected + Buffer.from('hello').toString('hex'),
    );
  });
});

describe('limits', () => {
  it('refuses one connection more than the entry point may have, and takes one again when one has ended', async () => {
    const echo = await startEcho();
    const given = tableTo(echo.port);
    const { port, over, counters } = await startEngine(given, { maxConnections: 2 });
    const held = [await client(port), await client(port)];
    for (const socket of held) {
      socket.write('x');
      await nextData(socket);
    }
    expect(await exchange(port, 'x')).toBe('reset');
    held[0]?.end();
    await over(2);
    expect(await exchange(port, 'x')).toBe('x');
    expect(counters().refused.connection_cap).toBe(1);
    expect(accounted(counters())).toBe(true);
  });

  it('counts clients apart', async () => {
    const echo = await startEcho();
    const given = tableTo(echo.port);
    const { port, over, counters } = await startEngine(given, { maxConnectionsPerClient: 1 });
    const socket = await client(port);
    socket.write('x');
    await nextData(socket);
    expect(await exchange(port, 'x')).toBe('reset');
    expect(await exchange(port, 'x', '127.0.0.2')).toBe('x');
    await over(2);
    expect(counters().refused.client_cap).toBe(1);
  });

  it('keeps to the in-flight limit of the route for each client', async () => {
    const echo = await startEcho();
    const limited = route([service([endpoint(echo.port)])], { maxConnectionsPerClient: 1 });
    const { port, over, counters } = await startEngine(table([limited]));
    const socket = await client(port);
    socket.write('x');
    await nextData(socket);
    expect(await exchange(port, 'x')).toBe('reset');
    expect(await exchange(port, 'x', '127.0.0.2')).toBe('x');
    socket.end();
    await over(3);
    expect(await exchange(port, 'x')).toBe('x');
    expect(counters().refused.in_flight_limit).toBe(1);
  });

  it('lets in only clients that every allow list of the route holds', async () => {
    const echo = await startEcho();
    const allowedSources = [['127.0.0.0/8'], ['127.0.0.2', '127.0.0.3']];
    const { port, over, counters, records } = await startEngine(
      table([route([service([endpoint(echo.port)])], { allowedSources })]),
    );
    expect(await exchange(port, 'x')).toBe('reset');
    expect(await exchange(port, 'x', '127.0.0.3')).toBe('x');
    await over(2);
    expect(counters().refused.source_denied).toBe(1);
    expect(records[0]).toMatchObject({ route: 'backend-echo', outcome: { reason: 'source_denied' } });
  });
});

describe('a listener of another process', () => {
  it('serves connections on a server that was bound elsewhere and sent over', async () => {
    const echo = await startEcho();
    // The child binds, as the parent does for the cluster; a server travels either way alike.
    const script = `const server = require('node:net').createServer();
      server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }, server));
      process.on('message', () => process.exit());`;
    const child = fork('data:text/javascript,', { execArgv: ['-e', script] });
    closeLater(() => child.kill('SIGKILL'));
    const [message, server] = (await once(child, 'message')) as [
      { port: number },
      ReturnType<typeof createServer>,
    ];
    const { engine, counters } = await startEngine(table([]));
    await engine.apply({
      generation: 2,
      udp: [],
      tcp: [{ entryPoint: 'sent', routes: [route([service([endpoint(echo.port)])])] }],
    });
    const bound = await engine.open({ name: 'sent' }, [{ kind: 'socket', server }]);
    expect(bound).toEqual([{ address: '127.0.0.1', port: message.port }]);
    child.send('leave');
    await once(child, 'exit');
    expect(await exchange(message.port, 'over here')).toBe('over here');
    expect(counters().accepted).toBe(0);
    expect(engine.counters().find(({ entryPoint }) => entryPoint === 'sent')?.accepted).toBe(1);
  });
});
