/** What an IngressRouteUDP or IngressRouteTCP names: fields that kustomize does not know as names of something else. */

import { nearestName } from '../../diagnostics/index.ts';
import { fieldOf, type ScalarNode, textOf, type YamlNode } from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { diagnosticAt } from '../problem.ts';
import { effectiveNamespace, type Resource, type ResourceId } from '../resource.ts';

/** More names are not compared with a misspelt one. */
const maxComparedNames = 1000;

/** Kinds that routes name. */
const referred = new Set(['Service', 'Secret', 'MiddlewareTCP', 'ServersTransportTCP', 'TLSOption']);

/** What can be named, with what is asked about it. */
interface Named {
  readonly resource: Resource;
  readonly ports: readonly YamlNode[];
}

/** A field of a route that names something. */
interface Reference {
  readonly kind: string;
  readonly name: ScalarNode;
  readonly namespace: string;
  /** Of a Service. */
  readonly port: YamlNode | undefined;
}

interface Route {
  readonly resource: Resource;
  readonly formerNamespaces: readonly string[];
  readonly references: readonly Reference[];
}

/** Gathers what is named and what names it, while each object is at hand, and then compares. */
export class RouteInspector {
  /** By kind, namespace and name as they are now. */
  readonly #current = new Map<string, Named>();
  /** By kind, namespace and name as they were. */
  readonly #former = new Map<string, Resource>();
  readonly #serviceNames = new Set<string>();
  readonly #routes: Route[] = [];

  /** To be called before kustomize's memory of the resource is taken away. */
  add(resource: Resource): void {
    const { kind } = resource;
    if (referred.has(kind)) this.#addNamed(resource);
    else if (kind === 'IngressRouteUDP' || kind === 'IngressRouteTCP') this.#addRoute(resource);
  }

  #addNamed(resource: Resource): void {
    const id = resource.currentId;
    if (id.kind === 'Service') this.#serviceNames.add(id.name);
    const ports = itemsOf(fieldOf(fieldOf(resource.node, 'spec'), 'ports'));
    this.#current.set(keyOf(id), { resource, ports });
    for (const previous of resource.previousIds) this.#former.set(keyOf(previous), resource);
  }

  #addRoute(resource: Resource): void {
    this.#routes.push({
      resource,
      formerNamespaces: resource.previousIds.map(effectiveNamespace),
      references: referencesOf(resource),
    });
  }

  /** Says which names lead nowhere now that all objects are known. */
  inspect(build: Build): void {
    for (const route of this.#routes) {
      for (const reference of route.references) this.#inspectReference(route, reference, build);
    }
  }

  #inspectReference(route: Route, reference: Reference, build: Build): void {
    const { kind, name, namespace } = reference;
    const found = this.#current.get(`${kind}/${namespace}/${name.text}`);
    if (found) {
      if (kind === 'Service') inspectPort(route.resource, reference, found, build);
      return;
    }
    const renamed = this.#formerly(route, reference);
    if (renamed) reportRenamed(route.resource, reference, renamed, build);
    else if (kind === 'Service') this.#inspectServiceName(route.resource, name, build);
  }

  /** What had the name before. */
  #formerly(route: Route, { kind, name, namespace }: Reference): Resource | undefined {
    for (const former of new Set([namespace, ...route.formerNamespaces])) {
      const renamed = this.#former.get(`${kind}/${former}/${name.text}`);
      if (renamed) return renamed;
    }
    return undefined;
  }

  #inspectServiceName(route: Resource, name: ScalarNode, build: Build): void {
    if (this.#serviceNames.size > maxComparedNames) return;
    const nearest = nearestName(name.text, this.#serviceNames);
    if (!nearest || nearest === name.text) return;
    build.diagnostics.push(
      diagnosticAt('warning', 'SL1111', `there is no Service ${name.text}`, name, {
        object: route.describe(),
        hint: `Did you mean ${nearest}?`,
      }),
    );
  }
}

const keyOf = (id: ResourceId): string => `${id.kind}/${effectiveNamespace(id)}/${id.name}`;

const itemsOf = (node: YamlNode | undefined): readonly YamlNode[] =>
  node?.kind === 'sequence' ? node.items : [];

function referencesOf(route: Resource): Reference[] {
  const own = effectiveNamespace(route.currentId);
  const references: Reference[] = [];
  const add = (kind: string, name: YamlNode | undefined, namespace?: YamlNode, port?: YamlNode): void => {
    if (name?.kind !== 'scalar') return;
    references.push({ kind, name, namespace: namespace ? textOf(namespace) : own, port });
  };
  const addMap = (kind: string, map: YamlNode | undefined): void =>
    add(kind, fieldOf(map, 'name'), fieldOf(map, 'namespace'), fieldOf(map, 'port'));
  const spec = fieldOf(route.node, 'spec');
  for (const rule of itemsOf(fieldOf(spec, 'routes'))) {
    for (const service of itemsOf(fieldOf(rule, 'services'))) {
      addMap('Service', service);
      add('ServersTransportTCP', fieldOf(service, 'serversTransport'));
    }
    for (const middleware of itemsOf(fieldOf(rule, 'middlewares'))) addMap('MiddlewareTCP', middleware);
  }
  const tls = fieldOf(spec, 'tls');
  add('Secret', fieldOf(tls, 'secretName'));
  addMap('TLSOption', fieldOf(tls, 'options'));
  return references;
}

function reportRenamed(route: Resource, { kind, name }: Reference, renamed: Resource, build: Build): void {
  const message = `${name.text} is ${renamed.describe()} now, but the route still names the old one`;
  const hint = `kustomize does not know that this field names a ${kind}. Add configurations: with a nameReference for it, or a replacement.`;
  build.diagnostics.push(
    diagnosticAt('warning', 'SL1111', message, name, { object: route.describe(), hint }),
  );
}

function inspectPort(route: Resource, { port }: Reference, { resource, ports }: Named, build: Build): void {
  if (port?.kind !== 'scalar' || ports.length === 0) return;
  const isPort = (item: YamlNode): boolean =>
    textOf(fieldOf(item, 'port')) === port.text || textOf(fieldOf(item, 'name')) === port.text;
  if (ports.some(isPort)) return;
  const known = ports.flatMap((item) => [textOf(fieldOf(item, 'port')), textOf(fieldOf(item, 'name'))]);
  const message = `${resource.describe()} has no port ${port.text}`;
  const hint = `Its ports are ${known.filter((text) => text !== '').join(', ')}.`;
  build.diagnostics.push(
    diagnosticAt('warning', 'SL1117', message, port, { object: route.describe(), hint }),
  );
}
