/** An HTTP server in the place of an API server, which answers each request as the test says. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type ClusterAccess, createRemoteApi, type RemoteApiOptions } from '../../../src/kubernetes/index.ts';

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = (request: FakeRequest, response: ServerResponse) => void;

export interface FakeApi {
  readonly url: string;
  readonly requests: FakeRequest[];
  answer: Answer;
  /** Resolves when a request for which the condition holds has come (at once when it has). */
  until(condition: (request: FakeRequest) => boolean): Promise<FakeRequest>;
  /** Cuts every connection and refuses new ones. */
  kill(): Promise<void>;
  /** Listens again on the same port. */
  revive(): Promise<void>;
}

export async function startFakeApi(answer: Answer): Promise<FakeApi> {
  const waiting = new Set<() => void>();
  const sockets = new Set<Socket>();
  let server: Server;
  let port = 0;
  const listen = async () => {
    const receive = async (message: IncomingMessage, response: ServerResponse) => {
      const url = new URL(message.url ?? '/', 'http://fake');
      let body = '';
      for await (const chunk of message) body += String(chunk);
      const { method = '', headers } = message;
      const request = { method, path: url.pathname, query: url.searchParams, headers, body };
      api.requests.push(request);
      for (const check of waiting) check();
      api.answer(request, response);
    };
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
  const api: FakeApi = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    requests: [],
    answer,
    until: (condition) =>
      new Promise((resolve) => {
        const check = () => {
          const found = api.requests.find(condition);
          if (!found) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
    async kill() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    revive: listen,
  };
  await listen();
  onTestFinished(async () => {
    if (server.listening) await api.kill();
  });
  return api;
}

export function accessTo(url: string, over: Partial<ClusterAccess> = {}): ClusterAccess {
  return {
    server: new URL(url),
    namespace: 'default',
    tls: {},
    credentials: { current: () => Promise.resolve({ headers: {} }), discard() {} },
    origin: 'test',
    ...over,
  };
}

/** Tries again after a millisecond or so. */
export function remoteApi(url: string, options: RemoteApiOptions = {}, over: Partial<ClusterAccess> = {}) {
  const retry = { firstMs: 1, lastMs: 10, resetMs: 60_000 };
  const api = createRemoteApi(accessTo(url, over), { retry, ...options });
  onTestFinished(() => api.close());
  return api;
}

export const json = (response: ServerResponse, value: unknown, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

export const serviceObject = (name: string, resourceVersion: string) => ({
  metadata: { name, namespace: 'backend', uid: name, resourceVersion },
  spec: { ports: [] },
});

export const serviceList = (names: readonly string[], resourceVersion: string, more?: string) => ({
  kind: 'ServiceList',
  apiVersion: 'v1',
  metadata: { resourceVersion, ...(more ? { continue: more } : {}) },
  items: names.map((name) => serviceObject(name, resourceVersion)),
});

export const status = (code: number, reason: string, message = reason) => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  reason,
  message,
});

export const line = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;

export const bookmark = (resourceVersion: string) =>
  line('BOOKMARK', { kind: 'Service', metadata: { resourceVersion } });
