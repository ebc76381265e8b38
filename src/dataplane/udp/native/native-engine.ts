/**
 * The fast engine: threads that own their sockets and call the C library themselves (see `WorkerLoop`). This side opens
 * and closes the listeners, passes tables on, reads the counters, and has a worker that fails replaced.
 */

import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import {
  descriptorLimit,
  droppedDatagrams,
  errnoName,
  type Libc,
  raiseDescriptorLimit,
  type SocketAddress,
} from '../../native/index.ts';
import type { RouteTable, UdpDecision } from '../../route-table.ts';
import type {
  UdpEndpointCounters,
  UdpEngine,
  UdpEntryPoint,
  UdpEntryPointCounters,
  UdpListener,
  UdpSessionRecord,
  UdpTap,
  UdpTapOptions,
} from '../../udp-engine.ts';
import { formatHostPort } from '../core/address.ts';
import { counter, counterCount, readCounters } from '../core/counter-slots.ts';
import { endpointCounterCount } from '../core/endpoint-slots.ts';
import { allocateSessionLog, SessionLogReader } from '../core/session-log.ts';
import { sharedBucketBytes } from '../core/shared-bucket.ts';
import { allocateTap, defaultTapRecords, joinTaps, TapReader } from '../core/tap-ring.ts';
import type { EngineLog } from '../engine-log.ts';
import { tellOfFewSockets } from '../few-sockets.ts';
import { ledgerFiles } from './file-ledger.ts';
import type { DecisionChange, EndpointsReport, OpenCommand, TapCommand } from './messages.ts';
import { errorCounters, type NativeListener } from './native-entry-point.ts';
import { openListener } from './open-listeners.ts';
import { steerByClient } from './steer-by-client.ts';
import { mayBeTransparent } from './transparency.ts';
import { type Order, WorkerHandle } from './worker-handle.ts';

/** Descriptors kept for everything else that the process opens. */
const reservedFiles = 256;
/** How often records of sessions are fetched. */
const sessionLogEveryMs = 50;
/** More workers than cores only take turns. */
const mostWorkers = 64;

interface WorkerPart {
  readonly command: Omit<OpenCommand, 'decision'>;
  readonly counters: Float64Array;
  endpoints: EndpointsReport | undefined;
  readonly sessionLog: SessionLogReader | undefined;
  tap: TapCommand | undefined;
}

interface OpenEntryPoint {
  readonly name: string;
  readonly serial: number;
  readonly sockets: readonly NativeListener[];
  /** What the sockets had dropped before they were ours. */
  readonly droppedBefore: number;
  /** By worker; undefined for one that has none of its sockets. */
  readonly parts: readonly (WorkerPart | undefined)[];
  /** What workers that failed had counted, by endpoint. */
  readonly retired: Map<string, Float64Array>;
  /** Per listener, where its workers share it: any of its sockets. */
  readonly shared: readonly number[];
  isByClient: boolean;
  /** What its workers were told last; `undecided` where they did not all take it. */
  told: UdpDecision | typeof undecided | undefined;
}

const undecided = Symbol('undecided');

export interface NativeUdpEngineOptions {
  readonly libc: Libc;
  readonly log: EngineLog;
  /** One per core when absent. */
  readonly workers?: number;
  /** Sockets towards endpoints, of all workers. What the limit on open files leaves, when absent. */
  readonly maxSockets?: number;
  readonly onSession?: (record: UdpSessionRecord) => void;
}

/** How many workers there are when so many are asked for; one per core when nobody asks. */
export function workerCount(asked: number | undefined, log: EngineLog): number {
  if (asked === undefined) return Math.min(mostWorkers, availableParallelism());
  if (asked > mostWorkers) log('warn', `${asked} UDP workers were asked for: ${mostWorkers} are started`);
  return Math.max(1, Math.min(mostWorkers, asked));
}

