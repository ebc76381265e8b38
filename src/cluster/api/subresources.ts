/** status, scale, log, eviction and their likes. */

import type { KubeObject } from '../../kubernetes/index.ts';
import { sendJson } from './answer.ts';
import { decodeJson, mediaTypeOf, readBody } from './body.ts';
import { readDeleteOptions } from './deletes.ts';
import {
  type Exchange,
  patchRequest,
  readObject,
  sendObject,
  sendWritten,
  writeRequest,
} from './exchange.ts';
import { getObject } from './reads.ts';
import type { ResourcePath } from './request.ts';
import { scaleOf, withScale } from './scale.ts';
import { methodNotAllowed, type Status, StatusError, unknownPath } from './status.ts';
import { serveLogs } from './streams/logs.ts';
import type { ServedType } from './types/served-type.ts';
import { changeObject, patchScale, replaceObject } from './writes.ts';

export async function answerSubresource(
  exchange: Exchange,
  served: ServedType,
  path: ResourcePath,
): Promise<void> {
  const { type, scale } = served;
  const isPod = type.group === '' && type.plural === 'pods';
  if (path.subresource === 'scale' && scale) return answerScale(exchange, served, path);
  if (path.subresource === 'status' && type.statusSubresource) return answerStatus(exchange, served, path);
  if (isPod && path.subresource === 'log') return serveLogs(exchange, path);
  if (isPod && path.subresource === 'eviction') return answerEviction(exchange, served, path);
  if (type.group === '' && type.plural === 'namespaces' && path.subresource === 'finalize') {
    if (exchange.request.method !== 'PUT') throw methodNotAllowed();
    const write = writeRequest(exchange, served, path);
    return sendWritten(exchange, served, await replaceObject(write, await readObject(exchange)));
  }
  if (type.group === '' && type.plural === 'serviceaccounts' && path.subresource === 'token') {
    throw new StatusError(
      501,
      'NotImplemented',
      'the embedded cluster issues no tokens: its kubeconfig is the credential',
    );
  }
  throw unknownPath();
}

async function answerStatus(exchange: Exchange, served: ServedType, path: ResourcePath): Promise<void> {
  const { request } = exchange;
  if (request.method === 'GET') return sendObject(exchange, served, path);
  if (request.method === 'PATCH')
    return sendWritten(exchange, served, await patchRequest(exchange, served, path));
  if (request.method !== 'PUT') throw methodNotAllowed();
  const write = writeRequest(exchange, served, path);
  sendWritten(exchange, served, await replaceObject(write, await readObject(exchange)));
}

async function answerScale(exchange: Exchange, served: ServedType, path: ResourcePath): Promise<void> {
  const { context, request, response } = exchange;
  const current = getObject(context, served, path);
  if (request.method === 'GET') {
    request.resume();
    return sendJson(response, 200, scaleOf(current, served));
  }
  const write = writeRequest(exchange, served, { ...path, subresource: 'scale' });
  const change = await readScaleChange(exchange, served);
  const written = await changeObject(write, change);
  sendJson(response, 200, scaleOf(written, served));
}

/** From the present scale to the wanted one. */
async function readScaleChange(
  exchange: Exchange,
  served: ServedType,
): Promise<(object: KubeObject) => KubeObject> {
  const { context, request } = exchange;
  if (request.method === 'PUT') {
    const { value } = await readObject(exchange);
    return (object) => withScale(object, value, served);
  }
  if (request.method !== 'PATCH') throw methodNotAllowed();
  const bytes = await readBody(request, context.limits.maxBodyBytes);
  const change = decodeJson(bytes).value;
  const mediaType = mediaTypeOf(request);
  return (object) => withScale(object, patchScale(scaleOf(object, served), change, mediaType), served);
}

async function answerEviction(exchange: Exchange, served: ServedType, path: ResourcePath): Promise<void> {
  const { context, request, response, url } = exchange;
  if (request.method !== 'POST') throw methodNotAllowed();
  const { value } = await readObject(exchange);
  const options = readDeleteOptions(
    (value as { deleteOptions?: unknown } | null)?.deleteOptions,
    url.searchParams,
  );
  await context.store.remove(served.type, path.namespace, path.name ?? '', options);
  const success: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  sendJson(response, 201, success);
}
