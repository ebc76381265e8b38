/** Forgets Events after an hour, as the API server does, and the oldest when there are too many. */

import { type Event, events, namespacedName } from '../../kubernetes/index.ts';
import { type Controller, type ControllerContext, createControllerQueue, unlessGone } from './controller.ts';

const lifetimeMs = 3_600_000;
const maxEvents = 2000;
const shortestWaitMs = 1000;

export function startEventExpiry(context: ControllerContext): Controller {
  const { api, informers, now } = context;
  const informer = informers.of(events);
  /** By name, the one least recently written first. */
  const kept = new Map<string, Event>();
  const sweepKey = 'sweep';

  const queue = createControllerQueue(context, async () => {
    const tooOld = now().getTime() - lifetimeMs;
    for (const [name, event] of kept) {
      if (kept.size <= maxEvents && lastSeen(event) > tooOld) {
        queue.addAfter(sweepKey, Math.max(shortestWaitMs, lastSeen(event) - tooOld));
        return;
      }
      kept.delete(name);
      await unlessGone(api.delete(events, event.metadata.namespace, event.metadata.name));
    }
  });

  informer.onChange(({ type, object }) => {
    const name = namespacedName(object);
    kept.delete(name);
    if (type === 'DELETED') return;
    kept.set(name, object);
    if (kept.size > maxEvents || kept.size === 1) queue.add(sweepKey);
  });
  return { stop: () => queue.stop() };
}

function lastSeen({ lastTimestamp, metadata }: Event): number {
  return new Date(lastTimestamp ?? metadata.creationTimestamp ?? 0).getTime();
}
