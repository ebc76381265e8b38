/**
 * Keeps the data plane's route table equal to what the objects say. Level-triggered: whatever changed, the table of
 * the newest objects is made and handed over once.
 */

import type { RouteTable, TcpEngine, UdpEngine } from '../dataplane/index.ts';
import {
  configMaps,
  endpointSlices,
  ingressRouteTcps,
  ingressRouteUdps,
  type LabelSelector,
  middlewareTcps,
  namespaces,
  nodes,
  type ObjectApi,
  type ResourceType,
  secrets,
  serversTransportTcps,
  services,
  tlsOptions,
} from '../kubernetes/index.ts';
import { gatewayTypes } from './gateway/objects.ts';
import { createInformerSet, type InformerSet } from './informers.ts';
import { type IngressLog, logRouting } from './log.ts';
import { emptyRouting, type Routing, RoutingState } from './routing/incremental/routing-state.ts';
import type { RoutingOptions } from './routing/options.ts';
import type { EntryPoint } from './static/entry-points.ts';

export interface IngressControllerOptions {
  readonly api: ObjectApi;
  readonly engine: Pick<UdpEngine, 'apply'>;
  /** Absent: IngressRouteTCPs are left alone. */
  readonly tcpEngine?: Pick<TcpEngine, 'apply'>;
  readonly log: IngressLog;
  readonly entryPoints: readonly EntryPoint[];
  readonly routing?: RoutingOptions;
  /** Absent: all. */
  readonly namespaces?: readonly string[];
  /** Of routes; what they refer to is taken whatever its labels. */
  readonly labelSelector?: LabelSelector;
  /** Gateway API is served too. */
  readonly gateway?: boolean;
  /** Between two tables. 0 when absent: each change at once. */
  readonly throttleMs?: number;
}

export interface IngressController {
  /** Resolves when the first table is in force. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** What was compiled last; in force once `applied` has seen it. */
  readonly routing: Routing;
  /** Whether every kind that is watched was listed once and a table of them is in force. */
  readonly isReady: boolean;
  setEntryPoints(entryPoints: readonly EntryPoint[]): void;
  /** Called with each table that has come into force. Gives the function that ends it. */
  onApplied(listener: (routing: Routing) => void): () => void;
  /** Resolves when a table in force satisfies the condition (at once when the present one does). */
  until(condition: (table: RouteTable) => boolean): Promise<void>;
}

export function createIngressController(options: IngressControllerOptions): IngressController {
  return new Controller(options);
}

/** Watched once a route refers to one: without TLS routes, for one, no Secret is ever read. */
const onDemand: readonly ResourceType[] = [
  nodes,
  middlewareTcps,
  serversTransportTcps,
  tlsOptions,
  secrets,
  configMaps,
].map((type) => type as ResourceType);

/** Until a table that an engine refused is offered again, where no change comes before. */
const applyRetryMs = 1000;

class Controller implements IngressController {
  routing: Routing = emptyRouting;
  isReady = false;
  private inForce: Routing = emptyRouting;
  private logged: Routing = emptyRouting;
  private readonly options: IngressControllerOptions;
  private readonly state: RoutingState;
  private readonly informers: InformerSet;
  private readonly listeners = new Set<(routing: Routing) => void>();
  private isScheduled = false;
  private isStopped = false;
  private isSynced = false;
  private compiledAtMs = Number.NEGATIVE_INFINITY;
  private throttle: NodeJS.Timeout | undefined;
  private retry: NodeJS.Timeout | undefined;
  /** Tables reach the engines one after another; at most one waits. */
  private applying: Promise<void> = Promise.resolve();

  constructor(options: IngressControllerOptions) {
    this.options = options;
    this.state = new RoutingState(options.routing);
    this.state.setEntryPoints(options.entryPoints);
    const { api, namespaces, log } = options;
    this.informers = createInformerSet({
      api,
      ...(namespaces ? { namespaces } : {}),
      onChange: (type, change) => {
        this.state.apply(type.plural, change);
        this.schedule();
      },
      onError: (type, error) =>
        log.warn({ error: String(error) }, `watching ${type.plural}: ${String(error)}`),
    });
  }

