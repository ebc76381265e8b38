/** What a failed system call is told as. */

import { constants } from 'node:os';
import type { Libc } from './libc.ts';

const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));
// It has two names.
names.set(constants.errno.EAGAIN, 'EAGAIN');

/** `EAGAIN` for 11; `errno 1234` for a number without a name. */
export const errnoName = (errno: number): string => names.get(errno) ?? `errno ${errno}`;

/** The numbers the packet path compares with. */
export const errno = {
  EINTR: 4,
  EAGAIN: 11,
  EINVAL: 22,
  EMFILE: 24,
  EMSGSIZE: 90,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
} as const;

/** A system call that failed, in the shape of Node's own: `code`, `errno` (negative there, positive here), `syscall`. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  /** For example `EADDRINUSE`. */
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number, detail?: string) {
    const code = errnoName(errno);
    super(`${syscall} ${code}${detail === undefined ? '' : `: ${detail}`}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** The call's result, or `SystemCallError` where it is negative. */
export function check(libc: Libc, syscall: string, result: number, detail?: string): number {
  if (result < 0) throw new SystemCallError(syscall, libc.errno(), detail);
  return result;
}
