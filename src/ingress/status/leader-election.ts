/**
 * Which of several replicas may write: the holder of a Lease, as client-go elects its leaders. Times are measured on this
 * replica's own clock, from when it saw the Lease change: clocks of different machines are never compared.
 */

import {
  ApiError,
  type KubeObject,
  leases,
  type ObjectApi,
  type ResourceType,
} from '../../kubernetes/index.ts';

/** The times of client-go's controllers. */
export const electionTimes = {
  /** A holder that has not renewed for this long is taken to be gone. */
  leaseMs: 15_000,
  /** A holder that could not renew for this long gives up by itself, before the others take it to be gone. */
  renewWithinMs: 10_000,
  retryMs: 2_000,
  /** Those who wait come at times apart from each other: up to so much later, in parts of `retryMs`. */
  jitter: 1.2,
  /** Where the Lease may not be used at all, or there is no such thing. */
  withoutLeaseMs: 60_000,
} as const;

/** Time as the election sees it. */
export interface ElectionClock {
  /** Never goes back. */
  nowMs(): number;
  /** Gives the function that calls it off. */
  after(delayMs: number, run: () => void): () => void;
  /** At least 0 and below 1. */
  random(): number;
}

export interface LeaderElectionOptions {
  readonly api: Pick<ObjectApi, 'get' | 'create' | 'update'>;
  readonly namespace: string;
  readonly name: string;
  /** Of this replica; no other has it. */
  readonly identity: string;
  readonly onChange: (state: LeaderState) => void;
  readonly clock?: ElectionClock;
}

/**
 * `unelected`: the Lease cannot be used, so that nobody else is kept from leading either. `holder` is who leads, where that
 * is known.
 */
export type LeaderState =
  | { readonly kind: 'leading' }
  | { readonly kind: 'following'; readonly holder: string | undefined }
  | { readonly kind: 'unelected'; readonly error: unknown };

export interface LeaderElection {
  start(): void;
  /** Gives the Lease back, so that another need not wait for it to run out. */
  stop(): Promise<void>;
}

interface Lease extends KubeObject {
  spec: LeaseSpec;
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

const leaseType = leases as ResourceType<Lease>;

export function createLeaderElection(options: LeaderElectionOptions): LeaderElection {
  return new Election(options);
}

class Election implements LeaderElection {
  private readonly options: LeaderElectionOptions;
  private readonly clock: ElectionClock;
  private state: LeaderState = { kind: 'following', holder: undefined };
  /** The Lease as it was seen last, and when it was seen to have changed. */
  private observed: { readonly version: string | undefined; readonly atMs: number } | undefined;
  private cancelNext: () => void = () => {};
  private cancelDeadline: () => void = () => {};
  private running: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(options: LeaderElectionOptions) {
    this.options = options;
    this.clock = options.clock ?? ownClock;
  }

  start(): void {
    this.running = this.round();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancelNext();
    this.cancelDeadline();
    await this.running;
    if (this.state.kind !== 'leading') return;
    this.state = { kind: 'following', holder: undefined };
    await this.release().catch(() => {});
  }

  private async round(): Promise<void> {
    try {
      const holder = await this.acquireOrRenew();
      if (this.isStopped) {
        if (holder === this.options.identity) this.state = { kind: 'leading' };
        return;
      }
      if (holder !== undefined) this.take(holder);
    } catch (error) {
      if (this.isStopped) return;
      // Anything else (another was faster to make it, no answer) may be over soon; a leader has its deadline.
      if (isUnusable(error)) this.become({ kind: 'unelected', error });
    }
    this.cancelNext = this.clock.after(this.nextMs(), () => {
      this.running = this.round();
    });
  }

  private take(holder: string): void {
    if (holder !== this.options.identity) {
      this.cancelDeadline();
      this.become({ kind: 'following', holder });
      return;
    }
    this.cancelDeadline();
    // A request that is never answered must not keep it in office.
    this.cancelDeadline = this.clock.after(electionTimes.renewWithinMs, () => {
      if (this.state.kind === 'leading') this.become({ kind: 'following', holder: undefined });
    });
    this.become({ kind: 'leading' });
  }

