/** `configurations` and `crds`: files that teach the transformers more fields. */

import {
  composeDocument,
  fieldOf,
  isNullNode,
  type MapNode,
  refuseForbiddenCharacters,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { duplicateKeysIn } from '../diagnose/duplicate-keys.ts';
import { refuse } from '../problem.ts';
import { type Located, list, record, string } from '../read/decode.ts';
import { type FieldSpecEntry, fieldSpec } from '../read/kustomization.ts';
import type { Loader } from '../read/loader.ts';
import { parseOrRefuse, sourceOf } from '../read/resource-file.ts';
import type { NameReference } from '../references/name-references.ts';
import type { FieldSpec } from '../transform/field-path.ts';
import { schemasOf } from '../transform/open-api.ts';
import { mergeConfigs, type TransformerConfig } from './transformer-config.ts';

const emptyConfig: TransformerConfig = {
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  labels: [],
  templateLabels: [],
  commonAnnotations: [],
  images: [],
  replicas: [],
  varReference: [],
  nameReference: [],
};

const specs = list(fieldSpec);
const configuration = record(
  {
    namePrefix: specs,
    nameSuffix: specs,
    namespace: specs,
    commonLabels: specs,
    labels: specs,
    templateLabels: specs,
    commonAnnotations: specs,
    images: specs,
    replicas: specs,
    varReference: specs,
    nameReference: list(
      record(
        { group: string, version: string, kind: string, fieldSpecs: specs },
        'an entry of nameReference',
      ),
    ),
  },
  'the configuration',
);

export const fieldSpecOf = ({
  group = '',
  version = '',
  kind = '',
  path = '',
  create = false,
}: FieldSpecEntry): FieldSpec => ({
  group,
  version,
  kind,
  path,
  create,
});

function readRoot(path: Located<string>, loader: Loader, build: Build): YamlNode | undefined {
  const source = sourceOf(loader.load(path.value, path.node), build.files, path.node);
  return parseOrRefuse(source, () => {
    refuseForbiddenCharacters(source.text);
    return composeDocument(source);
  });
}

/** These files alone are read strictly. Source: makeTransformerConfigFromBytes of kustomize 5.5. */
function refuseDuplicateKeys(node: YamlNode): void {
  for (const key of duplicateKeysIn(node)) {
    refuse('SL1004', `${key.text} is written twice`, key, { hint: 'Remove one of them.' });
  }
}

/** What the files of `configurations` say. Throws `KustomizeProblem`. */
export function readConfigurations(
  paths: readonly Located<string>[],
  loader: Loader,
  build: Build,
): TransformerConfig {
  let config = emptyConfig;
  for (const path of paths) {
    const root = readRoot(path, loader, build);
    if (!root || isNullNode(root)) continue;
    refuseDuplicateKeys(root);
    const read = configuration(root, '', { duplicate() {}, otherCase() {} });
    const of = (entries: readonly FieldSpecEntry[] | undefined): FieldSpec[] =>
      (entries ?? []).map(fieldSpecOf);
    const references = (read.nameReference ?? []).map(
      ({ group = '', version = '', kind = '', fieldSpecs }): NameReference => ({
        group,
        version,
        kind,
        fieldSpecs: of(fieldSpecs),
      }),
    );
    const own: TransformerConfig = {
      namePrefix: of(read.namePrefix),
      nameSuffix: of(read.nameSuffix),
      namespace: of(read.namespace),
      commonLabels: of(read.commonLabels),
      labels: of(read.labels),
      templateLabels: of(read.templateLabels),
      commonAnnotations: of(read.commonAnnotations),
      images: of(read.images),
      replicas: of(read.replicas),
      varReference: of(read.varReference),
      nameReference: references,
    };
    config = mergeConfigs(config, own, path.node);
  }
  return config;
}

/** Takes over `openapi`, unless a kustomization before this one has one. Throws `KustomizeProblem`. */
export function setSchemas(
  openapi: ReadonlyMap<string, Located<string>> | undefined,
  loader: Loader,
  build: Build,
): void {
  const [path, version] = [openapi?.get('path'), openapi?.get('version')];
  const root = path && readRoot(path, loader, build);
  if (build.schemas.isSet) return;
  if (path && version) refuse('SL1011', 'openapi has both a path and a version', version.node);
  if (version?.value && version.value !== 'v1.21.2') {
    refuse('SL1011', `openapi has no version ${version.value}`, version.node, {
      hint: 'Only v1.21.2 is built in.',
    });
  }
  if (path) {
    if (root ? root.kind !== 'map' && !isNullNode(root) : isEmptyFile(path, loader)) {
      refuse('SL1004', `${path.value} holds no OpenAPI document`, root ?? path.node, {
        hint: 'kustomize crashes when it needs it. Name a file with definitions, or remove openapi.',
      });
    }
    const own = schemasOf(root);
    const { lookup, wasUsed } = build.schemas;
    build.schemas.lookup = wasUsed ? (version, kind) => own(version, kind) ?? lookup(version, kind) : own;
  }
  build.schemas.isSet = path !== undefined || Boolean(version?.value);
}

const isEmptyFile = (path: Located<string>, loader: Loader): boolean =>
  loader.load(path.value, path.node).source?.text === '';

/** What the API descriptions of `crds` say about names, labels and annotations. Throws `KustomizeProblem`. */
export function readCrds(paths: readonly Located<string>[], loader: Loader, build: Build): TransformerConfig {
  let config = emptyConfig;
  for (const path of paths) {
    const root = readRoot(path, loader, build);
    if (!root || isNullNode(root)) continue;
    if (root.kind !== 'map') refuse('SL1004', `${path.value} holds no map of API descriptions`, root);
    for (const { key, value } of root.entries) {
      if (isNullNode(value)) continue;
      if (value.kind !== 'map') refuse('SL1004', `${key.text} is no API description`, value);
      const properties = propertiesOf(root, key.text);
      refuseOtherThanMaps(root, key.text, properties);
      const isType = ['kind', 'apiVersion', 'metadata'].every((field) => fieldOf(properties, field));
      if (!isType) continue;
      const kind = key.text.split('.').at(-1) ?? '';
      config = mergeConfigs(config, fromType(root, key.text, kind, []), path.node);
    }
  }
  return config;
}

/** What kustomize cannot decode as a schema. */
function refuseOtherThanMaps(root: YamlNode, type: string, properties: YamlNode | undefined): void {
  const parts = [
    schemaOf(root, type),
    properties,
    ...(properties?.kind === 'map' ? valuesOf(properties) : []),
  ];
  for (const part of parts) {
    if (part && part.kind !== 'map' && !isNullNode(part))
      refuse('SL1004', `the schema of ${type} holds something that is no map`, part);
  }
}

const valuesOf = (map: MapNode): YamlNode[] => map.entries.map(({ value }) => value);

const schemaOf = (root: YamlNode, type: string): YamlNode | undefined =>
  fieldOf(fieldOf(root, type), 'Schema') ?? fieldOf(fieldOf(root, type), 'schema');

const propertiesOf = (root: YamlNode, type: string): YamlNode | undefined =>
  fieldOf(schemaOf(root, type), 'properties');

function fromType(root: YamlNode, type: string, kind: string, path: readonly string[]): TransformerConfig {
  let config = emptyConfig;
  const properties = propertiesOf(root, type);
  if (properties?.kind !== 'map' || path.length > 100) return config;
  for (const { key, value } of properties.entries) {
    const here = [...path, key.text];
    const spec = { kind, path: here.join('/') };
    const has = (name: string): boolean => fieldOf(value, `x-kubernetes-${name}`)?.kind === 'scalar';
    const text = (name: string): string => textOf(fieldOf(value, `x-kubernetes-${name}`));
    const references: NameReference[] = [];
    if (has('object-ref-api-version') && has('object-ref-kind')) {
      const nameKey = text('object-ref-name-key') || 'name';
      references.push({
        kind: text('object-ref-kind'),
        version: text('object-ref-api-version'),
        fieldSpecs: [{ kind, path: [...here, nameKey].join('/') }],
      });
    }
    config = mergeConfigs(config, {
      ...emptyConfig,
      commonAnnotations: has('annotation') ? [spec] : [],
      commonLabels: has('label-selector') ? [spec] : [],
      namePrefix: has('identity') ? [spec] : [],
      nameReference: references,
    });
    const reference = textOf(fieldOf(value, '$ref'));
    if (reference) config = mergeConfigs(config, fromType(root, reference, kind, here));
  }
  return config;
}
