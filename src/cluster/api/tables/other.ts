/** Columns of nodes, namespaces, configuration, events, leases and access rules. */

import type { Event, KubeObject, Namespace, Node } from '../../../kubernetes/index.ts';
import { formatAge } from './age.ts';
import { type Column, count, nameColumn, text, wide } from './columns.ts';
import { ageColumn } from './workloads.ts';

const roleLabel = 'node-role.kubernetes.io/';

function rolesText({ metadata }: Node): string {
  const labels = Object.entries(metadata.labels ?? {});
  const roles = labels.flatMap(([key, value]) => {
    if (key.startsWith(roleLabel)) return key.length > roleLabel.length ? [key.slice(roleLabel.length)] : [];
    return key === 'kubernetes.io/role' && value ? [value] : [];
  });
  return [...new Set(roles)].toSorted().join(',') || '<none>';
}

function nodeStatusText({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const health = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown';
  return spec?.unschedulable ? `${health},SchedulingDisabled` : health;
}

const addressText = (type: string) => (node: Node) =>
  node.status?.addresses?.find((address) => address.type === type)?.address ?? '<none>';

const nodeInfo = (field: string) => (node: Node) =>
  ((node.status?.nodeInfo as Record<string, string> | undefined)?.[field] ?? '') || '<unknown>';

export const nodeColumns: Column<Node>[] = [
  nameColumn,
  text('Status', nodeStatusText),
  text('Roles', rolesText),
  ageColumn,
  text('Version', (node) => nodeInfo('kubeletVersion')(node)),
  wide('Internal-IP', addressText('InternalIP')),
  wide('External-IP', addressText('ExternalIP')),
  wide('OS-Image', nodeInfo('osImage')),
  wide('Kernel-Version', nodeInfo('kernelVersion')),
  wide('Container-Runtime', nodeInfo('containerRuntimeVersion')),
];

export const namespaceColumns: Column<Namespace>[] = [
  nameColumn,
  text('Status', ({ status }) => status?.phase ?? ''),
  ageColumn,
];

const fieldCount = (value: unknown) =>
  typeof value === 'object' && value !== null ? Object.keys(value).length : 0;

export const configMapColumns: Column[] = [
  nameColumn,
  count('Data', (object) => fieldCount(object.data) + fieldCount(object.binaryData)),
  ageColumn,
];

export const secretColumns: Column[] = [
  nameColumn,
  text('Type', (object) => (typeof object.type === 'string' ? object.type : '')),
  count('Data', (object) => fieldCount(object.data)),
  ageColumn,
];

export const serviceAccountColumns: Column[] = [
  nameColumn,
  count('Secrets', (object) => fieldCount(object.secrets)),
  ageColumn,
];

/** When it was last seen; a series says how often, and since when. */
function lastSeenText(event: Event, now: Date): string {
  const series = event.series as { count: number; lastObservedTime: string } | undefined;
  const eventTime = event.eventTime as string | null | undefined;
  const first = event.firstTimestamp ?? eventTime ?? undefined;
  if (series)
    return `${formatAge(series.lastObservedTime, now)} (x${series.count} over ${formatAge(first, now)})`;
  const last = formatAge(event.lastTimestamp ?? first, now);
  return (event.count ?? 1) > 1 ? `${last} (x${event.count} over ${formatAge(first, now)})` : last;
}

function sourceText({ source }: Event): string {
  const host = (source as { host?: string } | undefined)?.host;
  return [source?.component, host].filter(Boolean).join(', ');
}

export const eventColumns: Column<Event>[] = [
  text('Last Seen', lastSeenText),
  text('Type', ({ type }) => type),
  text('Reason', ({ reason }) => reason),
  text('Object', ({ involvedObject: { kind, name } }) =>
    name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase(),
  ),
  wide('Subobject', ({ involvedObject }) => (involvedObject as { fieldPath?: string }).fieldPath ?? ''),
  wide('Source', sourceText),
  text('Message', ({ message }) => message.trim()),
  wide('First Seen', (event, now) =>
    formatAge(event.firstTimestamp ?? (event.eventTime as string | undefined) ?? undefined, now),
  ),
  { ...count<Event>('Count', (event) => event.count ?? 1), priority: 1 },
  { ...nameColumn, priority: 1 },
];

export const leaseColumns: Column[] = [
  nameColumn,
  text('Holder', (object) => (object.spec as { holderIdentity?: string } | undefined)?.holderIdentity ?? ''),
  ageColumn,
];

const createdAtColumn: Column = text('Created At', ({ metadata }) => metadata.creationTimestamp ?? '');

/** Roles, ClusterRoles and CustomResourceDefinitions. */
export const createdAtColumns: Column[] = [nameColumn, createdAtColumn];

interface Binding extends KubeObject {
  roleRef: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string }[];
}

const subjectsText = (kind: string) => (binding: Binding) =>
  (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (namespace ? `${namespace}/${name}` : name))
    .join(', ');

export const bindingColumns: Column<Binding>[] = [
  nameColumn,
  text('Role', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  wide('Users', subjectsText('User')),
  wide('Groups', subjectsText('Group')),
  wide('ServiceAccounts', subjectsText('ServiceAccount')),
];
