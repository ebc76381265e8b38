/** A kustomization's transformers, in the order in which kustomize runs them. */

import type { Build } from '../build.ts';
import { refuse } from '../problem.ts';
import {
  type LabelEntry,
  type Replacement,
  type ReplacementEntry,
  replacement,
} from '../read/kustomization.ts';
import type { Kustomization } from '../read/kustomization-file.ts';
import type { Loader } from '../read/loader.ts';
import { readDocuments, sourceOf } from '../read/resource-file.ts';
import type { ResourceSet } from '../resource-set.ts';
import type { FieldSpec } from '../transform/field-path.ts';
import { imagesPass } from '../transform/images.ts';
import { addAffix, pairsPass, setNamespace } from '../transform/metadata.ts';
import type { Pass } from '../transform/pass.ts';
import { applyPatch, loadJson6902, loadPatch, loadStrategicMerge } from '../transform/patches.ts';
import { replaceValues } from '../transform/replacements.ts';
import { setReplicas } from '../transform/replicas.ts';
import { fieldSpecOf } from './read-config.ts';
import { mergeSpecs, type TransformerConfig } from './transformer-config.ts';

/** What build metadata says of a generator or transformer. */
export interface ConfiguredPlugin {
  readonly kind: string;
  readonly name?: string;
  readonly namespace?: string;
  /** The file that it has for itself. */
  readonly file?: string | undefined;
}

/** Works on the whole set. */
export interface SetTransform extends ConfiguredPlugin {
  readonly run: (this: void, resources: ResourceSet) => void;
}

/** Works on each resource for itself. */
interface PassTransform extends ConfiguredPlugin {
  readonly pass: Pass;
}

export type Transform = SetTransform | PassTransform;

/** All of them are read before the first one runs. */
export function transformersOf(
  kustomization: Kustomization,
  config: TransformerConfig,
  loader: Loader,
  build: Build,
): Transform[] {
  const transforms: Transform[] = [];
  const add = (kind: string, run: SetTransform['run']): void => {
    transforms.push({ kind, run });
  };
  const addPass = (kind: string, pass: Pass): void => {
    transforms.push({ kind, pass });
  };
  const merges = (kustomization.patchesStrategicMerge ?? []).map((entry) =>
    loadStrategicMerge(entry, loader, build),
  );
  if (merges.length > 0) {
    add('PatchStrategicMergeTransformer', (resources) => {
      for (const merge of merges) applyPatch(merge, resources, build);
    });
  }
  for (const patch of (kustomization.patches ?? []).map((entry) => loadPatch(entry, loader, build))) {
    add('PatchTransformer', (resources) => applyPatch(patch, resources, build));
  }
  addMetadataTransforms(kustomization, config, build, add, addPass);
  for (const patch of (kustomization.patchesJson6902 ?? []).map((entry) =>
    loadJson6902(entry, loader, build),
  )) {
    add('PatchJson6902Transformer', (resources) => applyPatch(patch, resources, build));
  }
  for (const entry of kustomization.replicas ?? []) {
    add('ReplicaCountTransformer', (resources) => setReplicas(entry, config.replicas, resources, build));
  }
  for (const entry of [...(kustomization.images ?? []), ...(kustomization.imageTags ?? [])]) {
    addPass('ImageTagTransformer', imagesPass(entry, config.images, build));
  }
  const entries = (kustomization.replacements ?? []).map(withoutEmptyTargets);
  const replacements = loadReplacements(entries, loader, build);
  if (replacements.length > 0) {
    add('ReplacementTransformer', (resources) => {
      for (const entry of replacements) replaceValues(entry, resources, build);
    });
  }
  return transforms;
}

function addMetadataTransforms(
  { namespace, namePrefix, nameSuffix, labels = [], commonLabels, commonAnnotations }: Kustomization,
  config: TransformerConfig,
  build: Build,
  add: (kind: string, run: SetTransform['run']) => void,
  addPass: (kind: string, pass: Pass) => void,
): void {
  if (namespace?.value) {
    add('NamespaceTransformer', (resources) => setNamespace(namespace, config.namespace, resources, build));
  }
  if (namePrefix?.value) {
    add('PrefixTransformer', (resources) => addAffix(namePrefix, true, config.namePrefix, resources, build));
  }
  if (nameSuffix?.value) {
    add('SuffixTransformer', (resources) => addAffix(nameSuffix, false, config.nameSuffix, resources, build));
  }
  for (const entry of labels) {
    const specs = labelSpecs(entry, config);
    addPass('LabelTransformer', pairsPass(entry.pairs ?? new Map(), specs, 'labels', build));
  }
  if (labels.length > 0 || (commonLabels?.value.size ?? 0) > 0) {
    // kustomize always adds one for commonLabels, even where there are none.
    addPass(
      'LabelTransformer',
      pairsPass(commonLabels?.value ?? new Map(), config.commonLabels, 'commonLabels', build),
    );
  }
  if (commonAnnotations && commonAnnotations.value.size > 0) {
    addPass(
      'AnnotationsTransformer',
      pairsPass(commonAnnotations.value, config.commonAnnotations, 'commonAnnotations', build),
    );
  }
}

/** The transformer gets the kustomization's own entries as YAML, in which kustomize leaves empty lists out. Files are read as they are. */
function withoutEmptyTargets(entry: ReplacementEntry): ReplacementEntry {
  if (entry.targets?.length !== 0) return entry;
  const { targets: _, ...rest } = entry;
  return rest;
}

/** An entry is a replacement, or the path of a file with one or a list of them. */
export function loadReplacements(
  entries: readonly ReplacementEntry[],
  loader: Loader,
  build: Build,
): Replacement[] {
  const notes = { duplicate() {}, otherCase() {}, ignoresUnknown: true };
  return entries.flatMap((entry) => {
    if (!entry.path?.value) return [entry];
    if (entry.source || entry.targets) {
      refuse('SL1011', 'this replacement has both a path and a source or targets', entry.node);
    }
    const { value, node } = entry.path;
    const source = sourceOf(loader.load(value, node), build.files, node);
    return readDocuments(source).flatMap((root) => {
      if (!root) return [];
      return root.kind === 'sequence'
        ? root.items.map((item) => replacement(item, '', notes))
        : [replacement(root, '', notes)];
    });
  });
}

/** Only the objects' own metadata, unless the entry asks for more. */
function labelSpecs(entry: LabelEntry, config: TransformerConfig): readonly FieldSpec[] {
  const own = (entry.fields ?? []).map(fieldSpecOf);
  let specs = mergeSpecs(own, config.labels, entry.node);
  if (entry.includeSelectors) return mergeSpecs(specs, config.commonLabels, entry.node);
  if (entry.includeTemplates) specs = mergeSpecs(specs, config.templateLabels, entry.node);
  return mergeSpecs(specs, [{ path: 'metadata/labels', create: true }], entry.node);
}
