/**
 * Owner references: what nobody owns any more goes, in the background or, with the finalizer `foregroundDeletion`, before
 * its owner; with the finalizer `orphan` it stays and is disowned.
 */

import {
  ApiError,
  apiVersionOf,
  type KubeObject,
  type OwnerReference,
  qualifiedResource,
  type ResourceType,
} from '../../kubernetes/index.ts';
import { type Controller, type ControllerContext, createControllerQueue, unlessGone } from './controller.ts';

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

interface Known {
  readonly type: ResourceType;
  readonly object: KubeObject;
}

/** Every object by uid, and what each owns. */
class Graph {
  readonly #known = new Map<string, Known>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): Known | undefined {
    return this.#known.get(uid);
  }

  dependentsOf(uid: string): Known[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#known.get(dependent) ?? []);
  }

  set(known: Known): void {
    const uid = known.object.metadata.uid ?? '';
    this.#unlink(uid);
    this.#known.set(uid, known);
    for (const owner of known.object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner.uid) ?? new Set();
      dependents.add(uid);
      this.#dependents.set(owner.uid, dependents);
    }
  }

  delete(uid: string): void {
    this.#unlink(uid);
    this.#known.delete(uid);
  }

  #unlink(uid: string): void {
    for (const owner of this.#known.get(uid)?.object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
  }
}

export function startGarbageCollector(context: ControllerContext): Controller {
  const { informers, types } = context;
  const graph = new Graph();
  const followed = new Set<string>();

  const queue = createControllerQueue(context, async (uid) => {
    const known = graph.get(uid);
    if (!known) return;
    const { deletionTimestamp, finalizers = [] } = known.object.metadata;
    if (deletionTimestamp && finalizers.includes(orphan)) await disownDependents(context, graph, known);
    else if (deletionTimestamp && finalizers.includes(foreground))
      await finishForeground(context, graph, known);
    else if (!deletionTimestamp) await collect(context, graph, known);
  });

  const onChange = (type: ResourceType, object: KubeObject, isGone: boolean) => {
    const { uid = '', ownerReferences = [], deletionTimestamp } = object.metadata;
    const dependents = graph.dependentsOf(uid);
    if (isGone) graph.delete(uid);
    else graph.set({ type, object });
    if (isGone || deletionTimestamp) {
      for (const dependent of dependents) queue.add(dependent.object.metadata.uid ?? '');
    }
    if (!isGone && (ownerReferences.length > 0 || deletionTimestamp)) queue.add(uid);
    // An owner that goes in the foreground waits for this one.
    if (isGone) for (const owner of ownerReferences) queue.add(owner.uid);
  };
  const follow = () => {
    for (const type of types.list()) {
      const key = qualifiedResource(type);
      if (followed.has(key) || type.kind === 'Event') continue;
      followed.add(key);
      informers.of(type).onChange((change) => onChange(type, change.object, change.type === 'DELETED'));
    }
  };
  follow();
  const leave = types.onChange(follow);
  return {
    async stop() {
      leave();
      await queue.stop();
    },
  };
}

/** Deletes an object none of whose owners is left; where some are, drops the references to those that are not. */
async function collect(context: ControllerContext, graph: Graph, known: Known): Promise<void> {
  const { metadata } = known.object;
  const owners = metadata.ownerReferences ?? [];
  if (owners.length === 0) return;
  const states = await Promise.all(
    owners.map((owner) => ownerState(context, graph, owner, metadata.namespace)),
  );
  const solid = owners.filter((_, index) => states[index] === 'solid');
  if (solid.length === owners.length) return;
  if (solid.length > 0) {
    await replaceMetadata(context, known, { ownerReferences: solid });
    return;
  }
  const waits = states.includes('waiting') && graph.dependentsOf(metadata.uid ?? '').length > 0;
  const policy = metadata.finalizers?.includes(orphan) ? 'Orphan' : waits ? 'Foreground' : 'Background';
  const options = {
    propagationPolicy: policy,
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
  } as const;
  await unlessGone(context.api.delete(known.type, metadata.namespace, metadata.name, options));
}

/** `waiting`: the owner goes in the foreground, as soon as its dependents are gone. */
async function ownerState(
  { api, types }: ControllerContext,
  graph: Graph,
  owner: OwnerReference,
  namespace: string | undefined,
): Promise<'solid' | 'absent' | 'waiting'> {
  const state = ({ metadata }: KubeObject) =>
    metadata.deletionTimestamp && metadata.finalizers?.includes(foreground) ? 'waiting' : 'solid';
  const known = graph.get(owner.uid);
  if (known) return state(known.object);
  // Not seen yet, or gone: the API knows.
  const [group = ''] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : [''];
  const sameKind = types.list().filter((type) => type.group === group && type.kind === owner.kind);
  const type = sameKind.find((candidate) => apiVersionOf(candidate) === owner.apiVersion) ?? sameKind[0];
  // A kind that is not served may be served again: better keep too much than delete too much.
  if (!type) return 'solid';
  const found = await unlessGone(api.get(type, type.namespaced ? namespace : undefined, owner.name));
  return found?.metadata.uid === owner.uid ? state(found) : 'absent';
}

async function disownDependents(context: ControllerContext, graph: Graph, known: Known): Promise<void> {
  const uid = known.object.metadata.uid ?? '';
  for (const dependent of graph.dependentsOf(uid)) {
    const left = (dependent.object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
    await replaceMetadata(context, dependent, { ownerReferences: left });
  }
  await dropFinalizer(context, known, orphan);
}

async function finishForeground(context: ControllerContext, graph: Graph, known: Known): Promise<void> {
  const uid = known.object.metadata.uid ?? '';
  const blocking = graph
    .dependentsOf(uid)
    .filter(({ object }) =>
      object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion),
    );
  if (blocking.length === 0) await dropFinalizer(context, known, foreground);
}

async function dropFinalizer(context: ControllerContext, known: Known, name: string): Promise<void> {
  const finalizers = (known.object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== name);
  await replaceMetadata(context, known, { finalizers });
}

async function replaceMetadata(
  { api }: ControllerContext,
  { type, object }: Known,
  change: Pick<KubeObject['metadata'], 'finalizers' | 'ownerReferences'>,
): Promise<void> {
  const metadata = { ...object.metadata, ...change };
  if (metadata.finalizers?.length === 0) delete metadata.finalizers;
  if (metadata.ownerReferences?.length === 0) delete metadata.ownerReferences;
  try {
    await unlessGone(api.update(type, { ...object, metadata }));
  } catch (error) {
    // A pod on its way out may be beyond what an update may say of it; it goes all the same.
    if (!(error instanceof ApiError && error.reason === 'Invalid')) throw error;
  }
}
