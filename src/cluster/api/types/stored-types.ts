/** Kinds that are kept so that trees which hold them apply, and that nothing acts upon. */

import { qualifiedResource, type ResourceType } from '../../../kubernetes/index.ts';

function stored(
  apiVersion: string,
  kind: string,
  plural: string,
  shortNames: readonly string[] = [],
  { namespaced = true, statusSubresource = true } = {},
): ResourceType {
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  return { group, version, kind, plural, shortNames, namespaced, statusSubresource };
}

const clusterWide = { namespaced: false };
const withoutStatus = { statusSubresource: false };

/** Beyond the kinds that the store serves by itself. `kubectl apply --prune` asks for most of them. */
export const storedTypes: readonly ResourceType[] = [
  stored('v1', 'LimitRange', 'limitranges', ['limits'], withoutStatus),
  stored('v1', 'PersistentVolume', 'persistentvolumes', ['pv'], clusterWide),
  stored('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', ['pvc']),
  stored('v1', 'ReplicationController', 'replicationcontrollers', ['rc']),
  stored('v1', 'ResourceQuota', 'resourcequotas', ['quota']),
  stored('batch/v1', 'CronJob', 'cronjobs', ['cj']),
  stored('batch/v1', 'Job', 'jobs'),
  stored('networking.k8s.io/v1', 'Ingress', 'ingresses', ['ing']),
  stored('networking.k8s.io/v1', 'IngressClass', 'ingressclasses', [], { ...clusterWide, ...withoutStatus }),
  stored('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', ['pdb']),
  stored('scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses', ['pc'], {
    ...clusterWide,
    ...withoutStatus,
  }),
];

const effects: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'nothing binds it to storage',
  replicationcontrollers: 'nothing runs its pods',
  resourcequotas: 'nothing enforces it',
  limitranges: 'nothing enforces it',
  'cronjobs.batch': 'nothing makes its jobs',
  'jobs.batch': 'nothing runs its pods',
  'ingresses.networking.k8s.io': 'no controller serves it',
  'networkpolicies.networking.k8s.io': 'nothing enforces it',
  'poddisruptionbudgets.policy': 'nothing enforces it',
};

/** What whoever creates an object of the type should know; undefined where the cluster does act upon it. */
export function storedOnlyWarning(type: ResourceType): string | undefined {
  const effect = effects[qualifiedResource(type)];
  return effect && `the embedded cluster stores a ${type.kind}, but ${effect}`;
}
