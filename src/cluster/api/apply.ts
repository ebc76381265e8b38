/** Server-side apply, as a request. */

import {
  ApiError,
  apiVersionOf,
  describeValue,
  isObject,
  type JsonObject,
  type KubeObject,
} from '../../kubernetes/index.ts';
import type { Body } from './body.ts';
import { applyOwned } from './fields/server-side-apply.ts';
import { badRequest, groupResource } from './status.ts';
import { shape } from './validation/admit.ts';
import {
  creationWarnings,
  placeInNamespace,
  requireVersion,
  type Subresource,
  type WriteRequest,
  type Written,
  writerOf,
} from './write-request.ts';

/** Server-side apply: creates the object where there is none. */
export async function applyObject(request: WriteRequest, body: Body): Promise<Written> {
  const { context, served, path, parameters } = request;
  if (body.duplicates.length > 0 && parameters.fieldValidation === 'Strict') {
    const problems = body.duplicates.map((field) => `key ${JSON.stringify(field)} already set in map`);
    throw badRequest(`error strict decoding YAML: ${problems.join(', ')}`);
  }
  const applied = readApplied(body.value, request);
  const writer = writerOf(request, 'Apply');
  const subresource = path.subresource as Subresource | undefined;
  const current = context.store.peek(served.type, path.namespace, path.name ?? '');
  if (!current) {
    if (subresource) throw notFound(request);
    const { object } = shape(applyOwned(undefined, applied, served, writer, parameters.force), served);
    placeInNamespace(object, served, path);
    const { dryRun } = parameters;
    return {
      object: await context.store.create(served.type, object, { dryRun }),
      created: true,
      warnings: creationWarnings(served),
    };
  }
  const object = await context.store.modify(
    served.type,
    path.namespace,
    path.name ?? '',
    (live) => {
      requireVersion(served, live, applied);
      return shape(applyOwned(live, applied, served, writer, parameters.force), served).object;
    },
    { dryRun: parameters.dryRun, ...(subresource && { subresource }) },
  );
  return { object, created: false, warnings: [] };
}

function readApplied(value: unknown, { served, path }: WriteRequest): KubeObject {
  if (!isObject(value)) throw badRequest('error decoding YAML: the body is not an object');
  const { type } = served;
  const apiVersion = apiVersionOf(type);
  if (value.apiVersion !== apiVersion || value.kind !== type.kind) {
    const given = `${describeValue(value.apiVersion)}, Kind=${describeValue(value.kind)}`;
    throw badRequest(`invalid object type: ${given}: expected ${apiVersion}, Kind=${type.kind}`);
  }
  const metadata = (isObject(value.metadata) ? value.metadata : {}) as JsonObject;
  if ('managedFields' in metadata && metadata.managedFields !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const { name = path.name, namespace = path.namespace } = metadata;
  if (name !== path.name) {
    throw badRequest(
      `the name of the object (${describeValue(name)}) does not match the name on the URL (${path.name})`,
    );
  }
  const placed = type.namespaced && namespace !== undefined ? { namespace } : {};
  return { ...value, metadata: { ...metadata, name, ...placed } } as unknown as KubeObject;
}

function notFound({ served, path }: WriteRequest): ApiError {
  return new ApiError('NotFound', `${groupResource(served.type)} "${path.name}" not found`, {
    name: path.name ?? '',
    ...(served.type.group && { group: served.type.group }),
    kind: served.type.plural,
  });
}
