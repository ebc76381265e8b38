/** Keeps one pod of a DaemonSet's template on each node that takes it. */

import {
  type DaemonSet,
  daemonSets,
  type Node,
  namespacedName,
  nodes,
  type Pod,
  pods,
} from '../../kubernetes/index.ts';
import { type Controller, type ControllerContext, createControllerQueue, unlessGone } from './controller.ts';
import { resolveAmount } from './deployment/plan.ts';
import { templateHash } from './deployment/template.ts';
import type { EventRecorder } from './events.ts';
import { controllerOf, controllerReference, indexByOwner } from './ownership.ts';
import { availability, isPodActive, isPodOver, isPodReady, isTerminating, podFromTemplate } from './pods.ts';
import { reasonAgainst } from './scheduler.ts';
import { settleStatus } from './status.ts';

const revisionLabel = 'controller-revision-hash';

/** A DaemonSet's pods stay where others would leave. */
const tolerations = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];

interface Work {
  readonly context: ControllerContext;
  readonly recorder: EventRecorder;
  readonly set: DaemonSet;
  readonly hash: string;
  /** Those the set should have a pod on, in the order of their names. */
  readonly wantedOn: readonly string[];
  pods: Pod[];
}

export function startDaemonSetController(context: ControllerContext): Controller {
  const { informers, now } = context;
  const setInformer = informers.of(daemonSets);
  const podInformer = informers.of(pods);
  const nodeInformer = informers.of(nodes);
  const owned = indexByOwner(podInformer);
  const recorder = context.recorder('daemonset-controller');

  const queue = createControllerQueue(context, async (key) => {
    const set = setInformer.get(key);
    if (!set) return;
    const template = daemonPod(set);
    const takers = nodeInformer.list().filter((node) => takesPod(node, template));
    const work: Work = {
      context,
      recorder,
      set,
      hash: templateHash(set.spec.template, 0),
      wantedOn: takers.map(({ metadata }) => metadata.name).toSorted((a, b) => (a < b ? -1 : 1)),
      pods: owned.ownedBy(set.metadata.uid).filter((pod) => !isPodOver(pod)),
    };
    if (!set.metadata.deletionTimestamp) {
      await removeOver(context, owned.ownedBy(set.metadata.uid));
      await place(work, template);
      await update(work);
    }
    const retryInMs = await writeStatus(work, now());
    if (retryInMs !== undefined) queue.addAfter(key, retryInMs);
  });

  setInformer.onChange(({ object }) => queue.add(namespacedName(object)));
  podInformer.onChange(({ object }) => {
    const owner = controllerOf(object);
    if (owner?.kind === 'DaemonSet') queue.add(`${object.metadata.namespace}/${owner.name}`);
  });
  nodeInformer.onChange(() => {
    for (const set of setInformer.list()) queue.add(namespacedName(set));
  });
  return { stop: () => queue.stop() };
}

function takesPod(node: Node, pod: Pod): boolean {
  return reasonAgainst(node, pod) === undefined;
}

function daemonPod(set: DaemonSet): Pod {
  const pod = podFromTemplate(set.spec.template, set.metadata.namespace);
  const own = (pod.spec.tolerations ?? []) as object[];
  return { ...pod, spec: { ...pod.spec, tolerations: [...own, ...tolerations] } };
}

async function removeOver({ api }: ControllerContext, all: readonly Pod[]): Promise<void> {
  for (const { metadata } of all.filter((pod) => isPodOver(pod) && !isTerminating(pod))) {
    await unlessGone(api.delete(pods, metadata.namespace, metadata.name));
  }
}

