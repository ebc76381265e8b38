/** Websockets: the handshake with Kubernetes' subprotocols. */

import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 4 * 2 ** 20 });

export function offeredProtocols(request: IncomingMessage): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '');
}

/** Answers the handshake with `protocol`, which may have a slash that the library would refuse. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  protocol: string,
): Promise<WebSocket> {
  delete request.headers['sec-websocket-protocol'];
  return new Promise((resolve) => {
    const addProtocol = (headers: string[], answered: IncomingMessage) => {
      if (answered === request) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
    };
    server.on('headers', addProtocol);
    server.handleUpgrade(request, socket, head, (webSocket) => resolve(webSocket));
    server.off('headers', addProtocol);
  });
}

/** The bytes of binary messages as one stream. */
export function bytesOf(webSocket: WebSocket): Duplex {
  const stream = new Duplex({
    read() {
      webSocket.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      webSocket.send(chunk, { binary: true }, (error) => done(error));
    },
    final(done) {
      webSocket.close(1000);
      done();
    },
    destroy(error, done) {
      webSocket.terminate();
      done(error);
    },
  });
  webSocket.on('message', (data: Buffer) => {
    if (!stream.push(data)) webSocket.pause();
  });
  webSocket.once('close', () => {
    if (!stream.readableEnded) stream.push(null);
  });
  webSocket.on('error', () => stream.destroy());
  return stream;
}
