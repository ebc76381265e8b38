/** HTTP to one API server: kept-alive connections, credentials, TLS, a proxy on the way, and time limits. */

import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { ClusterAccess, Identity } from './access.ts';
import { connectThroughProxy } from './proxy.ts';

/** The API said nothing for too long. */
export class SilentApiError extends Error {
  constructor(host: string, silenceMs: number) {
    super(`${host} said nothing for ${silenceMs / 1000} s`);
    this.name = 'SilentApiError';
  }
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the server's own path on: `/api/v1/services`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly contentType?: string;
  /** Ends the request and its answer's stream. */
  readonly signal: AbortSignal;
  /** Longest silence, before the head of the answer and between two pieces of it. The transport's when absent. */
  readonly silenceMs?: number;
}

export interface Transport {
  /** Resolves with the head of the answer; the body is the caller's to read or destroy. Rejects when none came. */
  send(request: TransportRequest): Promise<IncomingMessage>;
  close(): void;
}

export interface TransportOptions {
  /** Longest silence while an answer is awaited or read. */
  readonly silenceMs: number;
  readonly userAgent: string;
}

/** Silence before the kernel asks whether the server lives; libuv then asks ten times, a second apart. */
const keepAliveProbeMs = 15_000;

export function createTransport(access: ClusterAccess, options: TransportOptions): Transport {
  let agent: HttpAgent | undefined;
  let certificate: Identity['certificate'];
  const agentFor = (identity: Identity): HttpAgent => {
    if (agent && identity.certificate?.chain === certificate?.chain) return agent;
    agent?.destroy();
    certificate = identity.certificate;
    agent = makeAgent(access, identity);
    return agent;
  };
  const once = async (request: TransportRequest): Promise<IncomingMessage> => {
    const identity = await access.credentials.current();
    return exchange(access.server, request, identity, agentFor(identity), options);
  };
  return {
    async send(request) {
      const answer = await once(request).catch((error: unknown) => {
        // The authorities may have been replaced on disk: the next connection reads them again.
        if (isTlsFailure(error)) agent = undefined;
        throw error;
      });
      if (answer.statusCode !== 401) return answer;
      answer.resume();
      access.credentials.discard();
      return once(request);
    },
    close() {
      agent?.destroy();
      agent = undefined;
    },
  };
}

function makeAgent({ server, tls, proxy }: ClusterAccess, { certificate }: Identity): HttpAgent {
  const common = { keepAlive: true, keepAliveMsecs: keepAliveProbeMs, scheduling: 'lifo' as const };
  const authorities = tls.authorities?.();
  const secure = {
    ...(authorities ? { ca: authorities } : {}),
    ...(tls.insecureSkipVerify ? { rejectUnauthorized: false } : {}),
    ...(tls.serverName ? { servername: tls.serverName } : {}),
    ...(certificate ? { cert: certificate.chain, key: certificate.privateKey } : {}),
  };
  const made =
    server.protocol === 'https:' ? new HttpsAgent({ ...common, ...secure }) : new HttpAgent(common);
  if (proxy) connectThroughProxy(made, proxy, server, secure);
  return made;
}

function exchange(
  server: URL,
  { method, path, query, body, contentType, signal, silenceMs }: TransportRequest,
  identity: Identity,
  agent: HttpAgent,
  options: TransportOptions,
): Promise<IncomingMessage> {
  const url = new URL(server);
  url.pathname = `${server.pathname.replace(/\/$/, '')}${path}`;
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const headers: OutgoingHttpHeaders = {
    ...identity.headers,
    accept: 'application/json',
    'user-agent': options.userAgent,
    ...(body === undefined
      ? {}
      : { 'content-type': contentType ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
  };
  const make = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = make(url, { method, headers, agent, signal });
    const limitMs = silenceMs ?? options.silenceMs;
    let answered: IncomingMessage | undefined;
    request.setTimeout(limitMs, () => (answered ?? request).destroy(new SilentApiError(url.host, limitMs)));
    request.once('socket', (socket) => socket.setKeepAlive(true, keepAliveProbeMs));
    request.once('error', reject);
    request.once('response', (answer) => {
      // From here on errors come out of the answer's stream.
      request.off('error', reject);
      request.on('error', () => {});
      answered = answer;
      resolve(answer);
    });
    request.end(body);
  });
}

function isTlsFailure(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /CERT|SSL|TLS/.test(code);
}
