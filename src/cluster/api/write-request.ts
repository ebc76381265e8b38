/** What all writes share. */

import { apiVersionOf, type KubeObject } from '../../kubernetes/index.ts';
import type { ApiContext } from './context.ts';
import type { Writer } from './fields/ownership.ts';
import type { ResourcePath, WriteParameters } from './request.ts';
import { badRequest, conflict, modifiedMeanwhile } from './status.ts';
import type { ServedType } from './types/served-type.ts';
import { storedOnlyWarning } from './types/stored-types.ts';

export interface WriteRequest {
  readonly context: ApiContext;
  readonly served: ServedType;
  readonly path: ResourcePath;
  readonly parameters: WriteParameters;
}

export interface Written {
  readonly object: KubeObject;
  readonly created: boolean;
  readonly warnings: readonly string[];
}

export type Subresource = 'status' | 'finalize';

export function writerOf(
  { context, served, path, parameters }: WriteRequest,
  operation: Writer['operation'],
): Writer {
  return {
    manager: parameters.fieldManager,
    operation,
    apiVersion: apiVersionOf(served.type),
    subresource: path.subresource ?? '',
    now: context.now(),
  };
}

/** The object's namespace is the path's, whatever a protobuf body leaves out. Throws BadRequest where they differ. */
export function placeInNamespace(object: KubeObject, { type }: ServedType, path: ResourcePath): void {
  object.metadata ??= { name: '' };
  if (!type.namespaced) return;
  const { namespace } = object.metadata;
  if (namespace && path.namespace && namespace !== path.namespace) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  }
  if (path.namespace) object.metadata.namespace = path.namespace;
}

export function creationWarnings({ type }: ServedType): string[] {
  const warning = storedOnlyWarning(type);
  return warning === undefined ? [] : [warning];
}

export function requireVersion({ type }: ServedType, current: KubeObject, next: KubeObject): void {
  const { resourceVersion, uid } = next.metadata ?? {};
  const name = current.metadata.name;
  if (uid && uid !== current.metadata.uid) {
    throw conflict(
      type,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`,
    );
  }
  if (resourceVersion && resourceVersion !== '0' && resourceVersion !== current.metadata.resourceVersion) {
    throw conflict(type, name, modifiedMeanwhile);
  }
}
