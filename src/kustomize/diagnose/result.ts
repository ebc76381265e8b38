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
import { diagnosticAt } from '../problem.ts';
import { effectiveNamespace, type Resource, type ResourceId } from '../resource.ts';
import type { ResourceSet } from '../resource-set.ts';

export function inspectResult(resources: ResourceSet, build: Build): void {
  const services = new ServiceIndex();
  const pods = new PodIndex();
  const others: Resource[] = [];
  for (const resource of resources.all) {
    inspectValues(resource, build);
    pods.add(resource);
    const { kind } = resource;
    if (kind === 'Service') services.add(resource);
    if (kind === 'Service' || kind === 'IngressRouteUDP' || kind === 'IngressRouteTCP') others.push(resource);
  }
  for (const resource of others) {
    if (resource.kind === 'Service') inspectSelector(resource, pods, build);
    else inspectRoute(resource, services, build);
  }
}

/** Fields whose values the API wants as texts. */
const textMaps = new Set(['labels', 'annotations', 'matchLabels', 'selector', 'nodeSelector']);

function inspectValues(resource: Resource, build: Build): void {
  const warn = (code: 'SL1107' | 'SL1112' | 'SL1113', message: string, at: YamlNode, hint: string): void => {
    const object = resource.describe();
    build.diagnostics.push(diagnosticAt('warning', code, message, at, { object, hint }));
  };
  inspectMap(resource.node, '', warn);
}

type Warn = (code: 'SL1107' | 'SL1112' | 'SL1113', message: string, at: YamlNode, hint: string) => void;

function inspectMap(map: MapNode, field: string, warn: Warn): void {
  const isTextMap = textMaps.has(field);
  const { entries } = map;
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index]!;
    const { name, value } = entry;
    if (name.charCodeAt(0) === 0x24) inspectDirective(entry.key, warn);
    if (value.kind === 'scalar') {
      const isText = isTextMap || (name === 'value' && field === 'env');
      if (isText && value.style === 'plain' && isTyped(value.tag)) {
        const message = `${name} must be a text, but ${value.text} is none`;
        warn('SL1113', message, value, `Put it in quotes: "${value.text}".`);
      }
      if (value.tag === '!!float') inspectNumber(value, warn);
    } else inspectCollection(value, name, warn);
  }
}

function inspectCollection(node: MapNode | SequenceNode, field: string, warn: Warn): void {
  if (node.kind === 'map') {
    inspectMap(node, field, warn);
    return;
  }
  for (let index = 0; index < node.items.length; index++) {
    const item = node.items[index]!;
    if (item.kind !== 'scalar') inspectCollection(item, field, warn);
    else if (item.tag === '!!float') inspectNumber(item, warn);
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

class ServiceIndex {
  /** By namespace and name as they are now. */
  readonly current = new Map<string, Resource>();
  /** By namespace and name as they were. */
  readonly former = new Map<string, Resource>();
  readonly names = new Set<string>();

  add(service: Resource): void {
    const id = service.currentId;
    this.names.add(id.name);
    this.current.set(keyOf(id), service);
    for (const previous of service.previousIds) this.former.set(keyOf(previous), service);
  }
}

const keyOf = (id: ResourceId): string => `${effectiveNamespace(id)}/${id.name}`;

function inspectRoute(route: Resource, services: ServiceIndex, build: Build): void {
  const routes = fieldOf(fieldOf(route.node, 'spec'), 'routes');
  for (const rule of itemsOf(routes)) {
    for (const reference of itemsOf(fieldOf(rule, 'services')))
      inspectReference(route, reference, services, build);
  }
}

const itemsOf = (node: YamlNode | undefined): readonly YamlNode[] =>
  node?.kind === 'sequence' ? node.items : [];

function inspectReference(route: Resource, reference: YamlNode, services: ServiceIndex, build: Build): void {
  const nameNode = fieldOf(reference, 'name');
  if (nameNode?.kind !== 'scalar') return;
  const namespaceNode = fieldOf(reference, 'namespace');
  const own = effectiveNamespace(route.currentId);
  const namespace = namespaceNode ? textOf(namespaceNode) : own;
  const service = services.current.get(`${namespace}/${nameNode.text}`);
  if (service) {
    inspectPort(route, reference, service, build);
    return;
  }
  const object = route.describe();
  const formerNamespaces = new Set([namespace, ...route.previousIds.map((id) => effectiveNamespace(id))]);
  const renamed = [...formerNamespaces]
    .map((former) => services.former.get(`${former}/${nameNode.text}`))
    .find(Boolean);
  if (renamed) {
    const message = `${nameNode.text} is ${renamed.describe()} now, but the route still names the old one`;
    const hint =
      'kustomize does not know that this field names a Service. Add configurations: with a nameReference for it, or a replacement.';
    build.diagnostics.push(diagnosticAt('warning', 'SL1111', message, nameNode, { object, hint }));
    return;
  }
  if (services.names.size > maxComparedNames) return;
  const nearest = nearestName(nameNode.text, services.names);
  if (!nearest || nearest === nameNode.text) return;
  build.diagnostics.push(
    diagnosticAt('warning', 'SL1111', `there is no Service ${nameNode.text}`, nameNode, {
      object,
      hint: `Did you mean ${nearest}?`,
    }),
  );
}

function inspectPort(route: Resource, reference: YamlNode, service: Resource, build: Build): void {
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
    diagnosticAt('warning', 'SL1117', message, port, { object: route.describe(), hint }),
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
