/** Ends pods' processes where no PID namespace does it: after their program ended, and after this process was killed. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { sendSignal } from './pod-process.ts';

/** In the environment of every process of a pod, by which those are found that left their process group. */
const markName = 'SLUICE_POD_PROCESS';

export class Watchdog {
  private readonly clusterId: string;
  private readonly shell: ChildProcess;
  private readonly sweep = new Sweep();
  private lastId = 0;

  /** `clusterId` tells this cluster's processes from others'. */
  constructor(clusterId: string) {
    this.clusterId = clusterId;
    this.shell = spawn('/bin/sh', ['-c', watchdogScript, 'watchdog', `${markName}=${clusterId}`], {
      env: {},
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.shell.on('error', () => undefined);
    this.shell.unref();
    this.shell.stdin?.on('error', () => undefined);
  }

  nextId(): string {
    return `${this.clusterId}.${++this.lastId}.`;
  }

  mark(id: string): Record<string, string> {
    return { [markName]: id };
  }

  /** `group` is the id of a process that leads its group. */
  add(group: number): void {
    this.shell.stdin?.write(`add ${group}\n`);
  }

  /** Ends what the group's leader left behind. */
  async end(group: number, id: string): Promise<void> {
    sendSignal(-group, 'SIGKILL');
    this.shell.stdin?.write(`end ${group}\n`);
    await this.sweep.end(`${markName}=${id}`);
  }

  /** Every process has ended by now: the watchdog finds nothing and ends too. */
  async close(): Promise<void> {
    if (this.shell.exitCode !== null || this.shell.signalCode !== null) return;
    const ended = once(this.shell, 'exit');
    this.shell.ref();
    this.shell.stdin?.end();
    await ended;
  }
}

/** Ends processes by the mark in their environment. Marks that come in while one look is taken share the next. */
class Sweep {
  private waiting: string[] = [];
  private next: Promise<void> | undefined;
  private running: Promise<void> = Promise.resolve();

  /** Resolves when every process that bore the mark has been sent SIGKILL. */
  end(mark: string): Promise<void> {
    this.waiting.push(mark);
    this.next ??= this.running.then(() => this.look());
    return this.next;
  }

  private look(): Promise<void> {
    const marks = this.waiting;
    this.waiting = [];
    this.next = undefined;
    this.running = endMarked(marks);
    return this.running;
  }
}

async function endMarked(marks: readonly string[]): Promise<void> {
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '');
    if (marks.some((mark) => environment.includes(mark))) sendSignal(Number(name), 'SIGKILL');
  }
}

/** Its standard input ends when the cluster process does, however that came. Groups first, then whoever bears the mark. */
const watchdogScript = `groups=" "
while read -r action group; do
  case $action in
    add) groups="$groups$group " ;;
    end) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -9 -- "-$group" 2>/dev/null; done
for environment in $(grep -l -a -- "$1" /proc/[0-9]*/environ 2>/dev/null); do
  pid=\${environment#/proc/}
  kill -9 "\${pid%/environ}" 2>/dev/null
done`;
