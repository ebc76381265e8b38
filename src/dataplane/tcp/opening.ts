/** What a client says before its connection can be routed: who it is (PROXY header) and what it wants (ClientHello). */

import type { Socket } from 'node:net';
import type { TcpRefusalReason } from '../tcp-engine.ts';
import { type ClientHello, readClientHello } from './client-hello.ts';
import { type Judgement, readFirstBytes } from './first-bytes.ts';
import { type ProxiedAddresses, readProxyHeader } from './proxy-protocol.ts';

export interface Refusal {
  readonly kind: 'refused';
  readonly reason: TcpRefusalReason;
  readonly detail?: string;
}

export interface ProxyHeaderFound {
  readonly kind: 'proxy-header';
  /** Absent: none, or one that names nobody. */
  readonly addresses?: ProxiedAddresses;
  /** What the client sent after it. */
  readonly rest: Buffer;
}

const nothing: Buffer = Buffer.alloc(0);

/** A header is optional, as in Traefik: a client that is silent, or starts with anything else, has sent none. */
export async function readProxyOpening(
  socket: Socket,
  limits: { readonly timeoutMs: number; readonly silenceMs: number },
): Promise<ProxyHeaderFound | Refusal> {
  const read = await readFirstBytes({
    socket,
    bytes: nothing,
    ...limits,
    judge: (bytes) => {
      const reading = readProxyHeader(bytes);
      return reading.kind === 'incomplete' ? { atLeast: bytes.length + 1 } : { found: reading };
    },
  });
  if (read.kind === 'silence') return { kind: 'proxy-header', rest: nothing };
  if (read.kind !== 'found') return missing(read.kind);
  const { found, bytes } = read;
  switch (found.kind) {
    case 'absent':
      return { kind: 'proxy-header', rest: bytes };
    case 'invalid':
      return { kind: 'refused', reason: 'proxy_header_invalid', detail: found.detail };
    case 'header': {
      const { addresses } = found;
      const rest = bytes.subarray(found.length);
      return { kind: 'proxy-header', rest, ...(addresses ? { addresses } : {}) };
    }
  }
}

export interface HelloFound {
  readonly kind: 'hello';
  /** Absent: the connection is not TLS. */
  readonly hello?: ClientHello;
  /** All bytes that belong to the connection's payload, the ClientHello among them. */
  readonly bytes: Buffer;
  /** PostgreSQL's way into TLS was asked for, and agreed to. */
  readonly isPostgres: boolean;
}

/** PostgreSQL asks for TLS with a message of its own before the ClientHello (its protocol's SSLRequest). */
export const postgresTlsRequest: Buffer = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
export const postgresTlsAgreed: Buffer = Buffer.from('S');

/** `silenceMs` is given where a client may wait for the server to speak first. */
export async function readHelloOpening(
  socket: Socket,
  bytes: Buffer,
  limits: { readonly timeoutMs: number; readonly silenceMs?: number },
): Promise<HelloFound | Refusal> {
  const read = await readFirstBytes({ socket, bytes, ...limits, judge: judgeHello });
  if (read.kind === 'silence') return { kind: 'hello', bytes: nothing, isPostgres: false };
  if (read.kind !== 'found') return missing(read.kind);
  if (read.found !== 'postgres') return helloOf(read.found, read.bytes, false);
  socket.write(postgresTlsAgreed);
  const { timeoutMs } = limits;
  const rest = read.bytes.subarray(postgresTlsRequest.length);
  const after = await readFirstBytes({ socket, bytes: rest, timeoutMs, judge: judgeTls });
  if (after.kind !== 'found') return missing(after.kind);
  if (after.found.kind === 'not-tls') {
    return {
      kind: 'refused',
      reason: 'hello_invalid',
      detail: 'no ClientHello after the PostgreSQL request',
    };
  }
  return helloOf(after.found, after.bytes, true);
}

type Reading = Exclude<ReturnType<typeof readClientHello>, { kind: 'incomplete' }>;

function judgeHello(bytes: Buffer): Judgement<Reading | 'postgres'> {
  if (bytes[0] !== postgresTlsRequest[0]) return judgeTls(bytes);
  const compared = Math.min(bytes.length, postgresTlsRequest.length);
  const isAlike = bytes.subarray(0, compared).equals(postgresTlsRequest.subarray(0, compared));
  if (!isAlike) return { found: { kind: 'not-tls' } };
  return compared === postgresTlsRequest.length
    ? { found: 'postgres' }
    : { atLeast: postgresTlsRequest.length };
}

function judgeTls(bytes: Buffer): Judgement<Reading> {
  const reading = readClientHello(bytes);
  return reading.kind === 'incomplete' ? { atLeast: reading.atLeast } : { found: reading };
}

function helloOf(reading: Reading, bytes: Buffer, isPostgres: boolean): HelloFound | Refusal {
  if (reading.kind === 'invalid') {
    return { kind: 'refused', reason: 'hello_invalid', detail: reading.detail };
  }
  return { kind: 'hello', bytes, isPostgres, ...(reading.kind === 'hello' ? { hello: reading.hello } : {}) };
}

function missing(kind: 'silence' | 'timeout' | 'gone'): Refusal {
  return { kind: 'refused', reason: kind === 'gone' ? 'client_gone' : 'opening_timeout' };
}
