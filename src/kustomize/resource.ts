/** One object on its way through the kustomizations, with what kustomize remembers about it. */

import {
  cloneNode,
  entryOf,
  fieldOf,
  isNullNode,
  type MapNode,
  mapEntry,
  mapNode,
  type Origin,
  scalarNode,
  textOf,
  type YamlNode,
} from '../yaml/index.ts';
import { isClusterScoped, mayBeClusterScoped } from './built-in-kinds.ts';

export interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface ResourceId extends Gvk {
  readonly name: string;
  readonly namespace: string;
}

interface PreviousId {
  readonly name: string;
  readonly namespace: string;
  readonly kind: string;
}

/**
 * kustomize keeps what it remembers in annotations of the object itself, so a patch that replaces all annotations makes it
 * forget. This entry stands for them: while it is there, the memory counts.
 */
const memoryKey = 'internal.config.kubernetes.io/sluice';

const originKey = 'config.kubernetes.io/origin';
const transformationsKey = 'alpha.config.kubernetes.io/transformations';
const managerKey = 'app.kubernetes.io/managed-by';

/** Annotations that kustomize takes for its own and removes. Source: BuildAnnotations in api/resource of kustomize 5.5. */
const buildAnnotations = new Set([
  memoryKey,
  ...[
    'previousKinds',
    'previousNames',
    'prefixes',
    'suffixes',
    'previousNamespaces',
    'allowNameChange',
    'allowKindChange',
    'refBy',
    'generatorBehavior',
    'needsHashSuffix',
    'path',
    'index',
    'seqindent',
    'id',
    'annotations-migration-resource-id',
  ].map((name) => `internal.config.kubernetes.io/${name}`),
  'config.kubernetes.io/path',
  'config.kubernetes.io/index',
  'config.k8s.io/id',
]);

const none: readonly never[] = [];

export class Resource {
  node: MapNode;
  #previousIds: readonly PreviousId[] = none;
  #prefixes: readonly string[] = none;
  #suffixes: readonly string[] = none;
  #needsHash = false;
  /** What `behavior` a generated resource was made with. */
  behavior: 'unspecified' | 'create' | 'replace' | 'merge' = 'unspecified';
  /** The file it was read from, as build metadata names it. */
  file: string | undefined;

  constructor(node: MapNode) {
    this.node = node;
  }

  get apiVersion(): string {
    return textOf(fieldOf(this.node, 'apiVersion'));
  }

  get kind(): string {
    return textOf(fieldOf(this.node, 'kind'));
  }

  get name(): string {
    return this.#metadataText('name');
  }

  get namespace(): string {
    return this.#metadataText('namespace');
  }

