/** Refusals as HTTP answers: the `Status` object that Kubernetes clients read. */

import {
  ApiError,
  type ApiErrorCause,
  type ApiErrorDetails,
  type ResourceType,
} from '../../kubernetes/index.ts';

export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, never>;
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: ApiErrorDetails;
  code?: number;
}

/** A refusal whose reason or code the store has no word for; '' is a reason too. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: ApiErrorDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: ApiErrorDetails) {
    super(message);
    this.name = 'StatusError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }
}

/** The answer to a request that failed. What is neither refusal nor limit is a fault of ours: 500, without its stack. */
export function failureStatus(error: unknown): Status {
  const known = error instanceof ApiError || error instanceof StatusError;
  const refusal = known
    ? error
    : new StatusError(
        500,
        'InternalError',
        `Internal error occurred: ${error instanceof Error ? error.message : 'unknown'}`,
      );
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: refusal.message,
    ...(refusal.reason && { reason: refusal.reason }),
    ...(refusal.details && { details: serializedDetails(refusal.details) }),
    code: refusal.code,
  };
}

function serializedDetails(details: ApiErrorDetails): ApiErrorDetails {
  return Object.fromEntries(
    Object.entries(details).filter(([, value]) => value !== undefined && value !== ''),
  );
}

export function badRequest(message: string): ApiError {
  return new ApiError('BadRequest', message);
}

/** A path that nothing serves. */
export function unknownPath(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function methodNotAllowed(): ApiError {
  return new ApiError(
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}

/** `deployments.apps`, `pods`. */
export function groupResource(type: ResourceType): string {
  return type.group ? `${type.plural}.${type.group}` : type.plural;
}

export function conflict(type: ResourceType, name: string, why: string): ApiError {
  return new ApiError(
    'Conflict',
    `Operation cannot be fulfilled on ${groupResource(type)} "${name}": ${why}`,
    {
      name,
      ...(type.group && { group: type.group }),
      kind: type.plural,
    },
  );
}

export const modifiedMeanwhile =
  'the object has been modified; please apply your changes to the latest version and try again';

/** `Deployment.apps "web" is invalid: …`, with every wrong field. */
export function invalidObject(type: ResourceType, name: string, causes: readonly ApiErrorCause[]): ApiError {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const kind = type.group ? `${type.kind}.${type.group}` : type.kind;
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return new ApiError('Invalid', `${kind} "${name}" is invalid: ${text}`, {
    name,
    kind: type.kind,
    ...(type.group && { group: type.group }),
    causes,
  });
}
