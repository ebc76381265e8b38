/** Which pods each Service selects, kept current change by change. */

import { labelsMatch, namespacedName, type Pod, type Service } from '../../../kubernetes/index.ts';

interface Namespace {
  readonly services: Map<string, Service>;
  readonly pods: Map<string, Pod>;
}

export class ServicesBySelector {
  readonly #namespaces = new Map<string, Namespace>();

  setService(service: Service, isGone: boolean): void {
    const { services } = this.#namespace(service.metadata.namespace);
    if (isGone) services.delete(service.metadata.name);
    else services.set(service.metadata.name, service);
  }

  /** Returns the Services, as `namespace/name`, that selected the pod before or select it now. */
  setPod(pod: Pod, isGone: boolean): string[] {
    const { services, pods } = this.#namespace(pod.metadata.namespace);
    const before = pods.get(pod.metadata.name);
    if (isGone) pods.delete(pod.metadata.name);
    else pods.set(pod.metadata.name, pod);
    const concerned = [...services.values()].filter(
      (service) => selects(service, pod) || (before !== undefined && selects(service, before)),
    );
    return concerned.map(namespacedName);
  }

  podsOf(key: string): Pod[] {
    const [namespace = '', name = ''] = key.split('/');
    const home = this.#namespaces.get(namespace);
    const service = home?.services.get(name);
    if (!home || !service) return [];
    return [...home.pods.values()].filter((pod) => selects(service, pod));
  }

  #namespace(name = 'default'): Namespace {
    const present = this.#namespaces.get(name);
    if (present) return present;
    const created = { services: new Map<string, Service>(), pods: new Map<string, Pod>() };
    this.#namespaces.set(name, created);
    return created;
  }
}

function selects({ spec }: Service, { metadata }: Pod): boolean {
  return spec.selector !== undefined && labelsMatch({ matchLabels: spec.selector }, metadata.labels);
}
