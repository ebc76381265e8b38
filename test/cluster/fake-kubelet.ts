/** A node whose pods are words only: they run and are ready as soon as they are bound, unless a test says otherwise. */

import {
  createInformer,
  namespacedName,
  type ObjectApi,
  type Pod,
  pods,
} from '../../src/kubernetes/index.ts';

export interface FakeKubelet {
  /** Which pods become ready, judged when they start and at `refresh`. */
  isReady: (pod: Pod) => boolean;
  /** Whether pods asked to go are gone at once, or only when `finish` says so. */
  stopsAtOnce: boolean;
  refresh(): Promise<void>;
  finish(): Promise<void>;
  stop(): Promise<void>;
}

export function startFakeKubelet(api: ObjectApi, options: Partial<FakeKubelet> = {}): FakeKubelet {
  let nextAddress = 2;
  const addresses = new Map<string, string>();
  const informer = createInformer(api, pods, {
    onError: (error) => {
      throw error;
    },
  });
  let work: Promise<void> = Promise.resolve();

  const finishOne = async ({ metadata }: Pod) => {
    await api.delete(pods, metadata.namespace, metadata.name, { gracePeriodSeconds: 0 }).catch(ignore);
  };
  const report = async (stale: Pod) => {
    const pod = informer.get(namespacedName(stale));
    if (!pod?.spec.nodeName) return;
    if (pod.metadata.deletionTimestamp) {
      if (kubelet.stopsAtOnce) await finishOne(pod);
      return;
    }
    const key = pod.metadata.uid ?? '';
    if (!addresses.has(key)) addresses.set(key, `10.244.0.${nextAddress++}`);
    const podIP = addresses.get(key) ?? '';
    const ready = kubelet.isReady(pod) ? ('True' as const) : ('False' as const);
    const present = pod.status?.conditions?.find(({ type }) => type === 'Ready');
    if (present?.status === ready) return;
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'Ready');
    const lastTransitionTime = '2026-01-01T00:00:00Z';
    const status = {
      ...pod.status,
      phase: 'Running' as const,
      podIP,
      conditions: [...others, { type: 'Ready', status: ready, lastTransitionTime }],
    };
    await api.updateStatus(pods, { ...pod, status }).catch(ignore);
  };
  const enqueue = (pod: Pod, act: (pod: Pod) => Promise<void>) => {
    work = work.then(() => act(pod));
  };
  const kubelet: FakeKubelet = {
    isReady: () => true,
    stopsAtOnce: true,
    async refresh() {
      for (const pod of informer.list()) enqueue(pod, report);
      await work;
    },
    async finish() {
      for (const pod of informer.list()) if (pod.metadata.deletionTimestamp) enqueue(pod, finishOne);
      await work;
    },
    async stop() {
      informer.stop();
      await work;
    },
    ...options,
  };
  informer.onChange(({ type, object }) => {
    if (type !== 'DELETED') enqueue(object, report);
  });
  informer.start();
  return kubelet;
}

/** A conflict, or a pod that is gone: the next change of the pod brings the next try. */
const ignore = () => undefined;
