/** Services whose selectors miss the pods of the tree by one value. */

import { nearestName } from '../../diagnostics/index.ts';
import { fieldOf, isNullNode, type MapNode, textOf, type YamlNode } from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { diagnosticAt } from '../problem.ts';
import { effectiveNamespace, type Resource } from '../resource.ts';

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

/** A Service with a selector, taken apart while the object is at hand. */
interface Selecting {
  readonly service: Resource;
  readonly namespace: string;
  readonly selector: MapNode;
}

/** Gathers selectors and pods, and then compares. */
export class SelectorInspector {
  readonly #pods = new PodIndex();
  readonly #selecting: Selecting[] = [];

  add(resource: Resource): void {
    this.#pods.add(resource);
    if (resource.kind !== 'Service') return;
    const selector = fieldOf(fieldOf(resource.node, 'spec'), 'selector');
    if (selector?.kind !== 'map' || selector.entries.length === 0) return;
    this.#selecting.push({ service: resource, namespace: effectiveNamespace(resource.currentId), selector });
  }

  /** Says which selectors are likely slips, now that all pods are known. */
  inspect(build: Build): void {
    for (const selecting of this.#selecting) inspectSelector(selecting, this.#pods, build);
  }
}

/** A selector that misses the pods of the tree by one value: a slip, not a Service for pods from elsewhere. */
function inspectSelector({ service, namespace, selector }: Selecting, pods: PodIndex, build: Build): void {
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
