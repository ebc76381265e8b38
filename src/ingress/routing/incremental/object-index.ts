/** All that routes refer to, found by name, and what a change of it touches. */

import type {
  ConfigMap,
  EndpointSlice,
  KubeObject,
  MiddlewareTCP,
  Node,
  Secret,
  ServersTransportTCP,
  Service,
  TLSOption,
  WatchEvent,
} from '../../../kubernetes/index.ts';
import { namespacedName } from '../../../kubernetes/index.ts';
import type { ServiceIndex } from '../route-services.ts';
import type { TcpObjects } from '../tcp-references.ts';
import { anyKey, dependencyOf, type ReadTracker } from './dependencies.ts';

/** What routes refer to, by the plural of its type. */
export const referencedKinds = [
  'services',
  'endpointslices',
  'nodes',
  'middlewaretcps',
  'serverstransporttcps',
  'tlsoptions',
  'secrets',
  'configmaps',
] as const;

export type ReferencedKind = (typeof referencedKinds)[number];

/** The dependency of whoever looks at the nodes at all. */
const allNodes = dependencyOf('nodes', anyKey);

const serviceNameLabel = 'kubernetes.io/service-name';

export class ObjectIndex {
  private readonly services = new Map<string, Service>();
  private readonly nodes = new Map<string, Node>();
  private readonly middlewares = new Map<string, MiddlewareTCP>();
  private readonly serversTransports = new Map<string, ServersTransportTCP>();
  private readonly tlsOptions = new Map<string, TLSOption>();
  private readonly secrets = new Map<string, Secret>();
  private readonly configMaps = new Map<string, ConfigMap>();
  /** Of each Service the slices, by their own names. */
  private readonly slicesByName = new Map<string, Map<string, EndpointSlice>>();
  private readonly slices = new Map<string, readonly EndpointSlice[]>();
  /** A slice's Service, to notice when its label changes. */
  private readonly serviceOfSlice = new Map<string, string>();

  /** Takes the change over. Gives the dependencies that it touches. */
  apply(kind: ReferencedKind, { type, object }: WatchEvent): string[] {
    if (kind === 'endpointslices') return this.applySlice(type === 'DELETED', object as EndpointSlice);
    const map = this.mapOf(kind);
    const name = namespacedName(object);
    if (type === 'DELETED') map.delete(name);
    else map.set(name, object);
    return [dependencyOf(kind, name), dependencyOf(kind, anyKey)];
  }

  /** The objects, each lookup of which the tracker learns of. */
  tracked(tracker: ReadTracker): { services: ServiceIndex; tcp: TcpObjects } {
    const { nodes } = this;
    const services: ServiceIndex = {
      services: tracker.view('services', this.services),
      slices: tracker.view('endpointslices', this.slices),
      get nodes() {
        tracker.note(allNodes);
        return [...nodes.values()];
      },
    };
    const tcp: TcpObjects = {
      services,
      middlewares: tracker.view('middlewaretcps', this.middlewares),
      serversTransports: tracker.view('serverstransporttcps', this.serversTransports),
      tlsOptions: tracker.view('tlsoptions', this.tlsOptions),
      secrets: tracker.view('secrets', this.secrets),
      configMaps: tracker.view('configmaps', this.configMaps),
    };
    return { services, tcp };
  }

  private mapOf(kind: Exclude<ReferencedKind, 'endpointslices'>): Map<string, KubeObject> {
    const maps = {
      services: this.services,
      nodes: this.nodes,
      middlewaretcps: this.middlewares,
      serverstransporttcps: this.serversTransports,
      tlsoptions: this.tlsOptions,
      secrets: this.secrets,
      configmaps: this.configMaps,
    };
    return maps[kind] as Map<string, KubeObject>;
  }

  private applySlice(isGone: boolean, slice: EndpointSlice): string[] {
    const name = namespacedName(slice);
    const before = this.serviceOfSlice.get(name);
    const label = slice.metadata.labels?.[serviceNameLabel];
    const service = isGone || label === undefined ? undefined : `${slice.metadata.namespace}/${label}`;
    if (before !== undefined && before !== service) this.removeSlice(before, name);
    if (service !== undefined) {
      const slices = this.slicesByName.get(service) ?? new Map<string, EndpointSlice>();
      this.slicesByName.set(service, slices.set(name, slice));
      this.slices.set(service, [...slices.values()]);
      this.serviceOfSlice.set(name, service);
    } else this.serviceOfSlice.delete(name);
    const touched = [before, service].filter((one) => one !== undefined);
    return [...new Set(touched)].map((one) => dependencyOf('endpointslices', one));
  }

  private removeSlice(service: string, name: string): void {
    const slices = this.slicesByName.get(service);
    slices?.delete(name);
    if (slices && slices.size > 0) this.slices.set(service, [...slices.values()]);
    else {
      this.slicesByName.delete(service);
      this.slices.delete(service);
    }
  }
}
