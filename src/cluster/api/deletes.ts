/** delete and deletecollection. */

import { isObject, type KubeObject, qualifiedResource } from '../../kubernetes/index.ts';
import type { StoreDeleteOptions } from '../store/types.ts';
import type { ApiContext } from './context.ts';
import { listObjects } from './reads.ts';
import { type ResourcePath, readDryRun, readInteger } from './request.ts';
import { badRequest, type Status } from './status.ts';
import type { ServedType } from './types/served-type.ts';

const policies = ['Background', 'Foreground', 'Orphan'] as const;
type Policy = (typeof policies)[number];

/** The options of a body, or of the query where there is no body. Throws BadRequest. */
export function readDeleteOptions(body: unknown, query: URLSearchParams): StoreDeleteOptions {
  const options = isObject(body) ? body : {};
  const preconditions = isObject(options.preconditions) ? options.preconditions : {};
  const grace = options.gracePeriodSeconds ?? readInteger(query, 'gracePeriodSeconds');
  const orphan = options.orphanDependents ?? (query.get('orphanDependents') === 'true' || undefined);
  const policy =
    options.propagationPolicy ?? query.get('propagationPolicy') ?? (orphan ? 'Orphan' : undefined);
  const bodyDryRun = Array.isArray(options.dryRun) ? options.dryRun.map(String) : [];
  const { uid, resourceVersion } = preconditions;
  return {
    dryRun: readDryRun([...bodyDryRun, ...query.getAll('dryRun')]),
    ...(typeof grace === 'number' && { gracePeriodSeconds: Math.max(grace, 0) }),
    ...(policy !== undefined && { propagationPolicy: readPolicy(policy) }),
    ...(typeof uid === 'string' && { uid }),
    ...(typeof resourceVersion === 'string' && { resourceVersion }),
  };
}

function readPolicy(value: unknown): Policy {
  const policy = policies.find((known) => known === value);
  if (policy) return policy;
  throw badRequest(
    `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: ${JSON.stringify(value)}: supported values: "Background", "Foreground", "Orphan", "nil"`,
  );
}

/** Kinds that the real server answers for with the object instead of a Status. */
const answeredWithObject = new Set(['pods', 'services', 'serviceaccounts', 'namespaces']);

/** What to answer: the object where it remains or its kind is answered so, else a Status of success. */
export async function deleteObject(
  { store }: ApiContext,
  served: ServedType,
  path: ResourcePath,
  options: StoreDeleteOptions,
): Promise<KubeObject | Status> {
  const { type } = served;
  const { object, removed } = await store.remove(type, path.namespace, path.name ?? '', options);
  if (!removed || answeredWithObject.has(qualifiedResource(type))) return object;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: object.metadata.name,
      ...(type.group && { group: type.group }),
      kind: type.plural,
      ...(object.metadata.uid && { uid: object.metadata.uid }),
    },
  };
}

/** Deletes what the selectors choose; answers with the list of it. */
export async function deleteCollection(
  context: ApiContext,
  served: ServedType,
  path: ResourcePath,
  query: URLSearchParams,
  options: StoreDeleteOptions,
): Promise<unknown> {
  const page = listObjects(context, served, path, query);
  const items: KubeObject[] = [];
  for (const { metadata } of page.items) {
    const { object } = await context.store.remove(served.type, metadata.namespace, metadata.name, options);
    items.push(object);
  }
  const { group, version } = served.type;
  return {
    kind: served.listKind,
    apiVersion: group ? `${group}/${version}` : version,
    metadata: { resourceVersion: context.store.resourceVersion },
    items,
  };
}
