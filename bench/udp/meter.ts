import { cpuSeconds } from './cpu-time.ts';
import { Histogram } from './histogram.ts';
import type { LoadPlan, LoadResult, Quantiles } from './load-plan.ts';

/** Counts of one run; `start` forgets what came before it. */
export class Meter {
  sent = 0;
  received = 0;
  lost = 0;
  reordered = 0;
  readonly latency = new Histogram();
  readonly inProxy = new Histogram();
  readonly #plan: LoadPlan;
  #startedUs = 0;
  #cpuAtStart = 0;
  #ownCpuAtStart = 0;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
  }

  start(): void {
    this.sent = 0;
    this.received = 0;
    this.lost = 0;
    this.reordered = 0;
    this.latency.reset();
    this.inProxy.reset();
    this.#cpuAtStart = cpuSeconds(this.#plan.watchedPids);
    this.#ownCpuAtStart = cpuSeconds([process.pid]);
    this.#startedUs = nowUs();
  }

  finish(): LoadResult {
    return {
      sent: this.sent,
      received: this.received,
      lost: this.lost,
      reordered: this.reordered,
      seconds: (nowUs() - this.#startedUs) / 1e6,
      cpuSeconds: cpuSeconds(this.#plan.watchedPids) - this.#cpuAtStart,
      ownCpuSeconds: cpuSeconds([process.pid]) - this.#ownCpuAtStart,
      latencyUs: quantiles(this.latency),
      inProxyUs: quantiles(this.inProxy),
    };
  }
}

function quantiles(histogram: Histogram): Quantiles {
  return {
    p50: histogram.quantile(0.5),
    p99: histogram.quantile(0.99),
    p999: histogram.quantile(0.999),
  };
}

/** Microseconds of a clock that only goes forward. */
export const nowUs = (): number => performance.now() * 1_000;
