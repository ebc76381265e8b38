/** The arithmetic of a Deployment: how many pods each of its ReplicaSets should have next. Pure. */

import type { Deployment, ReplicaSet } from '../../../kubernetes/index.ts';

export interface Bounds {
  /** Pods above `replicas` that may be there during an update. */
  readonly maxSurge: number;
  /** Pods below `replicas` that may be missing during an update. */
  readonly maxUnavailable: number;
}

const percentage = /^(\d+)%$/;

/** A number, or a percentage of `total`. */
export function resolveAmount(
  amount: number | string | undefined,
  total: number,
  round: 'up' | 'down',
): number {
  if (typeof amount === 'number') return amount;
  const percent = Number(percentage.exec(amount ?? '')?.[1] ?? 0);
  const exact = (percent * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}

/** Surge is rounded up, unavailability down; where both come to 0 one pod may be missing, or nothing could move. */
export function boundsOf({ spec }: Deployment): Bounds {
  const replicas = replicasOf(spec);
  if (spec.strategy?.type === 'Recreate') return { maxSurge: 0, maxUnavailable: replicas };
  const { maxSurge, maxUnavailable } = spec.strategy?.rollingUpdate ?? {};
  const surge = resolveAmount(maxSurge ?? '25%', replicas, 'up');
  const unavailable = resolveAmount(maxUnavailable ?? '25%', replicas, 'down');
  if (surge === 0 && unavailable === 0) return { maxSurge: 0, maxUnavailable: 1 };
  return { maxSurge: surge, maxUnavailable: Math.min(unavailable, replicas) };
}

export const replicasOf = ({ replicas }: { replicas?: number }) => replicas ?? 1;
export const specReplicas = (set: ReplicaSet) => replicasOf(set.spec);
export const sum = (sets: readonly ReplicaSet[], measure: (set: ReplicaSet) => number) =>
  sets.reduce((total, set) => total + measure(set), 0);

const available = (set: ReplicaSet) => set.status?.availableReplicas ?? 0;

/**
 * Of the new ReplicaSet in a rolling update: as many as the surge leaves room for. An old one counts with the pods it
 * has, until it has really let go of those it should not have: the real controller goes by what should be alone, and
 * has more pods than the surge allows for a moment.
 */
export function newReplicaCount(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newSet: ReplicaSet,
): number {
  const wanted = replicasOf(deployment.spec);
  const has = specReplicas(newSet);
  if (deployment.spec.strategy?.type === 'Recreate' || has > wanted) return wanted;
  const counted = (set: ReplicaSet) =>
    set === newSet ? has : Math.max(specReplicas(set), set.status?.replicas ?? 0);
  const room = wanted + boundsOf(deployment).maxSurge - sum(all, counted);
  return room <= 0 ? has : has + Math.min(room, wanted - has);
}

/**
 * Of the old ones in a rolling update, oldest first: pods that do not serve go first, then as many as leave
 * `replicas - maxUnavailable` available. By name; only those that change.
 */
export function oldReplicaCounts(
  deployment: Deployment,
  old: readonly ReplicaSet[],
  newSet: ReplicaSet,
): Map<string, number> {
  const counts = new Map<string, number>();
  const minAvailable = replicasOf(deployment.spec) - boundsOf(deployment).maxUnavailable;
  const newUnavailable = specReplicas(newSet) - available(newSet);
  const removable = sum(old, specReplicas) + specReplicas(newSet) - minAvailable - newUnavailable;
  if (removable <= 0) return counts;

  const byAge = old.toSorted((left, right) => compareAge(left, right));
  let left = removable;
  for (const set of byAge) {
    const unhealthy = Math.min(left, Math.max(0, specReplicas(set) - available(set)));
    if (unhealthy === 0) continue;
    counts.set(set.metadata.name, specReplicas(set) - unhealthy);
    left -= unhealthy;
  }
  const count = (set: ReplicaSet) => counts.get(set.metadata.name) ?? specReplicas(set);
  let spare = sum(old, available) + available(newSet) - minAvailable;
  for (const set of byAge) {
    const less = Math.min(count(set), Math.max(spare, 0));
    if (less === 0) continue;
    counts.set(set.metadata.name, count(set) - less);
    spare -= less;
  }
  return counts;
}

/**
 * When `replicas` changes in the middle of an update, every active ReplicaSet gets its share of the difference, the
 * larger ones first. By name.
 */
export function proportionalCounts(
  deployment: Deployment,
  active: readonly ReplicaSet[],
  desiredBefore: (set: ReplicaSet) => number,
): Map<string, number> {
  const allowed = replicasOf(deployment.spec) + boundsOf(deployment).maxSurge;
  const current = sum(active, specReplicas);
  const difference = replicasOf(deployment.spec) > 0 ? allowed - current : -current;
  const sorted = active.toSorted(
    (a, b) => specReplicas(b) - specReplicas(a) || (difference > 0 ? compareAge(b, a) : compareAge(a, b)),
  );
  const counts = new Map<string, number>();
  let given = 0;
  for (const set of sorted) {
    const share = difference === 0 ? 0 : shareOf(set, desiredBefore(set), allowed, difference, given);
    counts.set(set.metadata.name, specReplicas(set) + share);
    given += share;
  }
  const [first] = sorted;
  if (first && difference !== given) {
    const corrected = (counts.get(first.metadata.name) ?? 0) + difference - given;
    counts.set(first.metadata.name, Math.max(0, corrected));
  }
  return counts;
}

function shareOf(
  set: ReplicaSet,
  before: number,
  allowed: number,
  difference: number,
  given: number,
): number {
  if (specReplicas(set) === 0 || before === 0) return 0;
  const share = Math.round((specReplicas(set) * allowed) / before) - specReplicas(set);
  const left = difference - given;
  return difference > 0 ? Math.min(share, left) : Math.max(share, left);
}

export function compareAge(left: ReplicaSet, right: ReplicaSet): number {
  const [a, b] = [left.metadata.creationTimestamp ?? '', right.metadata.creationTimestamp ?? ''];
  if (a !== b) return a < b ? -1 : 1;
  return left.metadata.name < right.metadata.name ? -1 : 1;
}
