/** A program in a pod's namespaces, as the first process of a PID and mount namespace of its own: a container. */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import {
  childrenOf,
  type Mount,
  type PodProcess,
  type PodProcessOptions,
  podStreams,
  sendSignal,
  whenExited,
} from './pod-process.ts';
import { programScript } from './program-script.ts';

export interface NamespacePrograms {
  readonly nsenter: string;
  readonly unshare: string;
  readonly setpriv: string;
  readonly sh: string;
}

export class NamespacedProcess implements PodProcess {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<number>;
  /** Ends as the program did; killed, it takes the program with it. */
  private readonly child: ChildProcess;

  constructor(
    programs: NamespacePrograms,
    sandboxPid: number,
    command: readonly [string, ...string[]],
    options: PodProcessOptions,
  ) {
    const { beside } = options;
    const args = beside?.pid
      ? besideArguments(beside.pid, command, options, programs)
      : aloneArguments(sandboxPid, command, options, programs);
    this.child = spawn(programs.nsenter, args, {
      env: { ...options.env },
      stdio: [options.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    this.exited = whenExited(this.child);
    ({ stdin: this.stdin, stdout: this.stdout, stderr: this.stderr } = podStreams(this.child));
  }

  get pid(): number | undefined {
    const { pid, exitCode, signalCode } = this.child;
    return pid === undefined || exitCode !== null || signalCode !== null ? undefined : childrenOf(pid)[0];
  }

  signal(signal: NodeJS.Signals): void {
    const { pid } = this;
    if (pid !== undefined) sendSignal(pid, signal);
  }

  kill(): void {
    const { pid } = this;
    // The program itself rather than its waiter: its exit is then seen when all of it is gone.
    if (pid === undefined) this.child.kill('SIGKILL');
    else sendSignal(pid, 'SIGKILL');
  }
}

/** The pod's namespaces, then PID and mount namespaces of its own. */
function aloneArguments(
  sandboxPid: number,
  command: readonly string[],
  { mounts = [], workingDirectory = '/' }: PodProcessOptions,
  { unshare, setpriv, sh }: NamespacePrograms,
): string[] {
  const pod = ['--target', String(sandboxPid), '--net', '--uts', '--ipc'];
  const waiter = [unshare, '--pid', '--mount', sh, '-c', waiterScript, 'waiter'];
  const first = [setpriv, '--pdeathsig', 'KILL', sh, '-c', programScript, 'container'];
  const places = ['alone', workingDirectory, String(mounts.length), ...mounts.flatMap(mountArguments)];
  return [...pod, ...waiter, ...first, ...places, ...command];
}

/** The namespaces of a running program. */
function besideArguments(
  pid: number,
  command: readonly string[],
  { workingDirectory = '/' }: PodProcessOptions,
  { sh }: NamespacePrograms,
): string[] {
  const namespaces = ['--target', String(pid), '--net', '--uts', '--ipc', '--pid', '--mount', '--root'];
  return [...namespaces, sh, '-c', programScript, 'container', 'beside', workingDirectory, '0', ...command];
}

function mountArguments({ source, target, readOnly }: Mount): string[] {
  return [source, target, readOnly ? 'ro' : 'rw'];
}

/**
 * What `unshare --fork` does, which some releases of util-linux do wrong: they end with 1 when a signal ended the
 * program. A shell's own word on the signal is not the program's output.
 */
const waiterScript = `exec 3>&2 2>/dev/null
(exec "$@" 2>&3 3>&-)
exit $?`;
