/** The whole ingress of one process: tables, entry points, ping, metrics and API, from start to an orderly end. */

import { lookup } from 'node:dns/promises';
import type { TcpEngine, UdpEngine } from '../../dataplane/index.ts';
import type { ObjectApi, RemoteApi } from '../../kubernetes/index.ts';
import { createApiHandler } from '../admin/api.ts';
import { type AdminHandler, type AdminServer, plainText, startAdminServer } from '../admin/http-server.ts';
import { metricsText } from '../admin/metrics.ts';
import { createIngressController, type IngressController } from '../controller.ts';
import { createDropLog, type IngressLog } from '../log.ts';
import type { RoutingOptions } from '../routing/options.ts';
import type { EntryPoint } from '../static/entry-points.ts';
import { adminEntryPoint, type StaticConfiguration } from '../static/static-configuration.ts';
import {
  createEntryPointSet,
  type EntryPointSet,
  type OpenEntryPoint,
  onEveryAddress,
  udpOpener,
} from './entry-point-set.ts';
import { NamedEndpoints } from './named-endpoints.ts';
import { type ElectionOptions, Reports } from './reports.ts';
import { tcpOpener } from './tcp-opener.ts';

export interface IngressRuntimeOptions {
  readonly api: ObjectApi;
  /** What is known of the API's health; absent where it is in this process. */
  readonly health?: Pick<RemoteApi, 'stale' | 'counters'>;
  readonly configuration: StaticConfiguration;
  readonly udpEngine: UdpEngine;
  readonly tcpEngine: TcpEngine;
  readonly log: IngressLog;
  readonly conflict?: RoutingOptions['conflict'];
  readonly version: string;
  /** All addresses of an ExternalName. The system's own resolver when absent. */
  readonly lookup?: (name: string) => Promise<readonly string[]>;
  /** Whether statuses and Events are written. True when absent. */
  readonly reports?: boolean;
  /** Of several replicas only one writes them. Absent: this one does, whoever else does. */
  readonly election?: ElectionOptions;
}

export interface IngressRuntime {
  /** Resolves when the first table is in force and every entry point listens. Rejects when one cannot. */
  start(): Promise<void>;
  /** Takes entry points of a new configuration into use, one by one. What else changed needs a restart, and is logged. */
  reload(configuration: StaticConfiguration): Promise<void>;
  /** Stops accepting, lets what is open end for as long as the entry points' grace times say, and closes everything. */
  stop(): Promise<void>;
  readonly controller: IngressController;
  readonly entryPoints: EntryPointSet['open'];
  /** Where ping, metrics and API are, by entry point. */
  readonly admin: ReadonlyMap<string, AdminServer>;
}

export function createIngressRuntime(options: IngressRuntimeOptions): IngressRuntime {
  return new Runtime(options);
}

const dropLogIntervalMs = 1000;
const reopenIntervalMs = 5000;
const drainPollMs = 100;
const defaultGraceMs = 10_000;

class Runtime implements IngressRuntime {
  readonly controller: IngressController;
  readonly admin = new Map<string, AdminServer>();
  private readonly options: IngressRuntimeOptions;
  private readonly set: EntryPointSet;
  private readonly startedAt = new Date();
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly logDrops: () => void;
  private configuration: StaticConfiguration;
  private phase: 'starting' | 'serving' | 'draining' = 'starting';
  private tables = 0;
  private lastTableAtMs = 0;
  private closed: Promise<void> | undefined;
  /** Entry points that could not be opened, as they were last logged: each once. */
  private toldFailures: ReadonlySet<string> = new Set();
  private readonly reports: Reports | undefined;
  private readonly names: NamedEndpoints;

