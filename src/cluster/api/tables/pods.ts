/** Columns of Pods: the status that users know is worked out of phase, conditions and container states. */

import type { ContainerStatus, Pod } from '../../../kubernetes/index.ts';
import { formatAge } from './age.ts';
import { type Column, nameColumn, text, wide } from './columns.ts';
import { ageColumn } from './workloads.ts';

interface PodSummary {
  readonly status: string;
  readonly restarts: number;
  readonly lastRestart: string | undefined;
  readonly ready: number;
}

const conditionOf = (pod: Pod, type: string) =>
  pod.status?.conditions?.find((condition) => condition.type === type);

/** As kubectl users see a pod: `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating`. */
export function summarizePod(pod: Pod): PodSummary {
  const init = summarizeInitContainers(pod);
  const main = summarizeContainers(pod, init?.status ?? phaseText(pod));
  const summary = init && !isInitialized(pod) ? { ...init, ready: 0 } : main;
  return { ...summary, status: pod.metadata.deletionTimestamp ? 'Terminating' : summary.status };
}

function phaseText(pod: Pod): string {
  const reason = pod.status?.reason;
  if (typeof reason === 'string' && reason) return reason;
  if (conditionOf(pod, 'PodScheduled')?.reason === 'SchedulingGated') return 'SchedulingGated';
  return pod.status?.phase ?? 'Unknown';
}

const isInitialized = (pod: Pod) => conditionOf(pod, 'Initialized')?.status === 'True';

function terminatedText({
  reason,
  signal,
  exitCode,
}: {
  reason?: string;
  signal?: number;
  exitCode: number;
}) {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

function restartsOf(statuses: readonly ContainerStatus[]) {
  const times = statuses.map(({ lastState }) => lastState?.terminated?.finishedAt ?? '').toSorted();
  return {
    restarts: statuses.reduce((sum, status) => sum + status.restartCount, 0),
    lastRestart: times.at(-1) || undefined,
  };
}

function summarizeInitContainers(pod: Pod): Omit<PodSummary, 'ready'> | undefined {
  const statuses = (pod.status?.initContainerStatuses ?? []) as ContainerStatus[];
  const total = ((pod.spec.initContainers ?? []) as unknown[]).length;
  const index = statuses.findIndex(({ state, started, ready }) => {
    if (state.terminated) return state.terminated.exitCode !== 0;
    return !(started && ready);
  });
  const blocking = statuses[index];
  if (!blocking) return undefined;
  const { terminated, waiting } = blocking.state;
  const detail = terminated
    ? terminatedText(terminated)
    : waiting?.reason && waiting.reason !== 'PodInitializing'
      ? waiting.reason
      : `${index}/${total}`;
  return { status: `Init:${detail}`, ...restartsOf(statuses) };
}

function summarizeContainers(pod: Pod, before: string): PodSummary {
  const statuses = pod.status?.containerStatuses ?? [];
  let status = before;
  let ready = 0;
  let hasRunning = false;
  for (const { state, ready: isReady } of statuses.toReversed()) {
    if (state.waiting?.reason) status = state.waiting.reason;
    else if (state.terminated) status = terminatedText(state.terminated);
    else if (isReady && state.running) {
      hasRunning = true;
      ready += 1;
    }
  }
  if (status === 'Completed' && hasRunning) {
    status = conditionOf(pod, 'Ready')?.status === 'True' ? 'Running' : 'NotReady';
  }
  return { status, ready, ...restartsOf(statuses) };
}

function restartsText(pod: Pod, now: Date): string {
  const { restarts, lastRestart } = summarizePod(pod);
  if (restarts === 0 || !lastRestart) return String(restarts);
  return `${restarts} (${formatAge(lastRestart, now)} ago)`;
}

function readinessGatesText(pod: Pod): string {
  const gates = (pod.spec.readinessGates ?? []) as { conditionType: string }[];
  if (gates.length === 0) return '<none>';
  const passed = gates.filter((gate) => conditionOf(pod, gate.conditionType)?.status === 'True');
  return `${passed.length}/${gates.length}`;
}

export const podColumns: Column<Pod>[] = [
  nameColumn,
  text('Ready', (pod) => `${summarizePod(pod).ready}/${pod.spec.containers.length}`),
  text('Status', (pod) => summarizePod(pod).status),
  text('Restarts', restartsText),
  ageColumn,
  wide('IP', (pod) => pod.status?.podIP || '<none>'),
  wide('Node', (pod) => pod.spec.nodeName || '<none>'),
  wide('Nominated Node', (pod) => (pod.status?.nominatedNodeName as string | undefined) || '<none>'),
  wide('Readiness Gates', readinessGatesText),
];
