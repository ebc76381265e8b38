/** Who may speak to the server: processes of this machine that know the secret, no web page. */

import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { StatusError } from './status.ts';

/**
 * The request's path and query without the secret prefix. Throws Unauthorized or Forbidden. A page that makes a browser
 * call a loopback port gives itself away by its Origin, or, where it rebinds a name of its own to 127.0.0.1, by the Host.
 */
export function admittedUrl(request: IncomingMessage, secret: string): URL {
  const hosts = ownHosts(request);
  if (!hosts.includes(request.headers.host?.toLowerCase() ?? ''))
    throw refused('the Host header is not this server');
  if (request.headers.origin !== undefined) throw refused('requests of web pages are not answered');
  const target = request.url ?? '/';
  const [, first = ''] = target.split(/[/?]/, 2);
  if (!isSecret(first, secret)) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
  const rest = target.slice(first.length + 1);
  return parseUrl(rest.startsWith('/') ? rest : `/${rest}`);
}

/** The address that the client reached, and the names of this machine where that is a loopback address. */
function ownHosts({ socket: { localAddress = '', localPort = 0 } }: IncomingMessage): string[] {
  const address = localAddress.replace(/^::ffff:/, '');
  const own = address.includes(':') ? `[${address}]:${localPort}` : `${address}:${localPort}`;
  const isLoopback = address === '::1' || address.startsWith('127.');
  return isLoopback ? [own, `localhost:${localPort}`] : [own];
}

function refused(why: string): StatusError {
  return new StatusError(403, 'Forbidden', `forbidden: ${why}`);
}

function parseUrl(target: string): URL {
  // Not by resolving, which would let `//host` and `..` mean something.
  const [path = '/', ...query] = target.split('?');
  const url = new URL('http://localhost/');
  url.search = query.join('?');
  url.pathname = path.replace(/^\/+/, '/');
  return url;
}

function isSecret(given: string, secret: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(secret)];
  return left.length === right.length && timingSafeEqual(left, right);
}
