/**
 * `generators`, `transformers` and `validators`: objects that name one of kustomize's own transformers, in files or written into
 * the kustomization. All others run programs, which sluice does not. Source: api/internal/builtins of kustomize 5.5.
 */

import { emitDocument, entryOf, fieldOf, type MapNode, textOf, type YamlNode } from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { generate } from '../generate/generators.ts';
import { contentHash } from '../generate/hash.ts';
import { jsonStyle } from '../json-style.ts';
import { KustomizeProblem, refuse } from '../problem.ts';
import { boolean, type Decoder, type Located, list, located, mapOf, record, string } from '../read/decode.ts';
import { embeddedText } from '../read/embedded-text.ts';
import {
  type FieldSpecEntry,
  fieldSpec,
  generatorOptions,
  image,
  replacementEntry,
  replica,
  selector,
} from '../read/kustomization.ts';
import type { Loader } from '../read/loader.ts';
import { readObjects } from '../read/resource-file.ts';
import { Resource } from '../resource.ts';
import { ResourceSet } from '../resource-set.ts';
import type { FieldSpec } from '../transform/field-path.ts';
import { imagesPass } from '../transform/images.ts';
import { addAffix, pairsPass, type SubjectMode, setNamespace, subjectModes } from '../transform/metadata.ts';
import { type Pass, runPasses } from '../transform/pass.ts';
import { applyPatch, loadJson6902, loadPatch, loadStrategicMerge } from '../transform/patches.ts';
import { replaceValues } from '../transform/replacements.ts';
import { setReplicas } from '../transform/replicas.ts';
import { fieldSpecOf } from './read-config.ts';
import { type ConfiguredPlugin, loadReplacements, type SetTransform } from './transformers.ts';

type Transform = SetTransform['run'];

/** Reads the objects of files and directories, as `resources` does. */
type ReadPaths = (paths: readonly Located<string>[]) => readonly Resource[];

/** The objects that an entry list names or holds. Throws `KustomizeProblem`. */
function pluginObjects(entries: readonly Located<string>[], readPaths: ReadPaths): readonly Resource[] {
  const inline: Resource[] = [];
  const paths: Located<string>[] = [];
  for (const entry of entries) {
    const objects = inlineObjects(entry);
    if (objects) inline.push(...objects.map((node) => new Resource(node)));
    else paths.push(entry);
  }
  const set = new ResourceSet();
  for (const resource of [...inline, ...readPaths(paths)]) set.add(resource);
  return set.all;
}

function inlineObjects(entry: Located<string>): readonly MapNode[] | undefined {
  if (entry.value === '') return [];
  if (!/[:\n]/.test(entry.value)) return undefined;
  try {
    return readObjects(embeddedText(entry, false));
  } catch (error) {
    if (error instanceof KustomizeProblem) return undefined;
    throw error;
  }
}

const configuration = ({ kind, name, namespace, file }: Resource): ConfiguredPlugin => ({
  kind,
  name,
  namespace,
  file,
});

export interface GeneratedByPlugin extends ConfiguredPlugin {
  readonly resource: Resource;
}

export function pluginTransforms(
  entries: readonly Located<string>[],
  readPaths: ReadPaths,
  loader: Loader,
  build: Build,
): SetTransform[] {
  return pluginObjects(entries, readPaths).map((resource) => {
    asPrinted(resource);
    const make = transformers[resource.kind];
    if (!make || resource.apiVersion !== 'builtin') return refusePlugin(resource);
    return { ...configuration(resource), run: make(resource.node, loader, build) };
  });
}

