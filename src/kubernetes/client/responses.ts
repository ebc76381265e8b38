/** What an API server answers, as values or typed errors. Nothing malformed passes for an empty answer. */

import type { IncomingMessage } from 'node:http';
import { ApiError, type ApiErrorDetails, type ApiErrorReason } from '../api.ts';
import type { KubeObject } from '../objects.ts';
import { apiVersionOf, type ResourceType } from '../resource-types.ts';

/** What came is no answer of a Kubernetes API server: a proxy's page, half a list. */
export class UnusableAnswerError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UnusableAnswerError';
  }
}

/** One page of a list is far smaller; Node cannot hold a string of more than 512 MiB anyway. */
const maxBodyBytes = 256 * 1024 * 1024;

/** The whole body as JSON. Throws `ApiError` for a refusal and `UnusableAnswerError` for what is neither. */
export async function readJson(answer: IncomingMessage): Promise<unknown> {
  const status = answer.statusCode ?? 0;
  const text = await readText(answer);
  const value = parseJson(text);
  if (status >= 200 && status < 300) {
    if (value === undefined)
      throw new UnusableAnswerError(`the API answered ${status} with ${excerpt(text)}`);
    return value;
  }
  throw refusal(status, value, text, answer.headers['retry-after']);
}

async function readText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) {
      answer.destroy();
      throw new UnusableAnswerError(`the answer is longer than ${maxBodyBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

interface Status {
  kind?: unknown;
  code?: unknown;
  reason?: unknown;
  message?: unknown;
  details?: ApiErrorDetails;
}

/** The error of a Status object, as a watch carries it in its ERROR events. */
export function statusError(status: Status, httpStatus = Number(status.code) || 500): ApiError {
  const message = typeof status.message === 'string' ? status.message : `the API answered ${httpStatus}`;
  return new ApiError(reasonOf(status.reason, httpStatus), message, status.details);
}

function refusal(
  httpStatus: number,
  value: unknown,
  text: string,
  retryAfter: string | undefined,
): ApiError | UnusableAnswerError {
  const isStatus = isRecord(value) && value.kind === 'Status';
  if (!isStatus && httpStatus >= 500) {
    return new UnusableAnswerError(`the API answered ${httpStatus} with ${excerpt(text)}`);
  }
  const status: Status = isStatus ? value : { message: `the API answered ${httpStatus}: ${excerpt(text)}` };
  const error = statusError(status, httpStatus);
  const retryAfterSeconds = Number(retryAfter);
  if (!Number.isFinite(retryAfterSeconds) || error.details?.retryAfterSeconds) return error;
  return new ApiError(error.reason, error.message, { ...error.details, retryAfterSeconds });
}

const reasonsByStatus: Readonly<Record<number, ApiErrorReason>> = {
  400: 'BadRequest',
  401: 'Forbidden',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

function reasonOf(reason: unknown, status: number): ApiErrorReason {
  // 409 is two reasons; the others follow from the code. `Gone` is the same as Expired to a watcher.
  if (reason === 'AlreadyExists') return 'AlreadyExists';
  return reasonsByStatus[status] ?? (status >= 500 ? 'InternalError' : 'BadRequest');
}

export interface ListPage<Kind extends KubeObject> {
  readonly items: Kind[];
  readonly resourceVersion: string;
  readonly continue: string | undefined;
}

/** A list of the type, each object with its kind (the API leaves it out of lists). Throws `UnusableAnswerError`. */
export function listPage<Kind extends KubeObject>(type: ResourceType<Kind>, value: unknown): ListPage<Kind> {
  const metadata = isRecord(value) ? value.metadata : undefined;
  const isList = isRecord(value) && value.kind === `${type.kind}List` && isRecord(metadata);
  const resourceVersion = isRecord(metadata) ? metadata.resourceVersion : undefined;
  const items = isRecord(value) ? value.items : undefined;
  // Go writes an empty list as null.
  const isItems = items === null || (Array.isArray(items) && items.every(hasName));
  if (!isList || typeof resourceVersion !== 'string' || resourceVersion === '' || !isItems) {
    throw new UnusableAnswerError(`the API gave no ${type.kind}List: ${excerpt(JSON.stringify(value))}`);
  }
  const next = isRecord(metadata) ? metadata.continue : undefined;
  return {
    items: (items ?? []).map((item) => withoutBookkeeping(typed(type, item))),
    resourceVersion,
    continue: typeof next === 'string' && next !== '' ? next : undefined,
  };
}

/** An object of the type. Throws `UnusableAnswerError`. */
export function objectOf<Kind extends KubeObject>(type: ResourceType<Kind>, value: unknown): Kind {
  if (!hasName(value) || (value.kind !== undefined && value.kind !== type.kind)) {
    throw new UnusableAnswerError(`the API gave no ${type.kind}: ${excerpt(JSON.stringify(value))}`);
  }
  return typed(type, value);
}

/**
 * Without `managedFields`, which are often larger than the rest: what is listed and watched is kept. An object that is
 * written back without them keeps them in the API.
 */
export function withoutBookkeeping<Kind extends KubeObject>(object: Kind): Kind {
  delete object.metadata.managedFields;
  return object;
}

function typed<Kind extends KubeObject>(type: ResourceType<Kind>, item: KubeObject): Kind {
  item.kind ??= type.kind;
  item.apiVersion ??= apiVersionOf(type);
  return item as Kind;
}

function hasName(value: unknown): value is KubeObject {
  return isRecord(value) && isRecord(value.metadata) && typeof value.metadata.name === 'string';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return 'nothing';
  return line.length > 120 ? `${line.slice(0, 120)}…` : line;
}