  constructor(options: IngressRuntimeOptions) {
    const { configuration, udpEngine, tcpEngine, log, api } = options;
    this.options = options;
    this.configuration = configuration;
    const { kubernetes } = configuration;
    this.names = new NamedEndpoints({
      engine: udpEngine,
      lookup: options.lookup ?? addressesOf,
      log,
    });
    this.controller = createIngressController({
      api,
      engine: this.names,
      tcpEngine,
      log,
      entryPoints: routedEntryPoints(configuration),
      routing: { ...kubernetes, ...(options.conflict ? { conflict: options.conflict } : {}) },
      throttleMs: kubernetes.throttleMs,
      gateway: configuration.gateway.isEnabled,
      ...(kubernetes.namespaces ? { namespaces: kubernetes.namespaces } : {}),
      ...(kubernetes.labelSelector ? { labelSelector: kubernetes.labelSelector } : {}),
    });
    this.controller.onApplied(() => {
      this.tables++;
      this.lastTableAtMs = Date.now();
    });
    this.set = createEntryPointSet({
      openers: { udp: udpOpener(udpEngine), tcp: tcpOpener(tcpEngine) },
      onOpen: ({ entryPoint, bound }) => {
        const { name, protocol } = entryPoint;
        // In one word, so that `grep entrypoint` finds it.
        const places = placesOf({ entryPoint, bound });
        log.info({ entryPoint: name, protocol }, `entrypoint ${name} listens on ${places}`);
      },
      onShut: ({ entryPoint, bound }) => {
        const { name, protocol } = entryPoint;
        const places = placesOf({ entryPoint, bound });
        log.info({ entryPoint: name, protocol }, `entrypoint ${name} listens no more on ${places}`);
      },
    });
    this.reports = options.reports === false ? undefined : this.makeReports();
    const report = createDropLog(log);
    this.logDrops = () => report(udpEngine.counters(), this.controller.routing);
  }

  private makeReports(): Reports {
    const { api, log, election } = this.options;
    const reports = new Reports({
      api,
      log,
      routing: () => this.controller.routing,
      isOpen: (name) => this.set.open.has(name),
      configuration: this.configuration,
      ...(election ? { election } : {}),
    });
    this.controller.onApplied(() => reports.schedule());
    return reports;
  }

  get entryPoints(): EntryPointSet['open'] {
    return this.set.open;
  }

  async start(): Promise<void> {
    await this.startAdmin();
    await this.controller.start();
    if (this.phase === 'draining') return;
    this.reports?.start();
    const failures = await this.set.set(this.wantedEntryPoints());
    const isStatic = ({ name }: EntryPoint) =>
      this.configuration.entryPoints.some((one) => one.name === name);
    // A Gateway's port that is taken is its owner's fault, and its status says so.
    const failure = failures.find(({ entryPoint }) => isStatic(entryPoint));
    if (failure) throw new EntryPointError(failure.entryPoint, failure.error);
    this.phase = 'serving';
    this.followGateways();
    this.timers.push(
      setInterval(this.logDrops, dropLogIntervalMs),
      setInterval(() => void this.openMissing(), reopenIntervalMs),
    );
  }

  async reload(configuration: StaticConfiguration): Promise<void> {
    if (this.phase === 'draining') return;
    this.configuration = { ...this.configuration, entryPoints: configuration.entryPoints };
    const wanted = routedEntryPoints(this.configuration);
    // The table first: an entry point that opens finds its routes.
    this.controller.setEntryPoints(wanted);
    await this.controller.until(({ udp, tcp = [] }) => {
      const known = new Set([...udp, ...tcp].map(({ entryPoint }) => entryPoint));
      return wanted.every(({ name }) => known.has(name));
    });
    await this.openMissing();
  }

  stop(): Promise<void> {
    this.closed ??= this.drainAndClose();
    return this.closed;
  }

