/** The order in which kustomize prints resources. Source: SortOrderTransformer of kustomize 5.5. */

import type { Gvk, Resource, ResourceId } from '../resource.ts';

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
  const types = new Map<string, TypeKey>();
  const keys = resources.map((resource) => sortKey(resource, resource.currentId, types, ranks));
  const compareTexts = keys.every(isSimple) ? compareUnits : compareBytes;
  return keys.sort((left, right) => compare(left, right, compareTexts)).map(({ resource }) => resource);
}

type Comparison = (one: string, other: string) => number;

function compare(left: SortKey, right: SortKey, compareTexts: Comparison): number {
  if (left.type === right.type) return compareNames(left, right, compareTexts);
  if (left.type.rank !== right.type.rank) return left.type.rank - right.type.rank;
  const byType = compareTexts(left.type.text, right.type.text);
  // A Namespace of the core comes before those of other groups.
  const isCore = left.type.text.startsWith('~G') || right.type.text.startsWith('~G');
  return left.type.isNamespace && right.type.isNamespace && isCore ? -byType : byType;
}

/** As `NAMESPACE|NAME` compare, without making these texts: in one namespace the names alone decide. */
function compareNames(left: SortKey, right: SortKey, compareTexts: Comparison): number {
  if (left.namespace === right.namespace) return compareTexts(left.name, right.name);
  return compareTexts(`${left.namespace}|${left.name}`, `${right.namespace}|${right.name}`);
}

interface SortKey {
  readonly resource: Resource;
  readonly type: TypeKey;
  readonly namespace: string;
  readonly name: string;
}

/** What the resources of one type have in common. */
interface TypeKey {
  readonly rank: number;
  readonly text: string;
  readonly isNamespace: boolean;
}

function sortKey(
  resource: Resource,
  id: ResourceId,
  types: Map<string, TypeKey>,
  ranks: ReadonlyMap<string, number>,
): SortKey {
  const known = `${id.group}|${id.version}|${id.kind}`;
  let type = types.get(known);
  if (!type) {
    type = typeKey(id, ranks);
    types.set(known, type);
  }
  return { resource, type, namespace: id.namespace || '~X', name: id.name || '~N' };
}

function typeKey({ group, version, kind }: Gvk, ranks: ReadonlyMap<string, number>): TypeKey {
  return {
    rank: ranks.get(kind) ?? 0,
    text: `${group || '~G'}_${version || '~V'}_${kind || '~K'}`,
    isNamespace: kind === 'Namespace',
  };
}

const beyondAscii = /[^ -~]/;

const isSimple = ({ type, namespace, name }: SortKey): boolean =>
  !beyondAscii.test(name) && !beyondAscii.test(namespace) && !beyondAscii.test(type.text);

/** By the bytes of UTF-8, which is the order of code points. */
const compareBytes: Comparison = (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other));

/** The same where one unit of JavaScript is one byte. */
function compareUnits(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
