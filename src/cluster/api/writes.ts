/** create, update, patch. */

import {
  ApiError,
  applyJsonPatch,
  applyMergePatch,
  applyStrategicPatch,
  describeValue,
  isObject,
  type JsonObject,
  type KubeObject,
  maxJsonPatchOperations,
  PatchError,
} from '../../kubernetes/index.ts';
import { applyObject } from './apply.ts';
import { type Body, decodeJson, decodeYaml, unsupportedMediaType } from './body.ts';
import { recordCreate, recordUpdate } from './fields/ownership.ts';
import { badRequest, StatusError } from './status.ts';
import type { ServedType } from './types/served-type.ts';
import { admitObject, shape, strictProblems } from './validation/admit.ts';
import {
  creationWarnings,
  placeInNamespace,
  requireVersion,
  type Subresource,
  type WriteRequest,
  type Written,
  writerOf,
} from './write-request.ts';

export async function createObject(request: WriteRequest, body: Body): Promise<Written> {
  const { context, served, path, parameters } = request;
  const { object, warnings } = admitObject(body.value, served, parameters.fieldValidation, body.duplicates);
  placeInNamespace(object, served, path);
  if (!object.metadata.name && !object.metadata.generateName) requireName(served);
  const { dryRun } = parameters;
  const complete = await context.store.create(served.type, object, { dryRun: true });
  const owned = recordCreate(object, complete, served, writerOf(request, 'Update'));
  const created = await context.store.create(served.type, owned, { dryRun });
  return { object: created, created: true, warnings: [...warnings, ...creationWarnings(served)] };
}

function requireName({ type }: ServedType): never {
  const message = 'name or generateName is required';
  throw new ApiError(
    'Invalid',
    `${type.kind}${type.group && `.${type.group}`} "" is invalid: metadata.name: Required value: ${message}`,
    {
      kind: type.kind,
      ...(type.group && { group: type.group }),
      causes: [
        { reason: 'FieldValueRequired', message: `Required value: ${message}`, field: 'metadata.name' },
      ],
    },
  );
}

export async function replaceObject(request: WriteRequest, body: Body): Promise<Written> {
  const { served, path, parameters } = request;
  const { object, warnings } = admitObject(body.value, served, parameters.fieldValidation, body.duplicates);
  placeInNamespace(object, served, path);
  if (object.metadata.name && object.metadata.name !== path.name) {
    throw badRequest(
      `the name of the object (${object.metadata.name}) does not match the name on the URL (${path.name})`,
    );
  }
  object.metadata.name = path.name ?? '';
  const changed = await changeObject(request, () => object);
  return { object: changed, created: false, warnings };
}

/** Reads, changes, records who owns what, and writes, with nothing in between. */
export async function changeObject(
  request: WriteRequest,
  change: (current: KubeObject) => KubeObject,
): Promise<KubeObject> {
  const { context, served, path, parameters } = request;
  const subresource =
    path.subresource === 'scale' ? undefined : (path.subresource as Subresource | undefined);
  return context.store.modify(
    served.type,
    path.namespace,
    path.name ?? '',
    (current) => {
      const next = change(current);
      requireVersion(served, current, next);
      return recordUpdate(current, next, served, writerOf(request, 'Update'));
    },
    { dryRun: parameters.dryRun, ...(subresource && { subresource }) },
  );
}

export const patchMediaTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export async function patchObject(request: WriteRequest, bytes: Buffer, mediaType: string): Promise<Written> {
  const { served } = request;
  const accepted = Object.values(patchMediaTypes).filter(
    (type) => !served.isCustom || type !== patchMediaTypes.strategic,
  );
  if (!accepted.some((type) => type === mediaType)) throw unsupportedMediaType(accepted);
  if (mediaType === patchMediaTypes.apply) return applyObject(request, decodeYaml(bytes));
  const body = decodeJson(bytes);
  if (mediaType !== patchMediaTypes.json && !isObject(body.value)) {
    throw badRequest(
      'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    );
  }
  if (mediaType === patchMediaTypes.json) limitOperations(body.value);
  const warnings: string[] = [];
  const object = await changeObject(request, (current) => {
    const patched = patch(current, body.value, served, mediaType);
    if (!isObject(patched)) throw badRequest('the patched object is not a JSON object');
    const { object: next, unknownFields } = shape(patched, served);
    const problems = strictProblems(unknownFields, body.duplicates);
    if (problems.length > 0) refuseOrWarn(request, problems, body.value, bytes, mediaType, warnings);
    return next;
  });
  return { object, created: false, warnings };
}

function limitOperations(value: unknown): void {
  if (!Array.isArray(value) || value.length <= maxJsonPatchOperations) return;
  throw new ApiError(
    'RequestEntityTooLarge',
    `Request entity too large: The allowed maximum operations in a JSON patch is ${maxJsonPatchOperations}, got ${value.length}`,
  );
}

function patch(current: KubeObject, change: unknown, served: ServedType, mediaType: string): unknown {
  try {
    if (mediaType === patchMediaTypes.json) return applyJsonPatch(current, change);
    if (mediaType === patchMediaTypes.merge) return applyMergePatch(current, change);
    return applyStrategicPatch(current as unknown as JsonObject, change, served.schema ?? {});
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    if (mediaType !== patchMediaTypes.json || error.fault === 'malformed') throw badRequest(error.message);
    throw new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request');
  }
}

/** A scale with a patch of any type applied. */
export function patchScale(scale: JsonObject, change: unknown, mediaType: string): unknown {
  if (mediaType === patchMediaTypes.json) return applyJsonPatch(scale, change);
  return applyMergePatch(scale, change);
}

function refuseOrWarn(
  { parameters }: WriteRequest,
  problems: string[],
  value: unknown,
  bytes: Buffer,
  mediaType: string,
  warnings: string[],
): void {
  if (parameters.fieldValidation === 'Ignore') return;
  if (parameters.fieldValidation === 'Warn') {
    warnings.push(...problems);
    return;
  }
  const shown = mediaType === patchMediaTypes.json ? bytes.toString('utf8') : describeValue(value);
  const message = `Invalid value: ${JSON.stringify(shown)}: strict decoding error: ${problems.join(', ')}`;
  throw new ApiError('Invalid', ` "" is invalid: patch: ${message}`, {
    causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }],
  });
}