  private become(next: LeaderState): void {
    const before = this.state;
    this.state = next;
    const isSameHolder =
      before.kind !== 'following' || next.kind !== 'following' || before.holder === next.holder;
    if (before.kind !== next.kind || !isSameHolder) this.options.onChange(next);
  }

  private nextMs(): number {
    const { retryMs, jitter, withoutLeaseMs } = electionTimes;
    if (this.state.kind === 'unelected') return withoutLeaseMs;
    if (this.state.kind === 'leading') return retryMs;
    return retryMs * (1 + jitter * this.clock.random());
  }

  /** Gives who holds the Lease now; undefined where somebody has just written it. */
  private async acquireOrRenew(): Promise<string | undefined> {
    const { identity, api } = this.options;
    const present = await this.read();
    if (!present) {
      await api.create(leaseType, this.leaseOf({ ...this.held(), leaseTransitions: 0 }));
      return identity;
    }
    const { holderIdentity, acquireTime, leaseTransitions = 0 } = present.spec;
    const isOwn = holderIdentity === identity;
    if (holderIdentity && !isOwn && !this.hasRunOut(present)) return holderIdentity;
    const spec: LeaseSpec = isOwn
      ? { ...this.held(), ...(acquireTime ? { acquireTime } : {}), leaseTransitions }
      : { ...this.held(), leaseTransitions: leaseTransitions + 1 };
    try {
      await api.update(leaseType, { ...present, spec });
      return identity;
    } catch (error) {
      if (error instanceof ApiError && error.reason === 'Conflict') return undefined;
      throw error;
    }
  }

  private async read(): Promise<Lease | undefined> {
    const { api, namespace, name } = this.options;
    try {
      return await api.get(leaseType, namespace, name);
    } catch (error) {
      const isMissing =
        error instanceof ApiError && error.reason === 'NotFound' && error.message.includes(name);
      if (isMissing) return undefined;
      throw error;
    }
  }

  /** Whether its holder has let it be for as long as it may. */
  private hasRunOut({ metadata, spec }: Lease): boolean {
    const nowMs = this.clock.nowMs();
    const version = metadata.resourceVersion;
    if (!this.observed || this.observed.version !== version) this.observed = { version, atMs: nowMs };
    const lastsMs = (spec.leaseDurationSeconds ?? electionTimes.leaseMs / 1000) * 1000;
    return nowMs - this.observed.atMs >= lastsMs;
  }

  private held(): LeaseSpec {
    const now = this.time();
    return {
      holderIdentity: this.options.identity,
      leaseDurationSeconds: electionTimes.leaseMs / 1000,
      acquireTime: now,
      renewTime: now,
    };
  }

  private async release(): Promise<void> {
    const present = await this.read();
    if (present?.spec.holderIdentity !== this.options.identity) return;
    const { leaseTransitions = 0 } = present.spec;
    const spec = { leaseDurationSeconds: 1, renewTime: this.time(), leaseTransitions };
    await this.options.api.update(leaseType, { ...present, spec });
  }

  /** As Kubernetes' MicroTime. */
  private time(): string {
    return new Date(this.clock.nowMs()).toISOString().replace(/Z$/, '000Z');
  }

  private leaseOf(spec: LeaseSpec): Lease {
    const { namespace, name } = this.options;
    return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec };
  }
}

/** No right to it, no such resource, or no such namespace: it will not be otherwise in two seconds. */
function isUnusable(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.reason === 'Forbidden' || error.reason === 'NotFound' || error.reason === 'MethodNotAllowed')
  );
}

const ownClock: ElectionClock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  random: Math.random,
  after(delayMs, run) {
    // Who leads keeps no process alive.
    const timer = setTimeout(run, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