export class NativeUdpEngine implements UdpEngine {
  readonly kind = 'native';
  readonly #libc: Libc;
  readonly #log: EngineLog;
  readonly #workers: readonly WorkerHandle[];
  readonly #entryPoints = new Map<string, OpenEntryPoint>();
  readonly #seed = randomBytes(4).readInt32LE();
  #decided: readonly UdpDecision[] = [];
  #applying: Promise<void> = Promise.resolve();
  /** By entry point. */
  #decisions: ReadonlyMap<string, UdpDecision> = new Map();
  #nextSerial = 1;
  readonly #onSession: ((record: UdpSessionRecord) => void) | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  /** Towards endpoints, of all workers. */
  readonly #maxSockets: number;
  /** Which worker gets the next socket that cannot be shared. */
  #nextAlone = 0;

  constructor(options: NativeUdpEngineOptions) {
    const { libc, log, workers, maxSockets, onSession } = options;
    this.#libc = libc;
    this.#log = log;
    this.#onSession = onSession;
    if (onSession) this.#timer = setInterval(() => this.#tellSessions(), sessionLogEveryMs).unref();
    raiseDescriptorLimit(libc, ledgerFiles);
    const files = Math.min(ledgerFiles, descriptorLimit(libc).current);
    const count = workerCount(workers, log);
    const maxChannels = Math.max(1, Math.floor((maxSockets ?? files - reservedFiles) / count));
    this.#maxSockets = maxChannels * count;
    this.#workers = Array.from(
      { length: count },
      (_, worker) =>
        new WorkerHandle({
          libc,
          worker,
          share: 1 / count,
          maxChannels,
          log,
          ordersAfterRestart: () => this.#ordersOf(worker),
          onEndpoints: (reports) => this.#noteEndpoints(worker, reports),
          onFailure: () => this.#retire(worker),
        }),
    );
  }

  open(
    entryPoint: UdpEntryPoint,
    listeners: readonly UdpListener[],
  ): Promise<readonly { address: string; port: number }[]> {
    const { name } = entryPoint;
    if (this.#entryPoints.has(name)) {
      return Promise.reject(new Error(`entry point ${name} is open already`));
    }
    return this.replace(entryPoint, listeners);
  }

  async replace(
    entryPoint: UdpEntryPoint,
    listeners: readonly UdpListener[],
  ): Promise<readonly { address: string; port: number }[]> {
    const { name } = entryPoint;
    const before = this.#entryPoints.get(name);
    const { opened, places } = this.#bind(entryPoint, listeners);
    tellOfFewSockets(entryPoint, this.#maxSockets, this.#log);
    this.#warnOfTransparency(this.#decisions.get(name));
    this.#entryPoints.set(name, opened);
    this.#steer();
    try {
      await this.#orderAll((worker) => this.#openOrder(name, worker));
    } catch (error) {
      if (before) this.#entryPoints.set(name, before);
      else this.#entryPoints.delete(name);
      await this.#close(opened);
      throw error;
    }
    if (before) await this.#close(before);
    return places;
  }

  async shut(entryPointName: string): Promise<void> {
    const entryPoint = this.#entryPoints.get(entryPointName);
    if (!entryPoint) return;
    this.#entryPoints.delete(entryPointName);
    await this.#close(entryPoint);
  }

  /** Its listening sockets, and what each worker is to know of it. */
  #bind(
    entryPoint: UdpEntryPoint,
    listeners: readonly UdpListener[],
  ): { opened: OpenEntryPoint; places: SocketAddress[] } {
    const { places, sockets } = this.#openListeners(entryPoint, listeners);
    const isShared = sockets.every((perWorker) => perWorker.length === this.#workers.length);
    const bucket = new SharedArrayBuffer(sharedBucketBytes);
    const serial = this.#nextSerial++;
    const parts = this.#workers.map((_, worker) => {
      const own = sockets.flatMap((perWorker) => perWorker[worker] ?? []);
      return own.length === 0 ? undefined : this.#partOf(entryPoint, serial, own, isShared, bucket);
    });
    const own = sockets.flat().filter((socket) => socket !== undefined);
    const opened = {
      name: entryPoint.name,
      serial,
      sockets: own,
      droppedBefore: this.#droppedBy(own),
      parts,
      retired: new Map(),
      shared: sockets.flatMap((perWorker) =>
        perWorker.length > 1 && perWorker.every(Boolean) ? (perWorker[0]?.fd ?? []) : [],
      ),
      isByClient: isHeldByClient(entryPoint),
      told: this.#decisions.get(entryPoint.name),
    };
    return { opened, places };
  }

  async #close({ name, serial, parts, sockets }: OpenEntryPoint): Promise<void> {
    await this.#orderAll((worker) => (parts[worker] ? { kind: 'shut', serial } : undefined));
    this.#tellSessionsOf(name, parts);
    for (const { fd } of sockets) this.#libc.close(fd);
  }

  async apply(table: RouteTable): Promise<void> {
    if (table.udp !== this.#decided) {
      this.#decided = table.udp;
      this.#decisions = new Map(table.udp.map((decision) => [decision.entryPoint, decision]));
    }
    this.#steer();
    const changes = [...this.#entryPoints.values()].flatMap((entryPoint): DecisionChange[] => {
      const decision = this.#decisions.get(entryPoint.name);
      if (entryPoint.told === decision) return [];
      this.#warnOfTransparency(decision);
      entryPoint.told = decision;
      return [{ entryPoint: entryPoint.name, decision }];
    });
    try {
      // Where nothing is new, what was ordered before may still be on its way.
      if (changes.length > 0) this.#applying = this.#orderAll(() => ({ kind: 'apply', changes }));
      await this.#applying;
    } catch (error) {
      this.#applying = Promise.resolve();
      for (const { entryPoint: name } of changes) {
        const entryPoint = this.#entryPoints.get(name);
        if (entryPoint) entryPoint.told = undecided;
      }
      throw error;
    }
  }

  #warnOfTransparency(decision: UdpDecision | undefined): void {
    if (decision?.kind !== 'forward' || decision.route.clientAddress !== 'transparent') return;
    if (mayBeTransparent(this.#libc)) return;
    const why = 'this process may not be transparent (it needs CAP_NET_ADMIN)';
    this.#log('error', `route ${decision.route.name}: ${why}; its datagrams are dropped`);
  }

  /** Where a route holds client addresses to a rate, each address must be one worker's. */
  #steer(): void {
    for (const entryPoint of this.#entryPoints.values()) {
      const decision = this.#decisions.get(entryPoint.name);
      const isHeld = decision?.kind === 'forward' && decision.route.ratePerClient !== undefined;
      if (!isHeld || entryPoint.isByClient) continue;
      entryPoint.isByClient = true;
      for (const fd of entryPoint.shared) steerByClient(this.#libc, fd, this.#workers.length);
    }
  }

  counters(): readonly UdpEntryPointCounters[] {
    return [...this.#entryPoints.values()].map(({ name, parts, retired, sockets, droppedBefore }) => {
      const present = parts.flatMap((part) => part ?? []);
      const rows = present.map(({ counters }) => counters);
      const reports = present.flatMap(({ endpoints }) => endpoints ?? []);
      const kernelDrops = this.#droppedBy(sockets) - droppedBefore;
      const decision = this.#decisions.get(name);
      return {
        ...readCounters(name, rows, sumEndpoints(reports, retired), sumErrors(present)),
        kernelDrops,
        sessionRecordsMissed: present.reduce((sum, { sessionLog }) => sum + (sessionLog?.missed ?? 0), 0),
        ...(decision?.kind === 'forward' ? { route: decision.route.name } : {}),
      };
    });
  }

  tap({ every, records = defaultTapRecords }: UdpTapOptions): UdpTap {
    const readers: TapReader[] = [];
    for (const { name, parts } of this.#entryPoints.values()) {
      for (const [worker, part] of parts.entries()) {
        if (!part) continue;
        const shared = allocateTap(records);
        part.tap = { kind: 'tap', entryPoint: name, shared, every };
        readers.push(new TapReader(name, shared));
        this.#orderInPassing(worker, part.tap);
      }
    }
    return joinTaps(readers, () => this.#endTap());
  }

  #endTap(): void {
    for (const { name, parts } of this.#entryPoints.values()) {
      for (const [worker, part] of parts.entries()) {
        if (!part?.tap) continue;
        part.tap = undefined;
        this.#orderInPassing(worker, { kind: 'tap', entryPoint: name, every: 1 });
      }
    }
  }

  /** Nobody waits for it. */
  #orderInPassing(worker: number, order: Order): void {
    this.#workers[worker]?.order(order).catch((error: Error) => this.#log('warn', error.message));
  }

  #tellSessions(): void {
    for (const { name, parts } of this.#entryPoints.values()) this.#tellSessionsOf(name, parts);
  }

  #tellSessionsOf(name: string, parts: OpenEntryPoint['parts']): void {
    if (!this.#onSession) return;
    const decision = this.#decisions.get(name);
    const route = decision?.kind === 'forward' ? decision.route.name : undefined;
    for (const part of parts) {
      for (const record of part?.sessionLog?.read(route) ?? []) this.#onSession(record);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#entryPoints.keys()].map((name) => this.shut(name)));
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  /** For tests: has a worker fail as a bug would have it fail. */
  crashWorker(worker: number): void {
    this.#workers[worker]?.order({ kind: 'crash' }).catch(() => {});
  }

  #droppedBy(sockets: readonly NativeListener[]): number {
    return sockets.reduce((sum, { fd }) => sum + droppedDatagrams(this.#libc, fd), 0);
  }

  /** Per listener the sockets of the workers, in their order. */
  #openListeners(
    entryPoint: UdpEntryPoint,
    listeners: readonly UdpListener[],
  ): { places: SocketAddress[]; sockets: (NativeListener | undefined)[][] } {
    const places: SocketAddress[] = [];
    const sockets: (NativeListener | undefined)[][] = [];
    const { name } = entryPoint;
    const byClient = isHeldByClient(entryPoint);
    try {
      for (const wanted of listeners) {
        const opened = openListener(this.#libc, wanted, this.#workers.length, byClient);
        places.push(opened.place);
        const place = formatHostPort(opened.place.address, opened.place.port);
        this.#log(
          'info',
          `entry point ${name}: ${place}/udp, receive buffer ${opened.receiveBufferBytes} bytes`,
        );
        sockets.push(this.#assign(opened.sockets));
      }
      return { places, sockets };
    } catch (error) {
      for (const socket of sockets.flat()) if (socket) this.#libc.close(socket.fd);
      throw error;
    }
  }

  /** A socket that came alone goes to one worker: two would make two sessions of one client. */
  #assign(sockets: readonly NativeListener[]): (NativeListener | undefined)[] {
    if (sockets.length === this.#workers.length) return [...sockets];
    const chosen = this.#nextAlone++ % this.#workers.length;
    return this.#workers.map((_, worker) => (worker === chosen ? sockets[0] : undefined));
  }

  #partOf(
    entryPoint: UdpEntryPoint,
    serial: number,
    listeners: readonly NativeListener[],
    isShared: boolean,
    bucket: SharedArrayBuffer,
  ): WorkerPart {
    const counters = new SharedArrayBuffer(counterCount * 8);
    const sessionLog = this.#onSession && allocateSessionLog();
    const command = {
      kind: 'open',
      serial,
      entryPoint,
      listeners,
      seed: this.#seed,
      share: isShared ? 1 / this.#workers.length : 1,
      counters,
      errors: new SharedArrayBuffer(errorCounters * 8),
      bucket,
      ...(sessionLog ? { sessionLog } : {}),
    } as const;
    return {
      command,
      counters: new Float64Array(counters),
      endpoints: undefined,
      sessionLog: sessionLog && new SessionLogReader(entryPoint.name, sessionLog),
      tap: undefined,
    };
  }

  #openOrder(name: string, worker: number): Order | undefined {
    const part = this.#entryPoints.get(name)?.parts[worker];
    return part && { ...part.command, decision: this.#decisions.get(name) };
  }

  #ordersOf(worker: number): Order[] {
    const openings = [...this.#entryPoints.keys()].flatMap((name) => this.#openOrder(name, worker) ?? []);
    const taps = [...this.#entryPoints.values()].flatMap(({ parts }) => parts[worker]?.tap ?? []);
    return [...openings, ...taps];
  }

  async #orderAll(orderOf: (worker: number) => Order | undefined): Promise<void> {
    const orders = this.#workers.flatMap((handle, worker) => {
      const order = orderOf(worker);
      return order ? handle.order(order) : [];
    });
    await Promise.all(orders);
  }

  #noteEndpoints(worker: number, reports: readonly EndpointsReport[]): void {
    for (const report of reports) {
      const entryPoint = this.#entryPoints.get(report.entryPoint);
      const part = entryPoint?.serial === report.serial ? entryPoint.parts[worker] : undefined;
      if (part) part.endpoints = report;
    }
  }

  /** Keeps what a worker that failed had counted. */
  #retire(worker: number): void {
    for (const { parts, retired } of this.#entryPoints.values()) {
      const part = parts[worker];
      if (!part) continue;
      part.counters[counter.sessions] = 0;
      if (!part.endpoints) continue;
      const values = new Float64Array(part.endpoints.counters);
      for (const { slot, address, port } of part.endpoints.slots) {
        const key = formatHostPort(address, port);
        const sum = retired.get(key) ?? new Float64Array(endpointCounterCount);
        for (const at of sum.keys())
          sum[at] = (sum[at] ?? 0) + (values[slot * endpointCounterCount + at] ?? 0);
        retired.set(key, sum);
      }
      part.endpoints = undefined;
    }
  }
}

