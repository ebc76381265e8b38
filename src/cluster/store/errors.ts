/** The store's refusals, worded as the Kubernetes API server words them. */

import {
  ApiError,
  type ApiErrorCause,
  qualifiedResource,
  type ResourceType,
} from '../../kubernetes/index.ts';

const detailsOf = (type: ResourceType, name: string) => ({
  name,
  kind: type.plural,
  ...(type.group ? { group: type.group } : {}),
});

export function notFound(type: ResourceType, name: string): ApiError {
  return new ApiError('NotFound', `${qualifiedResource(type)} "${name}" not found`, detailsOf(type, name));
}

/** The type itself is not served: what a request for an unknown path is answered with. */
export function notFoundType(): ApiError {
  return new ApiError('NotFound', 'the server could not find the requested resource');
}

export function alreadyExists(type: ResourceType, name: string): ApiError {
  const message = `${qualifiedResource(type)} "${name}" already exists`;
  return new ApiError('AlreadyExists', message, detailsOf(type, name));
}

/** `reason` absent: somebody else wrote in between. */
export function conflict(type: ResourceType, name: string, reason?: string): ApiError {
  const why =
    reason ?? 'the object has been modified; please apply your changes to the latest version and try again';
  const message = `Operation cannot be fulfilled on ${qualifiedResource(type)} "${name}": ${why}`;
  return new ApiError('Conflict', message, detailsOf(type, name));
}

export function forbidden(
  type: ResourceType,
  name: string,
  reason: string,
  causes?: readonly ApiErrorCause[],
): ApiError {
  return new ApiError('Forbidden', `${qualifiedResource(type)} "${name}" is forbidden: ${reason}`, {
    ...detailsOf(type, name),
    ...(causes ? { causes } : {}),
  });
}

export function staleVersion(asked: number, oldest: number): ApiError {
  return new ApiError('Expired', `too old resource version: ${asked} (${oldest})`);
}

export function staleContinue(): ApiError {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.';
  return new ApiError('Expired', message);
}

/** etcd's own words for an object over its request limit; the API server passes them on without a reason of its own. */
export function objectTooLarge(): ApiError {
  return new ApiError('InternalError', 'etcdserver: request is too large');
}

/** etcd's own words when its quota is used up. */
export function storeFull(): ApiError {
  return new ApiError('InternalError', 'etcdserver: mvcc: database space exceeded');
}

export function tooManyRequests(): ApiError {
  return new ApiError('TooManyRequests', 'Too many requests, please try again later.', {
    retryAfterSeconds: 1,
  });
}

export function storeClosed(): ApiError {
  return new ApiError('ServiceUnavailable', 'the cluster is shutting down');
}
