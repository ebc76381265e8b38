/** What goes on beside a container while it runs: hooks, probes, the wait for its ports, the look at its memory. */

import { parseQuantity } from '../../kubernetes/index.ts';
import type { PodNetwork } from '../network/index.ts';
import type { ContainerRun } from './container.ts';
import { type PodEvent, podEvents } from './events.ts';
import { memoryExceeded } from './memory-limit.ts';
import { portsBound } from './port-readiness.ts';
import { carryOut } from './probes/handlers.ts';
import { runProbes } from './probes/prober.ts';
import type { HandlerTarget } from './probes/target.ts';

/** A hook has no time limit but the container's own end and, before SIGTERM, the grace period. */
const hookTimeoutMs = 2 ** 31 - 1;

export interface CompanionHost {
  readonly network: PodNetwork;
  readonly networkName: string;
  readonly address: string;
  /** How long a container without probes may take to bind its ports. */
  readonly portWaitMs: number;
  /** The pod's grace period. */
  readonly graceMs: number;
  record(event: PodEvent): void;
}

/** Resolves when there is nothing more to do, at the latest when the signal aborts: the container ended. */
export async function accompany(host: CompanionHost, run: ContainerRun, signal: AbortSignal): Promise<void> {
  const target = handlerTarget(host, run);
  const limit = run.container.resources?.limits?.memory;
  if (limit !== undefined) void limitMemory(run, parseQuantity(limit), signal);
  const { postStart } = run.container.lifecycle ?? {};
  if (postStart) {
    const { isSuccess, output } = await carryOut(postStart, target, hookTimeoutMs, signal);
    if (signal.aborted) return;
    if (!isSuccess) {
      host.record(podEvents.hookFailed('PostStart', output));
      run.end(podEvents.postStartKill(run.container.name), host.graceMs);
      return;
    }
  }
  const readyWithoutProbe = () => waitForPorts(host, run, signal);
  await runProbes(
    { target, run, graceMs: host.graceMs, record: (event) => host.record(event), readyWithoutProbe },
    signal,
  );
}

/** The hook that comes before SIGTERM. A hook that fails is told of, and the container is ended all the same. */
export async function runPreStop(host: CompanionHost, run: ContainerRun, signal: AbortSignal): Promise<void> {
  const { preStop } = run.container.lifecycle ?? {};
  if (!preStop) return;
  const target = handlerTarget(host, run);
  const { isSuccess, output } = await carryOut(preStop, target, hookTimeoutMs, signal);
  if (!isSuccess && !signal.aborted) host.record(podEvents.hookFailed('PreStop', output));
}

function handlerTarget({ network, networkName, address }: CompanionHost, run: ContainerRun): HandlerTarget {
  const { container, process, plan } = run;
  const { env, workingDirectory } = plan;
  return { network, networkName, address, container, process, env, workingDirectory };
}

async function limitMemory(run: ContainerRun, limitBytes: number, signal: AbortSignal): Promise<void> {
  const bytes = await memoryExceeded(() => run.process.pid, limitBytes, signal);
  if (bytes !== undefined) run.endForMemory();
}

async function waitForPorts(host: CompanionHost, run: ContainerRun, signal: AbortSignal): Promise<void> {
  const { network, networkName, portWaitMs: limitMs } = host;
  const missing = await portsBound(run.container, { network, networkName, limitMs }, signal);
  if (signal.aborted) return;
  if (missing.length > 0) {
    host.record(podEvents.portNotBound(run.container.name, missing.join(', '), limitMs / 1000));
  }
  run.setReady(true);
}
