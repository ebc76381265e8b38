/** One request and its answer: what the routes share. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { builtInSchema, type Schema } from '../../kubernetes/index.ts';
import { sendJson } from './answer.ts';
import { type Body, decodeObjectBody, mediaTypeOf, readBody } from './body.ts';
import type { ApiContext } from './context.ts';
import { type AcceptedForm, acceptedForm } from './negotiation.ts';
import { getObject, objectForms, presentObject } from './reads.ts';
import { type ResourcePath, readWriteParameters } from './request.ts';
import { StatusError } from './status.ts';
import type { ServedType } from './types/served-type.ts';
import type { WriteRequest, Written } from './write-request.ts';
import { patchObject } from './writes.ts';

export interface Exchange {
  readonly context: ApiContext;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Without the secret prefix. */
  readonly url: URL;
}

export function formOf({ request }: Exchange): AcceptedForm {
  const form = acceptedForm(request.headers.accept, objectForms);
  if (form) return form;
  const types = 'application/json, application/yaml';
  throw new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${types}`);
}

export async function readObject({ context, request }: Exchange): Promise<Body> {
  const bytes = await readBody(request, context.limits.maxBodyBytes);
  return decodeObjectBody(bytes, mediaTypeOf(request), schemaOf(context));
}

function schemaOf({ catalog }: ApiContext) {
  return (apiVersion: string, kind: string): Schema | undefined =>
    builtInSchema(apiVersion, kind) ??
    catalog.list().find(({ type }) => type.kind === kind && `${type.group}/${type.version}` === apiVersion)
      ?.schema;
}

export function writeRequest(
  { context, request, url }: Exchange,
  served: ServedType,
  path: ResourcePath,
): WriteRequest {
  const parameters = readWriteParameters(url.searchParams, request.headers['user-agent']);
  return { context, served, path, parameters };
}

/** Answers a GET of one object. */
export function sendObject(exchange: Exchange, served: ServedType, path: ResourcePath): void {
  const { context, request, response, url } = exchange;
  request.resume();
  const object = getObject(context, served, path);
  sendJson(response, 200, presentObject(context, served, object, formOf(exchange), url.searchParams));
}

export function sendWritten(
  exchange: Exchange,
  served: ServedType,
  { object, created, warnings }: Written,
): void {
  const { context, response, url } = exchange;
  const body = presentObject(context, served, object, formOf(exchange), url.searchParams);
  sendJson(response, created ? 201 : 200, body, { warnings });
}

export async function patchRequest(
  exchange: Exchange,
  served: ServedType,
  path: ResourcePath,
): Promise<Written> {
  const { context, request } = exchange;
  const write = writeRequest(exchange, served, path);
  const bytes = await readBody(request, context.limits.maxBodyBytes);
  return patchObject(write, bytes, mediaTypeOf(request));
}
