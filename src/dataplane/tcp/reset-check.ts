/** Whether what Node reports as the end of a stream is one. */

import { readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

const oneByte = Buffer.alloc(1);

/**
 * To be asked when `end` is emitted. A reset that follows data is reported as an end by libuv: when the peer has hung
 * up and the last read was a short one, it does not ask the kernel again (uv__stream_io in its src/unix/stream.c).
 * The kernel still has the reset for whoever reads next; after a real end it goes on to say end.
 */
export function wasReset(socket: Socket): boolean {
  // In TLS the record layer has its own end.
  if (socket instanceof TLSSocket) return false;
  const descriptor = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd ?? -1;
  if (descriptor < 0) return false;
  try {
    readSync(descriptor, oneByte, 0, 1, null);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EAGAIN';
  }
}
