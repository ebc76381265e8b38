/** Keeps the numbered pods of a StatefulSet: created in order, taken away and updated in the reverse order. */

import { namespacedName, type Pod, pods, type StatefulSet, statefulSets } from '../../kubernetes/index.ts';
import { type Controller, type ControllerContext, createControllerQueue, unlessGone } from './controller.ts';
import { templateHash } from './deployment/template.ts';
import type { EventRecorder } from './events.ts';
import { controllerOf, controllerReference, indexByOwner } from './ownership.ts';
import { availability, isPodOver, isPodReady, isTerminating, podFromTemplate } from './pods.ts';
import { settleStatus } from './status.ts';

const revisionLabel = 'controller-revision-hash';
const podNameLabel = 'statefulset.kubernetes.io/pod-name';
const podIndexLabel = 'apps.kubernetes.io/pod-index';

interface Work {
  readonly context: ControllerContext;
  readonly recorder: EventRecorder;
  readonly set: StatefulSet;
  /** Of the template as it is now. */
  readonly revision: string;
  /** By ordinal. */
  readonly pods: Map<number, Pod>;
}

export function startStatefulSetController(context: ControllerContext): Controller {
  const { informers, now } = context;
  const setInformer = informers.of(statefulSets);
  const podInformer = informers.of(pods);
  const owned = indexByOwner(podInformer);
  const recorder = context.recorder('statefulset-controller');

  const queue = createControllerQueue(context, async (key) => {
    const set = setInformer.get(key);
    if (!set) return;
    const own = owned.ownedBy(set.metadata.uid);
    const work: Work = {
      context,
      recorder,
      set,
      revision: `${set.metadata.name}-${templateHash(set.spec.template, 0)}`,
      pods: new Map(own.map((pod) => [ordinalOf(pod), pod])),
    };
    if (!set.metadata.deletionTimestamp) await bringInOrder(work);
    const retryInMs = await writeStatus(work, now());
    if (retryInMs !== undefined) queue.addAfter(key, retryInMs);
  });

  setInformer.onChange(({ object }) => queue.add(namespacedName(object)));
  podInformer.onChange(({ object }) => {
    const owner = controllerOf(object);
    if (owner?.kind === 'StatefulSet') queue.add(`${object.metadata.namespace}/${owner.name}`);
  });
  return { stop: () => queue.stop() };
}

const ordinalOf = ({ metadata }: Pod) => Number(/-(\d+)$/.exec(metadata.name)?.[1] ?? -1);

/** The names are fixed, so that a copy that lags behind can lead to AlreadyExists, never to a pod too many. */
async function bringInOrder(work: Work): Promise<void> {
  const { set } = work;
  const first = set.spec.ordinals?.start ?? 0;
  const end = first + (set.spec.replicas ?? 1);
  const inOrder = set.spec.podManagementPolicy !== 'Parallel';
  for (let ordinal = first; ordinal < end; ordinal++) {
    const pod = work.pods.get(ordinal);
    if (!pod) await createPod(work, ordinal);
    else if (isPodOver(pod) && !isTerminating(pod)) await removePod(work, pod);
    else if (isHealthy(work, pod)) continue;
    if (inOrder) return;
  }
  const surplus = [...work.pods.keys()]
    .filter((ordinal) => ordinal < first || ordinal >= end)
    .toSorted((left, right) => right - left);
  for (const ordinal of surplus) {
    const pod = work.pods.get(ordinal);
    if (pod && !isTerminating(pod)) await removePod(work, pod);
    if (inOrder) return;
  }
  await update(work, first, end);
}

/** Highest first, one at a time: the next goes when this one is back and healthy. */
async function update(work: Work, first: number, end: number): Promise<void> {
  const { type, rollingUpdate } = work.set.spec.updateStrategy ?? {};
  if (type === 'OnDelete') return;
  const lowest = Math.max(first, rollingUpdate?.partition ?? 0);
  for (let ordinal = end - 1; ordinal >= lowest; ordinal--) {
    const pod = work.pods.get(ordinal);
    if (!pod) return;
    if (pod.metadata.labels?.[revisionLabel] !== work.revision) {
      if (!isTerminating(pod)) await removePod(work, pod);
      return;
    }
    if (!isHealthy(work, pod)) return;
  }
}

function isHealthy({ set, context }: Work, pod: Pod): boolean {
  return !isTerminating(pod) && availability(pod, set.spec.minReadySeconds ?? 0, context.now()).available;
}

async function createPod({ context, recorder, set, revision }: Work, ordinal: number): Promise<void> {
  const name = `${set.metadata.name}-${ordinal}`;
  const pod = podFromTemplate(set.spec.template, set.metadata.namespace);
  const { serviceName, volumeClaimTemplates = [] } = set.spec;
  // There are no persistent volumes here: a claim is an empty directory that lives as long as its pod.
  const claims = volumeClaimTemplates.map(({ metadata }) => ({ name: metadata?.name, emptyDir: {} }));
  const volumes = [...((pod.spec.volumes ?? []) as object[]), ...claims];
  await context.api.create(pods, {
    ...pod,
    metadata: {
      ...pod.metadata,
      name,
      labels: {
        ...pod.metadata.labels,
        [revisionLabel]: revision,
        [podNameLabel]: name,
        [podIndexLabel]: String(ordinal),
      },
      ownerReferences: [controllerReference(set)],
    },
    spec: {
      ...pod.spec,
      hostname: name,
      ...(serviceName === undefined ? {} : { subdomain: serviceName }),
      ...(volumes.length > 0 ? { volumes } : {}),
    },
  });
  const message = `create Pod ${name} in StatefulSet ${set.metadata.name} successful`;
  recorder.record(set, 'Normal', 'SuccessfulCreate', message);
}

async function removePod({ context, recorder, set }: Work, { metadata }: Pod): Promise<void> {
  await unlessGone(context.api.delete(pods, metadata.namespace, metadata.name));
  const message = `delete Pod ${metadata.name} in StatefulSet ${set.metadata.name} successful`;
  recorder.record(set, 'Normal', 'SuccessfulDelete', message);
}

async function writeStatus(
  { context, set, revision, pods: all }: Work,
  now: Date,
): Promise<number | undefined> {
  const present = [...all.values()].filter((pod) => !isPodOver(pod) && !isTerminating(pod));
  const availabilities = present.map((pod) => availability(pod, set.spec.minReadySeconds ?? 0, now));
  const availableReplicas = availabilities.filter(({ available }) => available).length;
  const updated = present.filter(({ metadata }) => metadata.labels?.[revisionLabel] === revision);
  const wanted = set.spec.replicas ?? 1;
  const before = set.status?.currentRevision ?? revision;
  const isDone = updated.length === wanted && present.length === wanted && availableReplicas === wanted;
  const currentRevision = isDone ? revision : before;
  const current = present.filter(({ metadata }) => metadata.labels?.[revisionLabel] === currentRevision);
  const readyReplicas = present.filter(isPodReady).length;
  await settleStatus(context.api, statefulSets, set, {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: present.length,
    ...(readyReplicas > 0 ? { readyReplicas } : {}),
    availableReplicas,
    ...(current.length > 0 ? { currentReplicas: current.length } : {}),
    ...(updated.length > 0 ? { updatedReplicas: updated.length } : {}),
    currentRevision,
    updateRevision: revision,
    collisionCount: 0,
  });
  const delays = availabilities.flatMap(({ inMs }) => inMs ?? []);
  return delays.length > 0 ? Math.min(...delays) : undefined;
}
