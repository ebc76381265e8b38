/** One entry point: its listening sockets and the connections that came in through them. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type {
  TcpConnectionRecord,
  TcpEntryPoint,
  TcpEntryPointCounters,
  TcpListener,
} from '../tcp-engine.ts';
import { addressMatcher } from './address.ts';
import type { CertificateStore } from './certificates.ts';
import { Connection, type ConnectionHost } from './connection.ts';
import { maxWaitingBytes } from './relay.ts';
import { RestingEndpoints } from './resting-endpoints.ts';
import type { EntryPointTable } from './table-state.ts';
import { CountByKey, Tally } from './tally.ts';

export interface EntryPointHost {
  readonly certificates: () => CertificateStore;
  readonly nowMs: () => number;
  readonly onRecord: (record: TcpConnectionRecord) => void;
}

const defaultKeepAliveMs = 15_000;

export class EntryPointServer {
  readonly entryPoint: TcpEntryPoint;
  readonly #tally = new Tally();
  readonly #connections = new Set<Connection>();
  readonly #host: ConnectionHost;
  readonly #graceTimers = new Set<NodeJS.Timeout>();
  #keepAliveTimer: NodeJS.Timeout | undefined;
  #table: EntryPointTable;
  #servers: Server[] = [];
  #onEmpty: (() => void) | undefined;

  constructor(entryPoint: TcpEntryPoint, table: EntryPointTable, host: EntryPointHost) {
    this.entryPoint = entryPoint;
    this.#table = table;
    this.#host = {
      entryPoint,
      tally: this.#tally,
      clients: new CountByKey(),
      resting: new RestingEndpoints(host.nowMs),
      trustsProxy: proxyTrust(entryPoint),
      table: () => this.#table,
      certificates: host.certificates,
      nowMs: host.nowMs,
      onOver: (connection, record) => {
        this.#connections.delete(connection);
        host.onRecord(record);
        if (this.#connections.size === 0) this.#onEmpty?.();
      },
    };
  }

  get table(): EntryPointTable {
    return this.#table;
  }

  /** Rejects, with nothing left open, when one of the listeners cannot be had. */
  async listen(listeners: readonly TcpListener[]): Promise<{ address: string; port: number }[]> {
    // Eight system calls for each connection: those that are over before they could be silent are spared them.
    const keepAliveMs = this.entryPoint.keepAliveMs ?? defaultKeepAliveMs;
    this.#keepAliveTimer = setInterval(() => {
      for (const connection of this.#connections) connection.keepAlive(keepAliveMs);
    }, keepAliveMs).unref();
    try {
      const bound: { address: string; port: number }[] = [];
      for (const listener of listeners) bound.push(await this.#listenOn(listener));
      return bound;
    } catch (error) {
      clearInterval(this.#keepAliveTimer);
      await this.stopListening();
      throw error;
    }
  }

  async #listenOn(listener: TcpListener): Promise<{ address: string; port: number }> {
    const server = createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
      highWaterMark: maxWaitingBytes,
    });
    server.on('connection', (socket) => this.#accept(socket));
    if (listener.kind === 'socket') {
      // Takes over the listening handle; the server that was given stays an empty shell.
      server.listen(listener.server);
    } else {
      const { address, port } = listener;
      const shared = this.entryPoint.reusePort ? { reusePort: true } : {};
      server.listen({ host: address, port, backlog: 4096, ...shared });
    }
    await once(server, 'listening');
    // Out of file descriptors, for one: the entry point goes on with the connections it has.
    server.on('error', () => {});
    this.#servers.push(server);
    const { address, port } = server.address() as AddressInfo;
    return { address, port };
  }

  #accept(socket: Socket): void {
    const connection = new Connection(this.#host, socket);
    this.#connections.add(connection);
    void connection.serve();
  }

  /** Takes the table as it is now. */
  update(table: EntryPointTable): void {
    this.#table = table;
    const graceMs = this.entryPoint.removedEndpointGraceMs;
    if (graceMs === undefined) return;
    const removed = [...this.#connections].filter((connection) => this.#hasLostEndpoint(connection));
    if (removed.length === 0) return;
    const timer = setTimeout(() => {
      this.#graceTimers.delete(timer);
      for (const connection of removed) {
        // It may have come back in the meantime.
        if (this.#connections.has(connection) && this.#hasLostEndpoint(connection)) {
          connection.abort('endpoint_removed');
        }
      }
    }, graceMs);
    this.#graceTimers.add(timer);
  }

  #hasLostEndpoint({ endpoint }: Connection): boolean {
    return endpoint !== undefined && !this.#table.hasEndpoint(endpoint);
  }

  counters(): TcpEntryPointCounters {
    return this.#tally.snapshot(this.entryPoint.name);
  }

  async stopListening(): Promise<void> {
    // A server's `close` event waits for its connections; its socket stops listening at once.
    for (const server of this.#servers.splice(0)) server.close();
    await new Promise(setImmediate);
  }

  /** Stops listening, waits at most `graceMs` for the connections, resets the rest and gives their number. */
  async drain(graceMs: number): Promise<number> {
    await this.stopListening();
    if (this.#connections.size > 0 && graceMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.#onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    clearInterval(this.#keepAliveTimer);
    for (const timer of this.#graceTimers) clearTimeout(timer);
    this.#graceTimers.clear();
    const left = [...this.#connections];
    for (const connection of left) connection.abort('shutting_down');
    return left.length;
  }
}

function proxyTrust({ proxyProtocol }: TcpEntryPoint): (address: string) => boolean {
  if (!proxyProtocol) return () => false;
  if ('trustAll' in proxyProtocol) return () => true;
  return addressMatcher(proxyProtocol.trustedSources);
}
