/** port-forward: connections to a pod's TCP ports as streams of SPDY, over a websocket or plainly. */

import type { Duplex } from 'node:stream';
import type { ApiContext } from '../context.ts';
import type { ResourcePath } from '../request.ts';
import { requireStreams } from './logs.ts';
import { answerSpdyUpgrade, type Upgrade } from './remote-command.ts';
import { SpdyConnection, type SpdyStream } from './spdy/connection.ts';
import { acceptWebSocket, bytesOf, offeredProtocols } from './websocket.ts';

const protocol = 'portforward.k8s.io';
const tunnelProtocol = `SPDY/3.1+${protocol}`;

export async function servePortForward(
  context: ApiContext,
  upgrade: Upgrade,
  path: ResourcePath,
): Promise<void> {
  const dial = (port: number) =>
    requireStreams(context.streams).portForward(path.namespace ?? '', path.name ?? '', port);
  const { request, socket, head } = upgrade;
  let transport: Duplex = socket;
  if (request.headers.upgrade?.toLowerCase() === 'websocket') {
    const wanted = offeredProtocols(request).includes(tunnelProtocol) ? tunnelProtocol : protocol;
    transport = bytesOf(await acceptWebSocket(request, socket, head, wanted));
  } else answerSpdyUpgrade(socket, protocol);
  await new Promise<void>((resolve) => {
    const pairs = new StreamPairs((port) => dial(port));
    void new SpdyConnection(transport, { onStream: (stream) => pairs.add(stream), onClose: resolve });
  });
}

/** Each connection is two streams of one request: its bytes, and what went wrong. */
class StreamPairs {
  readonly #dial: (port: number) => Promise<Duplex>;
  readonly #waiting = new Map<string, SpdyStream>();

  constructor(dial: (port: number) => Promise<Duplex>) {
    this.#dial = dial;
  }

  add(stream: SpdyStream): void {
    const { requestid = '', streamtype, port } = stream.headers;
    const partner = this.#waiting.get(requestid);
    if (!partner) {
      this.#waiting.set(requestid, stream);
      stream.once('close', () => this.#waiting.delete(requestid));
      return;
    }
    this.#waiting.delete(requestid);
    const [data, error] = streamtype === 'data' ? [stream, partner] : [partner, stream];
    void this.#forward(data, error, Number(port));
  }

  async #forward(data: SpdyStream, error: SpdyStream, port: number): Promise<void> {
    try {
      const connection = await this.#dial(port);
      await joined(data, connection);
      error.end();
    } catch (failure) {
      const why = failure instanceof Error ? failure.message : 'unknown';
      error.end(`error forwarding port ${port} to pod: ${why}`);
      data.end();
    }
  }
}

/** Resolves when both directions are done. Rejects where the pod's side fails. */
function joined(client: Duplex, pod: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    client.pipe(pod);
    pod.pipe(client);
    client.once('close', () => pod.destroy());
    pod.once('error', reject);
    pod.once('close', () => {
      client.end();
      resolve();
    });
  });
}
