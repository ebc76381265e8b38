/** Carries bytes both ways between a client and its endpoint until the connection is over. */

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { TcpEndReason } from '../tcp-engine.ts';
import { ignoreError } from './first-bytes.ts';
import { wasReset } from './reset-check.ts';

export interface RelayOptions {
  readonly client: Socket;
  readonly endpoint: Socket;
  /** 0: for ever. */
  readonly idleTimeoutMs: number;
  /** Negative: for ever. */
  readonly halfClosedIdleMs: number;
  readonly onBytesIn: (count: number) => void;
  readonly onBytesOut: (count: number) => void;
  /** Called once, when both sockets are closed or being closed. */
  readonly onEnd: (reason: TcpEndReason) => void;
}

/**
 * Bytes of one direction that wait in this process for a slow reader before the writer is made to wait. Sockets are
 * made with it as their `highWaterMark`, so that above it `drain` is sure to come.
 */
export const maxWaitingBytes: number = 64 * 1024;

export class Relay {
  readonly #options: RelayOptions;
  #isOver = false;

  /** Both sockets are paused and nobody else reads them. */
  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** `head` is what has been read from the client already. */
  start(head: Buffer): void {
    const { client, endpoint, idleTimeoutMs, onBytesIn, onBytesOut } = this.#options;
    if (head.length > 0) {
      onBytesIn(head.length);
      endpoint.write(head);
    }
    this.#carry(client, endpoint, onBytesIn, 'client_reset');
    this.#carry(endpoint, client, onBytesOut, 'endpoint_reset');
    // The client's socket sees the bytes of both directions, so its timer is enough.
    if (idleTimeoutMs > 0) client.setTimeout(idleTimeoutMs);
  }

  /** Has the kernel ask whether the other ends live, after so long a silence. */
  keepAlive(clientMs: number, endpointMs: number): void {
    const { client, endpoint } = this.#options;
    client.setKeepAlive(true, clientMs);
    endpoint.setKeepAlive(true, endpointMs);
  }

  /** Resets both sides. */
  abort(reason: TcpEndReason): void {
    if (this.#isOver) return;
    this.#finish(reason);
    resetSocket(this.#options.client);
    resetSocket(this.#options.endpoint);
  }

  #carry(from: Socket, to: Socket, count: (bytes: number) => void, failure: TcpEndReason): void {
    from.on('data', (chunk: Buffer) => {
      count(chunk.length);
      // Without a reader the rest is thrown away, so that the writer can come to its end.
      if (to.destroyed) return;
      to.write(chunk);
      if (to.writableLength > maxWaitingBytes) from.pause();
    });
    to.on('drain', () => from.resume());
    const onEnd = () => {
      if (wasReset(from)) {
        this.#cut(to, failure);
        from.destroy();
        return;
      }
      if (!to.destroyed) to.end();
      this.#limitSilence();
    };
    from.off('error', ignoreError);
    from.on('error', () => this.#fail(from, to, failure));
    from.on('close', () => this.#close(from, to, failure));
    from.on('timeout', () => this.#giveUp());
    // It may have ended or failed while nobody was looking.
    if (from.readableEnded) onEnd();
    else from.on('end', onEnd);
    if (from.destroyed) this.#close(from, to, failure);
    else from.resume();
  }

  /**
   * A side that had ended before it failed has sent all it had: the other gets every byte of it, and what comes back
   * is thrown away. A side that fails in the middle takes the connection with it, so that nobody takes a part for
   * the whole.
   */
  #fail(failed: Socket, other: Socket, failure: TcpEndReason): void {
    if (failed.readableEnded) {
      other.resume();
      this.#limitSilence();
    } else this.#cut(other, failure);
  }

  #close(closed: Socket, other: Socket, failure: TcpEndReason): void {
    if (!closed.readableEnded) this.#cut(other, failure);
    else if (other.destroyed) this.#finish('finished');
  }

  #cut(other: Socket, failure: TcpEndReason): void {
    if (this.#isOver) return;
    this.#finish(failure);
    resetSocket(other);
  }

  /** One side has ended: from here on silence has a limit. */
  #limitSilence(): void {
    const { client, endpoint, halfClosedIdleMs, idleTimeoutMs } = this.#options;
    if (halfClosedIdleMs < 0) return;
    const limitMs = Math.max(1, Math.min(halfClosedIdleMs, idleTimeoutMs || halfClosedIdleMs));
    const watched = client.destroyed ? endpoint : client;
    if (!watched.destroyed) watched.setTimeout(limitMs);
  }

  #giveUp(): void {
    const { client, endpoint } = this.#options;
    const isHalfClosed = client.readableEnded || endpoint.readableEnded;
    this.#finish(isHalfClosed ? 'half_closed_timeout' : 'idle_timeout');
    client.destroy();
    endpoint.destroy();
  }

  #finish(reason: TcpEndReason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onEnd(reason);
  }
}

/** Tells the peer that the connection was cut, not finished. */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  // Only a plain TCP handle can be reset; a TLS session without its closing alert reads as cut anyway.
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