  private async openMissing(): Promise<void> {
    if (this.phase === 'draining') return;
    const failures = await this.set.set(this.wantedEntryPoints());
    const told = new Set<string>();
    for (const { entryPoint, error, kept } of failures) {
      const problem = new EntryPointError(entryPoint, error).message;
      const next = kept ? `it goes on at ${placesOf(kept)}` : 'it is tried again';
      const text = `${problem}; ${next}`;
      told.add(text);
      if (!this.toldFailures.has(text)) this.options.log.error({ entryPoint: entryPoint.name }, text);
    }
    this.toldFailures = told;
  }

  private wantedEntryPoints(): EntryPoint[] {
    return [...routedEntryPoints(this.configuration), ...this.controller.routing.gateway.entryPoints];
  }

  /** Listeners of Gateways come and go with them. */
  private followGateways(): void {
    let known = this.controller.routing.gateway.entryPoints;
    this.controller.onApplied(({ gateway: { entryPoints } }) => {
      if (entryPoints === known) return;
      known = entryPoints;
      void this.openMissing().then(() => this.reports?.schedule());
    });
  }

  private async drainAndClose(): Promise<void> {
    const { udpEngine, tcpEngine, log } = this.options;
    this.phase = 'draining';
    for (const timer of this.timers) clearInterval(timer);
    const entryPoints = [...this.set.open.values()].map(({ entryPoint }) => entryPoint);
    const acceptGraceMs = Math.max(0, ...entryPoints.map((one) => one.acceptGraceMs ?? 0));
    log.info({}, 'stopping: no new connections, what is open may end');
    await pause(acceptGraceMs);
    const ends = entryPoints.map(({ name, protocol, graceTimeoutMs = defaultGraceMs }) =>
      protocol === 'tcp' ? tcpEngine.drain(graceTimeoutMs, name) : this.untilNoSessions(name, graceTimeoutMs),
    );
    const reset = await Promise.all(ends);
    const left = reset.reduce((sum, count) => sum + count, 0);
    this.logDrops();
    await this.controller.stop();
    this.names.stop();
    await this.reports?.stop();
    await Promise.all([udpEngine.close(), tcpEngine.close()]);
    for (const server of this.admin.values()) await server.close();
    log.info({ reset: left }, `stopped; connections and sessions cut short: ${left}`);
  }

  /** New clients are served until then too: turning them away would help nobody. Gives how many sessions are left. */
  private async untilNoSessions(name: string, graceMs: number): Promise<number> {
    const sessions = () =>
      this.options.udpEngine.counters().find(({ entryPoint }) => entryPoint === name)?.sessions ?? 0;
    const endMs = performance.now() + graceMs;
    while (sessions() > 0 && performance.now() < endMs) await pause(drainPollMs);
    return sessions();
  }

  private async startAdmin(): Promise<void> {
    const { log } = this.options;
    for (const { name, host, port } of adminEntryPoints(this.configuration)) {
      const server = await onEveryAddress(host, (address) =>
        startAdminServer(address, port, this.adminHandler(name), (error) => log.error({}, String(error))),
      ).catch((error: unknown) => {
        throw new EntryPointError({ name, host, port, protocol: 'tcp' }, error);
      });
      this.admin.set(name, server);
      log.info(
        { entryPoint: name },
        `entrypoint ${name} serves ping, metrics or API on ${server.address}:${server.port}/tcp`,
      );
    }
  }

  private adminHandler(name: string): AdminHandler {
    const { ping, prometheus, api } = this.configuration;
    const apiHandler = createApiHandler({
      routing: () => this.controller.routing,
      configuration: () => this.configuration,
      version: this.options.version,
      startedAt: this.startedAt,
    });
    return (request) => {
      const { path } = request;
      if (path === '/livez' || path === '/healthz') return plainText(200, 'ok\n');
      if (path === '/readyz') return this.readiness();
      if (path === '/ping' && ping?.entryPoint === name) {
        return this.phase === 'draining'
          ? plainText(ping.terminatingStatus, 'terminating')
          : plainText(200, 'OK');
      }
      if (path === '/metrics' && prometheus?.entryPoint === name) return this.metrics();
      const within = api?.insecure && name === adminEntryPoint && path.startsWith(`${api.basePath}/api`);
      const answer = within ? apiHandler({ ...request, path: path.slice(api.basePath.length) }) : undefined;
      return answer ?? plainText(404, '404 page not found\n');
    };
  }