/** One on each node that takes one, none elsewhere. A pod on its way out holds its node until it is gone. */
async function place(work: Work, template: Pod): Promise<void> {
  const { context, recorder, set, hash, wantedOn } = work;
  const byNode = groupByNode(work.pods);
  const missing = wantedOn.filter((node) => !byNode.has(node));
  if (missing.length > 0) {
    // The local copy may lag behind our own writes: what is really there decides.
    const { items } = await context.api.list(pods, {
      namespace: set.metadata.namespace ?? 'default',
      labelSelector: set.spec.selector,
      shared: true,
    });
    work.pods = items.filter((pod) => controllerOf(pod)?.uid === set.metadata.uid && !isPodOver(pod));
  }
  const present = groupByNode(work.pods);
  for (const node of wantedOn.filter((name) => !present.has(name))) {
    const labels = { ...template.metadata.labels, [revisionLabel]: hash };
    const metadata = {
      ...template.metadata,
      labels,
      generateName: `${set.metadata.name}-`,
      ownerReferences: [controllerReference(set)],
    };
    const pod = { ...template, metadata, spec: { ...template.spec, nodeName: node } };
    const created = await context.api.create(pods, pod);
    work.pods.push(created);
    recorder.record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
  }
  for (const [node, onNode] of present) {
    const keep = wantedOn.includes(node) ? 1 : 0;
    for (const pod of onNode.filter(isPodActive).slice(keep)) await removePod(work, pod);
  }
}

function groupByNode(all: readonly Pod[]): Map<string, Pod[]> {
  const groups = new Map<string, Pod[]>();
  for (const pod of all) {
    const node = pod.spec.nodeName ?? '';
    groups.set(node, [...(groups.get(node) ?? []), pod]);
  }
  return groups;
}

async function removePod({ context, recorder, set }: Work, { metadata }: Pod): Promise<void> {
  await unlessGone(context.api.delete(pods, metadata.namespace, metadata.name));
  recorder.record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${metadata.name}`);
}

/** Takes pods of an older template away, no more at a time than may be missing. */
async function update(work: Work): Promise<void> {
  const { set, hash, wantedOn } = work;
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type === 'OnDelete') return;
  const now = work.context.now();
  const minReady = set.spec.minReadySeconds ?? 0;
  const active = work.pods.filter(isPodActive);
  const isAvailable = (pod: Pod) => availability(pod, minReady, now).available;
  const allowed = Math.max(1, resolveAmount(rollingUpdate?.maxUnavailable ?? 1, wantedOn.length, 'up'));
  let missing = wantedOn.length - active.filter(isAvailable).length;
  const old = active.filter(({ metadata }) => metadata.labels?.[revisionLabel] !== hash);
  for (const pod of old) {
    // One that does not serve costs nothing.
    if (isAvailable(pod)) {
      if (missing >= allowed) continue;
      missing++;
    }
    await removePod(work, pod);
  }
}

async function writeStatus({ context, set, hash, wantedOn, pods: all }: Work, now: Date) {
  const active = all.filter(isPodActive);
  const onWanted = active.filter(({ spec }) => wantedOn.includes(spec.nodeName ?? ''));
  const availabilities = onWanted.map((pod) => availability(pod, set.spec.minReadySeconds ?? 0, now));
  const numberAvailable = availabilities.filter(({ available }) => available).length;
  const updated = onWanted.filter(({ metadata }) => metadata.labels?.[revisionLabel] === hash).length;
  const unavailable = wantedOn.length - numberAvailable;
  await settleStatus(context.api, daemonSets, set, {
    currentNumberScheduled: onWanted.length,
    desiredNumberScheduled: wantedOn.length,
    numberMisscheduled: active.length - onWanted.length,
    numberReady: onWanted.filter(isPodReady).length,
    ...(updated > 0 ? { updatedNumberScheduled: updated } : {}),
    ...(numberAvailable > 0 ? { numberAvailable } : {}),
    ...(unavailable > 0 ? { numberUnavailable: unavailable } : {}),
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
  });
  const delays = availabilities.flatMap(({ inMs }) => inMs ?? []);
  return delays.length > 0 ? Math.min(...delays) : undefined;
}
