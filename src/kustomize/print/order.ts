/** The order in which kustomize prints resources. Source: SortOrderTransformer of kustomize 5.5. */

import type { Resource, ResourceId } from '../resource.ts';

const defaultFirst = [
  'Namespace',
  'ResourceQuota',
  'StorageClass',
  'CustomResourceDefinition',
  'ServiceAccount',
  'PodSecurityPolicy',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'ConfigMap',
  'Secret',
  'Endpoints',
  'Service',
  'LimitRange',
  'PriorityClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
const defaultLast = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** `legacy`: by kind, then group and version, then name and namespace. */
export function inLegacyOrder(
  resources: readonly Resource[],
  first: readonly string[] = defaultFirst,
  last: readonly string[] = defaultLast,
): Resource[] {
  const ranks = new Map<string, number>();
  for (const [index, kind] of first.entries()) ranks.set(kind, index - first.length);
  for (const [index, kind] of last.entries()) ranks.set(kind, index + 1);
  return resources
    .map((resource) => sortKey(resource, resource.currentId, ranks))
    .sort(compare)
    .map(({ resource }) => resource);
}

function compare(left: SortKey, right: SortKey): number {
  const areAscii = left.isAscii && right.isAscii;
  if (left.type === right.type) return compareBytes(left.name, right.name, areAscii);
  if (left.rank !== right.rank) return left.rank - right.rank;
  const byType = compareBytes(left.type, right.type, areAscii);
  // A Namespace of the core comes before those of other groups.
  const isCore = left.type.startsWith('~G') || right.type.startsWith('~G');
  return left.isNamespace && right.isNamespace && isCore ? -byType : byType;
}

interface SortKey {
  readonly resource: Resource;
  readonly rank: number;
  readonly type: string;
  readonly name: string;
  readonly isAscii: boolean;
  readonly isNamespace: boolean;
}

const beyondAscii = /[^ -~]/;

function sortKey(
  resource: Resource,
  { group, version, kind, name, namespace }: ResourceId,
  ranks: ReadonlyMap<string, number>,
): SortKey {
  const id = `${kind || '~K'}.${version || '~V'}.${group || '~G'}`;
  const fullName = `${id}|${namespace || '~X'}|${name || '~N'}`;
  return {
    resource,
    rank: ranks.get(kind) ?? 0,
    type: `${group || '~G'}_${version || '~V'}_${kind || '~K'}`,
    name: fullName,
    isAscii: !beyondAscii.test(fullName),
    isNamespace: kind === 'Namespace',
  };
}

/** By the bytes of UTF-8, which is the order of code points. */
function compareBytes(one: string, other: string, areAscii: boolean): number {
  if (one === other) return 0;
  if (areAscii) return one < other ? -1 : 1;
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
