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
export function legacyOrder(
  first: readonly string[] = defaultFirst,
  last: readonly string[] = defaultLast,
): (one: Resource, other: Resource) => number {
  const ranks = new Map<string, number>();
  for (const [index, kind] of first.entries()) ranks.set(kind, index - first.length);
  for (const [index, kind] of last.entries()) ranks.set(kind, index + 1);
  const keys = new WeakMap<Resource, SortKey>();
  const keyOf = (resource: Resource): SortKey => {
    let key = keys.get(resource);
    if (!key) {
      key = sortKey(resource.currentId, ranks);
      keys.set(resource, key);
    }
    return key;
  };
  return (one, other) => {
    const [left, right] = [keyOf(one), keyOf(other)];
    if (left.type === right.type) return compareBytes(left.name, right.name);
    if (left.rank !== right.rank) return left.rank - right.rank;
    const byType = compareBytes(left.type, right.type);
    // A Namespace of the core comes before those of other groups.
    const isCore = left.type.startsWith('~G') || right.type.startsWith('~G');
    return left.isNamespace && right.isNamespace && isCore ? -byType : byType;
  };
}

interface SortKey {
  readonly rank: number;
  readonly type: string;
  readonly name: string;
  readonly isNamespace: boolean;
}

function sortKey(
  { group, version, kind, name, namespace }: ResourceId,
  ranks: ReadonlyMap<string, number>,
): SortKey {
  const id = `${kind || '~K'}.${version || '~V'}.${group || '~G'}`;
  return {
    rank: ranks.get(kind) ?? 0,
    type: `${group || '~G'}_${version || '~V'}_${kind || '~K'}`,
    name: `${id}|${namespace || '~X'}|${name || '~N'}`,
    isNamespace: kind === 'Namespace',
  };
}

const beyondAscii = /[^ -~]/;

/** By the bytes of UTF-8, which is the order of code points. */
function compareBytes(one: string, other: string): number {
  if (one === other) return 0;
  if (!beyondAscii.test(one) && !beyondAscii.test(other)) return one < other ? -1 : 1;
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
