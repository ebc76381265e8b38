/** Ends the client's TLS here. */

import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { TlsOptions } from '../route-table.ts';
import { ignoreError } from './first-bytes.ts';
import type { Refusal } from './opening.ts';

export interface ClientTlsOptions {
  readonly socket: Socket;
  /** What has been read of the handshake. */
  readonly bytes: Buffer;
  readonly context: SecureContext;
  readonly options: TlsOptions | undefined;
  readonly timeoutMs: number;
}

/** Resolves with the decrypted connection, paused, once the handshake is over. */
export function acceptTls(given: ClientTlsOptions): Promise<TLSSocket | Refusal> {
  const { socket, bytes, context, options, timeoutMs } = given;
  // TLSSocket takes what a socket has buffered as the first bytes it received.
  if (bytes.length > 0) socket.unshift(bytes);
  const wanted = options?.clientCertificate;
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    requestCert: wanted !== undefined,
    rejectUnauthorized: wanted === 'require' || wanted === 'require-any',
    ...(options?.alpnProtocols?.length ? { ALPNProtocols: [...options.alpnProtocols] } : {}),
  });
  return new Promise((resolve) => {
    const settle = (result: TLSSocket | Refusal) => {
      clearTimeout(timer);
      secure.off('secure', onSecure).off('error', onError).off('close', onClose);
      secure.on('error', ignoreError);
      if (!(result instanceof TLSSocket)) secure.destroy();
      resolve(result);
    };
    const onSecure = () => {
      secure.pause();
      const problem = clientCertificateProblem(secure, wanted);
      settle(problem === undefined ? secure : refused(problem));
    };
    const onError = (error: Error) => settle(refused(error.message));
    const onClose = () => settle(refused('the client left during the handshake'));
    const timer = setTimeout(() => settle({ kind: 'refused', reason: 'opening_timeout' }), timeoutMs);
    secure.on('secure', onSecure).on('error', onError).on('close', onClose);
  });
}

function refused(detail: string): Refusal {
  return { kind: 'refused', reason: 'tls_handshake', detail };
}

/** Node lets any client certificate through the handshake and leaves the verdict to the server. */
function clientCertificateProblem(
  secure: TLSSocket,
  wanted: TlsOptions['clientCertificate'],
): string | undefined {
  if (wanted === undefined || wanted === 'request') return undefined;
  const isGiven = secure.getPeerX509Certificate() !== undefined;
  if (!isGiven) return wanted === 'verify-if-given' ? undefined : 'the client gave no certificate';
  if (wanted === 'require-any') return undefined;
  // tls.Server asks its handle the same and shows the answer as `authorized`; a TLSSocket alone does not ask.
  const handle = (secure as unknown as { _handle?: { verifyError(): Error | null } })._handle;
  return handle?.verifyError()?.message;
}
