/**
 * One kustomization after the other, from the innermost base outwards: gather the resources, then transform them in kustomize's
 * fixed order, whatever the order in the file. Source: api/internal/target of kustomize 5.5.
 */

import { posix } from 'node:path';
import { emitDocument, MarkedNodes, type YamlNode } from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { isBuiltIn } from '../built-in-kinds.ts';
import { absorb, generate } from '../generate/generators.ts';
import { refuse } from '../problem.ts';
import type { Located } from '../read/decode.ts';
import { type Kustomization, readKustomization } from '../read/kustomization-file.ts';
import type { Loader } from '../read/loader.ts';
import { readResources } from '../read/resource-file.ts';
import { addVariables, bindVariable, type Variable } from '../references/variables.ts';
import type { BuildOrigin, Resource } from '../resource.ts';
import { ResourceSet } from '../resource-set.ts';
import { type Pass, runPasses } from '../transform/pass.ts';
import { markTouched } from '../transform/set-value.ts';
import { type GeneratedByPlugin, pluginGenerators, pluginTransforms } from './plugins.ts';
import { readConfigurations, readCrds, setSchemas } from './read-config.ts';
import { defaultConfig, mergeConfigs, type TransformerConfig } from './transformer-config.ts';
import { type ConfiguredPlugin, type SetTransform, type Transform, transformersOf } from './transformers.ts';

/** What has been gathered so far. */
export interface Accumulation {
  readonly resources: ResourceSet;
  config: TransformerConfig;
  readonly variables: Variable[];
}

export const emptyAccumulation = (): Accumulation => ({
  resources: new ResourceSet(),
  config: defaultConfig,
  variables: [],
});

/** From here on it is quicker to look at the whole directory than at each name. */
const manyPaths = 16;

/** A kustomization with all that it uses, transformed. Throws `KustomizeProblem`. */
export function accumulate(
  kustomization: Kustomization,
  loader: Loader,
  build: Build,
  into: Accumulation = emptyAccumulation(),
): Accumulation {
  refuseUnsupported(kustomization);
  setSchemas(kustomization.openapi, loader, build);
  const paths = [...(kustomization.resources ?? []), ...(kustomization.bases ?? [])];
  if (paths.length >= manyPaths) loader.expectFiles();
  for (const path of paths) {
    addPath(path, into, loader, build);
  }
  const configurations = readConfigurations(kustomization.configurations ?? [], loader, build);
  into.config = mergeConfigs(into.config, configurations, kustomization.node);
  into.config = mergeConfigs(
    into.config,
    readCrds(kustomization.crds ?? [], loader, build),
    kustomization.node,
  );
  const readPaths = (paths: readonly Located<string>[]) => resourcesOf(paths, loader, build);
  runGenerators(kustomization, into, loader, build, readPaths);
  for (const path of kustomization.components ?? []) addDirectory(path, into, loader, build, true);
  const transforms = [
    ...transformersOf(kustomization, into.config, loader, build),
    ...pluginTransforms(kustomization.transformers ?? [], readPaths, loader, build),
  ];
  const note = (transform: Transform): void =>
    noteTransformation(transform, into.resources, loader, kustomization);
  runTransforms(transforms, into.resources, build.metadata.size > 0 ? note : undefined);
  for (const validate of pluginTransforms(kustomization.validators ?? [], readPaths, loader, build)) {
    refuseChanges(validate, into.resources, kustomization);
  }
  addVariables(
    into.variables,
    (kustomization.vars ?? []).map((entry) => bindVariable(entry, into.resources)),
  );
  return into;
}

/** One after the other, but for passes that follow each other. `note` is called after each, unless nothing is to be noted. */
function runTransforms(
  transforms: readonly Transform[],
  resources: ResourceSet,
  note: ((transform: Transform) => void) | undefined,
): void {
  let passes: Pass[] = [];
  const runPending = (): void => {
    runPasses(passes, resources);
    passes = [];
  };
  for (const transform of transforms) {
    if (!transform.kind.startsWith('Patch')) resources.settled = new MarkedNodes();
    if ('pass' in transform) {
      passes.push(transform.pass);
      if (note) runPending();
    } else {
      runPending();
      transform.run(resources);
    }
    note?.(transform);
  }
  runPending();
}

function noteTransformation(
  transform: Transform,
  resources: ResourceSet,
  loader: Loader,
  { fileName }: Kustomization,
): void {
  const origin = madeBy(loader, fileName, transform);
  for (const resource of resources.all) resource.noteTransformation(origin);
}

/** Where a generator or transformer is written, as build metadata names it: in the kustomization, unless it has a file of its own. */
function madeBy(
  loader: Loader,
  fileName: string,
  { kind, name, namespace, file }: ConfiguredPlugin,
): BuildOrigin {
  return {
    configuredIn: file ?? posix.join(loader.pathFromStart, fileName),
    configuredBy: { apiVersion: 'builtin', kind, ...(name && { name }), ...(namespace && { namespace }) },
  };
}

