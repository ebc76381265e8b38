/** A program on this machine's own network, in a process group of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import {
  type PodProcess,
  type PodProcessOptions,
  podStreams,
  sendSignal,
  whenExited,
} from './pod-process.ts';
import { findProgram } from './programs.ts';
import type { Watchdog } from './watchdog.ts';

export class LoopbackProcess implements PodProcess {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<number>;
  private readonly child: ChildProcess;

  constructor(watchdog: Watchdog, command: readonly [string, ...string[]], options: PodProcessOptions) {
    const [program, ...args] = withDeathSignal(command);
    const id = watchdog.nextId();
    this.child = spawn(program, args, {
      env: { ...options.env, ...watchdog.mark(id) },
      cwd: options.workingDirectory ?? '/',
      detached: true,
      stdio: [options.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    const { pid } = this.child;
    if (pid !== undefined) watchdog.add(pid);
    this.exited = whenExited(this.child).then(async (exitCode) => {
      // What the program started and left behind holds its ports.
      if (pid !== undefined) await watchdog.end(pid, id);
      return exitCode;
    });
    ({ stdin: this.stdin, stdout: this.stdout, stderr: this.stderr } = podStreams(this.child));
  }

  get pid(): number | undefined {
    const { pid, exitCode, signalCode } = this.child;
    return exitCode !== null || signalCode !== null ? undefined : pid;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.pid !== undefined) sendSignal(this.pid, signal);
  }

  kill(): void {
    if (this.pid !== undefined) sendSignal(-this.pid, 'SIGKILL');
  }
}

/** The kernel ends the program when this process dies, at once; what the program started is left to the watchdog. */
function withDeathSignal(command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  const setpriv = process.platform === 'linux' ? findProgram('setpriv') : undefined;
  return setpriv ? [setpriv, '--pdeathsig', 'KILL', ...command] : command;
}
