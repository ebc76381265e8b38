/** Revisions: which ReplicaSet was rolled out when, for `kubectl rollout history` and `undo`. */

import type { Deployment, ReplicaSet } from '../../../kubernetes/index.ts';
import { boundsOf, replicasOf } from './plan.ts';

export const revisionAnnotation = 'deployment.kubernetes.io/revision';
export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
const maxAnnotation = 'deployment.kubernetes.io/max-replicas';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';

/** Not the ReplicaSet's to carry: they say something about the Deployment itself. */
const ownAnnotations = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
]);

const maxHistoryLength = 2000;

export function revisionOf({ metadata }: { metadata: ReplicaSet['metadata'] }): number {
  return Number(metadata.annotations?.[revisionAnnotation] ?? 0) || 0;
}

/** The ReplicaSet that is rolled out has the highest revision: one that comes back gets a new one. */
export function nextRevision(old: readonly ReplicaSet[]): number {
  return Math.max(0, ...old.map(revisionOf)) + 1;
}

/** The annotations of the new ReplicaSet: the Deployment's, the revision, and the sizes `scale` goes by. */
export function newSetAnnotations(
  deployment: Deployment,
  set: ReplicaSet | undefined,
  revision: number,
): Record<string, string> {
  const present = set?.metadata.annotations ?? {};
  const inherited = Object.entries(deployment.metadata.annotations ?? {}).filter(
    ([key]) => !ownAnnotations.has(key),
  );
  const before = present[revisionAnnotation];
  const history = present[historyAnnotation];
  const isRevived = before !== undefined && Number(before) < revision;
  const pastRevisions = isRevived ? trimHistory(history ? `${history},${before}` : before) : history;
  return {
    ...present,
    ...Object.fromEntries(inherited),
    [revisionAnnotation]: String(Math.max(Number(before ?? 0), revision)),
    ...(pastRevisions === undefined ? {} : { [historyAnnotation]: pastRevisions }),
    ...sizeAnnotations(deployment),
  };
}

function trimHistory(history: string): string {
  let trimmed = history;
  while (trimmed.length > maxHistoryLength) trimmed = trimmed.slice(trimmed.indexOf(',') + 1);
  return trimmed;
}

/** How large the Deployment was when the ReplicaSet was last scaled. */
export function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const replicas = replicasOf(deployment.spec);
  return {
    [desiredAnnotation]: String(replicas),
    [maxAnnotation]: String(replicas + boundsOf(deployment).maxSurge),
  };
}

export function desiredBefore(set: ReplicaSet): number | undefined {
  const text = set.metadata.annotations?.[desiredAnnotation];
  return text === undefined ? undefined : Number(text);
}

export function maxBefore(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[maxAnnotation] ?? 0) || 0;
}

/** What `revisionHistoryLimit` no longer keeps, oldest first: only what is scaled down altogether. */
export function forgotten(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const surplus = old.length - limit;
  if (surplus <= 0) return [];
  return old
    .toSorted((left, right) => revisionOf(left) - revisionOf(right))
    .slice(0, surplus)
    .filter(
      ({ spec, status, metadata }) =>
        replicasOf(spec) === 0 && (status?.replicas ?? 0) === 0 && !metadata.deletionTimestamp,
    );
}
