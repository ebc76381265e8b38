/** The fields kustomize's transformers know. Source: api/internal/konfig/builtinpluginconsts of kustomize 5.5. */

import type { FieldSpec } from './field-path.ts';

const create = true;

/** Where pods' own metadata stands, by kind. */
function templateSpecs(end: string): FieldSpec[] {
  return [
    { path: `metadata/${end}`, create },
    { path: `spec/template/metadata/${end}`, create, version: 'v1', kind: 'ReplicationController' },
    { path: `spec/template/metadata/${end}`, create, kind: 'Deployment' },
    { path: `spec/template/metadata/${end}`, create, kind: 'ReplicaSet' },
    { path: `spec/template/metadata/${end}`, create, kind: 'DaemonSet' },
    { path: `spec/template/metadata/${end}`, create, group: 'apps', kind: 'StatefulSet' },
    { path: `spec/template/metadata/${end}`, create, group: 'batch', kind: 'Job' },
    { path: `spec/jobTemplate/metadata/${end}`, create, group: 'batch', kind: 'CronJob' },
    { path: `spec/jobTemplate/spec/template/metadata/${end}`, create, group: 'batch', kind: 'CronJob' },
  ];
}

const claimTemplates: FieldSpec = {
  path: 'spec/volumeClaimTemplates[]/metadata/labels',
  create,
  group: 'apps',
  kind: 'StatefulSet',
};

const affinityTerms = ['podAffinity', 'podAntiAffinity'].flatMap((kind) => [
  `affinity/${kind}/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm`,
  `affinity/${kind}/requiredDuringSchedulingIgnoredDuringExecution`,
]);

function placementSpecs(kind: string): FieldSpec[] {
  return [...affinityTerms, 'topologySpreadConstraints'].map((place) => ({
    path: `spec/template/spec/${place}/labelSelector/matchLabels`,
    group: 'apps',
    kind,
  }));
}

const policy = (path: string): FieldSpec => ({ path, group: 'networking.k8s.io', kind: 'NetworkPolicy' });

/** What a label of `includeTemplates` reaches. */
export const templateLabelSpecs: readonly FieldSpec[] = [...templateSpecs('labels'), claimTemplates];

/** What a label of `commonLabels` and `includeSelectors` reaches. */
export const commonLabelSpecs: readonly FieldSpec[] = [
  { path: 'spec/selector', create, version: 'v1', kind: 'Service' },
  { path: 'spec/selector', create, version: 'v1', kind: 'ReplicationController' },
  { path: 'spec/selector/matchLabels', create, kind: 'Deployment' },
  ...placementSpecs('Deployment'),
  { path: 'spec/selector/matchLabels', create, kind: 'ReplicaSet' },
  { path: 'spec/selector/matchLabels', create, kind: 'DaemonSet' },
  { path: 'spec/selector/matchLabels', create, group: 'apps', kind: 'StatefulSet' },
  ...placementSpecs('StatefulSet'),
  { path: 'spec/selector/matchLabels', group: 'batch', kind: 'Job' },
  { path: 'spec/jobTemplate/spec/selector/matchLabels', group: 'batch', kind: 'CronJob' },
  { path: 'spec/selector/matchLabels', group: 'policy', kind: 'PodDisruptionBudget' },
  policy('spec/podSelector/matchLabels'),
  policy('spec/ingress/from/podSelector/matchLabels'),
  policy('spec/egress/to/podSelector/matchLabels'),
  ...templateLabelSpecs,
];

export const annotationSpecs: readonly FieldSpec[] = templateSpecs('annotations');

export const namespaceSpecs: readonly FieldSpec[] = [
  { path: 'metadata/name', create, kind: 'Namespace' },
  { path: 'subjects/namespace', create, kind: 'RoleBinding', group: 'rbac.authorization.k8s.io' },
  { path: 'subjects/namespace', create, kind: 'ClusterRoleBinding', group: 'rbac.authorization.k8s.io' },
  { path: 'spec/service/namespace', create, group: 'apiregistration.k8s.io', kind: 'APIService' },
  {
    path: 'spec/conversion/webhook/clientConfig/service/namespace',
    group: 'apiextensions.k8s.io',
    kind: 'CustomResourceDefinition',
  },
];

export const nameSpecs: readonly FieldSpec[] = [{ path: 'metadata/name' }];

export const replicaSpecs: readonly FieldSpec[] = [
  'Deployment',
  'ReplicationController',
  'ReplicaSet',
  'StatefulSet',
].map((kind) => ({ path: 'spec/replicas', create, kind }));

export const imageSpecs: readonly FieldSpec[] = [
  'spec/containers[]/image',
  'spec/initContainers[]/image',
  'spec/template/spec/containers[]/image',
  'spec/template/spec/initContainers[]/image',
].map((path) => ({ path, create }));
