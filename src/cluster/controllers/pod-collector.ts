/**
 * Does away with pods that nobody else will: those bound to a node that is not there, and the oldest of those that are
 * over when there are too many to be of interest.
 */

import { namespacedName, nodes, pods } from '../../kubernetes/index.ts';
import { type Controller, type ControllerContext, createControllerQueue, unlessGone } from './controller.ts';
import { isPodOver } from './pods.ts';

/** A node that is about to register, or to register anew, gets this long. */
const quarantineMs = 5000;
const maxPodsOver = 200;

export function startPodCollector(context: ControllerContext): Controller {
  const { api, informers } = context;
  const podInformer = informers.of(pods);
  const nodeInformer = informers.of(nodes);
  /** Since when each pod has been without its node. */
  const since = new Map<string, number>();

  const queue = createControllerQueue(context, async (key) => {
    const pod = podInformer.get(key);
    const { nodeName } = pod?.spec ?? {};
    if (!pod || !nodeName || nodeInformer.get(nodeName)) {
      since.delete(key);
      return;
    }
    const first = since.get(key) ?? performance.now();
    since.set(key, first);
    const leftMs = first + quarantineMs - performance.now();
    if (leftMs > 0) {
      queue.addAfter(key, leftMs);
      return;
    }
    const { namespace, name, uid } = pod.metadata;
    const options = { gracePeriodSeconds: 0, ...(uid === undefined ? {} : { uid }) };
    await unlessGone(api.delete(pods, namespace, name, options));
  });

  /** By name, the first to be over first. */
  const over = new Set<string>();
  const overQueue = createControllerQueue(context, async () => {
    for (const key of over) {
      if (over.size <= maxPodsOver) return;
      over.delete(key);
      const [namespace, name = ''] = key.split('/');
      await unlessGone(api.delete(pods, namespace, name, { gracePeriodSeconds: 0 }));
    }
  });

  podInformer.onChange(({ type, object }) => {
    if (type === 'DELETED') {
      over.delete(namespacedName(object));
      since.delete(namespacedName(object));
    } else if (isPodOver(object) && over.add(namespacedName(object)).size > maxPodsOver)
      overQueue.add('over');
    const isLost = object.spec.nodeName && !nodeInformer.get(object.spec.nodeName);
    if (type !== 'DELETED' && isLost) queue.add(namespacedName(object));
  });
  nodeInformer.onChange(({ type, object }) => {
    if (type !== 'DELETED') return;
    for (const pod of podInformer.list()) {
      if (pod.spec.nodeName === object.metadata.name) queue.add(namespacedName(pod));
    }
  });
  return {
    async stop() {
      await Promise.all([queue.stop(), overQueue.stop()]);
    },
  };
}
