/**
 * Memory limits by looking: without cgroups of our own, nothing in the kernel enforces them. What a container holds is
 * what its processes have in memory that no file backs, as a cgroup would charge it.
 */

import { readFile } from 'node:fs/promises';
import { childrenOf } from '../network/index.ts';
import { pause } from './timing.ts';

const intervalMs = 250;

/** Resolves with the bytes held when they exceed the limit, or with undefined when the signal aborts. */
export async function memoryExceeded(
  pid: () => number | undefined,
  limitBytes: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  while (!signal.aborted) {
    const first = pid();
    const bytes = first === undefined ? 0 : await heldBy(first);
    if (bytes > limitBytes && !signal.aborted) return bytes;
    await pause(intervalMs, signal);
  }
  return undefined;
}

/** The process's and its descendants'. */
async function heldBy(pid: number): Promise<number> {
  const own = residentBytes(await readFile(`/proc/${pid}/status`, 'latin1').catch(() => ''));
  const others = await Promise.all(childrenOf(pid).map(heldBy));
  return others.reduce((sum, bytes) => sum + bytes, own);
}

/** From the text of /proc/PID/status (proc(5)), which counts in KiB. */
export function residentBytes(status: string): number {
  const kibibytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  return (kibibytes('RssAnon') + kibibytes('RssShmem')) * 1024;
}
