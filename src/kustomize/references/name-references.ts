/**
 * Which fields hold names of other objects. Source: namereference.go in api/internal/konfig/builtinpluginconsts of kustomize 5.5.
 */

import type { Gvk } from '../resource.ts';
import type { FieldSpec } from '../transform/field-path.ts';

/** A kind, and the fields of others that name an object of it. */
export interface NameReference extends Partial<Gvk> {
  readonly fieldSpecs: readonly FieldSpec[];
}

const spec = (path: string, kind: string, rest: Partial<Gvk> = {}): FieldSpec => ({ path, kind, ...rest });

const templated = ['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet', 'Job'];

/** Fields of a pod's spec, in every kind that has one. */
function podFields(fields: readonly string[], kinds: readonly string[]): FieldSpec[] {
  return kinds.flatMap((kind) =>
    fields.map((field) => {
      if (kind === 'Pod') return spec(`spec/${field}`, kind, { version: 'v1' });
      if (kind === 'PodTemplate') return spec(`template/spec/${field}`, kind);
      if (kind === 'CronJob') return spec(`spec/jobTemplate/spec/template/spec/${field}`, kind);
      return spec(`spec/template/spec/${field}`, kind);
    }),
  );
}

const containerFields = (field: string): string[] => [`containers/${field}`, `initContainers/${field}`];
const everyPod = ['Pod', 'PodTemplate', ...templated, 'CronJob'];
const accountPods = [
  'Pod',
  'StatefulSet',
  'Deployment',
  'ReplicationController',
  'CronJob',
  'Job',
  'DaemonSet',
];
const webhook = { group: 'admissionregistration.k8s.io' };
const rbac = { group: 'rbac.authorization.k8s.io' };
const knative = { group: 'serving.knative.dev', version: 'v1' };

const anyPod = (fields: readonly string[]): FieldSpec[] =>
  podFields(fields, accountPods).map(({ path, kind }) => ({ path, ...(kind && { kind }) }));

const scaled = ['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map(
  (kind): NameReference => ({
    kind,
    fieldSpecs: [spec('spec/scaleTargetRef/name', 'HorizontalPodAutoscaler')],
  }),
);

export const nameReferences: readonly NameReference[] = [
  ...scaled,
  {
    kind: 'ConfigMap',
    version: 'v1',
    fieldSpecs: [
      ...podFields(
        [
          'volumes/configMap/name',
          ...containerFields('env/valueFrom/configMapKeyRef/name'),
          ...containerFields('envFrom/configMapRef/name'),
          'volumes/projected/sources/configMap/name',
        ],
        everyPod,
      ),
      spec('spec/configSource/configMap', 'Node'),
      spec('rules/resourceNames', 'Role'),
      spec('rules/resourceNames', 'ClusterRole'),
      spec('metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap', 'Ingress'),
      spec('spec/template/spec/containers/env/valueFrom/configMapKeyRef/name', 'Service', knative),
      spec('spec/template/spec/containers/envFrom/configMapRef/name', 'Service', knative),
    ],
  },
  {
    kind: 'Secret',
    version: 'v1',
    fieldSpecs: [
      ...podFields(
        [
          'volumes/secret/secretName',
          ...containerFields('env/valueFrom/secretKeyRef/name'),
          ...containerFields('envFrom/secretRef/name'),
          'imagePullSecrets/name',
          'volumes/projected/sources/secret/name',
        ],
        everyPod,
      ),
      spec('spec/tls/secretName', 'Ingress'),
      spec('metadata/annotations/ingress.kubernetes.io\\/auth-secret', 'Ingress'),
      spec('metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret', 'Ingress'),
      spec('metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret', 'Ingress'),
      spec('imagePullSecrets/name', 'ServiceAccount'),
      spec('parameters/secretName', 'StorageClass'),
      spec('parameters/adminSecretName', 'StorageClass'),
      spec('parameters/userSecretName', 'StorageClass'),
      spec('parameters/secretRef', 'StorageClass'),
      spec('rules/resourceNames', 'Role'),
      spec('rules/resourceNames', 'ClusterRole'),
      spec('spec/template/spec/containers/env/valueFrom/secretKeyRef/name', 'Service', knative),
      spec('spec/azureFile/secretName', 'PersistentVolume'),
    ],
  },
  {
    kind: 'Service',
    version: 'v1',
    fieldSpecs: [
      spec('spec/serviceName', 'StatefulSet', { group: 'apps' }),
      spec('spec/rules/http/paths/backend/serviceName', 'Ingress'),
      spec('spec/backend/serviceName', 'Ingress'),
      spec('spec/rules/http/paths/backend/service/name', 'Ingress'),
      spec('spec/defaultBackend/service/name', 'Ingress'),
      spec('spec/service/name', 'APIService', { group: 'apiregistration.k8s.io' }),
      spec('webhooks/clientConfig/service', 'ValidatingWebhookConfiguration', webhook),
      spec('webhooks/clientConfig/service', 'MutatingWebhookConfiguration', webhook),
    ],
  },
  { kind: 'Role', ...rbac, fieldSpecs: [spec('roleRef/name', 'RoleBinding', rbac)] },
  {
    kind: 'ClusterRole',
    ...rbac,
    fieldSpecs: [spec('roleRef/name', 'RoleBinding', rbac), spec('roleRef/name', 'ClusterRoleBinding', rbac)],
  },
  {
    kind: 'ServiceAccount',
    version: 'v1',
    fieldSpecs: [
      spec('subjects', 'RoleBinding', rbac),
      spec('subjects', 'ClusterRoleBinding', rbac),
      ...anyPod(['serviceAccountName']),
    ],
  },
  {
    kind: 'PersistentVolumeClaim',
    version: 'v1',
    fieldSpecs: anyPod(['volumes/persistentVolumeClaim/claimName']),
  },
  {
    kind: 'PersistentVolume',
    version: 'v1',
    fieldSpecs: [
      spec('spec/volumeName', 'PersistentVolumeClaim'),
      spec('rules/resourceNames', 'ClusterRole'),
    ],
  },
  {
    kind: 'StorageClass',
    version: 'v1',
    group: 'storage.k8s.io',
    fieldSpecs: [
      spec('spec/storageClassName', 'PersistentVolume'),
      spec('spec/storageClassName', 'PersistentVolumeClaim'),
      spec('spec/volumeClaimTemplates/spec/storageClassName', 'StatefulSet'),
    ],
  },
  {
    kind: 'PriorityClass',
    version: 'v1',
    group: 'scheduling.k8s.io',
    fieldSpecs: anyPod(['priorityClassName']),
  },
  // The group is written with a version, so it never matches; kept as it is.
  {
    kind: 'IngressClass',
    version: 'v1',
    group: 'networking.k8s.io/v1',
    fieldSpecs: [spec('spec/ingressClassName', 'Ingress')],
  },
];
