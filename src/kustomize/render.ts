/** From a directory to objects: the pipeline's two ends. */

import { posix } from 'node:path';
import type { Diagnostic, SourcePosition } from '../diagnostics/index.ts';
import type { FileSystem } from '../files/index.ts';
import type { KubeObject } from '../kubernetes/index.ts';
import { emitDocument, fieldOf, nodeAt, UnprintableError, type YamlNode } from '../yaml/index.ts';
import { accumulate } from './accumulate/accumulate.ts';
import { appendHashes } from './accumulate/plugins.ts';
import type { Build } from './build.ts';
import { ResultInspector } from './diagnose/result.ts';
import type { RenderedObject, RenderOptions, RenderResult } from './index.ts';
import { inLegacyOrder } from './print/order.ts';
import { toValue } from './print/to-value.ts';
import { diagnosticAt, KustomizeProblem, positionOf, refuse } from './problem.ts';
import { type Kustomization, readKustomization } from './read/kustomization-file.ts';
import { Loader } from './read/loader.ts';
import { ProjectFiles } from './read/project-files.ts';
import { fixNames } from './references/fix-names.ts';
import { replaceVariables } from './references/variables.ts';
import { annotationsOf, type Resource } from './resource.ts';
import type { ResourceSet } from './resource-set.ts';
import { builtInSchemas } from './transform/merge-schema.ts';

/** Renders directories over one file system and keeps what it read, so that the next render reads only what has changed. */
export interface Renderer {
  render(directory: string): RenderResult;
  /** To be called with the paths that changed since the last render; without any, everything is read anew. */
  forget(paths?: readonly string[]): void;
}

/** Renders one directory once. */
export function renderOnce(directory: string, files: FileSystem, options: RenderOptions = {}): RenderResult {
  return render(directory, new ProjectFiles(files, false, options.workingDirectory), options);
}

export function createRenderer(files: FileSystem, options: RenderOptions = {}): Renderer {
  const project = new ProjectFiles(files, true, options.workingDirectory);
  return {
    render: (directory) => render(directory, project, options),
    forget: (paths) => project.forget(paths),
  };
}

function render(directory: string, files: ProjectFiles, options: RenderOptions): RenderResult {
  const read = new Set<string>();
  const diagnostics: Diagnostic[] = [];
  const metadata = new Set<string>();
  const build: Build = {
    files,
    metadata,
    schemas: { lookup: builtInSchemas, isSet: false, wasUsed: false },
    diagnostics,
    explains: options.explain ?? false,
    onRead: (path) => read.add(path),
  };
  let objects: readonly RenderedObject[] = [];
  try {
    objects = renderObjects(directory, build, metadata);
  } catch (error) {
    if (error instanceof KustomizeProblem) diagnostics.push(error.diagnostic);
    // Patches that go through JSON, hashes and lists write values too, before the end.
    else if (error instanceof UnprintableError) {
      diagnostics.push(diagnosticAt('error', 'SL1012', error.message, error.node));
    } else throw error;
  }
  return { objects, diagnostics, filesRead: [...read] };
}

function renderObjects(directory: string, build: Build, metadata: Set<string>): readonly RenderedObject[] {
  const loader = rootLoader(directory, build);
  const kustomization = readKustomization(loader, build, undefined);
  for (const { value } of kustomization.buildMetadata ?? []) metadata.add(value);
  const { resources, config, variables } = accumulate(kustomization, loader, build);
  appendHashes(resources);
  fixNames(config.nameReference, resources, build);
  replaceVariables(variables, config.varReference, resources, build);
  resources.keep((resource) => !isLocalConfig(resource));
  refuseConflict(resources);
  sort(resources, kustomization);
  const inspector = new ResultInspector(build);
  const printed = resources.all.map((resource) => {
    // Each of them goes through the whole object, which the second finds in the processor's cache.
    inspector.inspect(resource);
    return print(resource, build);
  });
  inspector.inspectReferences();
  return printed;
}

function refuseConflict(resources: ResourceSet): void {
  const conflict = resources.findConflict()?.[1];
  if (conflict) {
    refuse('SL1009', `at the end there are two resources named ${conflict.describe()}`, conflict.node, {
      object: conflict.describe(),
    });
  }
}

function sort(resources: ResourceSet, { sortOptions }: Kustomization): void {
  const order = sortOptions?.order?.value ?? '';
  const legacy = sortOptions?.legacySortOptions;
  if (sortOptions && order !== 'legacy' && order !== 'fifo') {
    refuse('SL1004', `sortOptions.order is ${order || 'missing'}`, sortOptions.node, {
      hint: 'Write legacy or fifo.',
    });
  }
  if (order === 'fifo') {
    if (legacy) refuse('SL1004', 'legacySortOptions need order: legacy', legacy.node);
    return;
  }
  resources.sort((all) =>
    legacy ? inLegacyOrder(all, legacy.orderFirst ?? [], legacy.orderLast ?? []) : inLegacyOrder(all),
  );
}

function rootLoader(directory: string, build: Build): Loader {
  const path = posix.resolve(directory);
  const name = build.files.displayName(path);
  const real = build.files.realPath(path);
  const position = { file: name, line: 1, column: 1 };
  const code = 'SL1001';
  if (real === undefined) {
    build.onRead(path);
    throw new KustomizeProblem({ code, severity: 'error', message: `no such directory: ${name}`, position });
  }
  if (build.files.kind(real) !== 'directory') {
    build.onRead(path);
    const hint = 'Name the directory that holds the kustomization.yaml.';
    throw new KustomizeProblem({
      code,
      severity: 'error',
      message: `${name} is a file, not a directory`,
      position,
      hint,
    });
  }
  return new Loader(real, build.files, build.onRead);
}

/** Objects that only steer the build are not printed. */
function isLocalConfig(resource: Resource): boolean {
  if (!fieldOf(fieldOf(resource.node, 'metadata'), 'annotations')) return false;
  const value = annotationsOf(resource.node).get('config.kubernetes.io/local-config');
  return value !== undefined && value !== 'false';
}

function print(resource: Resource, { metadata }: Build): RenderedObject {
  const { kind, name } = resource.currentId;
  if (kind === '' || (name === '' && !kind.endsWith('List'))) {
    const missing = kind === '' ? 'kind' : 'name';
    refuse('SL1008', `after all patches this object has no ${missing}`, resource.node, {
      object: resource.describe(),
    });
  }
  resource.finish(metadata);
  try {
    return new PrintedObject(resource.node, emitDocument(resource.node));
  } catch (error) {
    if (!(error instanceof UnprintableError)) throw error;
    throw new KustomizeProblem(
      diagnosticAt('error', 'SL1012', error.message, error.node, { object: resource.describe() }),
    );
  }
}

class PrintedObject implements RenderedObject {
  readonly text: string;
  readonly node: YamlNode;
  #value: KubeObject | undefined;

  constructor(node: YamlNode, text: string) {
    this.node = node;
    this.text = text;
  }

  get value(): KubeObject {
    this.#value ??= toValue(this.node) as KubeObject;
    return this.#value;
  }

  get position(): SourcePosition {
    return positionOf(this.node);
  }

  locate(path: readonly (string | number)[]): SourcePosition {
    for (let length = path.length; length > 0; length--) {
      const node = nodeAt(this.node, path.slice(0, length));
      if (node) return positionOf(node);
    }
    return this.position;
  }
}
