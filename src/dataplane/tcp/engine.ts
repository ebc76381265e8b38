/** The TCP engine: entry points, the table they all obey, and their counters. */

import type { RouteTable } from '../route-table.ts';
import type {
  TcpConnectionRecord,
  TcpEngine,
  TcpEntryPoint,
  TcpEntryPointCounters,
  TcpListener,
} from '../tcp-engine.ts';
import { CertificateStore } from './certificates.ts';
import { type EntryPointHost, EntryPointServer } from './entry-point-server.ts';
import { EntryPointTable } from './table-state.ts';

export interface TcpEngineOptions {
  /** Called with what became of each connection, when it is over. */
  readonly onConnection?: (record: TcpConnectionRecord) => void;
  /** A clock that never goes back. `performance.now` when absent. */
  readonly nowMs?: () => number;
}

/** An engine on Node's own sockets, in this thread. */
export function createTcpEngine(options: TcpEngineOptions = {}): TcpEngine {
  return new NodeTcpEngine(options);
}

class NodeTcpEngine implements TcpEngine {
  readonly #servers = new Map<string, EntryPointServer>();
  readonly #host: EntryPointHost;
  #table: RouteTable = { generation: 0, udp: [] };
  #certificates = new CertificateStore([]);

  constructor({ onConnection, nowMs }: TcpEngineOptions) {
    this.#host = {
      certificates: () => this.#certificates,
      nowMs: nowMs ?? (() => performance.now()),
      onRecord: (record) => onConnection?.(record),
    };
  }

  async open(entryPoint: TcpEntryPoint, listeners: readonly TcpListener[]) {
    if (this.#servers.has(entryPoint.name)) throw new Error(`entry point ${entryPoint.name} is open already`);
    const table = new EntryPointTable(this.#decisionOf(entryPoint.name));
    const server = new EntryPointServer(entryPoint, table, this.#host);
    // Known before it listens: its first connection may come at once.
    this.#servers.set(entryPoint.name, server);
    try {
      return await server.listen(listeners);
    } catch (error) {
      this.#servers.delete(entryPoint.name);
      throw error;
    }
  }

  async replace(entryPoint: TcpEntryPoint, listeners: readonly TcpListener[]) {
    const { name } = entryPoint;
    const before = this.#servers.get(name);
    if (!before) return this.open(entryPoint, listeners);
    const table = () => new EntryPointTable(this.#decisionOf(name), before.table);
    const server = new EntryPointServer(entryPoint, table(), this.#host);
    const bound = await server.listen(listeners);
    this.#servers.set(name, server);
    // It may have changed while the listeners were being opened.
    server.update(table());
    await before.drain(0);
    return bound;
  }

  async shut(entryPointName: string): Promise<void> {
    const server = this.#servers.get(entryPointName);
    await server?.drain(0);
    this.#servers.delete(entryPointName);
  }

  apply(table: RouteTable): Promise<void> {
    this.#table = table;
    this.#certificates = new CertificateStore(table.certificates ?? [], this.#certificates);
    for (const [name, server] of this.#servers) {
      server.update(new EntryPointTable(this.#decisionOf(name), server.table));
    }
    return Promise.resolve();
  }

  #decisionOf(entryPointName: string) {
    return this.#table.tcp?.find(({ entryPoint }) => entryPoint === entryPointName);
  }

  counters(): readonly TcpEntryPointCounters[] {
    return [...this.#servers.values()].map((server) => server.counters());
  }

  async drain(graceMs: number, entryPointName?: string): Promise<number> {
    const servers = [...this.#servers.values()].filter(
      ({ entryPoint }) => entryPointName === undefined || entryPoint.name === entryPointName,
    );
    const resets = await Promise.all(servers.map((server) => server.drain(graceMs)));
    return resets.reduce((sum, count) => sum + count, 0);
  }

  async close(): Promise<void> {
    await this.drain(0);
    this.#servers.clear();
  }
}
