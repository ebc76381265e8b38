/** The embedded cluster's API over HTTP. */

import { randomBytes } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ApiError } from '../../kubernetes/index.ts';
import type { Store } from '../store/types.ts';
import { admittedUrl } from './access.ts';
import { sendFailure } from './answer.ts';
import type { ApiContext } from './context.ts';
import { installDefinitions } from './custom/install.ts';
import { OpenApiDocuments } from './discovery/open-api.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { type ApiCounters, type ApiLimits, defaultLimits, newCounters } from './limits.ts';
import { answer } from './routes.ts';
import { failureStatus, StatusError } from './status.ts';
import type { PodStreams } from './streams/pod-streams.ts';
import { serveUpgrade } from './streams/upgrades.ts';
import { TypeCatalog } from './types/type-catalog.ts';

export interface ApiServerOptions {
  readonly store: Store;
  /** Where `listen` listens. 127.0.0.1 when absent; another address is one that only the cluster's pods reach. */
  readonly address?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** Of containers; without it logs, exec, attach and port-forward are answered with NotImplemented. */
  readonly streams?: PodStreams;
  readonly limits?: Partial<ApiLimits>;
  /** For ages. Default: the system's clock. */
  readonly now?: () => Date;
  /** The first step of every path. Default: 32 random bytes. */
  readonly secret?: string;
  /** Told of faults of ours. */
  onError?(error: unknown): void;
}

export interface ListeningApi {
  /** With the secret prefix, without a final slash. */
  readonly url: string;
  /** The text of a kubeconfig file; `writeKubeconfig` writes it. */
  readonly kubeconfig: string;
}

export interface ApiServer {
  readonly counters: Readonly<ApiCounters>;
  /** Resolves when requests are answered and the custom resources that come with the cluster are served. */
  listen(): Promise<ListeningApi>;
  /** Answers what comes to a server that listens already (perhaps in another network namespace), too. */
  serve(server: NetServer): ListeningApi;
  /** Ends every watch and stream. */
  close(): Promise<void>;
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  return new EmbeddedApi(options);
}

class EmbeddedApi implements ApiServer {
  readonly counters = newCounters();
  readonly #options: ApiServerOptions;
  readonly #context: ApiContext;
  readonly #secret: string;
  readonly #server: Server;
  /** Servers of others whose connections are answered too. */
  readonly #served: NetServer[] = [];
  /** The HTTP server forgets connections that have left HTTP. */
  readonly #upgraded = new Set<Duplex>();

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#secret = options.secret ?? randomBytes(32).toString('hex');
    const onError = (error: unknown) => options.onError?.(error);
    const catalog = new TypeCatalog(options.store, onError);
    this.#context = {
      store: options.store,
      catalog,
      openApi: new OpenApiDocuments(catalog),
      now: options.now ?? (() => new Date()),
      limits: { ...defaultLimits, ...options.limits },
      counters: this.counters,
      streams: options.streams,
      onError,
    };
    this.#server = this.#createServer();
  }

  async listen(): Promise<ListeningApi> {
    this.#context.catalog.start();
    await installDefinitions(this.#options.store);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      const { address = '127.0.0.1', port = 0 } = this.#options;
      this.#server.listen(port, address, resolve);
    });
    await this.#context.catalog.settled();
    return this.#announce(this.#server.address() as AddressInfo);
  }

  serve(server: NetServer): ListeningApi {
    this.#limitConnections(server);
    server.on('connection', (socket) => this.#server.emit('connection', socket));
    this.#served.push(server);
    return this.#announce(server.address() as AddressInfo);
  }

  #announce({ address, family, port }: AddressInfo): ListeningApi {
    const host = family === 'IPv6' ? `[${address}]` : address;
    const url = `http://${host}:${port}/${this.#secret}`;
    return { url, kubeconfig: kubeconfigText(url) };
  }

  async close(): Promise<void> {
    this.#context.catalog.stop();
    for (const server of this.#served) server.close();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
    await closed;
  }

  #createServer(): Server {
    const { limits } = this.#context;
    const server = createServer(
      {
        maxHeaderSize: limits.maxHeaderBytes,
        requestTimeout: 60_000,
        headersTimeout: 30_000,
        keepAliveTimeout: 90_000,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#limitConnections(server);
    server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      refuseUnreadable(error, socket as Socket),
    );
    server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
    return server;
  }

  #limitConnections(server: NetServer): void {
    server.maxConnections = this.#context.limits.maxConnections;
    server.on('drop', () => {
      this.counters.refusedConnections += 1;
    });
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.counters.requests += 1;
    socket.on('error', () => socket.destroy());
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    const { limits } = this.#context;
    try {
      const url = this.#admit(request);
      if (this.counters.streams >= limits.maxStreams) {
        this.counters.refusedStreams += 1;
        throw new ApiError('TooManyRequests', 'Too many requests, please try again later.', {
          retryAfterSeconds: 1,
        });
      }
      this.counters.streams += 1;
      try {
        await serveUpgrade(this.#context, { request, socket, head }, url);
      } finally {
        this.counters.streams -= 1;
      }
    } catch (error) {
      refuseUpgrade(socket, error);
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.counters.requests += 1;
    try {
      const url = this.#admit(request);
      await answer({ context: this.#context, request, response, url });
    } catch (error) {
      request.resume();
      this.#fail(response, error);
    }
  }

  #admit(request: IncomingMessage): URL {
    try {
      return admittedUrl(request, this.#secret);
    } catch (error) {
      this.counters.refusedForeign += 1;
      throw error;
    }
  }

  #fail(response: ServerResponse, error: unknown): void {
    if (error instanceof ApiError && error.reason === 'RequestEntityTooLarge') {
      this.counters.refusedBodies += 1;
      response.setHeader('connection', 'close');
    }
    const code = sendFailure(response, error);
    if (code < 500) return;
    this.counters.faults += 1;
    if (!(error instanceof ApiError) && !(error instanceof StatusError)) this.#context.onError(error);
  }
}

/** As an ordinary answer: the client asked for another protocol and does not get it. */
function refuseUpgrade(socket: Duplex, error: unknown): void {
  if (!socket.writable) return;
  const status = failureStatus(error);
  const body = JSON.stringify(status);
  const line = `HTTP/1.1 ${status.code ?? 500} ${STATUS_CODES[status.code ?? 500] ?? ''}`;
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`${line}\r\n${headers}\r\n\r\n${body}`);
}

/** What Go's server answers. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) return;
  const line =
    error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(
    `HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${line}`,
  );
}
