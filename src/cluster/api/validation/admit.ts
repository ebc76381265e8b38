/** What a client sent, made fit for the store: wrong types refused, unknown fields dropped, warned of or refused. */

import {
  ApiError,
  apiVersionOf,
  cloneJson,
  describeValue,
  isObject,
  type JsonObject,
  type KubeObject,
} from '../../../kubernetes/index.ts';
import type { FieldValidation } from '../request.ts';
import { badRequest } from '../status.ts';
import type { ServedType } from '../types/served-type.ts';
import { pruneUnknown } from './defaults.ts';
import { decodeTyped, TypeMismatch } from './typed.ts';

export interface Admitted {
  readonly object: KubeObject;
  /** For `Warning` headers. */
  readonly warnings: string[];
}

/** `duplicates`: fields that the request's text gave twice. Throws BadRequest. */
export function admitObject(
  value: unknown,
  served: ServedType,
  validation: FieldValidation,
  duplicates: readonly string[],
): Admitted {
  const { object, unknownFields } = shape(value, served);
  const problems = strictProblems(unknownFields, duplicates);
  if (problems.length === 0 || validation === 'Ignore') return { object, warnings: [] };
  if (validation === 'Warn') return { object, warnings: problems };
  throw badRequest(cannotHandle(served, `strict decoding error: ${problems.join(', ')}`));
}

export function strictProblems(unknownFields: readonly string[], duplicates: readonly string[]): string[] {
  return [
    ...unknownFields.map((path) => `unknown field "${path}"`),
    ...duplicates.map((path) => `duplicate field "${path}"`),
  ];
}

function cannotHandle({ type }: ServedType, why: string): string {
  return `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${why}`;
}

export interface Shaped {
  readonly object: KubeObject;
  readonly unknownFields: string[];
}

/** The object in its type's shape. Throws BadRequest where it is of another type or does not fit. */
export function shape(value: unknown, served: ServedType): Shaped {
  if (!isObject(value)) throw badRequest(cannotHandle(served, 'the body is not a JSON object'));
  checkType(value, served);
  const { schema } = served;
  if (!schema) return { object: value as unknown as KubeObject, unknownFields: [] };
  if (served.isCustom) {
    const object = cloneJson(value);
    return { object: object as unknown as KubeObject, unknownFields: pruneUnknown(object, schema) };
  }
  try {
    const { value: object, unknownFields } = decodeTyped(value, schema);
    return { object: object as KubeObject, unknownFields };
  } catch (error) {
    if (error instanceof TypeMismatch) throw badRequest(cannotHandle(served, error.message));
    throw error;
  }
}

function checkType(object: JsonObject, { type }: ServedType): void {
  const apiVersion = apiVersionOf(type);
  object.apiVersion ??= apiVersion;
  object.kind ??= type.kind;
  if (object.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${describeValue(object.apiVersion)}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (object.kind !== type.kind) {
    throw new ApiError(
      'BadRequest',
      `${describeValue(object.kind)} in version "${type.version}" cannot be handled as a ${type.kind}: the kind in the data does not match`,
    );
  }
}
