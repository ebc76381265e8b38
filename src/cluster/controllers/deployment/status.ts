/** The status of a Deployment, from its ReplicaSets and the clock. Pure. */

import type { Condition, Deployment, ReplicaSet } from '../../../kubernetes/index.ts';
import { conditionOf } from '../pods.ts';
import { boundsOf, replicasOf, specReplicas, sum } from './plan.ts';

export interface Rollout {
  readonly deployment: Deployment;
  readonly newSet: ReplicaSet | undefined;
  readonly all: readonly ReplicaSet[];
  /** The new ReplicaSet was created just now, or found to be there already. */
  readonly newSetReason: 'NewReplicaSetCreated' | 'FoundNewReplicaSet' | undefined;
  readonly now: Date;
}

export interface StatusPlan {
  readonly status: NonNullable<Deployment['status']>;
  /** When the progress deadline passes, if nothing moves until then. */
  readonly deadlineInMs: number | undefined;
}

export function planStatus(rollout: Rollout): StatusPlan {
  const { deployment, newSet, all } = rollout;
  const count = (measure: (set: ReplicaSet) => number | undefined) => sum(all, (set) => measure(set) ?? 0);
  const available = count(({ status }) => status?.availableReplicas);
  const updated = newSet?.status?.replicas ?? 0;
  const ready = count(({ status }) => status?.readyReplicas);
  const replicas = count(({ status }) => status?.replicas);
  const unavailable = Math.max(0, sum(all, specReplicas) - available);
  const collisionCount = deployment.status?.collisionCount;
  const counts = { replicas, updated, available };
  const { progressing, deadlineInMs } = planProgress(rollout, counts);
  const conditions = [
    transition(deployment, availableCondition(deployment, available), rollout.now),
    ...(progressing ? [progressing] : []),
    ...failureConditions(rollout),
  ];
  return {
    status: {
      ...(deployment.metadata.generation === undefined
        ? {}
        : { observedGeneration: deployment.metadata.generation }),
      ...(replicas > 0 ? { replicas } : {}),
      ...(updated > 0 ? { updatedReplicas: updated } : {}),
      ...(ready > 0 ? { readyReplicas: ready } : {}),
      ...(available > 0 ? { availableReplicas: available } : {}),
      ...(unavailable > 0 ? { unavailableReplicas: unavailable } : {}),
      ...(collisionCount === undefined ? {} : { collisionCount }),
      conditions,
    },
    deadlineInMs,
  };
}

type Statement = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

function availableCondition(deployment: Deployment, available: number): Statement {
  const enough = available >= replicasOf(deployment.spec) - boundsOf(deployment).maxUnavailable;
  return enough
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

/** The first failing ReplicaSet speaks for the Deployment. */
function failureConditions({ deployment, all, now }: Rollout): Condition[] {
  const failure = all
    .map(({ status }) =>
      ((status?.conditions ?? []) as Condition[]).find(({ type }) => type === 'ReplicaFailure'),
    )
    .find((condition) => condition !== undefined);
  return failure ? [transition(deployment, failure, now)] : [];
}

interface Counts {
  readonly replicas: number;
  readonly updated: number;
  readonly available: number;
}

function planProgress(
  rollout: Rollout,
  counts: Counts,
): { progressing: Condition | undefined; deadlineInMs: number | undefined } {
  const { deployment, newSet, newSetReason, now } = rollout;
  const present = conditionOf(deployment, 'Progressing');
  const name = newSet?.metadata.name ?? '';
  const settled = (reason: string, message: string, status: Condition['status'] = 'True') =>
    transition(deployment, { type: 'Progressing', status, reason, message }, now);

  if (deployment.spec.paused) {
    const wasTimedOut = present?.reason === 'ProgressDeadlineExceeded';
    return {
      progressing: wasTimedOut ? present : settled('DeploymentPaused', 'Deployment is paused', 'Unknown'),
      deadlineInMs: undefined,
    };
  }
  const wanted = replicasOf(deployment.spec);
  const complete = counts.updated === wanted && counts.replicas === wanted && counts.available === wanted;
  if (newSet && complete) {
    const message = `ReplicaSet "${name}" has successfully progressed.`;
    return { progressing: settled('NewReplicaSetAvailable', message), deadlineInMs: undefined };
  }
  if (newSetReason === 'NewReplicaSetCreated') {
    const message = `Created new replica set "${name}"`;
    return { progressing: settled(newSetReason, message), deadlineInMs: deadlineOf(deployment) };
  }
  if (newSetReason === 'FoundNewReplicaSet' && !present) {
    const message = `Found new replica set "${name}"`;
    return { progressing: settled(newSetReason, message), deadlineInMs: deadlineOf(deployment) };
  }
  if (hasMoved(deployment, counts) || !present || present.reason === 'DeploymentPaused') {
    const fresh = settled('ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`);
    return {
      progressing: { ...fresh, lastUpdateTime: timeOf(now) },
      deadlineInMs: deadlineOf(deployment),
    };
  }
  return timeOut(rollout, present, name, settled);
}

function timeOut(
  { deployment, now }: Rollout,
  present: Condition,
  name: string,
  settled: (reason: string, message: string, status: Condition['status']) => Condition,
) {
  const deadlineMs = deadlineOf(deployment);
  // A finished rollout that lost pods has no deadline to meet.
  if (deadlineMs === undefined || present.reason === 'NewReplicaSetAvailable') {
    return { progressing: present, deadlineInMs: undefined };
  }
  if (present.reason === 'ProgressDeadlineExceeded') return { progressing: present, deadlineInMs: undefined };
  const since = new Date(
    (present.lastUpdateTime as string | undefined) ?? present.lastTransitionTime ?? 0,
  ).getTime();
  const leftMs = since + deadlineMs - now.getTime();
  if (leftMs > 0) return { progressing: present, deadlineInMs: leftMs };
  const message = `ReplicaSet "${name}" has timed out progressing.`;
  return { progressing: settled('ProgressDeadlineExceeded', message, 'False'), deadlineInMs: undefined };
}

function deadlineOf({ spec }: Deployment): number | undefined {
  const seconds = Number(spec.progressDeadlineSeconds ?? 600);
  // The API's own way to say: never (math.MaxInt32).
  return seconds === 2 ** 31 - 1 ? undefined : seconds * 1000;
}

/** More pods of the new template, fewer of the old, or more that serve. */
function hasMoved({ status }: Deployment, { replicas, updated, available }: Counts): boolean {
  const before = {
    replicas: status?.replicas ?? 0,
    updated: status?.updatedReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
  };
  return (
    updated > before.updated ||
    replicas - updated < before.replicas - before.updated ||
    available > before.available
  );
}

/** Times stay where nothing changed: a status that says the same is not written again. */
function transition(deployment: Deployment, next: Statement, now: Date): Condition {
  const present = conditionOf(deployment, next.type);
  const { type, status, reason, message } = next;
  if (present && present.status === status && present.reason === reason && present.message === message) {
    return present;
  }
  const time = timeOf(now);
  const lastTransitionTime = present?.status === status ? (present.lastTransitionTime ?? time) : time;
  return {
    type,
    status,
    lastUpdateTime: time,
    lastTransitionTime,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

const timeOf = (date: Date) => `${date.toISOString().slice(0, 19)}Z`;
