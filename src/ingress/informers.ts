/** The informers of the ingress: one for each kind and namespace that is watched, started when it is needed. */

import {
  ApiError,
  createInformer,
  type Informer,
  type KubeObject,
  type LabelSelector,
  type ObjectApi,
  type ResourceType,
  type WatchEvent,
} from '../kubernetes/index.ts';

export interface InformerSetOptions {
  readonly api: ObjectApi;
  /** Absent: all. */
  readonly namespaces?: readonly string[];
  onChange(type: ResourceType, change: WatchEvent): void;
  onError(type: ResourceType, error: unknown): void;
}

export interface WatchTypeOptions {
  readonly labelSelector?: LabelSelector;
  /** One that may not be read counts as having no objects: a right that is missing stops only who needs it. */
  readonly isOptional?: boolean;
}

export interface InformerSet {
  /**
   * Watches the type from now on. Resolves when its objects have been told, or when it is known that the API does not
   * serve the type, which then has none. Keeps trying either way.
   */
  watch(type: ResourceType, options?: WatchTypeOptions): Promise<void>;
  has(type: ResourceType): boolean;
  stop(): void;
}

export function createInformerSet(options: InformerSetOptions): InformerSet {
  const watched = new Map<string, Promise<void>>();
  const informers: Informer<KubeObject>[] = [];
  const start = (type: ResourceType, namespace: string | undefined, given: WatchTypeOptions) => {
    const { labelSelector, isOptional } = given;
    let resolveNotServed = () => {};
    const notServed = new Promise<void>((resolve) => {
      resolveNotServed = resolve;
    });
    const informer = createInformer(options.api, type, {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector ? { labelSelector } : {}),
      onError(error) {
        const reason = error instanceof ApiError ? error.reason : undefined;
        if (reason === 'NotFound' || (reason === 'Forbidden' && isOptional)) resolveNotServed();
        if (reason !== 'NotFound') options.onError(type, error);
      },
    });
    informer.onChange((change) => options.onChange(type, change));
    informers.push(informer);
    informer.start();
    return Promise.race([informer.synced, notServed]);
  };
  return {
    watch(type, given = {}) {
      const known = watched.get(type.plural);
      if (known) return known;
      const namespaces = type.namespaced ? (options.namespaces ?? [undefined]) : [undefined];
      const started = Promise.all(namespaces.map((one) => start(type, one, given))).then(() => {});
      watched.set(type.plural, started);
      return started;
    },
    has: (type) => watched.has(type.plural),
    stop() {
      for (const informer of informers) informer.stop();
    },
  };
}
