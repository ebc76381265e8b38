/** The ports of this machine that the cluster is reached at. Bound here, on the host, and handed to the cluster. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6, type Server } from 'node:net';
import type { Diagnostic, SourcePosition } from '../diagnostics/index.ts';
import { DiagnosticError } from '../diagnostics/index.ts';
import { findPortHolder } from './port-holder.ts';

/** Room for bursts: the kernel gives as much of it as it allows. */
const receiveBufferBytes = 4 * 1024 * 1024;

/** Throws `DiagnosticError` (SL4001), naming the holder, when the port is taken or may not be bound. */
export async function bindUdpPort(address: string, port: number, position?: SourcePosition): Promise<Socket> {
  const socket = createSocket({
    type: isIPv6(address) ? 'udp6' : 'udp4',
    recvBufferSize: receiveBufferBytes,
  });
  try {
    socket.bind(port, address);
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    socket.close();
    throw await bindFailure('udp', address, port, error as NodeJS.ErrnoException, position);
  }
}

/** The same for TCP. What connects before the server is handed over waits in the kernel. */
export async function bindTcpPort(address: string, port: number, position?: SourcePosition): Promise<Server> {
  const server = createServer({ pauseOnConnect: true });
  try {
    server.listen(port, address);
    await once(server, 'listening');
    return server;
  } catch (error) {
    throw await bindFailure('tcp', address, port, error as NodeJS.ErrnoException, position);
  }
}

async function bindFailure(
  protocol: 'udp' | 'tcp',
  address: string,
  port: number,
  error: NodeJS.ErrnoException,
  position: SourcePosition | undefined,
): Promise<DiagnosticError> {
  const diagnostic = await describeFailure(protocol, address, port, error);
  return new DiagnosticError([{ ...diagnostic, ...(position ? { position } : {}) }]);
}

async function describeFailure(
  protocol: 'udp' | 'tcp',
  address: string,
  port: number,
  error: NodeJS.ErrnoException,
): Promise<Diagnostic> {
  const place = `${address}:${port}/${protocol}`;
  const common = { code: 'SL4001', severity: 'error' } as const;
  if (error.code !== 'EADDRINUSE') {
    return { ...common, message: `cannot listen on ${place}: ${error.message}`, hint: bindHint(error.code) };
  }
  const holder = await findPortHolder(protocol, address, port);
  if (!holder) {
    const hint = `\`ss -${protocol === 'udp' ? 'u' : 't'}lpn 'sport = :${port}'\`, run as root, names it.`;
    return { ...common, message: `${place} is held by a process of another user`, hint };
  }
  return {
    ...common,
    message: `${place} is held by process ${holder.pid} (${holder.command})`,
    hint: `Stop it (\`kill ${holder.pid}\`), or choose another port or --host-address.`,
  };
}

function bindHint(code: string | undefined): string {
  if (code === 'EACCES') return 'Ports below 1024 need root or CAP_NET_BIND_SERVICE.';
  if (code === 'EADDRNOTAVAIL') return 'Give --host-address an address of this machine.';
  return 'Choose another port or --host-address.';
}