export function pluginGenerators(
  entries: readonly Located<string>[],
  readPaths: ReadPaths,
  loader: Loader,
): GeneratedByPlugin[] {
  return pluginObjects(entries, readPaths).map((resource) => {
    asPrinted(resource);
    const { kind, node, apiVersion } = resource;
    const isKnown = kind === 'ConfigMapGenerator' || kind === 'SecretGenerator';
    if (!isKnown || apiVersion !== 'builtin') return refusePlugin(resource);
    const entry = (kind === 'SecretGenerator' ? secretPlugin : configMapPlugin)(node, '', noNotes);
    const { metadata } = entry;
    const named = {
      ...entry,
      name: metadata?.name ?? '',
      ...(metadata?.namespace && { namespace: metadata.namespace }),
    };
    const made = generate(kind === 'SecretGenerator' ? 'Secret' : 'ConfigMap', named, undefined, loader);
    return { ...configuration(resource), resource: made };
  });
}

/** kustomize prints a plugin's configuration and reads it again, so that every text is a text for YAML 1.1 too. */
function asPrinted(resource: Resource): void {
  // What cannot be printed, such as a key that is written twice, ends it here.
  emitDocument(resource.node);
  jsonStyle(resource.node);
}

function refusePlugin(resource: Resource): never {
  const { kind, apiVersion, node } = resource;
  refuse('SL1005', `${kind} of ${apiVersion || 'no group'} is a plugin`, entryOf(node, 'kind')?.key ?? node, {
    object: resource.describe(),
    hint: `sluice runs kustomize's own transformers only (apiVersion: builtin). Run the plugin beforehand and keep what it makes under resources:.`,
  });
}

const noNotes = { duplicate() {}, otherCase() {}, ignoresUnknown: true };
const text = located(string);
const metadata = record({ name: string, namespace: text }, 'metadata', true);
const specs = list(fieldSpec);

const dataFields = {
  metadata: record({ name: string, namespace: string }, 'metadata', true),
  behavior: string,
  literals: list(text),
  files: list(text),
  envs: list(text),
  env: text,
  options: generatorOptions,
};
const configMapPlugin = record(dataFields, 'the generator', true);
const secretPlugin = record({ ...dataFields, type: string }, 'the generator', true);

function plugin<Value>(
  decode: Decoder<Value>,
  make: (value: Value, loader: Loader, build: Build) => Transform,
) {
  return (node: MapNode, loader: Loader, build: Build): Transform =>
    make(decode(node, '', noNotes), loader, build);
}

const pluginRecord = <Shape extends Parameters<typeof record>[0]>(shape: Shape) =>
  record(shape, 'the transformer', true);
const of = (entries: readonly FieldSpecEntry[] | undefined) => (entries ?? []).map(fieldSpecOf);
function needed({
  fieldSpecs,
  node,
}: {
  fieldSpecs?: readonly FieldSpecEntry[];
  node: YamlNode;
}): FieldSpec[] {
  if (!fieldSpecs)
    refuse('SL1011', 'this transformer has no fieldSpecs', node, {
      hint: 'Add fieldSpecs: [{path: metadata/name}].',
    });
  return of(fieldSpecs);
}

const empty = (node: YamlNode): Located<string> => ({ value: '', node });

const prefix = plugin(pluginRecord({ prefix: text, fieldSpecs: specs }), (value, _, build) => (resources) => {
  addAffix(value.prefix ?? empty(value.node), true, needed(value), resources, build);
});
const suffix = plugin(pluginRecord({ suffix: text, fieldSpecs: specs }), (value, _, build) => (resources) => {
  addAffix(value.suffix ?? empty(value.node), false, needed(value), resources, build);
});

function subjectMode(mode: Located<string> | undefined): SubjectMode {
  if (!mode?.value) return 'defaultOnly';
  const known = subjectModes.find((name) => name === mode.value);
  return (
    known ??
    refuse('SL1004', `setRoleBindingSubjects is ${mode.value}`, mode.node, {
      hint: `Write ${subjectModes.join(', ')}.`,
    })
  );
}

const alone =
  (pass: Pass): Transform =>
  (resources) =>
    runPasses([pass], resources);

const transformers: Readonly<
  Record<string, ((node: MapNode, loader: Loader, build: Build) => Transform) | undefined>
