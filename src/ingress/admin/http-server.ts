/** A small HTTP server for GET requests: ping, metrics, the API. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AdminRequest {
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface AdminResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type AdminHandler = (request: AdminRequest) => AdminResponse;

export interface AdminServer {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Neither slow nor many clients may keep the ingress busy. */
const limits = { requestTimeoutMs: 10_000, maxConnections: 256 };

export const plainText = (status: number, body: string): AdminResponse => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body,
});

export const jsonResponse = (
  status: number,
  value: unknown,
  headers?: Readonly<Record<string, string>>,
): AdminResponse => ({
  status,
  contentType: 'application/json',
  body: JSON.stringify(value),
  ...(headers ? { headers } : {}),
});

/** Rejects when the address cannot be had. */
export async function startAdminServer(
  address: string,
  port: number,
  handle: AdminHandler,
  onError: (error: unknown) => void,
): Promise<AdminServer> {
  const server = createServer({ requestTimeout: limits.requestTimeoutMs }, (message, response) => {
    const { status, contentType, body, headers } = answer(
      message.method ?? '',
      message.url ?? '/',
      handle,
      onError,
    );
    message.resume();
    response.writeHead(status, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      ...headers,
    });
    response.end(message.method === 'HEAD' ? undefined : body);
  });
  server.maxConnections = limits.maxConnections;
  await listen(server, address, port);
  const bound = server.address() as AddressInfo;
  return {
    address: bound.address,
    port: bound.port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(
  method: string,
  url: string,
  handle: AdminHandler,
  onError: (error: unknown) => void,
): AdminResponse {
  if (method !== 'GET' && method !== 'HEAD') return plainText(405, 'Method Not Allowed\n');
  try {
    const { pathname, searchParams } = new URL(url, 'http://admin');
    return handle({ path: pathname, query: searchParams });
  } catch (error) {
    onError(error);
    return plainText(500, 'Internal Server Error\n');
  }
}

async function listen(server: Server, address: string, port: number): Promise<void> {
  server.listen(port, address);
  await once(server, 'listening');
}
