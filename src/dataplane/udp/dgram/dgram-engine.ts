/** The portable engine: `node:dgram` alone, on the thread that made it. */

import type { RouteTable, UdpDecision } from '../../route-table.ts';
import type {
  UdpEngine,
  UdpEntryPoint,
  UdpEntryPointCounters,
  UdpListener,
  UdpSessionRecord,
  UdpTap,
  UdpTapOptions,
} from '../../udp-engine.ts';
import { allocateTap, defaultTapRecords, joinTaps, TapReader, TapWriter } from '../core/tap-ring.ts';
import type { EngineLog } from '../engine-log.ts';
import { tellOfFewSockets } from '../few-sockets.ts';
import { DgramEntryPoint } from './dgram-entry-point.ts';
import { KernelDrops } from './kernel-drops.ts';
import { SocketBudget } from './socket-budget.ts';

/** How often idle sessions are looked for: a session may outlive its timeout by this much. */
const tickMs = 50;

export class DgramUdpEngine implements UdpEngine {
  readonly kind = 'dgram';
  readonly #entryPoints = new Map<string, DgramEntryPoint>();
  readonly #budget: SocketBudget;
  readonly #kernelDrops = new KernelDrops((dropsByPort) => {
    for (const entryPoint of this.#entryPoints.values()) entryPoint.noteDrops(dropsByPort);
  });
  readonly #log: EngineLog;
  readonly #timer: NodeJS.Timeout;
  readonly #onSession: ((record: UdpSessionRecord) => void) | undefined;
  #decided: readonly UdpDecision[] = [];
  /** By entry point. */
  #decisions: ReadonlyMap<string, UdpDecision> = new Map();

  /** `maxSockets`: towards endpoints; what the limit on open files leaves, when absent. */
  constructor(log: EngineLog, maxSockets?: number, onSession?: (record: UdpSessionRecord) => void) {
    this.#log = log;
    this.#onSession = onSession;
    this.#budget = new SocketBudget(maxSockets);
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#timer.unref();
  }

  async open(
    entryPoint: UdpEntryPoint,
    listeners: readonly UdpListener[],
  ): Promise<readonly { address: string; port: number }[]> {
    if (this.#entryPoints.has(entryPoint.name)) {
      throw new Error(`entry point ${entryPoint.name} is open already`);
    }
    const opened = this.#make(entryPoint);
    this.#entryPoints.set(entryPoint.name, opened);
    opened.apply(this.#decisionOf(entryPoint.name));
    try {
      return await opened.listen(listeners);
    } catch (error) {
      await this.shut(entryPoint.name);
      throw error;
    }
  }

  async replace(
    entryPoint: UdpEntryPoint,
    listeners: readonly UdpListener[],
  ): Promise<readonly { address: string; port: number }[]> {
    const { name } = entryPoint;
    const before = this.#entryPoints.get(name);
    if (!before) return this.open(entryPoint, listeners);
    const opened = this.#make(entryPoint);
    try {
      opened.apply(this.#decisionOf(name));
      const places = await opened.listen(listeners);
      // It may have changed while the listeners were being opened.
      opened.apply(this.#decisionOf(name));
      this.#entryPoints.set(name, opened);
      await before.close();
      return places;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  #make(entryPoint: UdpEntryPoint): DgramEntryPoint {
    tellOfFewSockets(entryPoint, this.#budget.limit, this.#log);
    return new DgramEntryPoint(entryPoint, this.#budget, this.#kernelDrops, this.#log, this.#onSession);
  }

  async shut(entryPointName: string): Promise<void> {
    const entryPoint = this.#entryPoints.get(entryPointName);
    this.#entryPoints.delete(entryPointName);
    await entryPoint?.close();
  }

  apply(table: RouteTable): Promise<void> {
    if (table.udp !== this.#decided) {
      this.#decided = table.udp;
      this.#decisions = new Map(table.udp.map((decision) => [decision.entryPoint, decision]));
    }
    const failures: Error[] = [];
    for (const entryPoint of this.#entryPoints.values()) {
      try {
        entryPoint.apply(this.#decisionOf(entryPoint.name));
      } catch (error) {
        failures.push(error as Error);
      }
    }
    return failures[0] ? Promise.reject(failures[0]) : Promise.resolve();
  }

  counters(): readonly UdpEntryPointCounters[] {
    return [...this.#entryPoints.values()].map((entryPoint) => entryPoint.counters());
  }

  tap({ every, records = defaultTapRecords }: UdpTapOptions): UdpTap {
    const tapped = [...this.#entryPoints.values()];
    const readers = tapped.map((entryPoint) => {
      const shared = allocateTap(records);
      entryPoint.tap(new TapWriter(shared, every));
      return new TapReader(entryPoint.name, shared);
    });
    return joinTaps(readers, () => {
      for (const entryPoint of tapped) entryPoint.tap(undefined);
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#entryPoints.keys()].map((name) => this.shut(name)));
  }

  #decisionOf(entryPointName: string): UdpDecision | undefined {
    return this.#decisions.get(entryPointName);
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const entryPoint of this.#entryPoints.values()) entryPoint.tick(nowMs);
    this.#kernelDrops.tick(nowMs);
  }
}
