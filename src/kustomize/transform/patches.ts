/** The `patches` of a kustomization and their two older forms. Source: PatchTransformer and its relatives of kustomize 5.5. */

import {
  cloneNode,
  composeDocument,
  entryOf,
  fieldOf,
  type MapNode,
  MarkedNodes,
  mapEntry,
  mapNode,
  refuseForbiddenCharacters,
  type SourceText,
  scalarNode,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';
import { type Build, recorderOf } from '../build.ts';
import { reportDuplicateKeys } from '../diagnose/duplicate-keys.ts';
import { reportNoMatch } from '../diagnose/no-match.ts';
import { observeMerge } from '../diagnose/observe-merge.ts';
import { KustomizeProblem, refuse } from '../problem.ts';
import type { Located } from '../read/decode.ts';
import { embeddedText } from '../read/embedded-text.ts';
import type { PatchEntry, Selector } from '../read/kustomization.ts';
import type { Loader } from '../read/loader.ts';
import { parseOrRefuse, readObjects, sourceOf } from '../read/resource-file.ts';
import { noteInAnnotations, Resource, setStringMap, stringMap } from '../resource.ts';
import type { ResourceSet } from '../resource-set.ts';
import { applyJsonPatch, type JsonPatch, readJsonPatch } from './json-patch.ts';
import { makeSelector } from './select.ts';
import { markTouched } from './set-value.ts';
import { containsDirectives, mergePatch } from './strategic-merge.ts';

export interface PatchOptions {
  readonly allowNameChange: boolean;
  readonly allowKindChange: boolean;
}

/** A patch ready to be applied. */
export interface LoadedPatch {
  readonly target: Selector | undefined;
  readonly merges: readonly MapNode[];
  readonly operations: JsonPatch | undefined;
  readonly options: PatchOptions;
  /** Of the older lists, which are not quite like `patches`. */
  readonly origin?: 'patchesStrategicMerge' | 'patchesJson6902';
  /** The entry in the kustomization. */
  readonly node: YamlNode;
}

const noOptions: PatchOptions = { allowNameChange: false, allowKindChange: false };

/** Reads an entry of `patches`. Throws `KustomizeProblem`. */
export function loadPatch(entry: PatchEntry, loader: Loader, build: Build): LoadedPatch {
  const inline = entry.patch && entry.patch.value.trim() !== '' ? entry.patch : undefined;
  const path = entry.path?.value ? entry.path : undefined;
  if (!inline && !path) {
    refuse('SL1010', 'this patch names neither a patch nor a path', entry.node, {
      hint: 'Add path: FILE, or patch: | with the patch itself.',
    });
  }
  if (inline && path)
    refuse('SL1010', 'this patch has both patch and path', entry.node, { hint: 'Keep one of them.' });
  const source = inline
    ? embeddedText(inline, true)
    : sourceOf(loader.load(path!.value, path!.node), build.files, path!.node);
  const options = {
    allowNameChange: entry.options?.get('allowNameChange') ?? false,
    allowKindChange: entry.options?.get('allowKindChange') ?? false,
  };
  const patch = parsePatch(source, entry.node, options, entry.target, build);
  if (patch.operations && !patch.target) {
    refuse('SL1010', 'a JSON patch needs a target', entry.node, {
      hint: 'Add target: with the kind and name of the resource to patch.',
    });
  }
  if (patch.target && patch.merges.length > 1) {
    refuse('SL1010', 'a patch with a target may hold one document only', entry.node, {
      hint: 'Give each document an entry of its own, or leave target out: each then patches the resource that it names.',
    });
  }
  return patch;
}

function parsePatch(
  source: SourceText,
  node: YamlNode,
  options: PatchOptions,
  target: Selector | undefined,
  build: Build,
): LoadedPatch {
  const root = parseOrRefuse(source, () => {
    refuseForbiddenCharacters(source.text);
    return composeDocument(source);
  });
  if (
    root?.kind === 'sequence' &&
    root.items.length > 0 &&
    (!source.text.startsWith('[') || isJson(source.text))
  ) {
    return { target, merges: [], operations: readJsonPatch(root), options, node };
  }
  const merges = readObjects(source);
  if (merges.length === 0) {
    refuse('SL1010', 'this patch is empty', source.text === '' ? node : { source, offset: 0 }, {
      hint: 'Write the object with the fields to change, or a list of JSON patch operations.',
    });
  }
  for (const merge of merges) {
    reportDuplicateKeys(merge, build);
    if (target) forceStrings(merge);
    if (options.allowNameChange || options.allowKindChange) noteInAnnotations(merge);
  }
  return { target, merges, operations: undefined, options, node };
}

/** A patch that starts with a bracket must be JSON, not just YAML. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Reads an entry of `patchesStrategicMerge`: a file, or the patch itself. */
export function loadStrategicMerge(entry: Located<string>, loader: Loader, build: Build): LoadedPatch {
  const isFile = !entry.value.includes('\n') && loader.kind(entry.value) !== undefined;
  let merges: readonly MapNode[];
  if (isFile || !looksLikeObject(entry.value)) {
    merges = readObjects(sourceOf(loader.load(entry.value, entry.node), build.files, entry.node));
  } else merges = readObjects(embeddedText(entry, false));
  for (const merge of merges) forceStrings(merge);
  return {
    target: undefined,
    merges,
    operations: undefined,
    options: noOptions,
    origin: 'patchesStrategicMerge',
    node: entry.node,
  };
}

const looksLikeObject = (text: string): boolean => /\n|^\s*\{/.test(text);

/** Reads an entry of `patchesJson6902`. */
export function loadJson6902(entry: PatchEntry, loader: Loader, build: Build): LoadedPatch {
  if (!entry.target) refuse('SL1010', 'a JSON patch needs a target', entry.node);
  if (!entry.target.name) {
    refuse('SL1010', 'a target of patchesJson6902 needs a name', entry.node, {
      hint: 'Add the name (or a pattern) of the resource to patch, or use patches:, where kind alone will do.',
    });
  }
  const patch = loadPatch(entry, loader, build);
  if (!patch.operations) {
    refuse('SL1010', 'patchesJson6902 takes JSON patches only', entry.node, {
      hint: 'Use patches: for a strategic merge patch.',
    });
  }
  return { ...patch, origin: 'patchesJson6902' };
}

export function applyPatch(patch: LoadedPatch, resources: ResourceSet, build: Build): void {
  if (patch.operations) applyOperations(patch, patch.operations, resources, build);
  else if (patch.target) applyToTarget(patch, resources, build);
  else for (const merge of patch.merges) applyToNamed(patch, merge, resources, build);
}

function applyOperations(
  patch: LoadedPatch,
  operations: JsonPatch,
  resources: ResourceSet,
  build: Build,
): void {
  const selected = selectTargets(patch, resources, build);
  for (const resource of selected) {
    // PatchJson6902Transformer.go does not, PatchTransformer.go does.
    if (patch.origin !== 'patchesJson6902') resource.storePreviousId();
    const hasMemory = resource.hasMemory;
    resource.node = applyJsonPatch(resource, operations, build);
    if (hasMemory) resource.keepMemory();
    // kustomize writes the annotations anew, whereby an empty map goes.
    const annotations = fieldOf(fieldOf(resource.node, 'metadata'), 'annotations');
    if (annotations) setStringMap(resource.node, 'annotations', stringMap(annotations));
  }
  if (selected.length > 0) resources.idsChanged();
  resources.settled = new MarkedNodes();
}

function selectTargets(patch: LoadedPatch, resources: ResourceSet, build: Build): Resource[] {
  if (!patch.target) return [];
  const { kind = '' } = patch.target;
  const candidates = /^[A-Za-z0-9]+$/.test(kind) ? resources.ofKind(kind) : resources.all;
  const selected = candidates.filter(makeSelector(patch.target));
  if (selected.length === 0) reportNoMatch(patch.target, resources, build);
  return selected;
}

function applyToTarget(patch: LoadedPatch, resources: ResourceSet, build: Build): void {
  const merge = patch.merges[0];
  if (merge) mergeIntoEach(patch, merge, selectTargets(patch, resources, build), resources, build);
}

/** As kustomize's `ApplySmPatch` over a set of resources. */
function mergeIntoEach(
  patch: LoadedPatch,
  merge: MapNode,
  selected: readonly Resource[],
  resources: ResourceSet,
  build: Build,
): void {
  const hasDirectives = containsDirectives(merge);
  for (const resource of selected) {
    const copy = copyForMerge(merge, hasDirectives, build);
    setText(copy, 'apiVersion', resource.apiVersion);
    mergeInto(resource, copy, patch, build, resources.settled);
  }
  dropDeleted(resources, selected, patch);
  // kustomize gathers all resources anew here, and finds out what an earlier patch did to their names.
  const conflict = resources.findConflict();
  if (conflict) refuseConflict(conflict[1], patch.node);
}

const mayRename = (patch: LoadedPatch): boolean =>
  patch.options.allowNameChange || patch.options.allowKindChange;

function refuseConflict(resource: Resource, at: YamlNode): never {
  refuse('SL1009', `after this patch there are two resources named ${resource.describe()}`, at, {
    object: resource.describe(),
  });
}

/** A merge changes the patch only where it has directives or notes down settings; else its root is all that is changed here. */
function copyForMerge(merge: MapNode, hasDirectives: boolean, build: Build): MapNode {
  if (build.explains || hasDirectives) return cloneNode(merge);
  return mapNode(
    merge,
    merge.entries.map((entry) => entry.withValue(entry.value)),
  );
}

/** With a target kustomize writes the patch's labels and annotations anew, and they all become strings: a null no longer deletes. */
function forceStrings(patch: MapNode): void {
  for (const field of ['labels', 'annotations'] as const) {
    const map = fieldOf(fieldOf(patch, 'metadata'), field);
    if (map) setStringMap(patch, field, stringMap(map));
  }
}

function applyToNamed(patch: LoadedPatch, merge: MapNode, resources: ResourceSet, build: Build): void {
  const { currentId } = new Resource(merge);
  const matches = resources.withAnyId(currentId).filter((resource) => resource.node.entries.length > 0);
  const named = new Resource(merge).describe();
  const [resource] = matches;
  if (!resource) {
    const others = resources.all
      .filter((other) => other.kind === currentId.kind)
      .map((other) => other.describe());
    refuse('SL1010', `there is no resource ${named} to patch`, merge, {
      object: named,
      hint:
        others.length > 0
          ? `There are ${others.slice(0, 5).join(', ')}. Name, namespace and apiVersion must all agree.`
          : undefined,
    });
  }
  if (matches.length > 1)
    refuse('SL1010', `${named} matches ${matches.length} resources`, merge, { object: named });
  if (patch.origin === 'patchesStrategicMerge') {
    mergeIntoEach(patch, merge, [resource], resources, build);
    return;
  }
  mergeInto(resource, copyForMerge(merge, containsDirectives(merge), build), patch, build, resources.settled);
  dropDeleted(resources, [resource], patch);
}

/** Names, kinds and namespaces are put back after the merge, unless the options allow a change. */
function mergeInto(
  resource: Resource,
  merge: MapNode,
  { options }: LoadedPatch,
  build: Build,
  settled: MarkedNodes,
): void {
  const { name, namespace, kind } = resource;
  if (options.allowNameChange || options.allowKindChange) {
    resource.storePreviousId();
  }
  const recorder = observeMerge(recorderOf(build, 'patches'), resource, build);
  if (build.explains) markTouched(merge, 'patches');
  const merged = mergeOrExplain(resource, merge, recorder, build, settled);
  if (!merged || merged.entries.length === 0) {
    resource.node.entries = [];
    return;
  }
  // A patch that replaces the whole object is lost: kustomize forgets what the merge returns.
  if (merged !== resource.node) return;
  putBack(resource.node, { name, namespace, kind }, options);
  settled.delete(merged);
  settled.delete(metadataOf(merged));
}

function putBack(
  merged: MapNode,
  { name, namespace, kind }: { name: string; namespace: string; kind: string },
  options: PatchOptions,
): void {
  if (!options.allowKindChange) setText(merged, 'kind', kind);
  if (!options.allowNameChange) setText(metadataOf(merged), 'name', name);
  const metadata = metadataOf(merged);
  if (namespace !== '') setText(metadata, 'namespace', namespace);
  else if (entryOf(metadata, 'namespace')) {
    metadata.entries = metadata.entries.filter((entry) => entry.name !== 'namespace');
  }
}

function mergeOrExplain(
  resource: Resource,
  merge: MapNode,
  recorder: Parameters<typeof mergePatch>[2],
  build: Build,
  settled: MarkedNodes,
): MapNode | undefined {
  build.schemas.wasUsed = true;
  try {
    return mergePatch(resource.node, merge, recorder, build.schemas.lookup, settled);
  } catch (error) {
    if (!(error instanceof KustomizeProblem)) throw error;
    throw new KustomizeProblem({ object: resource.describe(), ...error.diagnostic });
  }
}

function metadataOf(node: MapNode): MapNode {
  const metadata = fieldOf(node, 'metadata');
  if (metadata?.kind === 'map') return metadata;
  const created = mapNode(node);
  node.entries.push(mapEntry(scalarNode('metadata', '', node), created));
  return created;
}

/** Sets a text as `NewScalarRNode` does: its type is left to the text, the quotes stay. */
function setText(map: MapNode, field: string, text: string): void {
  const entry = entryOf(map, field);
  if (!entry) {
    if (text !== '') map.entries.push(mapEntry(scalarNode(field, '', map), scalarNode(text, '', map)));
    return;
  }
  if (entry.value.kind === 'scalar' && textOf(entry.value) === text) return;
  const style = entry.value.kind === 'scalar' ? entry.value.style : 'plain';
  entry.value = scalarNode(text, '', entry.value, style);
}

function dropDeleted(resources: ResourceSet, changed: readonly Resource[], patch: LoadedPatch): void {
  if (changed.some((resource) => resource.node.entries.length === 0)) {
    resources.keep((resource) => resource.node.entries.length > 0);
  }
  if (!mayRename(patch)) return;
  resources.idsChanged();
  // What is known about lists depends on the kind.
  resources.settled = new MarkedNodes();
}
