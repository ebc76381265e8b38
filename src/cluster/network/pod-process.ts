/** A program running in a pod, as one unit: what it started ends with it. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { PodNetworkError } from './pod-network-error.ts';

/** A file or directory of this machine that the program sees at another path. */
export interface Mount {
  readonly source: string;
  /** Absolute. Made where it does not exist and can be. */
  readonly target: string;
  readonly readOnly: boolean;
}

export interface PodProcessOptions {
  /** All of it: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  /** Seen by this program alone. Ignored where there are no mount namespaces. */
  readonly mounts?: readonly Mount[];
  /** Whether the standard input stays open. */
  readonly stdin?: boolean;
  /** Runs among the processes of this one, and sees its files, rather than alone. */
  readonly beside?: PodProcess;
}

export interface PodProcess {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The program's process id as the cluster process sees it; undefined before it runs and after it ended. */
  readonly pid: number | undefined;
  /**
   * The exit code, once the program and what it started have ended: 128 + the signal's number when a signal ended it,
   * as shells and container runtimes count. Never rejects.
   */
  readonly exited: Promise<number>;
  /** Sends the signal to the program. Nothing happens when it has ended. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it and everything it started, at once. */
  kill(): void;
}

/** A child's standard streams, with nobody's failure to write or read taking this process down. */
export function podStreams(child: ChildProcess): Pick<PodProcess, 'stdin' | 'stdout' | 'stderr'> {
  const { stdin, stdout, stderr } = child;
  if (!stdout || !stderr)
    throw new PodNetworkError('the process could not be started: no files left for its output');
  for (const stream of [stdin, stdout, stderr, child]) stream?.on('error', () => undefined);
  return { stdin: stdin ?? undefined, stdout, stderr };
}

/** 128 for a program that could not be started. */
export async function whenExited(child: ChildProcess): Promise<number> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return signal === null ? (code ?? 0) : 128 + constants.signals[signal];
  } catch {
    return 128;
  }
}

/** Ids of a process's children. Empty when it is gone. */
export function childrenOf(pid: number): number[] {
  // The kernel keeps them by the thread that started them: in some languages that is any of them.
  return threadsOf(pid).flatMap((threadId) =>
    readProc(`${pid}/task/${threadId}/children`).split(' ').filter(Boolean).map(Number),
  );
}

/** Ids of a process's threads. Empty when it is gone. */
export function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** A file below /proc as text. Empty when its process or thread is gone. */
export function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return '';
  }
}

/** Nothing happens when the process, or group for a negative id, is gone or became another user's. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
