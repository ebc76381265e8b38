/** Which resources, subresources and verbs a type has. */

import { qualifiedResource } from '../../../kubernetes/index.ts';
import type { ServedType } from '../types/served-type.ts';

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface Subresource {
  readonly name: string;
  readonly kind: GroupVersionKind;
  readonly verbs: readonly string[];
}

export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly Subresource[];
}

const storedVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const streamVerbs = ['create', 'get'];

export function describeResource(served: ServedType): Resource {
  const { type, singular, categories } = served;
  const { group, version, plural, kind, namespaced, shortNames } = type;
  return {
    group,
    version,
    plural,
    singular,
    kind,
    namespaced,
    verbs: storedVerbs,
    shortNames,
    categories,
    subresources: subresourcesOf(served),
  };
}

function subresourcesOf({ type, scale }: ServedType): Subresource[] {
  const own = { group: type.group, version: type.version, kind: type.kind };
  const modify = ['get', 'patch', 'update'];
  return [
    ...(podLike[qualifiedResource(type)] ?? []),
    ...(scale ? [{ name: 'scale', kind: scaleKind, verbs: modify }] : []),
    ...(type.statusSubresource ? [{ name: 'status', kind: own, verbs: modify }] : []),
  ];
}

export const scaleKind: GroupVersionKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
const core = (kind: string): GroupVersionKind => ({ group: '', version: 'v1', kind });

const podLike: Readonly<Record<string, readonly Subresource[]>> = {
  pods: [
    { name: 'attach', kind: core('PodAttachOptions'), verbs: streamVerbs },
    { name: 'eviction', kind: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] },
    { name: 'exec', kind: core('PodExecOptions'), verbs: streamVerbs },
    { name: 'log', kind: core('Pod'), verbs: ['get'] },
    { name: 'portforward', kind: core('PodPortForwardOptions'), verbs: streamVerbs },
  ],
  namespaces: [{ name: 'finalize', kind: core('Namespace'), verbs: ['update'] }],
  serviceaccounts: [
    {
      name: 'token',
      kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      verbs: ['create'],
    },
  ],
};

function reviewType(group: string, kind: string, namespaced = false): Resource {
  return {
    group,
    version: 'v1',
    plural: `${kind.toLowerCase()}s`,
    singular: kind.toLowerCase(),
    kind,
    namespaced,
    verbs: ['create'],
    shortNames: [],
    categories: [],
    subresources: [],
  };
}

/** Questions that are answered and not kept. */
export const reviewResources: readonly Resource[] = [
  reviewType('authentication.k8s.io', 'SelfSubjectReview'),
  reviewType('authentication.k8s.io', 'TokenReview'),
  reviewType('authorization.k8s.io', 'LocalSubjectAccessReview', true),
  reviewType('authorization.k8s.io', 'SelfSubjectAccessReview'),
  reviewType('authorization.k8s.io', 'SelfSubjectRulesReview'),
  reviewType('authorization.k8s.io', 'SubjectAccessReview'),
];

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly Resource[];
}

/** Kubernetes' own groups in the order that the real server lists them; others follow by name. */
const groupOrder = [
  '',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'apps',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'apiextensions.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
];

/** Versions of a group stand together, the preferred one first. */
export function groupVersions(types: readonly ServedType[]): GroupVersion[] {
  const resources = [...types.map(describeResource), ...reviewResources];
  const byVersion = new Map<string, Resource[]>();
  for (const resource of resources) {
    const key = `${resource.group}/${resource.version}`;
    byVersion.set(key, [...(byVersion.get(key) ?? []), resource]);
  }
  return [...byVersion.values()]
    .map((members) => ({
      group: members[0]?.group ?? '',
      version: members[0]?.version ?? '',
      resources: members.toSorted((left, right) => (left.plural < right.plural ? -1 : 1)),
    }))
    .toSorted(compareGroupVersions);
}

function compareGroupVersions(left: GroupVersion, right: GroupVersion): number {
  const place = ({ group }: GroupVersion) => {
    const index = groupOrder.indexOf(group);
    return index < 0 ? groupOrder.length : index;
  };
  if (place(left) !== place(right)) return place(left) - place(right);
  if (left.group !== right.group) return left.group < right.group ? -1 : 1;
  return compareVersions(right.version, left.version);
}

/** Stable versions above beta above alpha, higher numbers above lower. */
function compareVersions(left: string, right: string): number {
  const rank = (version: string) => {
    const [, major = '0', stage = '', minor = '0'] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? [];
    const stability = { '': 2, beta: 1, alpha: 0 }[stage] ?? 0;
    return stability * 1e6 + Number(major) * 1e3 + Number(minor);
  };
  return rank(left) - rank(right);
}
