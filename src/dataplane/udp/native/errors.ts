/** What a failed send or socket means, by errno (errno(3); the same numbers on x64 and arm64). */

import { errno } from '../../native/index.ts';
import { dropCode } from '../core/verdicts.ts';

const numbers = {
  EPERM: 1,
  ENOMEM: 12,
  ENFILE: 23,
  ENONET: 64,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETUNREACH: 101,
  EHOSTDOWN: 112,
};

/** The endpoint is not there: its datagrams may go to another. */
export function isUnreachable(reason: number): boolean {
  return (
    reason === errno.ECONNREFUSED ||
    reason === errno.EHOSTUNREACH ||
    reason === numbers.ENETUNREACH ||
    reason === numbers.EHOSTDOWN ||
    reason === numbers.ENONET
  );
}

/** No descriptor, port or memory is left: what another session holds would help. */
export function isExhausted(reason: number): boolean {
  return (
    reason === errno.EMFILE ||
    reason === numbers.ENFILE ||
    reason === errno.EAGAIN ||
    reason === numbers.EADDRINUSE ||
    reason === numbers.EADDRNOTAVAIL ||
    reason === errno.ENOBUFS ||
    reason === numbers.ENOMEM
  );
}

/** The drop code of a client's datagram that could not be sent. */
export function sendDropCode(reason: number): number {
  if (isUnreachable(reason)) return dropCode.upstream_unreachable;
  if (reason === errno.EAGAIN) return dropCode.send_queue_full;
  if (reason === errno.EMSGSIZE) return dropCode.too_large;
  return dropCode.send_error;
}

/** The drop code of a client's datagram for which no socket was to be had. */
export function openDropCode(reason: number): number {
  if (isUnreachable(reason)) return dropCode.upstream_unreachable;
  return isExhausted(reason) ? dropCode.no_socket : dropCode.send_error;
}
