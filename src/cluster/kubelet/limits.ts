import { type BackOffTimes, defaultBackOff } from './back-off.ts';

export interface KubeletLimits {
  /** Pods at a time that are not through. 110, as a kubelet's. A further one fails with OutOfpods. */
  readonly maxPods: number;
  /** Of one log file; a container has at most four (the present run and the one before, two each). 10 MiB. */
  readonly maxLogBytes: number;
  /** A container without a readiness probe is ready after this long even if its ports are not bound. 10,000. */
  readonly portWaitMs: number;
  /** Between the news of a deletion and SIGTERM, so that traffic turns away first. 100. */
  readonly drainMs: number;
  /** What `stop` leaves a pod at most, whatever its own grace period. 5,000. */
  readonly stopGraceMs: number;
  readonly backOff: BackOffTimes;
}

export const defaultLimits: KubeletLimits = {
  maxPods: 110,
  maxLogBytes: 10 * 1024 * 1024,
  portWaitMs: 10_000,
  drainMs: 100,
  stopGraceMs: 5_000,
  backOff: defaultBackOff,
};