  /**
   * With the API gone it stays ready, and says so: the last known endpoints are better than none. So it does while an entry
   * point goes on at an address that it should have left.
   */
  private readiness() {
    const problems: string[] = [];
    if (this.phase === 'draining') problems.push('terminating');
    if (!this.controller.isReady) problems.push('no route table yet');
    else if (this.phase === 'starting') problems.push('entry points are being opened');
    for (const { name } of this.phase === 'serving' ? routedEntryPoints(this.configuration) : []) {
      if (!this.set.open.has(name)) problems.push(`entry point ${name} does not listen`);
    }
    const stale = (this.options.health?.stale ?? []).map(({ resource, sinceMs, error }) => {
      return `stale: ${resource} since ${new Date(sinceMs).toISOString()} (${error})`;
    });
    const lines = [problems.length > 0 ? 'not ready' : 'ok', ...problems, ...stale, ...this.toldFailures];
    return plainText(problems.length > 0 ? 503 : 200, `${lines.join('\n')}\n`);
  }

  private metrics() {
    const { udpEngine, tcpEngine, health } = this.options;
    const body = metricsText({
      udp: udpEngine.counters(),
      tcp: tcpEngine.counters(),
      routing: this.controller.routing,
      isReady: this.controller.isReady,
      isLeader: this.reports?.isWriting ?? false,
      tables: this.tables,
      lastTableAtMs: this.lastTableAtMs,
      stale: health?.stale ?? [],
      nowMs: Date.now(),
      ...(health ? { apiCounters: health.counters } : {}),
    });
    return { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body };
  }
}

function placesOf({ entryPoint: { protocol }, bound }: OpenEntryPoint): string {
  return `${bound.map(({ address, port }) => `${address}:${port}`).join(', ')}/${protocol}`;
}

/** An entry point cannot listen where it should. */
export class EntryPointError extends Error {
  constructor(
    { name, host, port, protocol }: Pick<EntryPoint, 'name' | 'host' | 'port' | 'protocol'>,
    cause: unknown,
  ) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const why =
      code === 'EADDRINUSE'
        ? 'the port is in use'
        : code === 'EACCES'
          ? 'ports below 1024 need NET_BIND_SERVICE'
          : String(cause);
    super(`entrypoint ${name} cannot listen on ${host}:${port}/${protocol}: ${why}`, { cause });
    this.name = 'EntryPointError';
  }
}

/** Those that ping, metrics and API are on: they carry no routes. */
export function adminEntryPoints(
  configuration: StaticConfiguration,
): Pick<EntryPoint, 'name' | 'host' | 'port'>[] {
  const { ping, prometheus, api, entryPoints } = configuration;
  const names = new Set([
    ...(ping ? [ping.entryPoint] : []),
    ...(prometheus ? [prometheus.entryPoint] : []),
    ...(api?.insecure ? [adminEntryPoint] : []),
  ]);
  return [...names].map((name) => {
    const declared = entryPoints.find((one) => one.name.toLowerCase() === name.toLowerCase());
    // Traefik makes this one by itself, at this port.
    return declared ?? { name, host: '', port: 8080 };
  });
}

function routedEntryPoints(configuration: StaticConfiguration): EntryPoint[] {
  const admin = new Set(adminEntryPoints(configuration).map(({ name }) => name));
  return configuration.entryPoints.filter(({ name }) => !admin.has(name) && name !== adminEntryPoint);
}

async function addressesOf(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

function pause(durationMs: number): Promise<void> {
  return durationMs > 0 ? new Promise((resolve) => setTimeout(resolve, durationMs)) : Promise.resolve();
}
