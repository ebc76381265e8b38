import { onTestFinished } from 'vitest';
import { createStore, registerNode, type Store, startControllers } from '../../src/cluster/index.ts';
import type { ObjectApi, Pod } from '../../src/kubernetes/index.ts';
import { pods } from '../../src/kubernetes/index.ts';
import { type FakeKubelet, startFakeKubelet } from './fake-kubelet.ts';

export interface TestCluster {
  readonly store: Store;
  readonly kubelet: FakeKubelet;
  /** Errors that controllers reported: a test that expects none checks it. */
  readonly errors: unknown[];
  readonly pods: () => Pod[];
  /** Done when the test is over; a test that makes many clusters calls it itself. */
  readonly stop: () => Promise<void>;
}

export interface TestClusterOptions {
  now?: () => Date;
  kubelet?: Partial<FakeKubelet>;
  /** What the controllers see instead of the store itself. */
  wrap?: (store: Store) => ObjectApi;
}

/** A store with its controllers, a node and a kubelet that pretends. Stopped when the test is over. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { now, kubelet: behaviour, wrap = (store) => store } = options;
  const store = createStore(now ? { now } : {});
  const errors: unknown[] = [];
  await registerNode(store, {
    name: 'laptop',
    internalIp: '127.0.0.1',
    podCidr: '10.244.0.0/24',
    kubeletVersion: 'v1.34.0',
    capacity: { cpu: '2', memory: '4Gi', pods: '110' },
  });
  const controllers = startControllers(wrap(store), {
    onError: (error) => errors.push(error),
    ...(now ? { now } : {}),
  });
  const kubelet = startFakeKubelet(store, behaviour);
  await controllers.synced;
  const stop = async () => {
    await kubelet.stop();
    await controllers.stop();
    await store.close();
  };
  onTestFinished(stop);
  return { store, kubelet, errors, pods: () => [...store.page(pods).items], stop };
}
