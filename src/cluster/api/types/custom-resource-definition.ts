/** A CustomResourceDefinition read into the types it defines. */

import type { KubeObject, ResourceType } from '../../../kubernetes/index.ts';
import { customColumns, type PrinterColumn } from '../tables/index.ts';
import { readOpenApiSchema } from './open-api-schema.ts';
import { type ScalePaths, type ServedType, withObjectMeta } from './served-type.ts';

export interface CustomResourceDefinition extends KubeObject {
  spec: {
    group: string;
    scope: 'Namespaced' | 'Cluster';
    names: {
      plural: string;
      singular?: string;
      kind: string;
      listKind?: string;
      shortNames?: string[];
      categories?: string[];
    };
    versions: CrdVersion[];
    [field: string]: unknown;
  };
  status?: { conditions?: unknown[]; acceptedNames?: unknown; storedVersions?: string[] };
}

interface CrdVersion {
  name: string;
  served: boolean;
  storage: boolean;
  schema?: { openAPIV3Schema?: unknown };
  subresources?: {
    status?: unknown;
    scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string };
  };
  additionalPrinterColumns?: PrinterColumn[];
  selectableFields?: { jsonPath: string }[];
  [field: string]: unknown;
}

/** The types of all served versions. */
export function describeCustom(definition: CustomResourceDefinition): ServedType[] {
  return definition.spec.versions
    .filter((version) => version.served)
    .map((version) => describeVersion(definition, version));
}

function describeVersion({ spec }: CustomResourceDefinition, version: CrdVersion): ServedType {
  const { names, group, scope } = spec;
  const type: ResourceType = {
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    shortNames: names.shortNames ?? [],
    namespaced: scope === 'Namespaced',
    statusSubresource: version.subresources?.status !== undefined,
  };
  return {
    type,
    singular: names.singular || names.kind.toLowerCase(),
    listKind: names.listKind || `${names.kind}List`,
    categories: names.categories ?? [],
    columns: customColumns(version.additionalPrinterColumns),
    scale: scalePaths(version),
    schema: withObjectMeta(readOpenApiSchema(version.schema?.openAPIV3Schema)),
    isCustom: true,
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, '')),
  };
}

function scalePaths({ subresources }: CrdVersion): ScalePaths | undefined {
  const scale = subresources?.scale;
  return (
    scale && {
      specReplicas: scale.specReplicasPath,
      statusReplicas: scale.statusReplicasPath,
      labelSelector: scale.labelSelectorPath,
    }
  );
}

/** What the API says of a definition that it serves. */
export function establishedStatus({ spec, metadata }: CustomResourceDefinition) {
  const { names, versions } = spec;
  const since = { lastTransitionTime: metadata.creationTimestamp };
  return {
    conditions: [
      {
        type: 'NamesAccepted',
        status: 'True',
        reason: 'NoConflicts',
        message: 'no conflicts found',
        ...since,
      },
      {
        type: 'Established',
        status: 'True',
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
        ...since,
      },
    ],
    acceptedNames: {
      singular: names.kind.toLowerCase(),
      listKind: `${names.kind}List`,
      ...names,
    },
    storedVersions: versions.filter(({ storage }) => storage).map(({ name }) => name),
  };
}
