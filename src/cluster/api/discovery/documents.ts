/** Discovery: aggregated (v2 and v2beta1) and, for older clients, one document a group and version. */

import type { AcceptedForm } from '../negotiation.ts';
import type { ServedType } from '../types/served-type.ts';
import {
  type GroupVersion,
  type GroupVersionKind,
  groupVersions,
  type Resource,
  type Subresource,
} from './resources.ts';

export const discoveryForms = ['APIGroupDiscoveryList'];

export interface DiscoveryDocument {
  readonly contentType: string;
  readonly body: unknown;
}

const json = (body: unknown): DiscoveryDocument => ({ contentType: 'application/json', body });

/** The document at a discovery path; undefined where the path is none. */
export function discoveryDocument(
  path: string,
  types: readonly ServedType[],
  form: AcceptedForm,
  address: string,
): DiscoveryDocument | undefined {
  const versions = groupVersions(types);
  const steps = path.replace(/\/$/, '').split('/').slice(1);
  const [root, first, second, ...rest] = steps;
  if (rest.length > 0) return undefined;
  if (root === 'api' && steps.length === 1) return coreVersions(versions, form, address);
  if (root === 'apis' && steps.length === 1) return groupList(versions, form);
  if (root === 'api' && steps.length === 2) return resourceList(versions, '', first ?? '');
  if (root === 'apis' && steps.length === 2) return oneGroup(versions, first ?? '');
  return root === 'apis' && steps.length === 3
    ? resourceList(versions, first ?? '', second ?? '')
    : undefined;
}

function coreVersions(versions: GroupVersion[], form: AcceptedForm, address: string): DiscoveryDocument {
  if (form.as)
    return aggregated(
      versions.filter(({ group }) => group === ''),
      form,
    );
  return json({
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
  });
}

function groupList(versions: GroupVersion[], form: AcceptedForm): DiscoveryDocument {
  const named = versions.filter(({ group }) => group !== '');
  if (form.as) return aggregated(named, form);
  const groups = [...new Set(named.map(({ group }) => group))].map((group) => describeGroup(named, group));
  return json({ kind: 'APIGroupList', apiVersion: 'v1', groups });
}

function describeGroup(versions: GroupVersion[], name: string) {
  const own = versions
    .filter(({ group }) => group === name)
    .map(({ version }) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: own, preferredVersion: own[0] };
}

function oneGroup(versions: GroupVersion[], name: string): DiscoveryDocument | undefined {
  if (name === '' || !versions.some(({ group }) => group === name)) return undefined;
  return json({ kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(versions, name) });
}

function resourceList(
  versions: GroupVersion[],
  group: string,
  version: string,
): DiscoveryDocument | undefined {
  const found = versions.find((candidate) => candidate.group === group && candidate.version === version);
  return (
    found &&
    json({
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: group ? `${group}/${version}` : version,
      resources: found.resources.flatMap((resource) => [
        legacyResource(resource),
        ...resource.subresources.map((subresource) => legacySubresource(resource, subresource)),
      ]),
    })
  );
}

function legacyResource({ plural, singular, namespaced, kind, verbs, shortNames, categories }: Resource) {
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  };
}

function legacySubresource(
  { plural, namespaced, group, version }: Resource,
  { name, kind, verbs }: Subresource,
) {
  const isForeign = kind.group !== group || kind.version !== version;
  return {
    name: `${plural}/${name}`,
    singularName: '',
    namespaced,
    ...(isForeign && { group: kind.group, version: kind.version }),
    kind: kind.kind,
    verbs,
  };
}

function aggregated(versions: GroupVersion[], { version = 'v2' }: AcceptedForm): DiscoveryDocument {
  const groups = [...new Set(versions.map(({ group }) => group))];
  return {
    contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    body: {
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: groups.map((name) => ({
        metadata: { ...(name && { name }), creationTimestamp: null },
        versions: versions.filter(({ group }) => group === name).map(aggregatedVersion),
      })),
    },
  };
}

function aggregatedVersion({ version, resources }: GroupVersion) {
  return { version, resources: resources.map(aggregatedResource), freshness: 'Current' };
}

function aggregatedResource(resource: Resource) {
  const { group, version, kind, plural, namespaced, singular, verbs } = resource;
  const { shortNames, categories, subresources } = resource;
  return {
    resource: plural,
    responseKind: { group, version, kind } satisfies GroupVersionKind,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(subresources.length > 0 && {
      subresources: subresources.map(({ name, kind: responseKind, verbs: own }) => ({
        subresource: name,
        responseKind,
        verbs: own,
      })),
    }),
  };
}
