/** What is wrong with the objects as they will be printed, though kustomize prints them. */

import { nearestName } from '../../diagnostics/index.ts';
import {
  fieldOf,
  isNullNode,
  type MapNode,
  type ScalarNode,
  type SequenceNode,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { isBuiltIn } from '../built-in-kinds.ts';
import { diagnosticAt } from '../problem.ts';
import { effectiveNamespace, type Resource, type ResourceId } from '../resource.ts';

/** To be shown each resource before kustomize's memory of it is taken away. */
export class ResultInspector {
  readonly #build: Build;
  readonly #named = new NameIndex();
  readonly #pods = new PodIndex();
  readonly #services: Resource[] = [];
  readonly #routes: Route[] = [];

  constructor(build: Build) {
    this.#build = build;
  }

  /** Looks at what can be told from the object alone. */
  inspect(resource: Resource): void {
    inspectValues(resource, this.#build);
    this.#pods.add(resource);
    const { kind } = resource;
    if (referred.has(kind)) this.#named.add(resource);
    if (kind === 'Service') this.#services.push(resource);
    else if (kind === 'IngressRouteUDP' || kind === 'IngressRouteTCP') {
      this.#routes.push({ resource, formerNamespaces: resource.previousIds.map(effectiveNamespace) });
    }
  }

  /** Looks at what the objects say of each other. */
  inspectReferences(): void {
    for (const service of this.#services) inspectSelector(service, this.#pods, this.#build);
    for (const route of this.#routes) inspectRoute(route, this.#named, this.#build);
  }
}

/** Fields whose values the API wants as texts. */
const textMaps = new Set(['labels', 'annotations', 'matchLabels', 'selector', 'nodeSelector']);

/** Lists of texts in the objects of Kubernetes itself; in others they may hold anything. */
const textLists = new Set(['args', 'command']);
const noLists: ReadonlySet<string> = new Set();

function inspectValues(resource: Resource, build: Build): void {
  const { node, kind, apiVersion } = resource;
  const warn: Warn = (code, message, at, hint) => {
    if (code === 'SL1113' && isOwnAnnotation(node, at)) return;
    const object = resource.describe();
    build.diagnostics.push(diagnosticAt('warning', code, message, at, { object, hint }));
  };
  inspectMap(node, '', isBuiltIn(apiVersion, kind) ? textLists : noLists, warn);
  if (kind === 'ConfigMap') inspectTexts(fieldOf(node, 'data'), warn);
  if (kind === 'Secret') inspectTexts(fieldOf(node, 'stringData'), warn);
}

/** kustomize itself makes texts of them. */
function isOwnAnnotation(root: MapNode, at: YamlNode): boolean {
  const annotations = fieldOf(fieldOf(root, 'metadata'), 'annotations');
  return annotations?.kind === 'map' && annotations.entries.some(({ value }) => value === at);
}

type Warn = (code: 'SL1107' | 'SL1112' | 'SL1113', message: string, at: YamlNode, hint: string) => void;

function inspectTexts(map: YamlNode | undefined, warn: Warn): void {
  if (map?.kind !== 'map') return;
  for (const { name, value } of map.entries) if (value.kind === 'scalar') inspectText(name, value, warn);
}

function inspectText(name: string, value: ScalarNode, warn: Warn): void {
  if (value.style !== 'plain' || !isTyped(value.tag)) return;
  const message = `${name} must be a text, but ${value.text} is none`;
  warn('SL1113', message, value, `Put it in quotes: "${value.text}".`);
}

function inspectMap(map: MapNode, field: string, lists: ReadonlySet<string>, warn: Warn): void {
  const isTextMap = textMaps.has(field);
  const { entries } = map;
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index]!;
    const { name, value } = entry;
    if (name.charCodeAt(0) === 0x24) inspectDirective(entry.key, warn);
    if (value.kind === 'scalar') {
      if (isTextMap || (name === 'value' && field === 'env')) inspectText(name, value, warn);
      if (value.tag === '!!float') inspectNumber(value, warn);
    } else inspectCollection(value, name, lists, warn);
  }
}

function inspectCollection(
  node: MapNode | SequenceNode,
  field: string,
  lists: ReadonlySet<string>,
  warn: Warn,
): void {
  if (node.kind === 'map') {
    inspectMap(node, field, lists, warn);
    return;
  }
  const isTextList = lists.has(field);
  for (let index = 0; index < node.items.length; index++) {
    const item = node.items[index]!;
    if (item.kind !== 'scalar') inspectCollection(item, field, lists, warn);
    else {
      if (isTextList) inspectText(`an item of ${field}`, item, warn);
      if (item.tag === '!!float') inspectNumber(item, warn);
    }
  }
}

function inspectNumber(node: ScalarNode, warn: Warn): void {
  if (node.style !== 'plain' || !/^[-+]?[0-9]+$/.test(node.text)) return;
  const message = `${node.text} has more than 64 bits and becomes a rounded number`;
  warn('SL1112', message, node, 'Put it in quotes.');
}

function inspectDirective(key: ScalarNode, warn: Warn): void {
  if (!/^\$(?:patch|retainKeys|setElementOrder\/.*|deleteFromPrimitiveList\/.*)$/.test(key.text)) return;
  const message = `the merge directive ${key.text} stands in the output as if it were data`;
  const hint = 'kustomize knows only $patch, and only in maps and lists that it merges. Use a JSON patch.';
  warn('SL1107', message, key, hint);
}

const isTyped = (tag: string): boolean =>
  tag === '!!int' || tag === '!!float' || tag === '!!bool' || tag === '!!timestamp';

/** More names are not compared with a misspelt one. */
const maxComparedNames = 1000;

/** Kinds that routes name. */
const referred = new Set(['Service', 'Secret', 'MiddlewareTCP', 'ServersTransportTCP', 'TLSOption']);

class NameIndex {
  /** By kind, namespace and name as they are now. */
  readonly current = new Map<string, Resource>();
  /** By kind, namespace and name as they were. */
  readonly former = new Map<string, Resource>();
  readonly services = new Set<string>();

  add(resource: Resource): void {
    const id = resource.currentId;
    if (id.kind === 'Service') this.services.add(id.name);
    this.current.set(keyOf(id), resource);
    for (const previous of resource.previousIds) this.former.set(keyOf(previous), resource);
  }
}

const keyOf = (id: ResourceId): string => `${id.kind}/${effectiveNamespace(id)}/${id.name}`;

interface Route {
  readonly resource: Resource;
  readonly formerNamespaces: readonly string[];
}

function inspectRoute(route: Route, named: NameIndex, build: Build): void {
  const spec = fieldOf(route.resource.node, 'spec');
  for (const rule of itemsOf(fieldOf(spec, 'routes'))) {
    for (const reference of itemsOf(fieldOf(rule, 'services'))) {
      inspectService(route, reference, named, build);
      inspectName(
        route,
        fieldOf(reference, 'serversTransport'),
        undefined,
        'ServersTransportTCP',
        named,
        build,
      );
    }
    for (const reference of itemsOf(fieldOf(rule, 'middlewares'))) {
      inspectReference(route, reference, 'MiddlewareTCP', named, build);
    }
  }
  const tls = fieldOf(spec, 'tls');
  inspectName(route, fieldOf(tls, 'secretName'), undefined, 'Secret', named, build);
  inspectReference(route, fieldOf(tls, 'options'), 'TLSOption', named, build);
}

const itemsOf = (node: YamlNode | undefined): readonly YamlNode[] =>
  node?.kind === 'sequence' ? node.items : [];

function inspectService(route: Route, reference: YamlNode, named: NameIndex, build: Build): void {
  const name = fieldOf(reference, 'name');
  const service = inspectReference(route, reference, 'Service', named, build);
  if (service) {
    if (service !== 'renamed') inspectPort(route, reference, service, build);
    return;
  }
  if (name?.kind !== 'scalar' || named.services.size > maxComparedNames) return;
  const nearest = nearestName(name.text, named.services);
  if (!nearest || nearest === name.text) return;
  build.diagnostics.push(
    diagnosticAt('warning', 'SL1111', `there is no Service ${name.text}`, name, {
      object: route.resource.describe(),
      hint: `Did you mean ${nearest}?`,
    }),
  );
}

/** A map with a name and perhaps a namespace. */
const inspectReference = (
  route: Route,
  reference: YamlNode | undefined,
  kind: string,
  named: NameIndex,
  build: Build,
): Resource | 'renamed' | undefined =>
  inspectName(route, fieldOf(reference, 'name'), fieldOf(reference, 'namespace'), kind, named, build);

/** What a route names; says so where it has another name now. */
function inspectName(
  route: Route,
  nameNode: YamlNode | undefined,
  namespaceNode: YamlNode | undefined,
  kind: string,
  named: NameIndex,
  build: Build,
): Resource | 'renamed' | undefined {
  if (nameNode?.kind !== 'scalar') return undefined;
  const namespace = namespaceNode ? textOf(namespaceNode) : effectiveNamespace(route.resource.currentId);
  const found = named.current.get(`${kind}/${namespace}/${nameNode.text}`);
  if (found) return found;
  const formerNamespaces = new Set([namespace, ...route.formerNamespaces]);
  const renamed = [...formerNamespaces]
    .map((former) => named.former.get(`${kind}/${former}/${nameNode.text}`))
    .find(Boolean);
  if (!renamed) return undefined;
  const message = `${nameNode.text} is ${renamed.describe()} now, but the route still names the old one`;
  const hint = `kustomize does not know that this field names a ${kind}. Add configurations: with a nameReference for it, or a replacement.`;
  build.diagnostics.push(
    diagnosticAt('warning', 'SL1111', message, nameNode, { object: route.resource.describe(), hint }),
  );
  return 'renamed';
}

function inspectPort(route: Route, reference: YamlNode, service: Resource, build: Build): void {
  const port = fieldOf(reference, 'port');
  const ports = itemsOf(fieldOf(fieldOf(service.node, 'spec'), 'ports'));
  if (port?.kind !== 'scalar' || ports.length === 0) return;
  const isPort = (item: YamlNode): boolean =>
    textOf(fieldOf(item, 'port')) === port.text || textOf(fieldOf(item, 'name')) === port.text;
  if (ports.some(isPort)) return;
  const known = ports.flatMap((item) => [textOf(fieldOf(item, 'port')), textOf(fieldOf(item, 'name'))]);
  const message = `${service.describe()} has no port ${port.text}`;
  const hint = `Its ports are ${known.filter((text) => text !== '').join(', ')}.`;
  build.diagnostics.push(
    diagnosticAt('warning', 'SL1117', message, port, { object: route.resource.describe(), hint }),
  );
}

/** Workloads by namespace and by one label of their pods, so that a selector need not look at all of them. */
class PodIndex {
  readonly #byLabel = new Map<string, { resource: Resource; labels: YamlNode }[]>();
  readonly #valuesByKey = new Map<string, Map<string, Resource>>();
  /** Comparisons of names left: a tree full of foreign selectors must not cost a comparison of each with each. */
  #budget = 20_000;

  add(resource: Resource): void {
    const labels = podLabels(resource);
    if (labels?.kind !== 'map') return;
    const namespace = effectiveNamespace(resource.currentId);
    for (const { name, value } of labels.entries) {
      const label = `${namespace}|${name}`;
      const pair = `${label}=${textOf(value)}`;
      const list = this.#byLabel.get(pair);
      if (list) list.push({ resource, labels });
      else this.#byLabel.set(pair, [{ resource, labels }]);
      const values = this.#valuesByKey.get(label);
      if (values) values.set(textOf(value), resource);
      else this.#valuesByKey.set(label, new Map([[textOf(value), resource]]));
    }
  }

  matches(namespace: string, selector: MapNode): boolean {
    const [first] = selector.entries;
    const candidates = this.#byLabel.get(`${namespace}|${first?.name}=${textOf(first?.value)}`) ?? [];
    return candidates.some(({ labels }) =>
      selector.entries.every(({ name, value }) => textOf(fieldOf(labels, name)) === textOf(value)),
    );
  }

  /** The pods that have this label with nearly this value. */
  near(namespace: string, key: string, value: string): { found: string; workload: Resource } | undefined {
    const values = this.#valuesByKey.get(`${namespace}|${key}`);
    if (!values || values.has(value) || this.#budget < values.size) return undefined;
    this.#budget -= values.size;
    const found = nearestName(value, values.keys());
    const workload = found === undefined ? undefined : values.get(found);
    return found !== undefined && workload ? { found, workload } : undefined;
  }
}

/** A selector that misses the pods of the tree by one value: a slip, not a Service for pods from elsewhere. */
function inspectSelector(service: Resource, pods: PodIndex, build: Build): void {
  const selector = fieldOf(fieldOf(service.node, 'spec'), 'selector');
  if (selector?.kind !== 'map' || selector.entries.length === 0) return;
  const namespace = effectiveNamespace(service.currentId);
  if (pods.matches(namespace, selector)) return;
  for (const { key, value } of selector.entries) {
    const near = pods.near(namespace, key.text, textOf(value));
    if (!near) continue;
    const message = `the selector ${key.text}: ${textOf(value)} matches no pods`;
    const hint = `The pods of ${near.workload.describe()} have ${key.text}: ${near.found}.`;
    build.diagnostics.push(
      diagnosticAt('warning', 'SL1116', message, value, { object: service.describe(), hint }),
    );
    return;
  }
}

function podLabels(resource: Resource): YamlNode | undefined {
  if (resource.kind === 'Pod') return fieldOf(fieldOf(resource.node, 'metadata'), 'labels');
  const template = fieldOf(fieldOf(resource.node, 'spec'), 'template');
  const labels = fieldOf(fieldOf(template, 'metadata'), 'labels');
  return labels && !isNullNode(labels) ? labels : undefined;
}
