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
  | 'InternalError';

/** A refusal, worded as the Kubernetes API server words it. `code` is the HTTP status. */
export class ApiError extends Error {
  readonly reason: ApiErrorReason;
  readonly code: number;

  constructor(reason: ApiErrorReason, message: string) {
    super(message);
    this.name = 'ApiError';
    this.reason = reason;
    this.code = apiErrorStatus[reason];
  }
}

const apiErrorStatus: Readonly<Record<ApiErrorReason, number>> = {
  BadRequest: 400,
  Forbidden: 403,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  RequestEntityTooLarge: 413,
  Invalid: 422,
  InternalError: 500,
};

export interface ListOptions {
  /** Every namespace when absent. */
  namespace?: string;
  labelSelector?: LabelSelector;
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
