/** Real sockets on ports the system chose, closed after each test. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { afterEach } from 'vitest';
import {
  createTcpEngine,
  type Endpoint,
  type RouteTable,
  type TcpConnectionRecord,
  type TcpEngine,
  type TcpEntryPoint,
  type TcpEntryPointCounters,
  type TcpRoute,
  type TcpRule,
  type TcpService,
} from '../../../src/dataplane/index.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export function closeLater(close: () => unknown): void {
  closers.push(close);
}

export const anything: TcpRule = { kind: 'hostSni', host: '*' };

export function endpoint(port: number, state: Endpoint['state'] = 'ready'): Endpoint {
  return { address: '127.0.0.1', port, state };
}

export function service(endpoints: readonly Endpoint[], more: Partial<TcpService> = {}): TcpService {
  return { name: 'backend/echo', weight: 1, endpoints, ...more };
}

export function route(services: readonly TcpService[], more: Partial<TcpRoute> = {}): TcpRoute {
  return { name: 'backend-echo', priority: -1, rule: anything, services, ...more };
}

export function table(routes: readonly TcpRoute[], more: Partial<RouteTable> = {}): RouteTable {
  return { generation: 1, udp: [], tcp: [{ entryPoint: 'mytcp', routes }], ...more };
}

/** Whatever comes goes to that port of this machine. */
export const tableTo = (port: number): RouteTable => table([route([service([endpoint(port)])])]);

export interface StartedEngine {
  readonly engine: TcpEngine;
  readonly port: number;
  readonly records: readonly TcpConnectionRecord[];
  readonly counters: () => TcpEntryPointCounters;
  /** Resolves once so many connections are over. */
  readonly over: (count: number) => Promise<void>;
}

/** An engine with one entry point, `mytcp`, on a loopback port. */
export async function startEngine(
  given: RouteTable,
  entryPoint: Partial<TcpEntryPoint> = {},
): Promise<StartedEngine> {
  const records: TcpConnectionRecord[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const engine = createTcpEngine({
    onConnection: (record) => {
      records.push(record);
      for (const { count, resolve } of waiting) if (records.length >= count) resolve();
    },
  });
  closeLater(() => engine.close());
  await engine.apply(given);
  const listener = { kind: 'address', address: '127.0.0.1', port: 0 } as const;
  const [bound] = await engine.open({ name: 'mytcp', ...entryPoint }, [listener]);
  return {
    engine,
    port: bound!.port,
    records,
    counters: () => engine.counters().find((counters) => counters.entryPoint === 'mytcp')!,
    over: (count) =>
      new Promise((resolve) => {
        if (records.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
  };
}

export interface Backend {
  readonly port: number;
  readonly server: Server;
  readonly sockets: readonly Socket[];
  /** Resolves with the connection of that number, from 0, once it is there. */
  socket(index: number): Promise<Socket>;
}

/** A server that hands each connection to `serve`; it keeps half-open connections open. */
export async function startBackend(serve: (socket: Socket, index: number) => void): Promise<Backend> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
    serve(socket, sockets.length - 1);
    server.emit('served');
  });
  closeLater(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    sockets,
    socket: async (index) => {
      while (!sockets[index]) await once(server, 'served');
      return sockets[index];
    },
  };
}

export const startEcho = () => startBackend((socket) => socket.pipe(socket));

/** Says its name to each connection, then ends it. */
export const startNamed = (name: string) => startBackend((socket) => socket.end(name));

/** A port of this machine that refuses connections. */
export async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A port that takes no connection and refuses none: its listener sleeps, and its queue is full. */
export async function silentPort(): Promise<number> {
  const script = `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', script]);
  closeLater(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  child.kill('SIGSTOP');
  const port = Number(line.toString());
  for (let index = 0; index < 4; index++) connectTo(port);
  return port;
}

/** A connected client. Its errors are kept in `problem`. */
export async function client(port: number, options: { from?: string } = {}): Promise<Socket> {
  const socket = connectTo(port, options.from);
  await once(socket, 'connect');
  return socket;
}

function connectTo(port: number, localAddress?: string): Socket {
  const from = localAddress === undefined ? {} : { localAddress };
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...from });
  closeLater(() => socket.destroy());
  socket.on('error', () => {});
  return socket;
}

/** Everything until the other side ends, or `reset` when it cut the connection. */
export async function readAll(socket: Socket): Promise<Buffer | 'reset'> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks)));
    socket.on('error', () => resolve('reset'));
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    if (socket.destroyed) resolve('reset');
  });
}

/** What a whole exchange gives: send all, end, read all. */
export async function exchange(port: number, payload: Buffer | string, from?: string): Promise<string> {
  const socket = connectTo(port, from);
  socket.end(payload);
  return (await readAll(socket)).toString('latin1');
}

/** The next bytes. */
export async function nextData(socket: Socket): Promise<Buffer> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk;
}

/** The ClientHello that OpenSSL itself sends. */
export async function clientHello(options: {
  servername?: string;
  ALPNProtocols?: string[];
}): Promise<Buffer> {
  const server = await startBackend(() => {});
  const socket = tlsConnect({ port: server.port, host: '127.0.0.1', ...options });
  socket.on('error', () => {});
  closeLater(() => socket.destroy());
  return nextData(await server.socket(0));
}

export function accounted(counters: TcpEntryPointCounters): boolean {
  const sum = (record: Readonly<Record<string, number>>) =>
    Object.values(record).reduce((total, count) => total + count, 0);
  const { accepted, opening, forwarded, open, refused, ended } = counters;
  return accepted === opening + forwarded + sum(refused) && forwarded === open + sum(ended);
}

export interface TestCertificate {
  readonly certificateChain: string;
  readonly privateKey: string;
}

/** Self-signed, for these names. Made by openssl. */
export function makeCertificate(hosts: readonly string[]): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  try {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const alternatives = hosts
      .map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`))
      .join(',');
    const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' ');
    const files = ['-keyout', key, '-out', certificate];
    const names = ['-subj', '/CN=sluice test', '-addext', `subjectAltName=${alternatives}`];
    execFileSync('openssl', [...request, ...files, ...names], { stdio: 'ignore' });
    return { certificateChain: readFileSync(certificate, 'utf8'), privateKey: readFileSync(key, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const hasOpenssl = isInstalled('openssl', ['version']);

export function isInstalled(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
