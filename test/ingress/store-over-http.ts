/** A store behind HTTP, as far as the ingress asks an API server: list, watch, create, status, update. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Store } from '../../src/cluster/index.ts';
import { ApiError, apiVersionOf, type KubeObject, parseLabelSelector } from '../../src/kubernetes/index.ts';

export interface StoreServer {
  readonly url: string;
  /** Cuts every connection and refuses new ones. */
  kill(): Promise<void>;
  /** Listens again on the same port, with another store where one is given. */
  revive(store?: Store): Promise<void>;
  /** Cuts every connection, and goes on. */
  cut(): void;
}

export async function serveStore(first: Store): Promise<StoreServer> {
  let store = first;
  const sockets = new Set<Socket>();
  const receive = async (message: IncomingMessage, response: ServerResponse) => {
    try {
      await answer(store, message, response);
    } catch (error) {
      const {
        code,
        reason,
        message: text,
      } = error instanceof ApiError ? error : new ApiError('InternalError', String(error));
      response.writeHead(code, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code, reason, message: text }));
    }
  };
  let server = createServer();
  let port = 0;
  const listen = async () => {
    server = createServer((message, response) => void receive(message, response));
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const kill = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    cut();
    await closed;
  };
  await listen();
  onTestFinished(async () => {
    if (server.listening) await kill();
  });
  const revive = async (next = store) => {
    store = next;
    await listen();
  };
  return { url: `http://127.0.0.1:${port}`, kill, revive, cut };
}

async function answer(store: Store, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams: query } = new URL(message.url ?? '', 'http://api');
  const match =
    /^\/(?:api\/(?<core>v1)|apis\/(?<group>[^/]+)\/(?<version>[^/]+))(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<plural>[^/]+)(?:\/(?<name>[^/]+))?(?<status>\/status)?$/.exec(
      pathname,
    )?.groups ?? {};
  const type = store.types.find(match.group ?? '', match.core ?? match.version ?? '', match.plural ?? '');
  if (!type) throw new ApiError('NotFound', 'the server could not find the requested resource');
  const { namespace, name } = match;
  const labelSelector = parseLabelSelector(query.get('labelSelector') ?? '');
  const selection = { labelSelector, ...(namespace ? { namespace } : {}) };
  const send = (value: unknown) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  let body = '';
  for await (const chunk of message) body += String(chunk);
  const object = (body === '' ? {} : JSON.parse(body)) as KubeObject;
  if (message.method === 'POST') return void send(await store.create(type, object));
  if (message.method === 'PUT') {
    return void send(
      match.status ? await store.updateStatus(type, object) : await store.update(type, object),
    );
  }
  if (name) return void send(await store.get(type, namespace, name));
  if (query.get('watch') !== 'true') {
    const { items, resourceVersion } = await store.list(type, selection);
    return void send({
      kind: `${type.kind}List`,
      apiVersion: apiVersionOf(type),
      metadata: { resourceVersion },
      items,
    });
  }
  response.setHeader('content-type', 'application/json');
  const subscription = store.subscribe(type, {
    ...selection,
    resourceVersion: query.get('resourceVersion') ?? '0',
    onEvent: ({ type: event, object: changed }) =>
      void response.write(`${JSON.stringify({ type: event, object: changed })}\n`),
  });
  response.flushHeaders();
  response.on('close', () => subscription.close());
}
