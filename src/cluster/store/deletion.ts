/** What a request to delete makes of an object: gone, or marked and waiting. Pure. */

import type { DeleteOptions, KubeObject, Pod, ResourceType } from '../../kubernetes/index.ts';
import { timestamp } from './admission/metadata.ts';

const defaultPodGraceSeconds = 30;
const foregroundFinalizer = 'foregroundDeletion';
const orphanFinalizer = 'orphan';

/** Undefined: remove it now. The object itself: nothing changes. Else what is to be stored. */
export function markForDeletion(
  type: ResourceType,
  current: KubeObject,
  options: DeleteOptions,
  now: Date,
): KubeObject | undefined {
  const finalizers = finalizersFor(current, options.propagationPolicy);
  const grace = type.plural === 'pods' && type.group === '' ? podGrace(current as Pod, options) : 0;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = current.metadata;
  const waitsForNamespace = type.plural === 'namespaces' && hasSpecFinalizers(current);
  if (!waitsForNamespace && finalizers.length === 0 && grace === 0) return undefined;

  const metadata = { ...current.metadata, finalizers };
  if (finalizers.length === 0) delete (metadata as KubeObject['metadata']).finalizers;
  if (!deletionTimestamp) {
    metadata.deletionTimestamp = timestamp(new Date(now.getTime() + grace * 1000));
    metadata.deletionGracePeriodSeconds = grace;
    if (metadata.generation) metadata.generation++;
  } else if (grace < deletionGracePeriodSeconds && options.gracePeriodSeconds !== undefined) {
    const asked = new Date(deletionTimestamp).getTime() - deletionGracePeriodSeconds * 1000;
    metadata.deletionTimestamp = timestamp(new Date(asked + grace * 1000));
    metadata.deletionGracePeriodSeconds = grace;
  }
  const next: KubeObject = { ...current, metadata };
  if (waitsForNamespace) next.status = { ...(current.status as object), phase: 'Terminating' };
  return next;
}

/** Whether nothing keeps an object that is marked: no finalizer, no grace left. */
export function isReadyToGo(object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  if (!deletionTimestamp || finalizers.length > 0 || deletionGracePeriodSeconds > 0) return false;
  return object.kind !== 'Namespace' || !hasSpecFinalizers(object);
}

function hasSpecFinalizers(object: KubeObject): boolean {
  return ((object.spec as { finalizers?: string[] } | undefined)?.finalizers?.length ?? 0) > 0;
}

function finalizersFor(current: KubeObject, policy: DeleteOptions['propagationPolicy']): string[] {
  const present = current.metadata.finalizers ?? [];
  if (policy === undefined) return present;
  const others = present.filter((name) => name !== foregroundFinalizer && name !== orphanFinalizer);
  if (policy === 'Foreground') return [...others, foregroundFinalizer];
  return policy === 'Orphan' ? [...others, orphanFinalizer] : others;
}

/** Seconds. A pod that runs nowhere has nothing to stop (CheckGracefulDelete of the API server's pod strategy). */
function podGrace(pod: Pod, { gracePeriodSeconds }: DeleteOptions): number {
  const phase = pod.status?.phase;
  if (!pod.spec.nodeName || phase === 'Failed' || phase === 'Succeeded') return 0;
  const grace =
    gracePeriodSeconds ??
    pod.metadata.deletionGracePeriodSeconds ??
    pod.spec.terminationGracePeriodSeconds ??
    defaultPodGraceSeconds;
  return grace < 0 ? 1 : grace;
}
