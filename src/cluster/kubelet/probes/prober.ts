/** Runs a container's probes for as long as one run of it lasts. */

import type { ContainerRun } from '../container.ts';
import { type PodEvent, podEvents } from '../events.ts';
import type { Probe } from '../pod-spec.ts';
import { pause } from '../timing.ts';
import { carryOut } from './handlers.ts';
import type { HandlerTarget } from './target.ts';

export interface ProbeHost {
  readonly target: HandlerTarget;
  readonly run: ContainerRun;
  /** The pod's, for a container that is ended by a probe. */
  readonly graceMs: number;
  record(event: PodEvent): void;
  /** Readiness without a readiness probe. */
  readyWithoutProbe(signal: AbortSignal): Promise<void>;
}

/**
 * Until a probe first succeeds it is tried more often than its period: nobody who waits for a start wants to wait for
 * the period too. Failures count, and are told, once a period all the same.
 */
const firstRetryMs = 50;

/** Liveness and readiness are looked at once the startup probe has succeeded. */
export async function runProbes(host: ProbeHost, signal: AbortSignal): Promise<void> {
  const { container } = host.run;
  if (container.startupProbe && !(await hasStarted(host, container.startupProbe, signal))) return;
  if (signal.aborted) return;
  host.run.setStarted(true);
  if (container.livenessProbe) void watchLiveness(host, container.livenessProbe, signal);
  if (container.readinessProbe) void watchReadiness(host, container.readinessProbe, signal);
  else await host.readyWithoutProbe(signal);
}

async function hasStarted(host: ProbeHost, probe: Probe, signal: AbortSignal): Promise<boolean> {
  for await (const isUp of verdicts(host, probe, 'Startup', false, signal)) {
    if (isUp) return true;
    endRun(host, probe, 'startup');
    return false;
  }
  return false;
}

async function watchLiveness(host: ProbeHost, probe: Probe, signal: AbortSignal): Promise<void> {
  for await (const isUp of verdicts(host, probe, 'Liveness', true, signal)) {
    if (isUp) continue;
    endRun(host, probe, 'liveness');
    return;
  }
}

async function watchReadiness(host: ProbeHost, probe: Probe, signal: AbortSignal): Promise<void> {
  for await (const isUp of verdicts(host, probe, 'Readiness', false, signal)) host.run.setReady(isUp);
}

function endRun({ run, graceMs }: ProbeHost, probe: Probe, kind: string): void {
  const seconds = probe.terminationGracePeriodSeconds;
  run.end(podEvents.probeKill(run.container.name, kind), seconds === undefined ? graceMs : seconds * 1000);
}

/** A verdict each time the thresholds are reached, whether or not it is the one before. */
async function* verdicts(
  host: ProbeHost,
  probe: Probe,
  name: string,
  isUpAtFirst: boolean,
  signal: AbortSignal,
): AsyncGenerator<boolean> {
  const { successThreshold = 1, failureThreshold = 3, periodSeconds = 10, timeoutSeconds = 1 } = probe;
  const periodMs = periodSeconds * 1000;
  let [successes, failures, retryMs, lastCountedMs] = [0, 0, firstRetryMs, Number.NEGATIVE_INFINITY];
  let hasSucceeded = isUpAtFirst;
  await pause((probe.initialDelaySeconds ?? 0) * 1000, signal);
  while (!signal.aborted) {
    const { isSuccess, output } = await carryOut(probe, host.target, timeoutSeconds * 1000, signal);
    if (signal.aborted) return;
    const nowMs = performance.now();
    if (isSuccess) {
      [successes, failures, hasSucceeded] = [successes + 1, 0, true];
      if (successes >= successThreshold) yield true;
    } else if (hasSucceeded || nowMs - lastCountedMs >= periodMs) {
      [successes, failures, lastCountedMs] = [0, failures + 1, nowMs];
      host.record(podEvents.unhealthy(name, output));
      if (failures >= failureThreshold) yield false;
    }
    await pause(hasSucceeded ? periodMs : Math.min(retryMs, periodMs), signal);
    retryMs *= 1.5;
  }
}
