/**
 * Whether programs have work at hand. Who answers is on a core, waits for one or for a disk, or sleeps; asleep with
 * nothing left to read is done. On Linux; elsewhere programs count as asleep.
 *
 * One look does not tell: while the threads are read one after the other, one that was seen asleep may be woken by one
 * that is asleep when its turn comes. Two looks do: a thread that was asleep in both and ran on no core in between
 * (its switches count that) slept all the time, so all slept at the moment between the looks.
 */

import { childrenOf, type PodProcess, readProc, threadsOf } from './pod-process.ts';

/**
 * What the programs, with all that they started, have run so far: twice the same means that nothing has run in between.
 * Undefined when one of their threads has work at hand.
 */
export function restMarkOf(programs: Iterable<Pick<PodProcess, 'pid'>>): string | undefined {
  const marks: string[] = [];
  for (const { pid } of programs) {
    for (const processId of pid === undefined ? [] : familyOf(pid)) {
      for (const threadId of threadsOf(processId)) {
        const mark = threadMark(readProc(`${processId}/task/${threadId}/status`));
        if (mark === undefined) return undefined;
        marks.push(`${threadId}:${mark}`);
      }
    }
  }
  return marks.join(' ');
}

function familyOf(processId: number): number[] {
  return [processId, ...childrenOf(processId).flatMap(familyOf)];
}

/** From the text of /proc/PID/task/TID/status (proc(5)): R runs or waits for a core, D waits for a disk. */
export function threadMark(status: string): string | undefined {
  if (/^State:\s+[RD]/m.test(status)) return undefined;
  return [...status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s+(\d+)$/gm)]
    .map(([, count]) => count)
    .join('+');
}
