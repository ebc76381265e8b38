/** Empties a namespace that is to go, and gives each namespace its `default` service account. */

import {
  ApiError,
  type Condition,
  type KubeObject,
  type Namespace,
  namespaces,
  pods,
  qualifiedResource,
  type ResourceType,
  serviceAccounts,
} from '../../kubernetes/index.ts';
import { type Controller, type ControllerContext, createControllerQueue, unlessGone } from './controller.ts';
import { sameJson } from './status.ts';

/** How long until what does not go (a finalizer nobody removes) is looked at again. */
const retryMs = 1000;

export function startNamespaceController(context: ControllerContext): Controller {
  const { api, informers, types } = context;
  const namespaceInformer = informers.of(namespaces);
  const podInformer = informers.of(pods);

  const queue = createControllerQueue(context, async (name) => {
    const namespace = namespaceInformer.get(name);
    if (!namespace) return;
    if (!namespace.metadata.deletionTimestamp) {
      await ensureServiceAccount(context, name);
      return;
    }
    if (!namespace.spec?.finalizers?.length) return;
    const remaining = await empty(context, inOrder(types.list()), name);
    if (remaining.size > 0) {
      await reportRemaining(context, namespace, remaining);
      queue.addAfter(name, retryMs);
      return;
    }
    const spec = { ...namespace.spec, finalizers: [] };
    const { resourceVersion: _, ...metadata } = namespace.metadata;
    await unlessGone(api.update(namespaces, { ...namespace, metadata, spec }));
  });

  namespaceInformer.onChange(({ type, object }) => {
    if (type !== 'DELETED') queue.add(object.metadata.name);
  });
  // Pods take their time; the last one to stop lets the namespace go.
  podInformer.onChange(({ type, object }) => {
    const home = object.metadata.namespace ?? '';
    if (type === 'DELETED' && namespaceInformer.get(home)?.metadata.deletionTimestamp) queue.add(home);
  });
  return { stop: () => queue.stop() };
}

/** Owners before what they own, so that nothing is made anew while the namespace is being emptied. */
function inOrder(types: readonly ResourceType[]): ResourceType[] {
  const rank = ({ group, kind }: ResourceType) => {
    if (group === 'apps') return kind === 'ReplicaSet' ? 1 : 0;
    return kind === 'Event' ? 3 : 2;
  };
  return types.filter(({ namespaced }) => namespaced).toSorted((left, right) => rank(left) - rank(right));
}

/** Asks everything to go; returns how many of each type are still there. */
async function empty(
  { api }: ControllerContext,
  types: readonly ResourceType[],
  namespace: string,
): Promise<Map<ResourceType, readonly KubeObject[]>> {
  const remaining = new Map<ResourceType, readonly KubeObject[]>();
  for (const type of types) {
    const { items } = await api.list(type, { namespace, shared: true });
    for (const { metadata } of items) {
      if (metadata.deletionTimestamp) continue;
      await unlessGone(api.delete(type, namespace, metadata.name, { propagationPolicy: 'Background' }));
    }
    if (items.length === 0) continue;
    const left = (await api.list(type, { namespace, shared: true })).items;
    if (left.length > 0) remaining.set(type, left);
  }
  return remaining;
}

async function reportRemaining(
  { api, now }: ControllerContext,
  namespace: Namespace,
  remaining: ReadonlyMap<ResourceType, readonly KubeObject[]>,
): Promise<void> {
  const counts = [...remaining].map(
    ([type, objects]) => `${qualifiedResource(type)} has ${objects.length} resource instances`,
  );
  const finalizers = new Map<string, number>();
  for (const { metadata } of [...remaining.values()].flat()) {
    for (const finalizer of metadata.finalizers ?? []) {
      finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
    }
  }
  const waiting = [...finalizers].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const content = `Some resources are remaining: ${counts.join(', ')}`;
  const held = `Some content in the namespace has finalizers remaining: ${waiting.join(', ')}`;
  const time = `${now().toISOString().slice(0, 19)}Z`;
  const condition = (type: string, reason: string, message: string): Condition => {
    const present = namespace.status?.conditions?.find((other) => other.type === type);
    const lastTransitionTime = present?.lastTransitionTime ?? time;
    return { type, status: 'True', reason, message, lastTransitionTime };
  };
  const conditions = [
    condition('NamespaceContentRemaining', 'SomeResourcesRemain', content),
    ...(waiting.length > 0 ? [condition('NamespaceFinalizersRemaining', 'SomeFinalizersRemain', held)] : []),
  ];
  if (sameJson(conditions, namespace.status?.conditions)) return;
  const { resourceVersion: _, ...metadata } = namespace.metadata;
  const status = { ...namespace.status, conditions };
  await unlessGone(api.updateStatus(namespaces, { ...namespace, metadata, status }));
}

async function ensureServiceAccount({ api }: ControllerContext, namespace: string): Promise<void> {
  if (await unlessGone(api.get(serviceAccounts, namespace, 'default'))) return;
  try {
    const metadata = { name: 'default', namespace };
    await api.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  } catch (error) {
    if (!(error instanceof ApiError && ['AlreadyExists', 'Forbidden'].includes(error.reason))) throw error;
  }
}