  async start(): Promise<void> {
    const { labelSelector, tcpEngine, gateway } = this.options;
    const routes = tcpEngine ? [ingressRouteUdps, ingressRouteTcps] : [ingressRouteUdps];
    await Promise.all([
      ...routes.map((type) =>
        this.informers.watch(type as ResourceType, labelSelector ? { labelSelector } : {}),
      ),
      ...(gateway ? [...gatewayTypes, namespaces as ResourceType] : []).map((type) =>
        this.informers.watch(type),
      ),
      ...[services, endpointSlices].map((type) => this.informers.watch(type as ResourceType)),
    ]);
    this.isSynced = true;
    // What the routes refer to may lead to more kinds, and those to more.
    while (!this.isStopped && !this.compile()) await this.demanded;
    await this.applying;
    this.isReady = !this.isStopped;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.isReady = false;
    clearTimeout(this.throttle);
    clearTimeout(this.retry);
    this.informers.stop();
    this.listeners.clear();
    await this.applying;
  }

  setEntryPoints(entryPoints: readonly EntryPoint[]): void {
    this.state.setEntryPoints(entryPoints);
    this.schedule();
  }

  onApplied(listener: (routing: Routing) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async until(condition: (table: RouteTable) => boolean): Promise<void> {
    if (condition(this.inForce.table)) return;
    await new Promise<void>((resolve) => {
      const end = this.onApplied(({ table }) => {
        if (!condition(table)) return;
        end();
        resolve();
      });
    });
  }

  /** Changes that come in one turn of the event loop make one table. */
  private schedule(): void {
    if (this.isScheduled || !this.isSynced || this.isStopped) return;
    this.isScheduled = true;
    const run = () => {
      this.isScheduled = false;
      if (!this.isStopped) this.compile();
    };
    const waitMs = this.compiledAtMs + (this.options.throttleMs ?? 0) - performance.now();
    if (waitMs > 0) this.throttle = setTimeout(run, waitMs);
    else setImmediate(run);
  }

  /** Resolves when the kinds that were missing are there; `compile` is to be called again then. */
  private demanded: Promise<void> = Promise.resolve();

  /** False when a route refers to a kind that is not known yet: then no table is made of half the truth. */
  private compile(): boolean {
    this.compiledAtMs = performance.now();
    const next = this.state.compile();
    if (this.isMissingKinds()) return false;
    if (next === this.routing) return true;
    this.routing = next;
    this.applying = this.applying.then(() => this.bringIntoForce());
    return true;
  }

  private isMissingKinds(): boolean {
    const missing = onDemand.filter(
      (type) => this.state.kindsRead.has(type.plural) && !this.known.has(type.plural),
    );
    if (missing.length === 0) return false;
    this.demanded = Promise.all(
      missing.map(async (type) => {
        await this.informers.watch(type, { isOptional: true });
        this.known.add(type.plural);
      }),
    ).then(() => this.schedule());
    return true;
  }

  /** Kinds on demand that were listed once. */
  private readonly known = new Set<string>();

  private async bringIntoForce(): Promise<void> {
    const next = this.routing;
    if (next === this.inForce || this.isStopped) return;
    const { engine, tcpEngine, log } = this.options;
    try {
      const { table } = next;
      if (table !== this.inForce.table) await Promise.all([engine.apply(table), tcpEngine?.apply(table)]);
      this.inForce = next;
      this.logOnce(next);
      for (const listener of new Set(this.listeners)) listener(next);
    } catch (error) {
      // The table before it goes on serving, for the entry points whose decisions are of no use at least.
      this.logOnce(next);
      log.error({ generation: next.table.generation }, `route table refused: ${String(error)}`);
      clearTimeout(this.retry);
      this.retry = setTimeout(() => {
        this.applying = this.applying.then(() => this.bringIntoForce());
      }, applyRetryMs);
    }
  }

  /** Once the engines have it: what the log says is then what datagrams meet. */
  private logOnce(next: Routing): void {
    logRouting(this.options.log, this.logged, next);
    this.logged = next;
  }
}
