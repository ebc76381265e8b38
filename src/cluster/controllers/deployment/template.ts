/** The pod template of a Deployment: its hash, and which ReplicaSet was made from it. */

import type { Deployment, PodTemplateSpec, ReplicaSet } from '../../../kubernetes/index.ts';
import { sameJson } from '../status.ts';
import { compareAge } from './plan.ts';

export const hashLabel = 'pod-template-hash';

/** The one whose template is the Deployment's; of several the oldest. */
export function findNewReplicaSet(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const wanted = withoutHash(deployment.spec.template);
  return sets.toSorted(compareAge).find(({ spec }) => sameJson(withoutHash(spec.template), wanted));
}

function withoutHash({ metadata = {}, ...rest }: PodTemplateSpec) {
  const { creationTimestamp: _, ...fields } = metadata;
  const { [hashLabel]: __, ...labels } = metadata.labels ?? {};
  return { ...rest, metadata: { ...fields, labels } };
}

/** 32-bit FNV-1a, written with letters that make no words, as Kubernetes writes its own hash of the template. */
export function templateHash(template: PodTemplateSpec, collisionCount: number): string {
  const text = canonicalJson(withoutHash(template)) + (collisionCount > 0 ? collisionCount : '');
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return String(hash >>> 0).replace(/\d/g, (digit) => alphabet[Number(digit)] ?? '');
}

/** The same text for the same value, whatever the order of its keys. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
}
