/** What a pod's status says, from what its containers do. Worded as a kubelet words it. Pure. */

import type { Condition, ContainerStatus, Pod } from '../../kubernetes/index.ts';

type PodStatus = NonNullable<Pod['status']>;
type PodPhase = NonNullable<PodStatus['phase']>;

export interface PodObservation {
  readonly pod: Pod;
  readonly now: string;
  readonly hostIP: string;
  /**
   * The conditions as last composed: their times of transition go on. The newest object is no source for them: it lags
   * behind what was written, and two writes that each go by the other's times would never agree.
   */
  readonly lastConditions: readonly Condition[];
  /** Undefined until the pod has its network. */
  readonly podIP: string | undefined;
  readonly startTime: string;
  readonly initContainers: readonly ContainerStatus[];
  readonly containers: readonly ContainerStatus[];
  /** Whether no container will be started any more. */
  readonly isFinished: boolean;
}

/** The whole status. Conditions of others (readiness gates, disruption) are kept from the newest object. */
export function podStatus(observation: PodObservation): PodStatus {
  const { pod, podIP, hostIP, startTime, initContainers, containers } = observation;
  const phase = podPhase(observation);
  const kept = pod.status ?? {};
  return {
    ...(kept.qosClass ? { qosClass: kept.qosClass } : {}),
    phase,
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(podIP ? { podIP, podIPs: [{ ip: podIP }] } : {}),
    startTime,
    conditions: podConditions(observation, phase),
    ...(initContainers.length > 0 ? { initContainerStatuses: [...initContainers] } : {}),
    containerStatuses: [...containers],
  };
}

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase */
function podPhase({ pod, initContainers, containers, isFinished }: PodObservation): PodPhase {
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (initContainers.some((status) => hasFailedForGood(status, policy))) return 'Failed';
  if (!initContainers.every(isInitialized)) return isFinished ? 'Failed' : 'Pending';
  const ended = containers.filter(({ state, lastState }) => state.terminated ?? lastState?.terminated);
  const running = containers.filter(({ state }) => state.running);
  if (containers.some(({ state, lastState }) => state.waiting && !lastState?.terminated)) {
    return isFinished ? 'Failed' : 'Pending';
  }
  const hasSidecars = initContainers.some(({ state }) => state.running);
  if (running.length > 0 || hasSidecars) return 'Running';
  if (ended.length === 0) return 'Pending';
  if (policy === 'Always' && !isFinished) return 'Running';
  const succeeded = containers.every(({ state }) => state.terminated?.exitCode === 0);
  if (succeeded) return 'Succeeded';
  return policy === 'OnFailure' && !isFinished ? 'Running' : 'Failed';
}

function hasFailedForGood({ state }: ContainerStatus, policy: string): boolean {
  return policy === 'Never' && state.terminated !== undefined && state.terminated.exitCode !== 0;
}

/** An init container is done when it ended well; a sidecar when it has started. */
export function isInitialized({ state, started }: ContainerStatus): boolean {
  return state.terminated?.exitCode === 0 || (state.running !== undefined && started === true);
}

function podConditions(observation: PodObservation, phase: PodPhase): Condition[] {
  const { pod, now, podIP, initContainers, containers, lastConditions } = observation;
  const known = pod.status?.conditions ?? [];
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name);
  const uninitialized = initContainers.filter((status) => !isInitialized(status)).map(({ name }) => name);
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  const containersReady = readyVerdict(unready, phase);
  const gates = (pod.spec.readinessGates ?? []) as { conditionType: string }[];
  const closed = gates.find(({ conditionType }) => !isTrue(known, conditionType));
  const ready: Verdict =
    closed && !containersReady.reason
      ? {
          reason: 'ReadinessGatesNotReady',
          message: `corresponding condition of pod readiness gate "${closed.conditionType}" does not exist.`,
        }
      : containersReady;
  const initialized: Verdict =
    uninitialized.length > 0 && phase !== 'Succeeded'
      ? { reason: 'ContainersNotInitialized', message: incomplete(uninitialized) }
      : phase === 'Succeeded'
        ? { isTrue: true, reason: 'PodCompleted' }
        : {};
  const own: readonly [string, Verdict][] = [
    ['PodReadyToStartContainers', podIP && !isOver ? {} : { reason: '' }],
    ['Initialized', initialized],
    ['Ready', ready],
    ['ContainersReady', containersReady],
    ['PodScheduled', {}],
  ];
  const types = own.map(([type]) => type);
  return [
    ...own.map(([type, verdict]) => condition(type, verdict, lastConditions, now)),
    ...known.filter(({ type }) => !types.includes(type)),
  ];
}

/** A condition is true unless a reason speaks against it. */
interface Verdict {
  readonly isTrue?: boolean;
  readonly reason?: string;
  readonly message?: string;
}

function readyVerdict(unready: readonly string[], phase: PodPhase): Verdict {
  if (phase === 'Succeeded') return { reason: 'PodCompleted' };
  if (phase === 'Failed') return { reason: 'PodFailed' };
  if (unready.length === 0) return {};
  return {
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

function incomplete(names: readonly string[]): string {
  return `containers with incomplete status: [${names.join(' ')}]`;
}

function isTrue(conditions: readonly Condition[], type: string): boolean {
  return conditions.some((candidate) => candidate.type === type && candidate.status === 'True');
}

function condition(type: string, verdict: Verdict, known: readonly Condition[], now: string): Condition {
  const status = verdict.isTrue || verdict.reason === undefined ? 'True' : 'False';
  const before = known.find((candidate) => candidate.type === type);
  const since = before?.status === status ? (before.lastTransitionTime ?? now) : now;
  return {
    type,
    status,
    ...(verdict.reason ? { reason: verdict.reason } : {}),
    ...(verdict.message ? { message: verdict.message } : {}),
    lastTransitionTime: since,
  };
}
