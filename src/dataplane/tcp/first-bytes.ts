/** Waits for the first bytes of a connection, until they say what they are the start of. */

import type { Socket } from 'node:net';

export type FirstBytes<Found> =
  | { readonly kind: 'found'; readonly found: Found; readonly bytes: Buffer }
  /** The client was silent for `silenceMs`. */
  | { readonly kind: 'silence' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'gone' };

/** What the bytes are, or how many it takes, counted from the first, before it is worth asking again. */
export type Judgement<Found> = { readonly found: Found } | { readonly atLeast: number };

export interface FirstBytesOptions<Found> {
  readonly socket: Socket;
  /** What has been read already. */
  readonly bytes: Buffer;
  /** Called with all bytes so far. It must not ask for more for ever. */
  readonly judge: (bytes: Buffer) => Judgement<Found>;
  readonly timeoutMs: number;
  /** Absent: silence is waited for as long as anything else. */
  readonly silenceMs?: number;
}

/**
 * Leaves the socket paused, with nothing read that is not in `bytes`. A client that has sent its end right after them
 * may be `readableEnded` by the time the answer arrives.
 */
export function readFirstBytes<Found>(options: FirstBytesOptions<Found>): Promise<FirstBytes<Found>> {
  const { socket, judge } = options;
  let { bytes } = options;
  const first = bytes.length > 0 ? judge(bytes) : { atLeast: 1 };
  if ('found' in first) return Promise.resolve({ kind: 'found', found: first.found, bytes });
  if (socket.destroyed) return Promise.resolve({ kind: 'gone' });
  return new Promise((resolve) => {
    let wanted = first.atLeast;
    // Joined when there is enough: a client that sends byte by byte must not cost a copy of all for each.
    let waiting: Buffer[] = [];
    let length = bytes.length;
    const settle = (result: FirstBytes<Found>) => {
      clearTimeout(timer);
      clearTimeout(silenceTimer);
      socket.off('data', onData).off('end', onGone).off('close', onGone).off('error', onGone);
      socket.pause();
      // An error that comes between two readers must not be nobody's.
      socket.on('error', ignoreError);
      resolve(result);
    };
    const onData = (chunk: Buffer) => {
      clearTimeout(silenceTimer);
      waiting.push(chunk);
      length += chunk.length;
      if (length < wanted) return;
      bytes = Buffer.concat([bytes, ...waiting]);
      waiting = [];
      const judged = judge(bytes);
      if ('found' in judged) settle({ kind: 'found', found: judged.found, bytes });
      else wanted = judged.atLeast;
    };
    const onGone = () => settle({ kind: 'gone' });
    const timer = setTimeout(() => settle({ kind: 'timeout' }), options.timeoutMs);
    const silenceTimer =
      options.silenceMs === undefined || bytes.length > 0
        ? undefined
        : setTimeout(() => settle({ kind: 'silence' }), options.silenceMs);
    socket.off('error', ignoreError);
    socket.on('data', onData).on('end', onGone).on('close', onGone).on('error', onGone);
    socket.resume();
  });
}

/** What is wrong with the connection shows where it is next used. */
export function ignoreError(): void {}
