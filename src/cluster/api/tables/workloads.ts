/** Columns of Deployments and their kin. */

import {
  type Container,
  type DaemonSet,
  type Deployment,
  formatLabelSelector,
  type KubeObject,
  type LabelSelector,
  type PodTemplateSpec,
  type ReplicaSet,
} from '../../../kubernetes/index.ts';
import { formatAge } from './age.ts';
import { type Column, count, nameColumn, text, wide } from './columns.ts';

interface Workload extends KubeObject {
  spec: { selector?: LabelSelector; template?: PodTemplateSpec; replicas?: number; [field: string]: unknown };
}

const containersOf = (object: Workload): Container[] => object.spec.template?.spec.containers ?? [];

export const ageColumn: Column = text('Age', (object, now) =>
  formatAge(object.metadata.creationTimestamp, now),
);

export const selectorText = (selector: LabelSelector | undefined) =>
  formatLabelSelector(selector) || '<none>';

const templateColumns: Column<Workload>[] = [
  wide('Containers', (object) =>
    containersOf(object)
      .map((container) => container.name)
      .join(','),
  ),
  wide('Images', (object) =>
    containersOf(object)
      .map((container) => container.image)
      .join(','),
  ),
];
const selectorColumn: Column<Workload> = wide('Selector', (object) =>
  formatLabelSelector(object.spec.selector),
);

export const deploymentColumns: Column<Deployment>[] = [
  nameColumn,
  text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`),
  count('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
  count('Available', ({ status }) => status?.availableReplicas ?? 0),
  ageColumn,
  ...templateColumns,
  selectorColumn,
];

export const replicaSetColumns: Column<ReplicaSet>[] = [
  nameColumn,
  count('Desired', ({ spec }) => spec.replicas ?? 1),
  count('Current', ({ status }) => status?.replicas ?? 0),
  count('Ready', ({ status }) => status?.readyReplicas ?? 0),
  ageColumn,
  ...templateColumns,
  selectorColumn,
];

const nodeSelectorText = (object: Workload) => {
  const labels = object.spec.template?.spec.nodeSelector as Record<string, string> | undefined;
  return formatLabelSelector(labels && { matchLabels: labels }) || '<none>';
};

export const daemonSetColumns: Column<DaemonSet>[] = [
  nameColumn,
  count('Desired', ({ status }) => status?.desiredNumberScheduled ?? 0),
  count('Current', ({ status }) => status?.currentNumberScheduled ?? 0),
  count('Ready', ({ status }) => status?.numberReady ?? 0),
  count('Up-to-date', ({ status }) => status?.updatedNumberScheduled ?? 0),
  count('Available', ({ status }) => status?.numberAvailable ?? 0),
  text('Node Selector', nodeSelectorText),
  ageColumn,
  ...templateColumns,
  selectorColumn,
];

interface StatefulSet extends Workload {
  status?: { readyReplicas?: number };
}

export const statefulSetColumns: Column<StatefulSet>[] = [
  nameColumn,
  text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`),
  ageColumn,
  ...templateColumns,
];