function isHeldByClient({ ratePerClient, maxSessionsPerClient }: UdpEntryPoint): boolean {
  return ratePerClient !== undefined || maxSessionsPerClient !== undefined;
}

function sumErrors(parts: readonly WorkerPart[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { command } of parts) {
    for (const [reason, count] of new Float64Array(command.errors).entries()) {
      if (count > 0) found[errnoName(reason)] = (found[errnoName(reason)] ?? 0) + count;
    }
  }
  return found;
}

function sumEndpoints(
  reports: readonly EndpointsReport[],
  retired: ReadonlyMap<string, Float64Array>,
): UdpEndpointCounters[] {
  const found = new Map<string, UdpEndpointCounters>();
  for (const { counters, slots } of reports) {
    const values = new Float64Array(counters);
    for (const { slot, ...description } of slots) {
      const key = formatHostPort(description.address, description.port);
      const before = found.get(key) ?? fromRetired(retired.get(key));
      const at = slot * endpointCounterCount;
      found.set(key, {
        ...description,
        datagrams: before.datagrams + (values[at] ?? 0),
        bytes: before.bytes + (values[at + 1] ?? 0),
        replies: before.replies + (values[at + 2] ?? 0),
        replyBytes: before.replyBytes + (values[at + 3] ?? 0),
      });
    }
  }
  return [...found.values()];
}

function fromRetired([datagrams = 0, bytes = 0, replies = 0, replyBytes = 0]: ArrayLike<number> &
  Iterable<number> = []) {
  return { datagrams, bytes, replies, replyBytes };
}
