/** Rolls a Deployment's pod template out: makes ReplicaSets and moves pods from the old ones to the new one. */

import {
  ApiError,
  type Deployment,
  deployments,
  namespacedName,
  pods,
  type ReplicaSet,
  replicaSets,
} from '../../../kubernetes/index.ts';
import { type Controller, type ControllerContext, createControllerQueue, unlessGone } from '../controller.ts';
import type { EventRecorder } from '../events.ts';
import { controllerOf, controllerReference, indexByOwner, type OwnerIndex } from '../ownership.ts';
import { isPodOver } from '../pods.ts';
import { sameJson, settleStatus } from '../status.ts';
import {
  newReplicaCount,
  oldReplicaCounts,
  proportionalCounts,
  replicasOf,
  specReplicas,
  sum,
} from './plan.ts';
import {
  desiredBefore,
  forgotten,
  maxBefore,
  newSetAnnotations,
  nextRevision,
  revisionAnnotation,
  revisionOf,
  sizeAnnotations,
} from './revisions.ts';
import { planStatus, type Rollout } from './status.ts';
import { findNewReplicaSet, hashLabel, templateHash } from './template.ts';

/** One Deployment as it is being worked on. */
interface Work {
  readonly context: ControllerContext;
  readonly recorder: EventRecorder;
  deployment: Deployment;
  sets: ReplicaSet[];
  newSetReason: Rollout['newSetReason'];
}

export function startDeploymentController(context: ControllerContext): Controller {
  const { api, informers, now } = context;
  const deploymentInformer = informers.of(deployments);
  const setInformer = informers.of(replicaSets);
  const podInformer = informers.of(pods);
  const owned = indexByOwner(setInformer);
  const podsBySet = indexByOwner(podInformer);
  const recorder = context.recorder('deployment-controller');

  const queue = createControllerQueue(context, async (key) => {
    const deployment = deploymentInformer.get(key);
    if (!deployment) return;
    const work: Work = {
      context,
      recorder,
      deployment,
      sets: [...owned.ownedBy(deployment.metadata.uid)],
      newSetReason: undefined,
    };
    if (!deployment.metadata.deletionTimestamp) {
      await adoptOrphans(work, owned);
      await roll(work, (set) => podsBySet.ownedBy(set.metadata.uid).some((pod) => !isPodOver(pod)));
    }
    const newSet = findNewReplicaSet(work.deployment, work.sets);
    const { status, deadlineInMs } = planStatus({
      deployment: work.deployment,
      newSet,
      all: work.sets,
      newSetReason: work.newSetReason,
      now: now(),
    });
    await settleStatus(api, deployments, work.deployment, status);
    if (deadlineInMs !== undefined) queue.addAfter(key, deadlineInMs);
  });

  deploymentInformer.onChange(({ object }) => queue.add(namespacedName(object)));
  setInformer.onChange(({ object }) => {
    const owner = controllerOf(object);
    if (owner?.kind === 'Deployment') queue.add(`${object.metadata.namespace}/${owner.name}`);
  });
  // Recreate waits until the old pods are gone altogether, which no ReplicaSet's status tells.
  podInformer.onChange(({ type, object }) => {
    const owner = type === 'DELETED' ? controllerOf(object) : undefined;
    const set = owner && setInformer.get(`${object.metadata.namespace}/${owner.name}`);
    const deployment = set && controllerOf(set);
    if (deployment) queue.add(`${object.metadata.namespace}/${deployment.name}`);
  });
  return { stop: () => queue.stop() };
}

async function adoptOrphans(
  { context, deployment, sets }: Work,
  owned: OwnerIndex<ReplicaSet>,
): Promise<void> {
  for (const orphan of owned.orphans(deployment.metadata.namespace, deployment.spec.selector)) {
    if (orphan.metadata.deletionTimestamp) continue;
    const ownerReferences = [...(orphan.metadata.ownerReferences ?? []), controllerReference(deployment)];
    const adopted = { ...orphan, metadata: { ...orphan.metadata, ownerReferences } };
    const stored = await unlessGone(context.api.update(replicaSets, adopted));
    if (stored) sets.push(stored);
  }
}

async function roll(work: Work, hasPods: (set: ReplicaSet) => boolean): Promise<void> {
  const { deployment } = work;
  if (deployment.spec.paused || isBeingScaled(work)) {
    await scaleAsItStands(work);
    if (!deployment.spec.paused) return;
    await forget(work);
    return;
  }
  const old = () => work.sets.filter((set) => set !== newSet);
  let newSet = findNewReplicaSet(deployment, work.sets);
  if (deployment.spec.strategy?.type === 'Recreate') {
    const active = old().filter(isActive);
    for (const set of active) await scaleTo(work, set, 0);
    if (active.length > 0 || old().some(hasPods)) return;
  }
  newSet = await ensureNewSet(work, newSet);
  newSet = await scaleTo(work, newSet, newReplicaCount(deployment, work.sets, newSet));
  if (deployment.spec.strategy?.type !== 'Recreate') {
    for (const [name, count] of oldReplicaCounts(deployment, old(), newSet)) {
      const set = work.sets.find(({ metadata }) => metadata.name === name);
      if (set) await scaleTo(work, set, count);
    }
  }
  if (isComplete(work, newSet)) await forget(work);
}

const isActive = (set: ReplicaSet): boolean => specReplicas(set) > 0;

/**
 * The Deployment's size was changed since its ReplicaSets were last scaled. Recreate shares nothing out among several of them, and goes on
 * with them all; the real controller waits for ever there.
 */
