/** After a start from state on disk: the pods' processes went with the process that ran them. */

import { type ObjectApi, type Pod, pods } from '../../kubernetes/index.ts';
import { isPodOver, isTerminating } from './pods.ts';

/**
 * Takes back what an earlier run said of its pods, so that no datagram goes to an address nobody has: to be called
 * before the controllers and the kubelet start. Pods on their way out are gone, the others wait on their node as if
 * they had just been placed there.
 */
export async function forgetRunningPods(api: ObjectApi): Promise<void> {
  const { items } = await api.list(pods, { shared: true });
  for (const pod of items.filter(({ spec }) => spec.nodeName)) {
    const { namespace, name } = pod.metadata;
    if (isTerminating(pod)) await api.delete(pods, namespace, name, { gracePeriodSeconds: 0 });
    else if (!isPodOver(pod)) await api.updateStatus(pods, { ...pod, status: beforeStart(pod) });
  }
}

function beforeStart({ status }: Pod): NonNullable<Pod['status']> {
  const scheduled = status?.conditions?.filter(({ type }) => type === 'PodScheduled') ?? [];
  return {
    phase: 'Pending',
    ...(status?.qosClass === undefined ? {} : { qosClass: status.qosClass }),
    conditions: scheduled,
  };
}
