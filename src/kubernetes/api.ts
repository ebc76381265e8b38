/**
 * The Kubernetes API as its users see it: controllers, the kubelet, the ingress, `sluice up`. The embedded store
 * implements it in the same process, a remote client implements it over a channel or HTTP.
 */

import type { KubeObject, LabelSelector } from './objects.ts';
import type { ResourceType } from './resource-types.ts';

export type ApiErrorReason =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Invalid'
  | 'BadRequest'
  | 'Forbidden'
  | 'Expired'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'TooManyRequests'
  | 'MethodNotAllowed'
  | 'InternalError'
  | 'ServiceUnavailable'
  | 'Timeout';

/** One wrong field of an Invalid object: `FieldValueInvalid`, its message, `spec.ports[0].nodePort`. */
export interface ApiErrorCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

/** The `details` of the Status object that carries the refusal over HTTP. */
export interface ApiErrorDetails {
  readonly name?: string;
  readonly group?: string;
  /** The resource's plural, or for Invalid the Kind, as the real server fills it. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly ApiErrorCause[];
  readonly retryAfterSeconds?: number;
}

/** A refusal, worded as the Kubernetes API server words it. `code` is the HTTP status. */
export class ApiError extends Error {
  readonly reason: ApiErrorReason;
  readonly code: number;
  readonly details: ApiErrorDetails | undefined;

  constructor(reason: ApiErrorReason, message: string, details?: ApiErrorDetails) {
    super(message);
    this.name = 'ApiError';
    this.reason = reason;
    this.code = apiErrorStatus[reason];
    this.details = details;
  }
}

const apiErrorStatus: Readonly<Record<ApiErrorReason, number>> = {
  BadRequest: 400,
  Forbidden: 403,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  MethodNotAllowed: 405,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
};

export interface ListOptions {
  /** Every namespace when absent. */
  namespace?: string;
  labelSelector?: LabelSelector;
  /**
   * The caller changes none of the objects, so that an API in the same process may hand out its own, frozen, rather
   * than copies. Others ignore it.
   */
  shared?: boolean;
}

export interface WatchOptions extends ListOptions {
  /** Events after this version. Absent: the present objects first, as ADDED, then what follows. */
  resourceVersion?: string;
  signal?: AbortSignal;
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface WatchEvent<Kind extends KubeObject = KubeObject> {
  readonly type: WatchEventType;
  /** For DELETED the last state. */
  readonly object: Kind;
}

export interface DeleteOptions {
  /** 0 removes at once; absent takes the object's own default (30 s for pods). */
  gracePeriodSeconds?: number;
  /** Refuse (Conflict) unless the object still has this uid. */
  uid?: string;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** Objects given and received are never shared: changing one changes nothing in the store. */
export interface ObjectApi {
  /** Throws `ApiError` NotFound. */
  get<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    namespace: string | undefined,
    name: string,
  ): Promise<Kind>;
  list<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    options?: ListOptions,
  ): Promise<{ items: Kind[]; resourceVersion: string }>;
  /** Throws AlreadyExists, Invalid; NotFound where the namespace does not exist. */
  create<Kind extends KubeObject>(type: ResourceType<Kind>, object: Kind): Promise<Kind>;
  /** Replaces all but the status. With `metadata.resourceVersion` set, throws Conflict when it is not the newest. */
  update<Kind extends KubeObject>(type: ResourceType<Kind>, object: Kind): Promise<Kind>;
  /** Replaces the status alone, under the same rule. */
  updateStatus<Kind extends KubeObject>(type: ResourceType<Kind>, object: Kind): Promise<Kind>;
  delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options?: DeleteOptions,
  ): Promise<void>;
  /** Ends when `signal` aborts. Throws Expired when the version is older than what is remembered. */
  watch<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    options?: WatchOptions,
  ): AsyncIterable<WatchEvent<Kind>>;
}