> = {
  PrefixTransformer: prefix,
  SuffixTransformer: suffix,
  PrefixSuffixTransformer: (node, loader, build) => {
    const both = [prefix(node, loader, build), suffix(node, loader, build)];
    return (resources) => {
      for (const transform of both) transform(resources);
    };
  },
  LabelTransformer: plugin(pluginRecord({ labels: mapOf(text), fieldSpecs: specs }), (value, _, build) =>
    alone(pairsPass(value.labels ?? new Map(), of(value.fieldSpecs), 'transformers', build)),
  ),
  AnnotationsTransformer: plugin(
    pluginRecord({ annotations: mapOf(text), fieldSpecs: specs }),
    (value, _, build) =>
      alone(pairsPass(value.annotations ?? new Map(), of(value.fieldSpecs), 'transformers', build)),
  ),
  NamespaceTransformer: plugin(
    pluginRecord({ metadata, fieldSpecs: specs, unsetOnly: boolean, setRoleBindingSubjects: text }),
    ({ metadata: named, fieldSpecs, unsetOnly = false, setRoleBindingSubjects }, _, build) => {
      const namespace = named?.namespace;
      const options = { unsetOnly, subjects: subjectMode(setRoleBindingSubjects) };
      return (resources) => {
        if (namespace?.value) setNamespace(namespace, of(fieldSpecs), resources, build, options);
      };
    },
  ),
  ImageTagTransformer: plugin(pluginRecord({ imageTag: image, fieldSpecs: specs }), (value, _, build) =>
    value.imageTag ? alone(imagesPass(value.imageTag, of(value.fieldSpecs), build)) : () => {},
  ),
  ReplicaCountTransformer: plugin(
    pluginRecord({ replica, fieldSpecs: specs }),
    (value, _, build) => (resources) => {
      if (!value.replica) refuse('SL1011', 'this transformer has no replica', value.node);
      setReplicas(value.replica, of(value.fieldSpecs), resources, build);
    },
  ),
  ReplacementTransformer: plugin(
    pluginRecord({ replacements: list(replacementEntry) }),
    (value, loader, build) => {
      const replacements = loadReplacements(value.replacements ?? [], loader, build);
      return (resources) => {
        for (const replacement of replacements) replaceValues(replacement, resources, build);
      };
    },
  ),
  PatchTransformer: plugin(
    pluginRecord({
      path: text,
      patch: text,
      target: selector,
      options: mapOf((node) => textOf(node) === 'true'),
    }),
    (value, loader, build) => {
      const patch = loadPatch(value, loader, build);
      return (resources) => applyPatch(patch, resources, build);
    },
  ),
  PatchJson6902Transformer: plugin(
    pluginRecord({ path: text, jsonOp: text, target: selector }),
    (value, loader, build) => {
      const { jsonOp, ...rest } = value;
      const patch = loadJson6902({ ...rest, ...(jsonOp && { patch: jsonOp }) }, loader, build);
      return (resources) => applyPatch(patch, resources, build);
    },
  ),
  PatchStrategicMergeTransformer: plugin(
    pluginRecord({ paths: list(text), patches: text }),
    (value, loader, build) => {
      const entries = [...(value.paths ?? []), ...(value.patches ? [value.patches] : [])];
      if (entries.length === 0)
        refuse('SL1011', 'this transformer has neither paths nor patches', value.node);
      const patches = entries.map((entry) => loadStrategicMerge(entry, loader, build));
      return (resources) => {
        for (const patch of patches) applyPatch(patch, resources, build);
      };
    },
  ),
  HashTransformer: () => (resources) => appendHashes(resources),
};

/** Generated objects carry a hash of their content in their name. */
export function appendHashes(resources: ResourceSet): void {
  for (const resource of resources.all) {
    if (!resource.needsHash) continue;
    resource.storePreviousId();
    const name = fieldOf(fieldOf(resource.node, 'metadata'), 'name');
    if (name?.kind === 'scalar') name.text += `-${contentHash(resource.node)}`;
  }
  resources.idsChanged();
}
