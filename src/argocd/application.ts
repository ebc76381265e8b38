/** Argo CD Applications: which sources they deploy, and into which namespace. */

import * as v from 'valibot';
import type { Diagnostic, SourcePosition } from '../diagnostics/index.ts';
import type { LocatedDocument } from '../yaml/index.ts';
import { readLocatedYaml } from '../yaml/index.ts';

export interface ArgoApplication {
  readonly name: string;
  readonly position: SourcePosition;
  /** Where objects without a namespace of their own go. */
  readonly destinationNamespace: string;
  /** Whether the Application asks Argo CD to make that namespace (`CreateNamespace=true`). */
  readonly createsNamespace: boolean;
  readonly sources: readonly ArgoSource[];
}

export type ArgoSource =
  | { readonly kind: 'path'; readonly path: string; readonly position: SourcePosition }
  | {
      readonly kind: 'chart';
      readonly chart: string;
      /** The chart's version (`targetRevision`). */
      readonly version: string;
      readonly releaseName: string;
      readonly values: LocatedDocument | undefined;
      readonly position: SourcePosition;
    };

export interface ReadApplications {
  readonly applications: readonly ArgoApplication[];
  readonly diagnostics: readonly Diagnostic[];
}

const helmSchema = v.looseObject({
  values: v.optional(v.string()),
  valuesObject: v.optional(v.record(v.string(), v.unknown())),
  releaseName: v.optional(v.string()),
});

const sourceSchema = v.looseObject({
  repoURL: v.string(),
  targetRevision: v.optional(v.string()),
  path: v.optional(v.string()),
  chart: v.optional(v.string()),
  helm: v.optional(helmSchema),
});

const applicationSchema = v.looseObject({
  metadata: v.looseObject({ name: v.string() }),
  spec: v.looseObject({
    source: v.optional(sourceSchema),
    sources: v.optional(v.array(sourceSchema)),
    destination: v.optional(v.looseObject({ namespace: v.optional(v.string()) })),
    syncPolicy: v.optional(v.looseObject({ syncOptions: v.optional(v.array(v.string())) })),
  }),
});

type Source = v.InferOutput<typeof sourceSchema>;
type Path = readonly (string | number)[];

/** Fields of a source that change what is deployed and that sluice does not carry out: refused, never passed over. */
const refusedSourceFields = ['kustomize', 'directory', 'plugin', 'ref'];
const refusedHelmFields = ['valueFiles', 'parameters', 'fileParameters'];

/** Reads the Applications of one file. Documents of other kinds are left out. */
export function readApplications(text: string, file: string): ReadApplications {
  const { documents, diagnostics: syntax } = readLocatedYaml(text, file);
  const diagnostics: Diagnostic[] = [...syntax];
  const applications: ArgoApplication[] = [];
  for (const document of documents.filter(isApplication)) {
    const parsed = v.safeParse(applicationSchema, document.value);
    if (parsed.success) {
      applications.push(readApplication(parsed.output, document, diagnostics));
    } else {
      diagnostics.push(...parsed.issues.map((issue) => schemaDiagnostic(issue, document)));
    }
  }
  return { applications, diagnostics };
}

function isApplication({ value }: LocatedDocument): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, apiVersion } = value as Record<string, unknown>;
  return kind === 'Application' && String(apiVersion).startsWith('argoproj.io/');
}

function schemaDiagnostic(issue: v.BaseIssue<unknown>, document: LocatedDocument): Diagnostic {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  return {
    code: 'SL2001',
    severity: 'error',
    message: `the Application is not valid at ${path.join('.') || 'its root'}: expected ${issue.expected}, found ${issue.received}`,
    position: document.locate(path),
    hint: 'See the Application specification of Argo CD for the fields of `spec.source`.',
  };
}

function readApplication(
  { metadata, spec }: v.InferOutput<typeof applicationSchema>,
  document: LocatedDocument,
  diagnostics: Diagnostic[],
): ArgoApplication {
  const places: { source: Source; path: Path }[] = spec.source
    ? [{ source: spec.source, path: ['spec', 'source'] }]
    : (spec.sources ?? []).map((source, index) => ({ source, path: ['spec', 'sources', index] }));
  if (places.length === 0) {
    diagnostics.push(invalid('the Application has neither spec.source nor spec.sources', document, ['spec']));
  }
  return {
    name: metadata.name,
    position: document.locate(['metadata', 'name']),
    destinationNamespace: spec.destination?.namespace ?? 'default',
    createsNamespace: (spec.syncPolicy?.syncOptions ?? []).includes('CreateNamespace=true'),
    sources: places.flatMap(({ source, path }) =>
      readSource(source, path, metadata.name, document, diagnostics),
    ),
  };
}

function readSource(
  source: Source,
  path: Path,
  applicationName: string,
  document: LocatedDocument,
  diagnostics: Diagnostic[],
): ArgoSource[] {
  refuseFields(source, refusedSourceFields, path, document, diagnostics);
  refuseFields(source.helm ?? {}, refusedHelmFields, [...path, 'helm'], document, diagnostics);
  const position = document.locate(path);
  if (source.path !== undefined) {
    return [{ kind: 'path', path: source.path, position: document.locate([...path, 'path']) }];
  }
  if (source.chart === undefined) {
    diagnostics.push(invalid('the source names neither a path nor a chart', document, path));
    return [];
  }
  return [
    {
      kind: 'chart',
      chart: source.chart,
      version: source.targetRevision ?? '',
      releaseName: source.helm?.releaseName ?? applicationName,
      values: chartValues(source, [...path, 'helm'], document, diagnostics),
      position,
    },
  ];
}

/** Argo CD takes `valuesObject` over `values` when both are given. */
function chartValues(
  source: Source,
  helmPath: Path,
  document: LocatedDocument,
  diagnostics: Diagnostic[],
): LocatedDocument | undefined {
  if (source.helm?.valuesObject) {
    const path = [...helmPath, 'valuesObject'];
    return {
      value: source.helm.valuesObject,
      locate: (inner) => document.locate([...path, ...inner]),
      embedded: (inner) => document.embedded([...path, ...inner]),
    };
  }
  const read = document.embedded([...helmPath, 'values']);
  diagnostics.push(...(read?.diagnostics ?? []));
  return read?.documents[0];
}

function refuseFields(
  object: Record<string, unknown>,
  names: readonly string[],
  path: Path,
  document: LocatedDocument,
  diagnostics: Diagnostic[],
): void {
  for (const name of names.filter((name) => name in object)) {
    diagnostics.push({
      code: 'SL2002',
      severity: 'error',
      message: `\`${name}\` of an Application source is not supported yet`,
      position: document.locate([...path, name]),
      hint:
        name === 'kustomize'
          ? 'Write the same settings into the kustomization.yaml that the source points to.'
          : 'Write the values inline, under `helm.values` or `helm.valuesObject`.',
    });
  }
}

function invalid(message: string, document: LocatedDocument, path: Path): Diagnostic {
  return { code: 'SL2001', severity: 'error', message, position: document.locate(path) };
}
