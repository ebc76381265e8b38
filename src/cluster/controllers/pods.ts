/** What controllers ask about a pod, and in which order they do away with them. */

import type { Condition, Pod, PodTemplateSpec } from '../../kubernetes/index.ts';

export function conditionOf(object: { status?: { conditions?: Condition[] } | undefined }, type: string) {
  return object.status?.conditions?.find((condition) => condition.type === type);
}

/** The kubelet's word; a pod on its way out may still serve. */
export function isPodReady(pod: Pod): boolean {
  return conditionOf(pod, 'Ready')?.status === 'True';
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Whether it counts as a replica: neither over nor on its way out. */
export function isPodActive(pod: Pod): boolean {
  return !isPodOver(pod) && !isTerminating(pod);
}

export function isPodOver({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** Ready for at least `minReadySeconds`. Else in how many ms it will be, undefined where it is not ready at all. */
export function availability(
  pod: Pod,
  minReadySeconds: number,
  now: Date,
): { available: boolean; inMs?: number } {
  if (!isPodReady(pod)) return { available: false };
  const since = conditionOf(pod, 'Ready')?.lastTransitionTime;
  if (minReadySeconds === 0 || since === undefined) return { available: minReadySeconds === 0 };
  const inMs = new Date(since).getTime() + minReadySeconds * 1000 - now.getTime();
  return inMs <= 0 ? { available: true } : { available: false, inMs };
}

/** What a controller creates from its template. */
export function podFromTemplate(template: PodTemplateSpec, namespace: string | undefined): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: '',
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
    },
    spec: template.spec,
  };
}

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * The first is the one to be deleted first: not on a node, pending, not ready, of lower deletion cost, one of many on
 * its node, ready for a shorter time, restarted more often, younger (ActivePodsWithRanks of the ReplicaSet controller).
 */
export function inDeletionOrder(pods: readonly Pod[]): Pod[] {
  const perNode = new Map<string, number>();
  for (const { spec } of pods) {
    perNode.set(spec.nodeName ?? '', (perNode.get(spec.nodeName ?? '') ?? 0) + 1);
  }
  const rank = (pod: Pod): number[] => [
    pod.spec.nodeName ? 1 : 0,
    phaseRank[pod.status?.phase ?? 'Pending'] ?? 0,
    isPodReady(pod) ? 1 : 0,
    Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0) || 0,
    -(perNode.get(pod.spec.nodeName ?? '') ?? 0),
    -timeOf(conditionOf(pod, 'Ready')?.lastTransitionTime),
    -restartsOf(pod),
    -timeOf(pod.metadata.creationTimestamp),
  ];
  return pods
    .map((pod) => ({ pod, rank: rank(pod) }))
    .toSorted((left, right) => compareRanks(left.rank, right.rank))
    .map(({ pod }) => pod);
}

function compareRanks(left: readonly number[], right: readonly number[]): number {
  for (const [index, value] of left.entries()) {
    const difference = value - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const timeOf = (time: string | undefined) => (time === undefined ? 0 : new Date(time).getTime());

const restartsOf = ({ status }: Pod) =>
  Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
