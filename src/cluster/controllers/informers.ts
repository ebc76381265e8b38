/** One informer for each type, shared by all controllers. */

import {
  createInformer,
  type Informer,
  type KubeObject,
  type ObjectApi,
  qualifiedResource,
  type ResourceType,
} from '../../kubernetes/index.ts';

export interface SharedInformers {
  of<Kind extends KubeObject>(type: ResourceType<Kind>): Informer<Kind>;
  /** Resolves when each asked for so far has its first list. */
  synced(): Promise<void>;
  stop(): void;
}

export function createSharedInformers(api: ObjectApi, onError: (error: unknown) => void): SharedInformers {
  const informers = new Map<string, Informer<KubeObject>>();
  return {
    of<Kind extends KubeObject>(type: ResourceType<Kind>) {
      const key = qualifiedResource(type);
      let informer = informers.get(key);
      if (!informer) {
        informer = createInformer<KubeObject>(api, type, { onError });
        informers.set(key, informer);
        informer.start();
      }
      return informer as Informer<Kind>;
    },
    async synced() {
      await Promise.all([...informers.values()].map(({ synced }) => synced));
    },
    stop() {
      for (const informer of informers.values()) informer.stop();
    },
  };
}
