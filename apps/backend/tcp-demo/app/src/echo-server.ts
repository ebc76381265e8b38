import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { endLine, startLine } from './log-line.ts';

export interface EchoServer {
  readonly address: string;
  readonly port: number;
  /** Takes no new connection, lets those there are come to their end, then closes. */
  stop(): Promise<void>;
}

/** A client that never ends its connection must not keep the process alive. */
const drainLimitMs = 10_000;

/** Sends back every byte of every connection, and ends it when the client has ended it. */
export async function startEchoServer(
  host: string,
  port: number,
  log: (line: string) => void,
): Promise<EchoServer> {
  const open = new Set<Socket>();
  // Half-open: the client may end its side and still wait for what is on its way back.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    const peer = { address: socket.remoteAddress ?? '?', port: socket.remotePort ?? 0 };
    let first: Buffer | undefined;
    socket.once('data', (chunk: Buffer) => {
      first = chunk;
      log(startLine(peer, chunk));
    });
    // What the client does not read is not read from it either: pipe waits for it.
    socket.pipe(socket);
    socket.on('error', (error) => log(`Error with ${peer.address}:${peer.port}: ${error.message}`));
    socket.on('close', () => {
      open.delete(socket);
      if (first) log(endLine(peer, socket.bytesRead));
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  const bound = server.address() as AddressInfo;
  const stop = async () => {
    const closed = once(server, 'close');
    server.close();
    const limit = setTimeout(() => {
      for (const socket of open) socket.destroy();
    }, drainLimitMs);
    await closed;
    clearTimeout(limit);
  };
  return { address: bound.address, port: bound.port, stop };
}