  #metadataText(field: string): string {
    return textUnlessNull(fieldOf(fieldOf(this.node, 'metadata'), field));
  }

  get gvk(): Gvk {
    return this.currentId;
  }

  #currentId: { readonly apiVersion: string; readonly value: ResourceId } | undefined;
  #currentKey: { readonly id: ResourceId; readonly key: string } | undefined;

  /** Looked up every time, since anything may change the object; made anew only where it has changed. */
  get currentId(): ResourceId {
    let apiVersionNode: YamlNode | undefined;
    let kindNode: YamlNode | undefined;
    let metadata: YamlNode | undefined;
    let nameNode: YamlNode | undefined;
    let namespaceNode: YamlNode | undefined;
    // One go instead of a look for each of them: this is asked for more often than anything else.
    const { entries } = this.node;
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index]!;
      const { name } = entry;
      if (name === 'apiVersion') apiVersionNode ??= entry.value;
      else if (name === 'kind') kindNode ??= entry.value;
      else if (name === 'metadata') metadata ??= entry.value;
    }
    if (metadata?.kind === 'map') {
      for (let index = 0; index < metadata.entries.length; index++) {
        const entry = metadata.entries[index]!;
        if (entry.name === 'name') nameNode ??= entry.value;
        else if (entry.name === 'namespace') namespaceNode ??= entry.value;
      }
    }
    const apiVersion = textOf(apiVersionNode);
    const kind = textOf(kindNode);
    const name = textUnlessNull(nameNode);
    const namespace = textUnlessNull(namespaceNode);
    const known = this.#currentId;
    if (known?.apiVersion === apiVersion) {
      const id = known.value;
      if (id.kind === kind && id.name === name && id.namespace === namespace) return id;
    }
    const { group, version } = parseApiVersion(apiVersion);
    // Not by spreading: V8 gives every object that is made that way a hidden class of its own.
    const value = { group, version, kind, name, namespace };
    this.#currentId = { apiVersion, value };
    return value;
  }

  /** The `idKey` of the current id. */
  get currentKey(): string {
    const id = this.currentId;
    if (this.#currentKey?.id !== id) this.#currentKey = { id, key: idKey(id) };
    return this.#currentKey.key;
  }

  /** The oldest first, without the current one. */
  get previousIds(): readonly ResourceId[] {
    const previous = this.#previousIds;
    if (previous.length === 0 || !this.#remembers) return none;
    const { apiVersion } = this;
    const known = this.#fullPreviousIds;
    if (known?.of === previous && known.apiVersion === apiVersion) return known.ids;
    const { group, version } = parseApiVersion(apiVersion);
    const ids = previous.map(({ name, namespace, kind }) => ({ group, version, kind, name, namespace }));
    this.#fullPreviousIds = { of: previous, apiVersion, ids };
    return ids;
  }

  #fullPreviousIds:
    | { readonly of: readonly PreviousId[]; readonly apiVersion: string; readonly ids: readonly ResourceId[] }
    | undefined;

  get originalId(): ResourceId {
    return this.previousIds[0] ?? this.currentId;
  }

  get prefixes(): readonly string[] {
    return this.#remembers ? this.#prefixes : none;
  }

  get suffixes(): readonly string[] {
    return this.#remembers ? this.#suffixes : none;
  }

  get needsHash(): boolean {
    return this.#needsHash && this.#remembers;
  }

  storePreviousId(): void {
    this.remember();
    const id = this.currentId;
    const previous = { name: id.name, kind: id.kind, namespace: effectiveNamespace(id) };
    this.#previousIds = [...this.#previousIds, previous];
  }

  addPrefix(prefix: string): void {
    this.remember();
    if (prefix !== '') this.#prefixes = [...this.#prefixes, prefix];
  }

  addSuffix(suffix: string): void {
    this.remember();
    if (suffix !== '') this.#suffixes = [...this.#suffixes, suffix];
  }

  set needsHash(value: boolean) {
    if (value) this.remember();
    this.#needsHash = value;
  }

  /** Takes over what another resource was remembered as: a generator's `merge` and `replace` continue it. */
  continue(other: Resource): void {
    other.#successor = this;
    this.remember();
    this.#previousIds = other.previousIds;
    this.#prefixes = other.prefixes;
    this.#suffixes = other.suffixes;
  }

  /** Another object with the same contents and the same memory. */
  copy(): Resource {
    const copy = new Resource(cloneNode(this.node));
    copy.#previousIds = this.#previousIds;
    copy.#prefixes = this.#prefixes;
    copy.#suffixes = this.#suffixes;
    return copy;
  }

  #successor: Resource | undefined;

  /** The one that continues it in the end, or itself. */
  get newest(): Resource {
    return this.#successor?.newest ?? this;
  }

  get #remembers(): boolean {
    return entryOf(fieldOf(fieldOf(this.node, 'metadata'), 'annotations'), memoryKey) !== undefined;
  }

  /** Marks that kustomize would have written annotations of its own by now; they make the map exist. */
  remember(): void {
    if (this.#remembers) return;
    this.#previousIds = none;
    this.#prefixes = none;
    this.#suffixes = none;
    this.#needsHash = false;
    this.keepMemory();
  }

  /** Whether kustomize would have annotations of its own on the object now. */
  get hasMemory(): boolean {
    return this.#remembers;
  }

  /** Marks it again where a JSON patch took the mark away: kustomize writes its annotations anew after one. */
  keepMemory(): void {
    if (this.#remembers) return;
    const annotations = createMap(createMap(this.node, 'metadata'), 'annotations');
    annotations.entries.push(
      mapEntry(scalarNode(memoryKey, '!!str', annotations), scalarNode('', '!!str', annotations)),
    );
  }

  /** Takes the mark of the memory away again, and the annotations with it where they hold nothing else. */
  forget(): void {
    const metadata = fieldOf(this.node, 'metadata');
    const annotations = fieldOf(metadata, 'annotations');
    if (metadata?.kind !== 'map' || annotations?.kind !== 'map') return;
    annotations.entries = annotations.entries.filter((entry) => entry.name !== memoryKey);
    if (annotations.entries.length > 0) return;
    metadata.entries = metadata.entries.filter((entry) => entry.name !== 'annotations');
  }

  /**
   * What kustomize does last: its own annotations go, and with the map written anew every value becomes a string and every
   * key loses its quotes (so that a key like "10" can no longer be printed).
   */
  finish(metadata: ReadonlySet<string>): void {
    if (metadata.has('managedByLabel')) this.#note('labels', managerKey, 'kustomize-(devel)');
    const annotations = fieldOf(fieldOf(this.node, 'metadata'), 'annotations');
    if (!annotations) return;
    const values = stringMap(annotations);
    for (const key of values.keys()) if (buildAnnotations.has(key)) values.delete(key);
    if (!metadata.has('originAnnotations')) values.delete(originKey);
    if (!metadata.has('transformerAnnotations')) values.delete(transformationsKey);
    setStringMap(this.node, 'annotations', values);
  }

  #note(field: 'annotations' | 'labels', key: string, text: string): void {
    const map = createMap(createMap(this.node, 'metadata'), field);
    map.entries = map.entries.filter((entry) => entry.name !== key);
    map.entries.push(mapEntry(scalarNode(key, '', map), scalarNode(text, '!!str', map)));
  }

  /**
   * Notes down the file or the generator it came from. Build metadata is kept in annotations from the beginning, as kustomize does
   * it: a patch may take it away, and a patch of an object without annotations of its own finds some.
   */
  noteOrigin(origin: BuildOrigin): void {
    this.noteOriginText(`${describeOrigin(origin).join('\n')}\n`);
  }

  get originText(): string {
    return stringMap(fieldOf(fieldOf(this.node, 'metadata'), 'annotations')).get(originKey) ?? '';
  }

  noteOriginText(text: string): void {
    this.#note('annotations', originKey, text);
  }

  /** Notes down a transformer; it counts as the origin where no other is known (any more). All annotations are written anew. */
  noteTransformation(transformer: BuildOrigin): void {
    const lines = describeOrigin(transformer);
    const values = stringMap(fieldOf(fieldOf(this.node, 'metadata'), 'annotations'));
    if (values.has(originKey)) {
      const before = values.get(transformationsKey) ?? '';
      values.set(transformationsKey, `${before}- ${lines.join('\n  ')}\n`);
    } else values.set(originKey, `${lines.join('\n')}\n`);
    setStringMap(this.node, 'annotations', values);
  }

  /** `Kind namespace/name`, as diagnostics name an object. */
  describe(): string {
    return describeId(this.currentId);
  }
}

const textUnlessNull = (node: YamlNode | undefined): string =>
  node?.kind === 'scalar' && !isNullNode(node) ? node.text : '';

export interface BuildOrigin {
  readonly path?: string;
  readonly configuredIn?: string;
  readonly configuredBy?: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name?: string;
    readonly namespace?: string;
  };
}

