/** `kubectl logs`. */

import { once } from 'node:events';
import { isObject, type KubeObject } from '../../../kubernetes/index.ts';
import type { Exchange } from '../exchange.ts';
import { getObject } from '../reads.ts';
import { type ResourcePath, readBoolean, readInteger } from '../request.ts';
import { badRequest, methodNotAllowed, StatusError } from '../status.ts';
import type { LogOptions, PodStreams } from './pod-streams.ts';

export async function serveLogs(exchange: Exchange, path: ResourcePath): Promise<void> {
  const { context, request, response, url } = exchange;
  if (request.method !== 'GET') throw methodNotAllowed();
  request.resume();
  const served = context.catalog.find('', 'v1', 'pods');
  if (!served) throw methodNotAllowed();
  const pod = getObject(context, served, path);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const options = readLogOptions(url.searchParams, pod, gone.signal);
  const streams = requireStreams(context.streams);
  const lines = streams.logs(path.namespace ?? '', path.name ?? '', options)[Symbol.asyncIterator]();
  // The first piece tells whether there is a log at all: only then is the answer a success.
  const first = options.follow ? undefined : await lines.next();
  response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  for (let piece = first ?? (await lines.next()); !piece.done; piece = await lines.next()) {
    if (gone.signal.aborted) break;
    if (!response.write(piece.value)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  await lines.return?.();
  response.end();
}

export function requireStreams(streams: PodStreams | undefined): PodStreams {
  if (streams) return streams;
  throw new StatusError(501, 'NotImplemented', 'this cluster runs no pods');
}

function readLogOptions(query: URLSearchParams, pod: KubeObject, signal: AbortSignal): LogOptions {
  const tailLines = readInteger(query, 'tailLines');
  const sinceSeconds = readInteger(query, 'sinceSeconds');
  const limitBytes = readInteger(query, 'limitBytes');
  const sinceTime = query.get('sinceTime') ?? '';
  return {
    container: chooseContainer(pod, query.get('container') ?? ''),
    follow: readBoolean(query, 'follow'),
    previous: readBoolean(query, 'previous'),
    timestamps: readBoolean(query, 'timestamps'),
    ...(tailLines !== undefined && { tailLines }),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceTime && { sinceTime }),
    signal,
  };
}

/** The named container, or the only one. Throws BadRequest. */
export function chooseContainer(pod: KubeObject, name: string): string {
  const spec = (isObject(pod.spec) ? pod.spec : {}) as Record<string, { name: string }[] | undefined>;
  const names = (field: string) => (spec[field] ?? []).map((container) => container.name);
  const main = names('containers');
  const all = [...names('initContainers'), ...main, ...names('ephemeralContainers')];
  if (name !== '') {
    if (all.includes(name)) return name;
    throw badRequest(`container ${name} is not valid for pod ${pod.metadata.name}`);
  }
  const [only, ...others] = main;
  if (only !== undefined && others.length === 0 && all.length === 1) return only;
  throw badRequest(
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${main.join(' ')}]${
      all.length > main.length ? ` or one of the init containers: [${names('initContainers').join(' ')}]` : ''
    }`,
  );
}
