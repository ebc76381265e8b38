/** Keeps the EndpointSlices and Endpoints of each Service as its pods are. */

import {
  type EndpointSlice,
  type Endpoints,
  endpointSlices,
  endpoints,
  namespacedName,
  type ObjectApi,
  type Pod,
  pods,
  type Service,
  services,
  type WatchEventType,
} from '../../../kubernetes/index.ts';
import { type Controller, type ControllerContext, createControllerQueue, unlessGone } from '../controller.ts';
import { sameJson } from '../status.ts';
import { planEndpoints } from './endpoints.ts';
import { ServicesBySelector } from './selection.ts';
import { managedByLabel, managerName, planSlices, serviceNameLabel } from './slices.ts';

export function startEndpointsController(context: ControllerContext): Controller {
  const { api, informers, now } = context;
  const serviceInformer = informers.of(services);
  const podInformer = informers.of(pods);
  const sliceInformer = informers.of(endpointSlices);
  const endpointsInformer = informers.of(endpoints);
  const selection = new ServicesBySelector();
  const writer = new SliceWriter(api);

  const selecting = (key: string): Service | undefined => {
    const service = serviceInformer.get(key);
    // Without a selector the endpoints are somebody else's to write.
    const isOurs = service?.spec.selector && service.spec.type !== 'ExternalName';
    return isOurs && !service.metadata.deletionTimestamp ? service : undefined;
  };
  const sliceQueue = createControllerQueue(context, async (key) => {
    const service = selecting(key);
    if (service) await writer.write(service, selection.podsOf(key), now());
    else if (!serviceInformer.get(key)) await writer.removeAll(key);
  });
  // Apart, so that the route follows the slices and does not wait for the older form, which is one large object.
  const endpointsQueue = createControllerQueue(context, async (key) => {
    const service = selecting(key);
    const present = endpointsInformer.get(key);
    if (service) await writeEndpoints(api, service, selection.podsOf(key), present);
    else if (!serviceInformer.get(key)) await removeEndpoints(api, key);
  });
  const add = (key: string) => {
    sliceQueue.add(key);
    endpointsQueue.add(key);
  };

  serviceInformer.onChange(({ type, object }) => {
    selection.setService(object, type === 'DELETED');
    add(namespacedName(object));
  });
  podInformer.onChange(({ type, object }) => {
    for (const key of selection.setPod(object, type === 'DELETED')) add(key);
  });
  // One that somebody else changed or removed is put right again.
  sliceInformer.onChange(({ type, object }) => {
    const name = object.metadata.labels?.[serviceNameLabel];
    if (object.metadata.labels?.[managedByLabel] !== managerName || !name) return;
    if (!writer.isOwnDoing(type, object)) sliceQueue.add(`${object.metadata.namespace}/${name}`);
  });
  // As the real controller does: what is removed after its Service is there anew would else never come back.
  endpointsInformer.onChange(({ type, object }) => {
    if (type === 'DELETED') endpointsQueue.add(namespacedName(object));
  });
  return {
    async stop() {
      await Promise.all([sliceQueue.stop(), endpointsQueue.stop()]);
    },
  };
}

/** Writes slices, and knows its own writes again when the API tells of them. */
class SliceWriter {
  readonly #api: ObjectApi;
  /** The version last written of each slice, by uid; '' for one that was removed. */
  readonly #written = new Map<string, string>();

  constructor(api: ObjectApi) {
    this.#api = api;
  }

  async write(service: Service, chosen: readonly Pod[], now: Date): Promise<void> {
    // Not from the copy: it may lag behind our own writes, and a slice written twice is an endpoint counted twice.
    const { items } = await this.#api.list(endpointSlices, {
      ...ownSlices(service.metadata.namespace ?? 'default', service.metadata.name),
      shared: true,
    });
    const plan = planSlices(service, chosen, items, now);
    for (const slice of plan.create) this.#remember(await this.#api.create(endpointSlices, slice));
    for (const slice of plan.update) this.#remember(await this.#api.update(endpointSlices, slice));
    for (const slice of plan.remove) await this.#remove(slice);
  }

  /** The Service is gone: so are its slices, at once rather than when the garbage is collected. */
  async removeAll(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/');
    const { items } = await this.#api.list(endpointSlices, { ...ownSlices(namespace, name), shared: true });
    for (const slice of items) await this.#remove(slice);
  }

  isOwnDoing(type: WatchEventType, { metadata }: EndpointSlice): boolean {
    const written = this.#written.get(metadata.uid ?? '');
    if (type === 'DELETED') {
      this.#written.delete(metadata.uid ?? '');
      return written === '';
    }
    // One that is not known yet is on its way to us with the answer to its creation.
    return type === 'ADDED' || written === metadata.resourceVersion;
  }

  #remember({ metadata }: EndpointSlice): void {
    this.#written.set(metadata.uid ?? '', metadata.resourceVersion ?? '');
  }

  async #remove({ metadata }: EndpointSlice): Promise<void> {
    this.#written.set(metadata.uid ?? '', '');
    await unlessGone(this.#api.delete(endpointSlices, metadata.namespace, metadata.name));
  }
}

const ownSlices = (namespace: string, service: string) => ({
  namespace,
  labelSelector: { matchLabels: { [serviceNameLabel]: service, [managedByLabel]: managerName } },
});

async function writeEndpoints(
  api: ObjectApi,
  service: Service,
  chosen: readonly Pod[],
  present: Endpoints | undefined,
): Promise<void> {
  const wanted = planEndpoints(service, chosen, present);
  if (!present) await api.create(endpoints, wanted);
  else if (!sameJson(present, wanted)) await api.update(endpoints, wanted);
}

async function removeEndpoints(api: ObjectApi, key: string): Promise<void> {
  const [namespace = '', name = ''] = key.split('/');
  await unlessGone(api.delete(endpoints, namespace, name));
}