function describeOrigin({ path, configuredIn, configuredBy }: BuildOrigin): string[] {
  const lines: string[] = [];
  if (path) lines.push(`path: ${path}`);
  if (configuredIn) lines.push(`configuredIn: ${configuredIn}`);
  if (configuredBy) {
    lines.push('configuredBy:', `  apiVersion: ${configuredBy.apiVersion}`, `  kind: ${configuredBy.kind}`);
    if (configuredBy.name) lines.push(`  name: ${configuredBy.name}`);
    if (configuredBy.namespace) lines.push(`  namespace: ${configuredBy.namespace}`);
  }
  return lines;
}

export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const cut = apiVersion.indexOf('/');
  if (cut < 0) return { group: '', version: apiVersion };
  return { group: apiVersion.slice(0, cut), version: apiVersion.slice(cut + 1) };
}

/** `Kind namespace/name`. */
export const describeId = ({ kind, name, namespace }: ResourceId): string =>
  `${kind} ${namespace ? `${namespace}/` : ''}${name}`;

export const apiVersionOf = ({ group, version }: Gvk): string => (group ? `${group}/${version}` : version);

/** The namespace an id counts as: none for cluster-wide kinds, `default` where none is written. */
export function effectiveNamespace(id: ResourceId): string {
  if (mayBeClusterScoped(id.kind) && isClusterScoped(apiVersionOf(id), id.kind)) return '_non_namespaceable_';
  return id.namespace || 'default';
}