function isBeingScaled({ deployment, sets }: Work): boolean {
  const active = sets.filter(isActive);
  if (deployment.spec.strategy?.type === 'Recreate' && active.length > 1) return false;
  return active.some((set) => {
    const before = desiredBefore(set);
    return before !== undefined && before !== replicasOf(deployment.spec);
  });
}

/** Changes sizes only, template and strategy aside. */
async function scaleAsItStands(work: Work): Promise<void> {
  const { deployment } = work;
  const active = work.sets.filter(isActive);
  const newSet = findNewReplicaSet(deployment, work.sets);
  const latest = newSet ?? work.sets.toSorted((left, right) => revisionOf(right) - revisionOf(left))[0];
  const single = active.length <= 1 ? (active[0] ?? latest) : undefined;
  const wanted = replicasOf(deployment.spec);
  if (single) {
    await scaleTo(work, single, wanted);
    return;
  }
  const isSaturated =
    newSet !== undefined &&
    specReplicas(newSet) === wanted &&
    desiredBefore(newSet) === wanted &&
    newSet.status?.availableReplicas === wanted;
  if (isSaturated) {
    for (const set of active) if (set !== newSet) await scaleTo(work, set, 0);
    return;
  }
  if (deployment.spec.strategy?.type === 'Recreate') return;
  const counts = proportionalCounts(deployment, active, (set) => maxBefore(set) || specReplicas(set));
  for (const [name, count] of counts) {
    const set = work.sets.find(({ metadata }) => metadata.name === name);
    if (set) await scaleTo(work, set, count);
  }
}

async function ensureNewSet(work: Work, present: ReplicaSet | undefined): Promise<ReplicaSet> {
  const { deployment } = work;
  const revision = nextRevision(work.sets.filter((set) => set !== present));
  let set = present;
  if (set) {
    work.newSetReason = 'FoundNewReplicaSet';
    const annotations = newSetAnnotations(deployment, set, revision);
    if (!sameJson(annotations, set.metadata.annotations)) {
      set = await replaceSet(work, set, { ...set, metadata: { ...set.metadata, annotations } });
    }
  } else {
    set = await createSet(work, revision);
    work.newSetReason = 'NewReplicaSetCreated';
    work.sets.push(set);
    const size = specReplicas(set);
    if (size > 0) recordScaling(work, set, 0, size);
  }
  await noteRevision(work, revisionOf(set));
  return set;
}

/** A name that is taken by another template is a collision of hashes: the next try hashes with a higher count. */
async function createSet(work: Work, revision: number): Promise<ReplicaSet> {
  const { api } = work.context;
  const wanted = describeSet(work, revision);
  try {
    return await api.create(replicaSets, wanted);
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
    const { deployment } = work;
    const present = await api.get(replicaSets, wanted.metadata.namespace, wanted.metadata.name);
    const isOurs = controllerOf(present)?.uid === deployment.metadata.uid;
    if (isOurs && findNewReplicaSet(deployment, [present])) return present;
    const collisionCount = Number(deployment.status?.collisionCount ?? 0) + 1;
    await api.updateStatus(deployments, { ...deployment, status: { ...deployment.status, collisionCount } });
    throw error;
  }
}

function describeSet({ deployment, sets }: Work, revision: number): ReplicaSet {
  const { template, selector, minReadySeconds } = deployment.spec;
  const collisions = Number(deployment.status?.collisionCount ?? 0);
  const hash = templateHash(template, collisions);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const set: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace ?? 'default',
      labels,
      annotations: newSetAnnotations(deployment, undefined, revision),
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: 0,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  set.spec.replicas = newReplicaCount(deployment, [...sets, set], set);
  return set;
}

/** The Deployment carries the revision of its newest ReplicaSet. */
async function noteRevision(work: Work, revision: number): Promise<void> {
  const { context, deployment } = work;
  const { annotations = {} } = deployment.metadata;
  if (annotations[revisionAnnotation] === String(revision)) return;
  work.deployment = await context.api.update(deployments, {
    ...deployment,
    metadata: {
      ...deployment.metadata,
      annotations: { ...annotations, [revisionAnnotation]: String(revision) },
    },
  });
}

async function scaleTo(work: Work, set: ReplicaSet, count: number): Promise<ReplicaSet> {
  const { deployment } = work;
  const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) };
  const before = specReplicas(set);
  if (before === count && sameJson(annotations, set.metadata.annotations)) return set;
  const scaled = await replaceSet(work, set, {
    ...set,
    metadata: { ...set.metadata, annotations },
    spec: { ...set.spec, replicas: count },
  });
  if (before !== count) recordScaling(work, set, before, count);
  return scaled;
}

async function replaceSet(work: Work, set: ReplicaSet, next: ReplicaSet): Promise<ReplicaSet> {
  const stored = await work.context.api.update(replicaSets, next);
  work.sets = work.sets.map((other) => (other === set ? stored : other));
  return stored;
}

function recordScaling({ recorder, deployment }: Work, set: ReplicaSet, before: number, after: number): void {
  const direction = after > before ? 'up' : 'down';
  const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${after}`;
  recorder.record(deployment, 'Normal', 'ScalingReplicaSet', message);
}

function isComplete({ deployment, sets }: Work, newSet: ReplicaSet): boolean {
  const wanted = replicasOf(deployment.spec);
  const { replicas, availableReplicas = 0 } = newSet.status ?? {};
  return replicas === wanted && availableReplicas === wanted && sum(sets, specReplicas) === wanted;
}

async function forget({ context, deployment, sets }: Work): Promise<void> {
  const newSet = findNewReplicaSet(deployment, sets);
  const old = sets.filter((set) => set !== newSet);
  for (const { metadata } of forgotten(deployment, old)) {
    await unlessGone(context.api.delete(replicaSets, metadata.namespace, metadata.name));
  }
}
