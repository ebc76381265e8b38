/** Keeps as many pods of a ReplicaSet's template as it asks for. */

import {
  type Condition,
  namespacedName,
  type ObjectApi,
  type Pod,
  pods,
  type ReplicaSet,
  replicaSets,
} from '../../kubernetes/index.ts';
import { type Controller, type ControllerContext, createControllerQueue, unlessGone } from './controller.ts';
import type { EventRecorder } from './events.ts';
import { controllerOf, controllerReference, indexByOwner } from './ownership.ts';
import { availability, inDeletionOrder, isPodActive, isPodReady, podFromTemplate } from './pods.ts';
import { settleStatus } from './status.ts';

/** Pods created at once when they fail: doubled with each round that went well, as the real controller does it. */
const firstBatch = 1;

export function startReplicaSetController(context: ControllerContext): Controller {
  const { api, informers, now } = context;
  const sets = informers.of(replicaSets);
  const podInformer = informers.of(pods);
  const owned = indexByOwner(podInformer);
  const recorder = context.recorder('replicaset-controller');

  const queue = createControllerQueue(context, async (key) => {
    const set = sets.get(key);
    if (!set) return;
    for (const orphan of owned.orphans(set.metadata.namespace, set.spec.selector))
      await adopt(api, set, orphan);
    let active = owned.ownedBy(set.metadata.uid).filter(isPodActive);
    const wanted = set.spec.replicas ?? 1;
    let failure: unknown;
    if (!set.metadata.deletionTimestamp && active.length !== wanted) {
      // The local copy may lag behind our own writes: what is really there decides.
      active = await readActive(api, set);
      try {
        await scale(api, recorder, set, active);
      } catch (error) {
        failure = error;
      }
    }
    const retryInMs = await writeStatus(api, set, active, now(), failure);
    if (retryInMs !== undefined) queue.addAfter(key, retryInMs);
    if (failure) throw failure;
  });

  sets.onChange(({ object }) => queue.add(namespacedName(object)));
  podInformer.onChange(({ object }) => {
    const owner = controllerOf(object);
    if (owner?.kind === 'ReplicaSet') queue.add(`${object.metadata.namespace}/${owner.name}`);
    else if (!owner) {
      for (const set of sets.list()) {
        if (set.metadata.namespace === object.metadata.namespace && couldAdopt(set, object)) {
          queue.add(namespacedName(set));
        }
      }
    }
  });
  return { stop: () => queue.stop() };
}

function couldAdopt({ spec }: ReplicaSet, pod: Pod): boolean {
  const wanted = Object.entries(spec.selector.matchLabels ?? {});
  return wanted.every(([key, value]) => pod.metadata.labels?.[key] === value);
}

async function adopt(api: ObjectApi, set: ReplicaSet, pod: Pod): Promise<void> {
  if (set.metadata.deletionTimestamp || !isPodActive(pod)) return;
  const ownerReferences = [...(pod.metadata.ownerReferences ?? []), controllerReference(set)];
  await unlessGone(api.update(pods, { ...pod, metadata: { ...pod.metadata, ownerReferences } }));
}

async function readActive(api: ObjectApi, set: ReplicaSet): Promise<Pod[]> {
  const { items } = await api.list(pods, {
    namespace: set.metadata.namespace ?? 'default',
    labelSelector: set.spec.selector,
    shared: true,
  });
  return items.filter((pod) => isPodActive(pod) && controllerOf(pod)?.uid === set.metadata.uid);
}

/** Changes `active` along with what it does. */
async function scale(api: ObjectApi, recorder: EventRecorder, set: ReplicaSet, active: Pod[]): Promise<void> {
  const missing = (set.spec.replicas ?? 1) - active.length;
  if (missing > 0) await createPods(api, recorder, set, active, missing);
  for (const pod of inDeletionOrder(active).slice(0, Math.max(-missing, 0))) {
    await unlessGone(api.delete(pods, pod.metadata.namespace, pod.metadata.name));
    active.splice(active.indexOf(pod), 1);
    recorder.record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  }
}

async function createPods(
  api: ObjectApi,
  recorder: EventRecorder,
  set: ReplicaSet,
  active: Pod[],
  missing: number,
): Promise<void> {
  const pod = podFromTemplate(set.spec.template, set.metadata.namespace);
  pod.metadata.generateName = `${set.metadata.name}-`;
  pod.metadata.ownerReferences = [controllerReference(set)];
  let created = 0;
  for (let batch = firstBatch; created < missing; batch *= 2) {
    const size = Math.min(batch, missing - created);
    const results = await Promise.allSettled(Array.from({ length: size }, () => api.create(pods, pod)));
    for (const result of results) {
      if (result.status === 'rejected') {
        recorder.record(set, 'Warning', 'FailedCreate', `Error creating: ${messageOf(result.reason)}`);
        throw result.reason;
      }
      active.push(result.value);
      recorder.record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${result.value.metadata.name}`);
    }
    created += size;
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Returns in how many ms a pod becomes available by the mere passing of time. */
async function writeStatus(
  api: ObjectApi,
  set: ReplicaSet,
  active: readonly Pod[],
  now: Date,
  failure: unknown,
): Promise<number | undefined> {
  const templateLabels = Object.entries(set.spec.template.metadata?.labels ?? {});
  const availabilities = active.map((pod) => availability(pod, Number(set.spec.minReadySeconds ?? 0), now));
  const readyReplicas = active.filter(isPodReady).length;
  const availableReplicas = availabilities.filter(({ available }) => available).length;
  const fullyLabeledReplicas = active.filter(({ metadata }) =>
    templateLabels.every(([key, value]) => metadata.labels?.[key] === value),
  ).length;
  await settleStatus(api, replicaSets, set, {
    replicas: active.length,
    ...(fullyLabeledReplicas > 0 ? { fullyLabeledReplicas } : {}),
    ...(readyReplicas > 0 ? { readyReplicas } : {}),
    ...(availableReplicas > 0 ? { availableReplicas } : {}),
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(failure ? { conditions: [failureCondition(set, failure, now)] } : {}),
  });
  const delays = availabilities.flatMap(({ inMs }) => inMs ?? []);
  return delays.length > 0 ? Math.min(...delays) : undefined;
}

function failureCondition(set: ReplicaSet, failure: unknown, now: Date): Condition {
  const present = ((set.status?.conditions ?? []) as Condition[]).find(
    ({ type }) => type === 'ReplicaFailure',
  );
  return {
    type: 'ReplicaFailure',
    status: 'True',
    reason: 'FailedCreate',
    message: messageOf(failure),
    lastTransitionTime: present?.lastTransitionTime ?? `${now.toISOString().slice(0, 19)}Z`,
  };
}
