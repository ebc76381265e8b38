/** What the HTTP API knows about a type beyond what the store knows. */

import {
  apiVersionOf,
  builtInSchema,
  namedType,
  qualifiedResource,
  type ResourceType,
  type Schema,
} from '../../../kubernetes/index.ts';
import { builtInColumns, type Column } from '../tables/index.ts';

/** Where the replica counts of a scalable object stand. */
export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** A label selector's text in the status, or nothing. */
  readonly labelSelector: string | undefined;
}

export interface ServedType {
  readonly type: ResourceType;
  readonly singular: string;
  readonly listKind: string;
  readonly categories: readonly string[];
  readonly columns: readonly Column[];
  readonly scale: ScalePaths | undefined;
  /** Of the whole object, metadata included; undefined where anything goes. */
  readonly schema: Schema | undefined;
  /** Defined by a CustomResourceDefinition, with its rules for patches and validation. */
  readonly isCustom: boolean;
  /** Fields that a field selector may name besides metadata.name and metadata.namespace; undefined: any. */
  readonly selectableFields: readonly string[];
}

const workloadScale: ScalePaths = {
  specReplicas: '.spec.replicas',
  statusReplicas: '.status.replicas',
  labelSelector: undefined,
};

const scalable = new Set([
  'deployments.apps',
  'replicasets.apps',
  'statefulsets.apps',
  'replicationcontrollers',
]);

const inCategoryAll = new Set([
  'pods',
  'services',
  'daemonsets.apps',
  'cronjobs.batch',
  'jobs.batch',
  ...scalable,
]);

const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

const selectable: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  nodes: ['spec.unschedulable'],
  namespaces: ['status.phase'],
  secrets: ['type'],
  services: ['spec.clusterIP', 'spec.type'],
  events: [
    ...involved.map((field) => `involvedObject.${field}`),
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  'replicasets.apps': ['status.replicas'],
};

/** Everything that is served without a CustomResourceDefinition. */
export function describeBuiltIn(type: ResourceType): ServedType {
  const resource = qualifiedResource(type);
  return {
    type,
    singular: type.kind.toLowerCase(),
    listKind: `${type.kind}List`,
    categories: inCategoryAll.has(resource) ? ['all'] : [],
    columns: builtInColumns(type),
    scale: scalable.has(resource) ? workloadScale : undefined,
    schema: builtInSchema(apiVersionOf(type), type.kind),
    isCustom: false,
    selectableFields: selectable[resource] ?? [],
  };
}

/** The schema of a custom resource: what its definition says, with Kubernetes' own metadata. */
export function withObjectMeta(schema: Schema): Schema {
  const metadata = namedType('meta.v1.ObjectMeta');
  return {
    ...schema,
    type: 'object',
    properties: {
      apiVersion: { type: 'string', description: 'The group and version that this object is written for.' },
      kind: { type: 'string', description: 'What sort of object this is.' },
      ...schema.properties,
      ...(metadata && { metadata }),
    },
  };
}
