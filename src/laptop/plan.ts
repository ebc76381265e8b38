/** The tree in, all that is to run out: objects, entry points, image programs. Pure over a file system. */

import { isAbsolute, join, relative } from 'node:path';
import type { ArgoApplication, ArgoSource } from '../argocd/index.ts';
import type { ImageProgram } from '../cluster/index.ts';
import { type Diagnostic, hasErrors, type SourcePosition } from '../diagnostics/index.ts';
import type { FileSystem } from '../files/index.ts';
import { type EntryPoint, readStaticArguments, readTraefikChart } from '../ingress/index.ts';
import { describeObject, type KubeObject, namespaces, type Service, typeOf } from '../kubernetes/index.ts';
import type { RenderKustomization } from '../kustomize/index.ts';
import { type LeftOut, leftOutBy, type MissingProgram } from './left-out.ts';
import { duplicateNodePorts } from './node-port-conflicts.ts';
import { readSettings } from './settings.ts';
import { readTree, type Tree } from './tree.ts';

export interface PlannedObject {
  readonly object: KubeObject;
  /** Where the value at this path was written. */
  locate(path: readonly (string | number)[]): SourcePosition;
}

export interface Plan {
  readonly root: string;
  /** Namespaces first. */
  readonly objects: readonly PlannedObject[];
  readonly entryPoints: readonly EntryPoint[];
  readonly images: Readonly<Record<string, ImageProgram>>;
  readonly leftOut: LeftOut;
  /** The Service in front of the entry points, as `namespace/name`. */
  readonly ingressService: string | undefined;
  readonly filesRead: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface PlanOptions {
  /** Absolute. */
  readonly paths: readonly string[];
  readonly files: FileSystem;
  /** Diagnostics name files relative to it. */
  readonly workingDirectory: string;
  readonly render: RenderKustomization;
  /** Whether a program is on this machine. Absent: all are. */
  readonly hasProgram?: (program: string) => boolean;
}

/** What a plan is made of while it is made. */
interface Draft {
  readonly options: PlanOptions;
  readonly objects: PlannedObject[];
  readonly entryPoints: EntryPoint[];
  readonly filesRead: Set<string>;
  readonly diagnostics: Diagnostic[];
  /** Two paths in one tree share its charts and settings. */
  readonly rootsSeen: Set<string>;
  ingressService?: string;
}

/** Never throws: where `diagnostics` holds an error the plan is not to be carried out. */
export function makePlan(options: PlanOptions): Plan {
  const { files, workingDirectory } = options;
  const draft: Draft = {
    options,
    objects: [],
    entryPoints: [],
    filesRead: new Set(),
    diagnostics: [],
    rootsSeen: new Set(),
  };
  const images: Record<string, ImageProgram> = {};
  const missing: MissingProgram[] = [];
  let root: string | undefined;
  for (const path of options.paths) {
    const tree = readTree(path, files, workingDirectory);
    root ??= tree.root;
    if (!draft.rootsSeen.has(tree.root)) {
      draft.rootsSeen.add(tree.root);
      record(draft, tree);
      const settings = readSettings(tree.root, files, workingDirectory, options.hasProgram);
      missing.push(...settings.missing);
      record(draft, settings);
      Object.assign(images, settings.images);
      addCharts(draft, tree);
    }
    addPaths(draft, tree);
  }
  draft.diagnostics.push(...duplicateObjects(draft.objects), ...duplicateNodePorts(draft.objects));
  return {
    root: root ?? workingDirectory,
    objects: [...draft.objects].sort((left, right) => Number(isNamespace(right)) - Number(isNamespace(left))),
    entryPoints: draft.entryPoints,
    images,
    leftOut: leftOutBy(
      missing,
      draft.objects.map(({ object }) => object),
    ),
    ingressService: draft.ingressService,
    filesRead: [...draft.filesRead],
    diagnostics: draft.diagnostics,
  };
}

function record(
  draft: Draft,
  read: { filesRead: readonly string[]; diagnostics: readonly Diagnostic[] },
): void {
  for (const file of read.filesRead) draft.filesRead.add(file);
  draft.diagnostics.push(...read.diagnostics);
}

function addCharts(draft: Draft, tree: Tree): void {
  for (const application of tree.applications) {
    for (const source of application.sources) {
      if (source.kind === 'chart') addChart(draft, application, source);
    }
  }
}

function addPaths(draft: Draft, tree: Tree): void {
  if (tree.kustomization === undefined) {
    for (const application of tree.applications) {
      for (const source of application.sources) {
        if (source.kind === 'path') addPath(draft, tree, application, source);
      }
    }
    return;
  }
  const rendered = renderInto(draft, tree.kustomization, 'default');
  // Whoever brings up a bare directory has no Application that would ask for its namespaces.
  const used = rendered.flatMap(({ object }) => object.metadata.namespace ?? []);
  for (const name of new Set(used)) addNamespace(draft, name, rendered[0]!.locate([]));
}

function addPath(
  draft: Draft,
  tree: Tree,
  application: ArgoApplication,
  source: Extract<ArgoSource, { kind: 'path' }>,
): void {
  const directory = join(tree.root, source.path);
  const inside = relative(tree.root, directory);
  if (inside.startsWith('..') || isAbsolute(inside) || draft.options.files.kind(directory) !== 'directory') {
    draft.diagnostics.push({
      code: 'SL2003',
      severity: 'error',
      message: `Application ${application.name}: there is no directory ${source.path} in this tree`,
      position: source.position,
      hint: 'A source path is relative to the root of the repository.',
    });
    return;
  }
  if (application.createsNamespace) {
    addNamespace(draft, application.destinationNamespace, application.position);
  }
  renderInto(draft, directory, application.destinationNamespace);
}

function renderInto(draft: Draft, directory: string, defaultNamespace: string): PlannedObject[] {
  const { render, files, workingDirectory } = draft.options;
  const result = render(directory, files);
  const diagnostics = result.diagnostics.map((diagnostic) => relativeTo(workingDirectory, diagnostic));
  record(draft, { filesRead: result.filesRead, diagnostics });
  const added = result.objects.map((rendered): PlannedObject => {
    const object = inNamespace(rendered.value, defaultNamespace);
    return { object, locate: (path) => relativePosition(workingDirectory, rendered.locate(path)) };
  });
  draft.objects.push(...added);
  return added;
}

function relativeTo(workingDirectory: string, diagnostic: Diagnostic): Diagnostic {
  if (!diagnostic.position) return diagnostic;
  return { ...diagnostic, position: relativePosition(workingDirectory, diagnostic.position) };
}

function relativePosition(workingDirectory: string, position: SourcePosition): SourcePosition {
  return isAbsolute(position.file)
    ? { ...position, file: relative(workingDirectory, position.file) }
    : position;
}

function inNamespace(object: KubeObject, namespace: string): KubeObject {
  const isNamespaced = typeOf(object)?.namespaced ?? true;
  if (!isNamespaced || object.metadata.namespace) return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function addChart(
  draft: Draft,
  application: ArgoApplication,
  source: Extract<ArgoSource, { kind: 'chart' }>,
): void {
  if (source.chart !== 'traefik') {
    draft.diagnostics.push({
      code: 'SL2004',
      severity: 'warning',
      message: `Application ${application.name}: chart ${source.chart} is left out: only the Traefik chart is known`,
      position: source.position,
    });
    return;
  }
  const chart = readTraefikChart({ ...source, namespace: application.destinationNamespace });
  const configuration = readStaticArguments(chart.arguments);
  draft.diagnostics.push(...chart.diagnostics, ...configuration.diagnostics);
  draft.entryPoints.push(...configuration.entryPoints);
  const { service, deployment } = chart;
  if (hasErrors(chart.diagnostics)) return;
  addNamespace(draft, application.destinationNamespace, application.position);
  draft.objects.push({ object: deployment, locate: () => source.position });
  if (!service) return;
  draft.ingressService = `${service.metadata.namespace}/${service.metadata.name}`;
  draft.objects.push({
    object: service,
    locate: (path) => portPosition(service, path, chart.portPositions) ?? source.position,
  });
}

function portPosition(
  service: Service,
  path: readonly (string | number)[],
  positions: ReadonlyMap<string, SourcePosition>,
): SourcePosition | undefined {
  if (path[0] !== 'spec' || path[1] !== 'ports') return undefined;
  const name = service.spec.ports?.[Number(path[2])]?.name;
  return name === undefined ? undefined : positions.get(name);
}

const isNamespace = ({ object }: PlannedObject) => object.kind === namespaces.kind;

function addNamespace(draft: Draft, name: string, position: SourcePosition): void {
  const isThere = draft.objects.some(
    (planned) => isNamespace(planned) && planned.object.metadata.name === name,
  );
  if (isThere) return;
  draft.objects.push({
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    locate: () => position,
  });
}

/** Two Applications that deploy the same object would overwrite each other for ever. */
function duplicateObjects(objects: readonly PlannedObject[]): Diagnostic[] {
  const seen = new Map<string, PlannedObject>();
  return objects.flatMap((planned): Diagnostic[] => {
    if (isNamespace(planned)) return [];
    const key = `${planned.object.apiVersion} ${describeObject(planned.object)}`;
    const first = seen.get(key);
    seen.set(key, first ?? planned);
    if (!first) return [];
    const other = first.locate([]);
    return [
      {
        code: 'SL2008',
        severity: 'error',
        message: `${describeObject(planned.object)} is also declared at ${other.file}:${other.line}`,
        position: planned.locate([]),
        object: describeObject(planned.object),
        hint: 'Leave one of the two.',
      },
    ];
  });
}
