/** The fields of a kustomization file. Source: api/types of kustomize 5.5. */

import { anything, boolean, type Decoded, integer, list, located, mapOf, record, string } from './decode.ts';

const text = located(string);

export const selector = record(
  {
    group: string,
    version: string,
    kind: string,
    name: string,
    namespace: string,
    annotationSelector: string,
    labelSelector: string,
  },
  'a selector',
);
export type Selector = ReturnType<typeof selector>;

const patch = record(
  { path: text, patch: text, target: selector, options: mapOf(boolean) },
  'an entry of patches',
);
export type PatchEntry = ReturnType<typeof patch>;

export const fieldSpec = record(
  { group: string, version: string, kind: string, path: string, create: boolean },
  'a field specification',
);
export type FieldSpecEntry = ReturnType<typeof fieldSpec>;

export const label = record(
  {
    pairs: mapOf(text),
    includeSelectors: boolean,
    includeTemplates: boolean,
    fields: list(fieldSpec),
  },
  'an entry of labels',
);
export type LabelEntry = ReturnType<typeof label>;

export const image = record(
  { name: string, newName: string, tagSuffix: string, newTag: string, digest: string },
  'an entry of images',
);
export type ImageEntry = ReturnType<typeof image>;

export const replica = record({ name: string, count: integer }, 'an entry of replicas');
export type ReplicaEntry = ReturnType<typeof replica>;

export const generatorOptions = record(
  {
    labels: mapOf(text),
    annotations: mapOf(text),
    disableNameSuffixHash: boolean,
    immutable: boolean,
  },
  'generatorOptions',
);
export type GeneratorOptions = ReturnType<typeof generatorOptions>;

const generatorFields = {
  namespace: string,
  name: string,
  behavior: string,
  literals: list(text),
  files: list(text),
  envs: list(text),
  env: text,
  options: generatorOptions,
};
export const configMapEntry = record(generatorFields, 'an entry of configMapGenerator');
export const secretEntry = record({ ...generatorFields, type: string }, 'an entry of secretGenerator');
export type GeneratorEntry = ReturnType<typeof secretEntry>;

const fieldOptions = record(
  { delimiter: string, index: integer, encoding: string, create: boolean },
  'options of a replacement',
);
export type FieldOptions = ReturnType<typeof fieldOptions>;

const idFields = { group: string, version: string, kind: string, name: string, namespace: string };
const replacementTarget = record(
  { select: selector, reject: list(selector), fieldPaths: list(text), options: fieldOptions },
  'a target of a replacement',
);
export type ReplacementTarget = ReturnType<typeof replacementTarget>;
const replacementFields = {
  source: record({ ...idFields, fieldPath: string, options: fieldOptions }, 'the source of a replacement'),
  targets: list(replacementTarget),
};
export const replacement = record(replacementFields, 'a replacement');
export const replacementEntry = record({ ...replacementFields, path: text }, 'an entry of replacements');
export type Replacement = ReturnType<typeof replacement>;
export type ReplacementEntry = ReturnType<typeof replacementEntry>;

export const variable = record(
  {
    name: string,
    objref: record({ ...idFields, apiVersion: string }, 'the objref of a var'),
    fieldref: record({ fieldPath: string, fieldpath: string }, 'the fieldref of a var'),
  },
  'an entry of vars',
);
export type VariableEntry = ReturnType<typeof variable>;

const sortOptions = record(
  {
    order: text,
    legacySortOptions: record({ orderFirst: list(string), orderLast: list(string) }, 'legacySortOptions'),
  },
  'sortOptions',
);

const fields = {
  apiVersion: text,
  kind: text,
  metadata: record(
    { name: string, namespace: string, labels: mapOf(string), annotations: mapOf(string) },
    'metadata',
  ),
  openapi: mapOf(text),
  namePrefix: text,
  nameSuffix: text,
  namespace: text,
  commonLabels: located(mapOf(text)),
  labels: list(label),
  commonAnnotations: located(mapOf(text)),
  patchesStrategicMerge: list(text),
  patchesJson6902: list(patch),
  patches: list(patch),
  images: list(image),
  imageTags: list(image),
  replacements: list(replacementEntry),
  replicas: list(replica),
  vars: list(variable),
  sortOptions,
  resources: list(text),
  components: list(text),
  crds: list(text),
  bases: list(text),
  configMapGenerator: list(configMapEntry),
  secretGenerator: list(secretEntry),
  helmGlobals: record({ chartHome: string, configHome: string }, 'helmGlobals'),
  helmCharts: anything,
  helmChartInflationGenerator: anything,
  generatorOptions,
  configurations: list(text),
  generators: list(text),
  transformers: list(text),
  validators: list(text),
  buildMetadata: list(text),
};

export const kustomizationFields = record(fields, 'the kustomization');
export type KustomizationFields = Decoded<typeof fields>;
