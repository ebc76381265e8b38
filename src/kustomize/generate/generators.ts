/** configMapGenerator and secretGenerator. Source: api/internal/generators and api/resource of kustomize 5.5. */

import {
  fieldOf,
  isNullNode,
  isOldNonString,
  type MapNode,
  mapEntry,
  mapNode,
  type Origin,
  scalarNode,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';
import { refuse } from '../problem.ts';
import type { GeneratorEntry, GeneratorOptions } from '../read/kustomization.ts';
import type { Loader } from '../read/loader.ts';
import { annotationsOf, labelsOf, Resource, setStringMap } from '../resource.ts';
import type { ResourceSet } from '../resource-set.ts';
import { type Datum, readData } from './sources.ts';

/** Makes the object of an entry. Throws `KustomizeProblem`. */
export function generate(
  kind: 'ConfigMap' | 'Secret',
  entry: GeneratorEntry,
  globalOptions: GeneratorOptions | undefined,
  loader: Loader,
): Resource {
  const at = entry.node;
  if (!entry.name) refuse('SL1011', 'this generator has no name', at, { hint: 'Add name:.' });
  const metadata = mapNode(at);
  set(metadata, 'name', nameNode(entry.name, at));
  if (entry.namespace) set(metadata, 'namespace', nameNode(entry.namespace, at));
  const node = mapNode(at);
  set(node, 'apiVersion', textNode('v1', at));
  set(node, 'kind', textNode(kind, at));
  set(node, 'metadata', metadata);
  const data = readData(entry, loader);
  if (kind === 'Secret') fillSecret(node, entry, data);
  else fillConfigMap(node, data);
  const options = mergeOptions(entry.options, globalOptions);
  for (const [field, pairs] of [
    ['labels', options.labels],
    ['annotations', options.annotations],
  ] as const) {
    for (const [key, pair] of sorted(pairs))
      set(mapIn(metadata, field), key, textNode(pair.value, pair.node));
  }
  if (options.immutable) set(node, 'immutable', scalarNode('true', '!!bool', at));
  const resource = new Resource(node);
  resource.needsHash = !options.disableNameSuffixHash;
  resource.remember();
  resource.behavior = behaviorOf(entry);
  return resource;
}

function behaviorOf({ behavior }: GeneratorEntry): Resource['behavior'] {
  return behavior === 'create' || behavior === 'replace' || behavior === 'merge' ? behavior : 'unspecified';
}

/** What an entry says itself comes first, but a flag that is set for all stays set. */
function mergeOptions(own: GeneratorOptions | undefined, global: GeneratorOptions | undefined) {
  return {
    labels: new Map([...(global?.labels ?? []), ...(own?.labels ?? [])]),
    annotations: new Map([...(global?.annotations ?? []), ...(own?.annotations ?? [])]),
    disableNameSuffixHash: own?.disableNameSuffixHash || global?.disableNameSuffixHash || false,
    immutable: own?.immutable || global?.immutable || false,
  };
}

const sorted = <Value>(map: ReadonlyMap<string, Value>): [string, Value][] =>
  [...map].sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));

/** Quoted where it looks like something else; whoever changes the name later leaves the quotes. */
const nameNode = (text: string, at: Origin) =>
  scalarNode(text, '!!str', at, isOldNonString(text) ? 'double' : 'plain');

const textNode = (text: string, at: Origin, tag = '!!str') => scalarNode(text, tag, at);

function mapIn(parent: MapNode, field: string): MapNode {
  const existing = fieldOf(parent, field);
  if (existing?.kind === 'map') return existing;
  const created = mapNode(parent);
  set(parent, field, created);
  return created;
}

/** Keys are left without a type, as kustomize does: one that looks like a number makes the object unprintable. */
function set(map: MapNode, key: string, value: YamlNode): void {
  map.entries.push(mapEntry(scalarNode(key, '', value), value));
}

function configMapEntry(map: MapNode, key: string, datum: Datum): void {
  const isText = typeof datum.value === 'string';
  const text = isText ? datum.value : base64Lines(datum.value);
  set(mapIn(map, isText ? 'data' : 'binaryData'), key, dataNode(text as string, datum.node));
}

