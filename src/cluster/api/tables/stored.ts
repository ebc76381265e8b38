/** Columns of kinds that are only stored. */

import { formatLabelSelector, isObject, type KubeObject } from '../../../kubernetes/index.ts';
import { type Column, count, nameColumn, text, wide } from './columns.ts';
import { createdAtColumns } from './other.ts';
import { ageColumn } from './workloads.ts';

/** The value at `spec.schedule`; undefined where there is none. */
function at(object: KubeObject, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, step) => (isObject(value) ? value[step] : undefined), object);
}

const textAt = (path: string, absent: string) => (object: KubeObject) => {
  const value = at(object, path);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? `${value}`
    : absent;
};

const numberAt = (path: string) => (object: KubeObject) => {
  const value = at(object, path);
  return typeof value === 'number' ? value : 0;
};

const listAt = (object: KubeObject, path: string): unknown[] => {
  const value = at(object, path);
  return Array.isArray(value) ? value : [];
};

const accessModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

const accessModesText = (object: KubeObject) =>
  listAt(object, 'spec.accessModes')
    .map((mode) => accessModes[String(mode)] ?? String(mode))
    .join(',');

function ingressHosts(object: KubeObject): string {
  const hosts = listAt(object, 'spec.rules').flatMap((rule) =>
    isObject(rule) && typeof rule.host === 'string' ? [rule.host] : [],
  );
  return hosts.length > 0 ? hosts.join(',') : '*';
}

const completions = (object: KubeObject) =>
  `${numberAt('status.succeeded')(object)}/${textAt('spec.completions', '1')(object)}`;

const jobColumns: Column[] = [
  nameColumn,
  text('Status', () => 'Running'),
  text('Completions', completions),
  text('Duration', () => ''),
  ageColumn,
];

const cronJobColumns: Column[] = [
  nameColumn,
  text('Schedule', textAt('spec.schedule', '')),
  text('Timezone', textAt('spec.timeZone', '<none>')),
  text('Suspend', (object) => (at(object, 'spec.suspend') === true ? 'True' : 'False')),
  count('Active', (object) => listAt(object, 'status.active').length),
  text('Last Schedule', () => '<none>'),
  ageColumn,
];

const claimColumns: Column[] = [
  nameColumn,
  text('Status', textAt('status.phase', 'Pending')),
  text('Volume', textAt('spec.volumeName', '')),
  text('Capacity', textAt('status.capacity.storage', '')),
  text('Access Modes', (object) => (at(object, 'spec.volumeName') ? accessModesText(object) : '')),
  text('StorageClass', textAt('spec.storageClassName', '')),
  text('VolumeAttributesClass', textAt('spec.volumeAttributesClassName', '<unset>')),
  ageColumn,
  wide('VolumeMode', textAt('spec.volumeMode', 'Filesystem')),
];

const volumeColumns: Column[] = [
  nameColumn,
  text('Capacity', textAt('spec.capacity.storage', '')),
  text('Access Modes', accessModesText),
  text('Reclaim Policy', textAt('spec.persistentVolumeReclaimPolicy', 'Retain')),
  text('Status', textAt('status.phase', 'Available')),
  text('Claim', textAt('spec.claimRef.name', '')),
  text('StorageClass', textAt('spec.storageClassName', '')),
  text('VolumeAttributesClass', textAt('spec.volumeAttributesClassName', '<unset>')),
  text('Reason', textAt('status.reason', '')),
  ageColumn,
  wide('VolumeMode', textAt('spec.volumeMode', 'Filesystem')),
];

const ingressColumns: Column[] = [
  nameColumn,
  text('Class', textAt('spec.ingressClassName', '<none>')),
  text('Hosts', ingressHosts),
  text('Address', () => ''),
  text('Ports', (object) => (listAt(object, 'spec.tls').length > 0 ? '80, 443' : '80')),
  ageColumn,
];

function controllerSelector(object: KubeObject): string {
  const labels = at(object, 'spec.selector');
  return isObject(labels) ? formatLabelSelector({ matchLabels: labels as Record<string, string> }) : '';
}

const controllerColumns: Column[] = [
  nameColumn,
  count('Desired', numberAt('spec.replicas')),
  count('Current', numberAt('status.replicas')),
  count('Ready', numberAt('status.readyReplicas')),
  ageColumn,
  wide('Selector', controllerSelector),
];

const budgetColumns: Column[] = [
  nameColumn,
  text('Min Available', textAt('spec.minAvailable', 'N/A')),
  text('Max Unavailable', textAt('spec.maxUnavailable', 'N/A')),
  count('Allowed Disruptions', numberAt('status.disruptionsAllowed')),
  ageColumn,
];

const ingressClassColumns: Column[] = [
  nameColumn,
  text('Controller', textAt('spec.controller', '')),
  text('Parameters', textAt('spec.parameters.name', '<none>')),
  ageColumn,
];

const priorityClassColumns: Column[] = [
  nameColumn,
  count('Value', numberAt('value')),
  text('Global-Default', (object) => `${at(object, 'globalDefault') === true}`),
  ageColumn,
  wide('PreemptionPolicy', textAt('preemptionPolicy', 'PreemptLowerPriority')),
];

export const storedColumns: Readonly<Record<string, readonly Column[]>> = {
  limitranges: createdAtColumns,
  persistentvolumes: volumeColumns,
  persistentvolumeclaims: claimColumns,
  replicationcontrollers: controllerColumns,
  'cronjobs.batch': cronJobColumns,
  'jobs.batch': jobColumns,
  'ingresses.networking.k8s.io': ingressColumns,
  'ingressclasses.networking.k8s.io': ingressClassColumns,
  'poddisruptionbudgets.policy': budgetColumns,
  'priorityclasses.scheduling.k8s.io': priorityClassColumns,
};
