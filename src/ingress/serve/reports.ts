/** What the owners of routes are told in statuses and Events, by one of several replicas. */

import { createHash } from 'node:crypto';
import type { ObjectApi } from '../../kubernetes/index.ts';
import { gatewayStatuses } from '../gateway/gateway-status.ts';
import type { IngressLog } from '../log.ts';
import type { Routing } from '../routing/incremental/routing-state.ts';
import type { StaticConfiguration } from '../static/static-configuration.ts';
import { createEventWriter, type EventWriter } from '../status/event-writer.ts';
import {
  createLeaderElection,
  type ElectionClock,
  type LeaderElection,
  type LeaderState,
} from '../status/leader-election.ts';
import { createRouteReporter, type RouteReporter } from '../status/route-reporter.ts';
import { createStatusWriter, type StatusWriter } from '../status/status-writer.ts';

/** How replicas agree on the one that writes. */
export interface ElectionOptions {
  /** Of this pod, where the Lease is. */
  readonly namespace: string;
  /** Of this replica; no other has it. */
  readonly identity: string;
  readonly clock?: ElectionClock;
}

export interface ReportsOptions {
  readonly api: ObjectApi;
  readonly log: IngressLog;
  readonly routing: () => Routing;
  readonly isOpen: (entryPoint: string) => boolean;
  readonly configuration: StaticConfiguration;
  /** Absent: this process writes, whoever else does. */
  readonly election?: ElectionOptions;
}

/** Some time after each table: datagrams come first, and several tables make one report. */
const delayMs = 200;

/** An API that does not answer holds nobody up for longer at the end. */
const farewellMs = 3_000;

/** What a replica needs for as long as it writes. */
interface Term {
  readonly statuses: StatusWriter;
  readonly events: EventWriter;
  readonly reportRoutes: RouteReporter;
}

export class Reports {
  private readonly options: ReportsOptions;
  private readonly election: LeaderElection | undefined;
  private term: Term | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(options: ReportsOptions) {
    this.options = options;
    const { election, api, configuration } = options;
    this.election =
      election &&
      createLeaderElection({
        api,
        ...election,
        name: leaseName(configuration),
        onChange: (state) => this.follow(state),
      });
  }

  /** Whether this replica writes now. */
  get isWriting(): boolean {
    return this.term !== undefined;
  }

  start(): void {
    if (this.election) {
      this.election.start();
      return;
    }
    this.options.log.info({}, 'statuses and Events are written, whether or not other replicas write them');
    this.begin(false);
  }

  /** Something has changed. */
  schedule(): void {
    if (!this.term || this.isStopped) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.report();
    }, delayMs);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.term?.statuses.stop();
    await within(farewellMs, this.farewell());
  }

  private async farewell(): Promise<void> {
    await this.term?.events.flush();
    this.end();
    await this.election?.stop();
  }

  private follow(state: LeaderState): void {
    const { log, configuration } = this.options;
    const lease = `Lease ${this.options.election?.namespace}/${leaseName(configuration)}`;
    if (state.kind === 'following') {
      this.end();
      const who = state.holder === undefined ? 'nobody that is known' : state.holder;
      log.info({ holder: state.holder }, `${lease}: ${who} writes statuses and Events`);
      return;
    }
    const isAlone = state.kind === 'leading';
    if (isAlone) log.info({}, `${lease}: this replica writes statuses and Events`);
    else {
      const error = String(state.error);
      log.warn(
        { error },
        `${lease} cannot be used: statuses and Events are written, whether or not other replicas write them: ${error}`,
      );
    }
    this.begin(isAlone);
  }

  /** `isAlone`: nobody else writes, and nobody need be waited for. */
  private begin(isAlone: boolean): void {
    if (this.term) return;
    const { api, log } = this.options;
    const statuses = createStatusWriter({
      api,
      ...(isAlone ? { spreadMs: 0 } : {}),
      onError: (type, error) =>
        log.info({ error: String(error) }, `no status on ${type.plural}: ${String(error)}`),
    });
    const events = createEventWriter({
      api,
      onError: (error) => log.info({ error: String(error) }, `no Event: ${String(error)}`),
    });
    this.term = { statuses, events, reportRoutes: createRouteReporter({ statuses, events }) };
    this.schedule();
  }

  private end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.term?.statuses.stop();
    this.term?.events.stop();
    this.term = undefined;
  }

  private report(): void {
    const { term } = this;
    if (!term) return;
    const routing = this.options.routing();
    // Nothing is compiled yet: it will come.
    if (routing.table.generation === 0) return;
    term.reportRoutes(routing);
    const { isOpen, configuration } = this.options;
    const { addresses } = configuration.gateway;
    for (const one of gatewayStatuses(routing.gateway, { isOpen, addresses, now: new Date() })) {
      term.statuses.offer(one.type, one.object, one.status);
    }
  }
}

function within(ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * Replicas that would write the same share a Lease, and two installations in one namespace that serve different routes do
 * not.
 */
function leaseName({ kubernetes, gateway, entryPoints }: StaticConfiguration): string {
  const { ingressClass, namespaces, labelSelector } = kubernetes;
  const names = entryPoints.map(({ name, protocol }) => `${name}/${protocol}`).sort();
  const decisive = { ingressClass, namespaces, labelSelector, gateway: gateway.isEnabled, names };
  return `sluice-ingress-${createHash('sha256').update(JSON.stringify(decisive)).digest('hex').slice(0, 8)}`;
}