function fillConfigMap(node: MapNode, data: ReadonlyMap<string, Datum>): void {
  for (const [key, datum] of sorted(data)) configMapEntry(node, key, datum);
}

function fillSecret(node: MapNode, entry: GeneratorEntry, data: ReadonlyMap<string, Datum>): void {
  set(node, 'type', textNode(entry.type || 'Opaque', entry.node));
  const map = mapIn(node, 'data');
  for (const [key, { value, node: at }] of sorted(data)) {
    set(map, key, dataNode(base64Lines(Buffer.from(value as string)), at));
  }
}

const dataNode = (text: string, at: Origin) =>
  scalarNode(text, '!!str', at, text.includes('\n') ? 'literal' : 'plain');

/** Base64; longer than 70 characters it is cut into lines of 70, each with a break at its end. */
function base64Lines(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64');
  if (text.length < 70) return text;
  return text.replace(/.{1,70}/g, '$&\n');
}

/** Adds a generated object, or merges it into one that is there, as its behavior says. Throws `KustomizeProblem`. */
export function absorb(resource: Resource, resources: ResourceSet, at: Origin): void {
  const matches = resources.withAnyId(resource.currentId);
  const object = resource.describe();
  const { behavior } = resource;
  const [old] = matches;
  if (matches.length > 1) refuse('SL1011', `${object} matches ${matches.length} objects`, at, { object });
  if (!old) {
    if (behavior === 'merge' || behavior === 'replace') {
      refuse('SL1011', `there is no ${object} to ${behavior}`, at, {
        object,
        hint: 'Name and namespace must be those of an object below.',
      });
    }
    resources.add(resource, at);
    return;
  }
  if (behavior !== 'merge' && behavior !== 'replace') {
    refuse('SL1009', `${object} exists already`, at, {
      object,
      hint: 'Add behavior: merge or behavior: replace.',
    });
  }
  const origin = old.originText;
  continueFrom(old, resource);
  if (behavior === 'merge') {
    if (origin) resource.noteOriginText(origin);
    mergeField(old, resource, 'data');
    mergeField(old, resource, 'binaryData');
  }
  // It now has the place of the object with its own id, which a change of the old one's kind makes another, or none.
  if (resource.currentKey !== old.currentKey) {
    refuse('SL1011', `there is no ${resource.describe()} any more to ${behavior}`, at, {
      object,
      hint: `${old.describe()} was it before.`,
    });
  }
  resources.replace(old, resource);
}

/** The new object takes the place of the old one: its name, namespace and history, and what it has of labels and annotations. */
function continueFrom(old: Resource, resource: Resource): void {
  const needsHash = old.needsHash && resource.needsHash;
  setStringMap(resource.node, 'labels', new Map([...labelsOf(old.node), ...labelsOf(resource.node)]));
  setStringMap(
    resource.node,
    'annotations',
    new Map([...annotationsOf(old.node), ...annotationsOf(resource.node)]),
  );
  const metadata = mapIn(resource.node, 'metadata');
  setText(metadata, 'name', old.name);
  setText(metadata, 'namespace', old.namespace);
  resource.continue(old);
  resource.needsHash = needsHash;
  resource.behavior = old.behavior;
}

/** The type is left to the text, the quotes stay. */
function setText(map: MapNode, field: string, text: string): void {
  const before = fieldOf(map, field);
  const style = before?.kind === 'scalar' ? before.style : 'plain';
  map.entries = map.entries.filter((entry) => entry.name !== field);
  if (text !== '') set(map, field, scalarNode(text, '', map, style));
}

function mergeField(old: Resource, resource: Resource, field: 'data' | 'binaryData'): void {
  const values = new Map<string, YamlNode>();
  for (const node of [fieldOf(old.node, field), fieldOf(resource.node, field)]) {
    // Of a key that is written twice the first counts.
    for (const entry of node?.kind === 'map' ? [...node.entries].reverse() : [])
      values.set(entry.name, entry.value);
  }
  const root = resource.node;
  root.entries = root.entries.filter((entry) => entry.name !== field);
  for (const [key, value] of sorted(values)) {
    const text = isNullNode(value) ? '' : textOf(value);
    set(mapIn(root, field), key, dataNode(text, value));
  }
}