/** The objects of files and directories that are no part of the output. */
function resourcesOf(paths: readonly Located<string>[], loader: Loader, build: Build): readonly Resource[] {
  const apart = emptyAccumulation();
  for (const path of paths) addPath(path, apart, loader, build);
  return apart.resources.all;
}

/**
 * A validator may not change anything. kustomize compares nodes with their places, so that a value that is set to what it was counts as
 * changed, and so does an object that a patch matches.
 */
function refuseChanges(validate: SetTransform, resources: ResourceSet, kustomization: Kustomization): void {
  const copies = new ResourceSet();
  for (const resource of resources.all) copies.add(resource.copy());
  const before = copies.all.map(stateOf).join();
  validate.run(copies);
  if (copies.all.map(stateOf).join() !== before)
    refuse('SL1011', 'a validator changes objects', entryNode(kustomization, 'validators'));
}

function stateOf(resource: Resource): string {
  const { hasMemory, previousIds } = resource;
  return JSON.stringify([
    hasMemory,
    previousIds.length,
    emitDocument(resource.node),
    placesOf(resource.node),
  ]);
}

function placesOf(node: YamlNode): unknown {
  if (node.kind === 'map') return node.entries.map(({ value }) => placesOf(value));
  if (node.kind === 'sequence') return node.items.map(placesOf);
  const { file, line, column } = node.source.positionAt(node.offset);
  return [file, line, column];
}

type ReadPaths = (paths: readonly Located<string>[]) => readonly Resource[];

function runGenerators(
  kustomization: Kustomization,
  into: Accumulation,
  loader: Loader,
  build: Build,
  readPaths: ReadPaths,
): void {
  const { configMapGenerator, secretGenerator, generatorOptions } = kustomization;
  const made = [
    ...(configMapGenerator ?? []).map((entry) => generate('ConfigMap', entry, generatorOptions, loader)),
    ...(secretGenerator ?? []).map((entry) => generate('Secret', entry, generatorOptions, loader)),
  ].map((resource): GeneratedByPlugin => ({ kind: `${resource.kind}Generator`, resource }));
  made.push(...pluginGenerators(kustomization.generators ?? [], readPaths, loader));
  for (const plugin of made) {
    const { resource } = plugin;
    if (build.explains)
      markTouched(resource.node, `${resource.kind === 'Secret' ? 'secret' : 'configMap'}Generator`);
    if (build.metadata.size > 0) resource.noteOrigin(madeBy(loader, kustomization.fileName, plugin));
  }
  for (const { resource } of made) absorb(resource, into.resources, resource.node);
}

/** A file of objects, else another kustomization's directory. */
function addPath(path: Located<string>, into: Accumulation, loader: Loader, build: Build): void {
  if (loader.kind(path.value) !== 'file') {
    addDirectory(path, into, loader, build, false);
    return;
  }
  for (const resource of readResources(loader.load(path.value, path.node), build.files, path.node)) {
    if (build.metadata.size > 0) {
      resource.file = posix.join(loader.pathFromStart, path.value);
      resource.noteOrigin({ path: resource.file });
    }
    // Whether another kind is cluster-wide is looked up among the schemas.
    build.schemas.wasUsed ||= !isBuiltIn(resource.apiVersion, resource.kind);
    into.resources.add(resource, path.node);
  }
}

function addDirectory(
  path: Located<string>,
  into: Accumulation,
  loader: Loader,
  build: Build,
  asComponent: boolean,
): void {
  const inner = loader.enter(path.value, path.node);
  const kustomization = readKustomization(inner, build, path.node);
  if (kustomization.isComponent !== asComponent) {
    const message = asComponent
      ? `${path.value} is no component but a kustomization`
      : `${path.value} is a component`;
    refuse('SL1004', message, path.node, {
      hint: asComponent ? 'Name it under resources:.' : 'Name it under components:.',
    });
  }
  if (asComponent) {
    accumulate(kustomization, inner, build, into);
    return;
  }
  const below = accumulate(kustomization, inner, build);
  into.resources.addAll(below.resources, path.node);
  into.config = mergeConfigs(into.config, below.config, path.node);
  addVariables(into.variables, below.variables);
}

/** Fields that are refused by name: what they do cannot be had, or not yet. */
const unsupported: Partial<Record<keyof Kustomization, string>> = {
  helmCharts: 'Render the chart with helm template into a file and name that under resources:.',
  helmChartInflationGenerator:
    'Render the chart with helm template into a file and name that under resources:.',
};

function refuseUnsupported(kustomization: Kustomization): void {
  for (const [field, hint] of Object.entries(unsupported)) {
    const value = kustomization[field as keyof Kustomization];
    if (value === undefined || isEmptyList(value)) continue;
    refuse('SL1005', `${field} is not supported`, entryNode(kustomization, field), { hint });
  }
}

function isEmptyList(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null && 'items' in value && isEmptyList(value.items);
}

function entryNode(kustomization: Kustomization, field: string): YamlNode {
  const entry = kustomization.node.entries.find(({ key }) => key.text.toLowerCase() === field.toLowerCase());
  return entry?.key ?? kustomization.node;
}