/** Two ids are equal when their keys are. */
export function idKey(id: ResourceId): string {
  return `${id.group}|${id.version}|${id.kind}|${id.name}|${effectiveNamespace(id)}`;
}

/** Whether the parts of a selector that are not empty are equal. */
export function isSelectedGvk(gvk: Gvk, selector: Partial<Gvk>): boolean {
  return (
    (!selector.group || selector.group === gvk.group) &&
    (!selector.version || selector.version === gvk.version) &&
    (!selector.kind || selector.kind === gvk.kind)
  );
}

/** The map at a field, made where there is none. */
export function createMap(parent: YamlNode, field: string, origin: Origin = parent): MapNode {
  const existing = fieldOf(parent, field);
  if (existing?.kind === 'map') return existing;
  const created = mapNode(origin);
  if (parent.kind !== 'map') return created;
  const entry = entryOf(parent, field);
  if (entry) entry.value = created;
  else parent.entries.push(mapEntry(scalarNode(field, '', origin), created));
  return created;
}

/** What an option of a patch does to the patch: it is noted down in its annotations, which are written anew for that. */
export function noteInAnnotations(patch: MapNode): void {
  const annotations = fieldOf(fieldOf(patch, 'metadata'), 'annotations');
  setStringMap(patch, 'annotations', stringMap(annotations).set(memoryKey, ''));
}

/** Labels or annotations as kustomize reads them: the source text of every value, '' for what is no scalar. */
export function stringMap(node: YamlNode | undefined): Map<string, string> {
  const values = new Map<string, string>();
  if (node?.kind === 'map') for (const { name, value } of node.entries) values.set(name, textOf(value));
  return values;
}

export const labelsOf = (node: YamlNode): Map<string, string> =>
  stringMap(fieldOf(fieldOf(node, 'metadata'), 'labels'));

export const annotationsOf = (node: YamlNode): Map<string, string> => {
  const values = stringMap(fieldOf(fieldOf(node, 'metadata'), 'annotations'));
  values.delete(memoryKey);
  return values;
};

/** Writes labels or annotations anew; an empty map is left out. Values that stay keep the place where they were written. */
export function setStringMap(
  node: MapNode,
  field: 'labels' | 'annotations',
  values: ReadonlyMap<string, string>,
): void {
  const metadata = createMap(node, 'metadata');
  const old = fieldOf(metadata, field);
  metadata.entries = metadata.entries.filter((entry) => entry.name !== field);
  if (values.size === 0) return;
  const map = mapNode(old ?? metadata);
  metadata.entries.push(mapEntry(scalarNode(field, '', map), map));
  for (const [key, text] of values) {
    const before = entryOf(old, key);
    const value = scalarNode(text, '!!str', before?.value ?? map);
    if (before?.value.touches) value.touches = before.value.touches;
    map.entries.push(mapEntry(scalarNode(key, '', before?.key ?? map), value));
  }
}
