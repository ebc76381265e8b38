/** Connections through an HTTP proxy, by CONNECT (RFC 9110, section 9.3.6). */

import { type Agent, type ClientRequestArgs, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';

type Connected = (error: Error | null, stream: Duplex) => void;

const connectTimeoutMs = 30_000;

/** Makes the agent's new connections go through the proxy. */
export function connectThroughProxy(agent: Agent, proxy: URL, server: URL, secure: ConnectionOptions): void {
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  const target = `${server.hostname}:${port}`;
  // Node's documented hook; its types know only the form that returns a socket at once.
  const create = (_options: ClientRequestArgs, connected: Connected): undefined => {
    const authorization = proxy.username
      ? `Basic ${Buffer.from(decodeURIComponent(`${proxy.username}:${proxy.password}`)).toString('base64')}`
      : undefined;
    const connect = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      agent: false,
      headers: { host: target, ...(authorization ? { 'proxy-authorization': authorization } : {}) },
      timeout: connectTimeoutMs,
    });
    const fail = (error: Error) => connected(error, undefined as unknown as Duplex);
    connect.once('timeout', () => connect.destroy(new Error(`proxy ${proxy.host} does not answer`)));
    connect.once('error', fail);
    connect.once('connect', (answer, socket) => {
      if (answer.statusCode !== 200) {
        socket.destroy();
        fail(
          new Error(`proxy ${proxy.host} refuses ${target}: ${answer.statusCode} ${answer.statusMessage}`),
        );
        return;
      }
      if (server.protocol !== 'https:') return connected(null, socket);
      const host = server.hostname.replace(/^\[|\]$/g, '');
      const stream = tlsConnect({ servername: host, ...secure, socket, host });
      stream.once('error', fail);
      stream.once('secureConnect', () => {
        stream.off('error', fail);
        connected(null, stream);
      });
    });
    connect.end();
  };
  Object.assign(agent, { createConnection: create });
}
