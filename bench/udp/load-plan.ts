/** What the load generator is told and what it tells. */

interface LoadPlanCommon {
  /** `address:port` of the proxy. */
  readonly target: string;
  /** Each with a socket of its own. */
  readonly clients: number;
  /** At least 16. */
  readonly payloadBytes: number;
  /** Not measured. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** The processes whose CPU time is measured over the measured seconds. */
  readonly watchedPids: readonly number[];
}

/** Each client keeps `outstanding` datagrams on the way and sends the next when an answer arrives. */
export interface ClosedLoopPlan extends LoadPlanCommon {
  readonly kind: 'closed';
  readonly outstanding: number;
}

/** Datagrams leave at `ratePerSecond`, of the clients in turn, whether answers arrive or not. */
export interface OpenLoopPlan extends LoadPlanCommon {
  readonly kind: 'open';
  readonly ratePerSecond: number;
  /** The time in the proxy alone is measured too; the backend is started with `stamps`. At least 32 bytes of payload. */
  readonly isStamped?: boolean;
}

export type LoadPlan = ClosedLoopPlan | OpenLoopPlan;

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export interface LoadResult {
  readonly sent: number;
  /** Answers, each a round trip. */
  readonly received: number;
  readonly lost: number;
  /** Answers that came after a later datagram's. */
  readonly reordered: number;
  readonly seconds: number;
  /** Of the watched processes. */
  readonly cpuSeconds: number;
  /** Of the generator itself: where it is near `seconds`, the generator was the bottleneck. */
  readonly ownCpuSeconds: number;
  /** From when a datagram was due to be sent until its answer was read, in microseconds. */
  readonly latencyUs: Quantiles;
  /** Both ways together: from the sender's send until the datagram reached the receiver's socket. See `stamps.ts`. */
  readonly inProxyUs: Quantiles;
}
