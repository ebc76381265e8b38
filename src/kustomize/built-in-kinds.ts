/**
 * The kinds of Kubernetes 1.21.2, which is the API description kustomize carries, and which of them are cluster-wide.
 * Source: the table of known types in kyaml/openapi of kustomize 5.5.
 */

const clusterKinds: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io/v1': 'MutatingWebhookConfiguration ValidatingWebhookConfiguration',
  'admissionregistration.k8s.io/v1beta1': 'MutatingWebhookConfiguration ValidatingWebhookConfiguration',
  'apiextensions.k8s.io/v1': 'CustomResourceDefinition',
  'apiextensions.k8s.io/v1beta1': 'CustomResourceDefinition',
  'apiregistration.k8s.io/v1': 'APIService',
  'apiregistration.k8s.io/v1beta1': 'APIService',
  'certificates.k8s.io/v1': 'CertificateSigningRequest',
  'certificates.k8s.io/v1beta1': 'CertificateSigningRequest',
  'flowcontrol.apiserver.k8s.io/v1beta1': 'FlowSchema PriorityLevelConfiguration',
  'networking.k8s.io/v1': 'IngressClass',
  'networking.k8s.io/v1beta1': 'IngressClass',
  'node.k8s.io/v1': 'RuntimeClass',
  'node.k8s.io/v1beta1': 'RuntimeClass',
  'policy/v1beta1': 'PodSecurityPolicy',
  'rbac.authorization.k8s.io/v1': 'ClusterRole ClusterRoleBinding',
  'rbac.authorization.k8s.io/v1beta1': 'ClusterRole ClusterRoleBinding',
  'scheduling.k8s.io/v1': 'PriorityClass',
  'scheduling.k8s.io/v1beta1': 'PriorityClass',
  'storage.k8s.io/v1': 'CSIDriver CSINode StorageClass VolumeAttachment',
  'storage.k8s.io/v1beta1': 'CSIDriver CSINode StorageClass VolumeAttachment',
  v1: 'ComponentStatus Namespace Node NodeProxyOptions PersistentVolume',
};

const namespacedKinds: Readonly<Record<string, string>> = {
  'apps/v1': 'ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet',
  'autoscaling/v1': 'HorizontalPodAutoscaler',
  'autoscaling/v2beta1': 'HorizontalPodAutoscaler',
  'autoscaling/v2beta2': 'HorizontalPodAutoscaler',
  'batch/v1': 'CronJob Job',
  'batch/v1beta1': 'CronJob',
  'coordination.k8s.io/v1': 'Lease',
  'coordination.k8s.io/v1beta1': 'Lease',
  'discovery.k8s.io/v1': 'EndpointSlice',
  'discovery.k8s.io/v1beta1': 'EndpointSlice',
  'events.k8s.io/v1': 'Event',
  'events.k8s.io/v1beta1': 'Event',
  'extensions/v1beta1': 'Ingress',
  'networking.k8s.io/v1': 'Ingress NetworkPolicy',
  'networking.k8s.io/v1beta1': 'Ingress',
  'policy/v1': 'PodDisruptionBudget',
  'policy/v1beta1': 'PodDisruptionBudget',
  'rbac.authorization.k8s.io/v1': 'Role RoleBinding',
  'rbac.authorization.k8s.io/v1beta1': 'Role RoleBinding',
  'storage.k8s.io/v1beta1': 'CSIStorageCapacity',
  v1: 'ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount',
};

type Table = ReadonlyMap<string, ReadonlySet<string>>;

/** The kinds of each apiVersion. */
function tableOf(kinds: Readonly<Record<string, string>>): Table {
  return new Map(Object.entries(kinds).map(([apiVersion, names]) => [apiVersion, new Set(names.split(' '))]));
}

const includes = (table: Table, apiVersion: string, kind: string): boolean =>
  table.get(apiVersion)?.has(kind) ?? false;

const clusterScoped = tableOf(clusterKinds);
/** Of any apiVersion: most kinds are found to be namespaced by their name alone. */
const clusterKindNames = new Set([...clusterScoped.values()].flatMap((kinds) => [...kinds]));
const namespaced = tableOf(namespacedKinds);

/** Whether kustomize is certain that the kind has no namespace; of a kind it does not know it is not. */
export const isClusterScoped = (apiVersion: string, kind: string): boolean =>
  includes(clusterScoped, apiVersion, kind);

/** Whether there is a kind of that name of which kustomize is certain that it has no namespace. */
export const mayBeClusterScoped = (kind: string): boolean => clusterKindNames.has(kind);

/** Whether kustomize knows how the kind's lists are merged. */
export const isBuiltIn = (apiVersion: string, kind: string): boolean =>
  includes(clusterScoped, apiVersion, kind) || includes(namespaced, apiVersion, kind);
