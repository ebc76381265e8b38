/** Makes the connection to an endpoint: connect, PROXY header, TLS. */

import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { Endpoint, EndpointTls, TcpService } from '../route-table.ts';
import { ignoreError } from './first-bytes.ts';
import { postgresTlsAgreed, postgresTlsRequest } from './opening.ts';
import { type ProxiedAddresses, writeProxyHeader } from './proxy-protocol.ts';

export interface LinkOptions {
  readonly service: TcpService;
  readonly endpoint: Endpoint;
  /** Of the client's connection, for the PROXY header. */
  readonly addresses: () => ProxiedAddresses;
  /** The client was let into TLS in PostgreSQL's way, and the endpoint must be asked in the same. */
  readonly isPostgres: boolean;
  readonly highWaterMark: number;
}

const defaultConnectTimeoutMs = 5000;

/** Rejects with the reason when the endpoint cannot be reached, or does not do as the service says, in time. */
export async function linkEndpoint(options: LinkOptions): Promise<Socket> {
  const { service, endpoint, addresses, highWaterMark } = options;
  // `highWaterMark` is one of the stream options that every Socket takes.
  const socket: Socket = connect({
    host: endpoint.address,
    port: endpoint.port,
    allowHalfOpen: true,
    noDelay: true,
    ...({ highWaterMark } as object),
  });
  const deadline = setTimeout(() => {
    socket.destroy(new Error('the endpoint did not answer in time'));
  }, service.connectTimeoutMs ?? defaultConnectTimeoutMs);
  try {
    await eventOf(socket, 'connect');
    if (service.proxyProtocol) socket.write(writeProxyHeader(service.proxyProtocol, addresses()));
    if (options.isPostgres) await askPostgresForTls(socket);
    return service.tls ? await speakTls(socket, service.tls, endpoint) : socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

/** Resolves with the event; rejects when the socket fails or closes before. */
function eventOf(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      socket.off(event, onEvent).off('error', settle).off('close', onClose);
      socket.on('error', ignoreError);
      if (error) reject(error);
      else resolve();
    };
    const onEvent = () => settle();
    const onClose = () => settle(new Error('the endpoint closed the connection'));
    socket.off('error', ignoreError);
    socket.on(event, onEvent).on('error', settle).on('close', onClose);
  });
}

async function askPostgresForTls(socket: Socket): Promise<void> {
  socket.write(postgresTlsRequest);
  await eventOf(socket, 'readable');
  const answer = socket.read(1) as Buffer | null;
  if (!answer?.equals(postgresTlsAgreed))
    throw new Error('the endpoint does not speak TLS to PostgreSQL clients');
}

async function speakTls(socket: Socket, tls: EndpointTls, endpoint: Endpoint): Promise<TLSSocket> {
  const name = tls.serverName ?? endpoint.address;
  const secure = tlsConnect({
    socket,
    ...(isIP(name) ? { host: name } : { servername: name, host: name }),
    rejectUnauthorized: !tls.insecureSkipVerify,
    ...(tls.rootAuthorities?.length ? { ca: [...tls.rootAuthorities] } : {}),
    ...(tls.certificate ? { cert: tls.certificate.certificateChain, key: tls.certificate.privateKey } : {}),
    checkServerIdentity: (host, certificate) => {
      const { peerNames } = tls;
      if (!peerNames?.length) return checkServerIdentity(host, certificate);
      const names = (certificate.subjectaltname ?? '').split(', ').map((entry) => entry.replace(/^\w+:/, ''));
      if (peerNames.some((wanted) => names.includes(wanted))) return undefined;
      return new Error(`the endpoint's certificate carries none of ${peerNames.join(', ')}`);
    },
  });
  await eventOf(secure, 'secureConnect');
  return secure;
}
