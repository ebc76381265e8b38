/** From a request to what answers it. */

import type { ServerResponse } from 'node:http';
import { builtInSchema } from '../../kubernetes/index.ts';
import { sendJson, sendText } from './answer.ts';
import { decodeObjectBody, mediaTypeOf, readBody } from './body.ts';
import type { ApiContext } from './context.ts';
import { deleteCollection, deleteObject, readDeleteOptions } from './deletes.ts';
import { discoveryDocument, discoveryForms } from './discovery/documents.ts';
import { reviewResources } from './discovery/resources.ts';
import {
  type Exchange,
  formOf,
  patchRequest,
  readObject,
  sendObject,
  sendWritten,
  writeRequest,
} from './exchange.ts';
import { type AcceptedForm, acceptedForm } from './negotiation.ts';
import { listObjects, presentList } from './reads.ts';
import { parseResourcePath, type ResourcePath, readBoolean } from './request.ts';
import { answerReview } from './reviews.ts';
import { methodNotAllowed, unknownPath } from './status.ts';
import { answerSubresource } from './subresources.ts';
import type { ServedType } from './types/served-type.ts';
import { apiVersion as serverVersion } from './version.ts';
import { serveWatch } from './watch.ts';
import { createObject, replaceObject } from './writes.ts';

const plainForm: AcceptedForm = { as: undefined, group: undefined, version: undefined };

/** Answers the request. Throws what `failureStatus` turns into an answer. */
export async function answer(exchange: Exchange): Promise<void> {
  const { url, request } = exchange;
  const path = url.pathname;
  if (answerFixedPath(exchange)) return;
  if (answerDiscovery(exchange)) return;
  const resource = parseResourcePath(path);
  if (!resource) throw unknownPath();
  if (await answerReviewRequest(exchange, resource)) return;
  const served = exchange.context.catalog.find(resource.group, resource.version, resource.plural);
  if (!served || !isPlaced(resource, served)) throw unknownPath();
  if (resource.subresource !== undefined) return answerSubresource(exchange, served, resource);
  if (resource.name !== undefined) return answerObject(exchange, served, resource);
  if (request.method === 'GET') return answerList(exchange, served, resource);
  if (request.method === 'POST') return answerCreate(exchange, served, resource);
  if (request.method === 'DELETE') return answerDeleteCollection(exchange, served, resource);
  throw methodNotAllowed();
}

/** A namespaced object is only found within its namespace, a cluster's only outside. */
function isPlaced({ namespace, name }: ResourcePath, { type }: ServedType): boolean {
  if (!type.namespaced) return namespace === undefined;
  return namespace !== undefined || name === undefined;
}

const healthPaths = new Set(['/healthz', '/livez', '/readyz']);

function answerFixedPath({ context, request, response, url }: Exchange): boolean {
  const path = url.pathname;
  const isOurs =
    path === '/version' ||
    path === '/version/' ||
    healthPaths.has(path) ||
    path.startsWith('/openapi/') ||
    path === '/';
  if (!isOurs) return false;
  if (request.method !== 'GET') throw methodNotAllowed();
  request.resume();
  if (path.startsWith('/version')) sendJson(response, 200, serverVersion);
  else if (healthPaths.has(path)) sendText(response, 200, 'ok');
  else if (path === '/')
    sendJson(response, 200, { paths: ['/api', '/api/v1', '/apis', '/healthz', '/openapi/v3', '/version'] });
  else if (path === '/openapi/v2') {
    // Enough for every kubectl: with an empty document it falls back on the types it has built in.
    sendText(response, 200, '', 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
  } else answerOpenApi(context, response, path);
  return true;
}

function answerOpenApi({ openApi }: ApiContext, response: ServerResponse, path: string): void {
  const text = openApi.document(path.replace(/\/$/, ''));
  if (text === undefined) throw unknownPath();
  sendText(response, 200, text, 'application/json');
}

function answerDiscovery({ context, request, response, url }: Exchange): boolean {
  if (!/^\/apis?(\/|$)/.test(url.pathname)) return false;
  const form = acceptedForm(request.headers.accept, discoveryForms) ?? plainForm;
  const host = request.headers.host ?? '';
  const document = discoveryDocument(url.pathname, context.catalog.list(), form, host);
  if (!document) return false;
  if (request.method !== 'GET') throw methodNotAllowed();
  request.resume();
  sendJson(response, 200, document.body, { contentType: document.contentType });
  return true;
}

async function answerReviewRequest(exchange: Exchange, path: ResourcePath): Promise<boolean> {
  const review = reviewResources.find(({ group, plural }) => group === path.group && plural === path.plural);
  if (!review || path.version !== review.version || path.name !== undefined) return false;
  if (exchange.request.method !== 'POST') throw methodNotAllowed();
  const { value } = await readObject(exchange);
  sendJson(exchange.response, 201, answerReview(review.kind, value));
  return true;
}

function answerList(exchange: Exchange, served: ServedType, path: ResourcePath): void {
  const { context, request, response, url } = exchange;
  const query = url.searchParams;
  const form = formOf(exchange);
  if (readBoolean(query, 'watch')) {
    serveWatch({ context, served, path, query, form }, request, response);
    return;
  }
  request.resume();
  sendJson(
    response,
    200,
    presentList(context, served, listObjects(context, served, path, query), form, query),
  );
}

async function answerCreate(exchange: Exchange, served: ServedType, path: ResourcePath): Promise<void> {
  if (served.type.namespaced && path.namespace === undefined) throw methodNotAllowed();
  const write = writeRequest(exchange, served, path);
  sendWritten(exchange, served, await createObject(write, await readObject(exchange)));
}

async function answerObject(exchange: Exchange, served: ServedType, path: ResourcePath): Promise<void> {
  const { context, request, response, url } = exchange;
  switch (request.method) {
    case 'GET': {
      if (readBoolean(url.searchParams, 'watch')) return answerList(exchange, served, path);
      return sendObject(exchange, served, path);
    }
    case 'PUT': {
      const write = writeRequest(exchange, served, path);
      return sendWritten(exchange, served, await replaceObject(write, await readObject(exchange)));
    }
    case 'PATCH':
      return sendWritten(exchange, served, await patchRequest(exchange, served, path));
    case 'DELETE': {
      const options = readDeleteOptions(await readDeleteBody(exchange), url.searchParams);
      return sendJson(response, 200, await deleteObject(context, served, path, options));
    }
    default:
      throw methodNotAllowed();
  }
}

async function readDeleteBody({ context, request }: Exchange): Promise<unknown> {
  const bytes = await readBody(request, context.limits.maxBodyBytes);
  if (bytes.length === 0) return undefined;
  return decodeObjectBody(bytes, mediaTypeOf(request), () => builtInSchema('meta/v1', 'DeleteOptions')).value;
}

async function answerDeleteCollection(
  exchange: Exchange,
  served: ServedType,
  path: ResourcePath,
): Promise<void> {
  const { context, response, url } = exchange;
  const options = readDeleteOptions(await readDeleteBody(exchange), url.searchParams);
  sendJson(response, 200, await deleteCollection(context, served, path, url.searchParams, options));
}
