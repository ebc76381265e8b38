/** Gives each new pod a node: one that takes pods and has the fewest. */

import { type Node, namespacedName, nodes, type Pod, pods } from '../../kubernetes/index.ts';
import { type Controller, type ControllerContext, createControllerQueue, unlessGone } from './controller.ts';
import { conditionOf, isPodActive, isPodOver } from './pods.ts';

const schedulerName = 'default-scheduler';
/** How long until a pod that found no node is tried again; a change of a node tries it at once. */
const retryMs = 10_000;

export function startScheduler(context: ControllerContext): Controller {
  const { api, informers, now } = context;
  const podInformer = informers.of(pods);
  const nodeInformer = informers.of(nodes);
  const recorder = context.recorder(schedulerName);
  const unplaced = new Set<string>();
  const podsOn = new Map<string, Set<string>>();

  const queue = createControllerQueue(context, async (key) => {
    const pod = podInformer.get(key);
    if (!pod || pod.spec.nodeName || !isPodActive(pod)) {
      unplaced.delete(key);
      return;
    }
    const present = nodeInformer.list();
    const reasons = present.map(
      (node) => reasonAgainst(node, pod) ?? (isFull(node) ? 'Too many pods' : undefined),
    );
    const fitting = present.filter((_, index) => reasons[index] === undefined);
    const [node] = fitting.toSorted((left, right) => load(left) - load(right));
    if (!node) {
      await reportUnschedulable(key, pod, reasons);
      return;
    }
    const bound = await unlessGone(
      api.update(pods, { ...pod, spec: { ...pod.spec, nodeName: node.metadata.name } }),
    );
    if (!bound) return;
    // At once: the next pod in the queue must not count on the same place.
    holdersOf(node.metadata.name).add(key);
    unplaced.delete(key);
    const message = `Successfully assigned ${key} to ${node.metadata.name}`;
    recorder.record(pod, 'Normal', 'Scheduled', message);
  });
  const holdersOf = (nodeName: string) => {
    const holders = podsOn.get(nodeName) ?? new Set<string>();
    podsOn.set(nodeName, holders);
    return holders;
  };
  const load = (node: Node) => podsOn.get(node.metadata.name)?.size ?? 0;
  const isFull = (node: Node) =>
    load(node) >= Number(node.status?.allocatable?.pods ?? Number.POSITIVE_INFINITY);

  const reportUnschedulable = async (key: string, pod: Pod, reasons: readonly (string | undefined)[]) => {
    unplaced.add(key);
    queue.addAfter(key, retryMs);
    const message = explain(reasons);
    if (conditionOf(pod, 'PodScheduled')?.message === message) return;
    recorder.record(pod, 'Warning', 'FailedScheduling', message);
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
    const condition = {
      type: 'PodScheduled',
      status: 'False' as const,
      reason: 'Unschedulable',
      message,
      lastTransitionTime: `${now().toISOString().slice(0, 19)}Z`,
    };
    const status = { ...pod.status, conditions: [...others, condition] };
    await unlessGone(api.updateStatus(pods, { ...pod, status }));
  };

  podInformer.onChange(({ type, object }) => {
    const key = namespacedName(object);
    const { nodeName } = object.spec;
    if (nodeName) {
      const held = holdersOf(nodeName);
      const isHeld = type !== 'DELETED' && !isPodOver(object);
      if (isHeld) held.add(key);
      else if (held.delete(key)) for (const other of unplaced) queue.add(other);
    } else if (type !== 'DELETED' && (object.spec.schedulerName ?? schedulerName) === schedulerName) {
      queue.add(key);
    }
  });
  nodeInformer.onChange(() => {
    for (const key of unplaced) queue.add(key);
  });
  return { stop: () => queue.stop() };
}

/** Undefined where the node takes the pod; else worded as the real scheduler words it. */
export function reasonAgainst(node: Node, pod: Pod): string | undefined {
  const { labels = {}, name } = node.metadata;
  const wanted = Object.entries((pod.spec.nodeSelector ?? {}) as Record<string, string>);
  if (node.spec?.unschedulable && !tolerates(pod, 'node.kubernetes.io/unschedulable', '', 'NoSchedule')) {
    return 'node(s) were unschedulable';
  }
  if (conditionOf(node, 'Ready')?.status !== 'True') {
    return 'node(s) had untolerated taint {node.kubernetes.io/not-ready: }';
  }
  const taint = (node.spec?.taints ?? []).find(
    ({ key, value = '', effect }) => effect !== 'PreferNoSchedule' && !tolerates(pod, key, value, effect),
  );
  if (taint) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
  const fits = wanted.every(
    ([key, value]) => (key === 'kubernetes.io/hostname' ? (labels[key] ?? name) : labels[key]) === value,
  );
  return fits ? undefined : "node(s) didn't match Pod's node affinity/selector";
}

interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
}

function tolerates(pod: Pod, key: string, value: string, effect: string): boolean {
  return ((pod.spec.tolerations ?? []) as Toleration[]).some(
    (toleration) =>
      (!toleration.effect || toleration.effect === effect) &&
      (!toleration.key || toleration.key === key) &&
      (toleration.operator === 'Exists' || (toleration.value ?? '') === value),
  );
}

function explain(reasons: readonly (string | undefined)[]): string {
  if (reasons.length === 0) return 'no nodes available to schedule pods';
  const counts = new Map<string, number>();
  for (const reason of reasons) if (reason) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`).toSorted();
  return `0/${reasons.length} nodes are available: ${parts.join(', ')}. preemption: 0/${reasons.length} nodes are available: ${reasons.length} Preemption is not helpful for scheduling.`;
}
