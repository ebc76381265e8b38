import { execFile } from 'node:child_process';
import { PodNetworkError } from './pod-network-error.ts';

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Runs `ip` commands in this process's network namespace. Those asked for while one runs are run together. */
export class IpBatch {
  private readonly ip: string;
  private waiting: Waiting[] = [];
  private isRunning = false;

  constructor(ip: string) {
    this.ip = ip;
  }

  /** `line` is the command without `ip`. Throws `PodNetworkError` with what `ip` said. */
  run(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ line, resolve, reject });
      this.runNext();
    });
  }

  private runNext(): void {
    if (this.isRunning || this.waiting.length === 0) return;
    const batch = this.waiting;
    this.waiting = [];
    this.isRunning = true;
    // -force: one pod's failure is not the others'.
    const child = execFile(this.ip, ['-force', '-batch', '-'], (error, _, stderr) => {
      this.isRunning = false;
      for (const [index, { line, resolve, reject }] of batch.entries()) {
        const hasFailed = stderr.includes(`Command failed -:${index + 1}`) || (error && !stderr);
        if (hasFailed) reject(new PodNetworkError(`ip ${line}: ${stderr.trim() || error?.message}`));
        else resolve();
      }
      this.runNext();
    });
    child.stdin?.end(batch.map(({ line }) => `${line}\n`).join(''));
  }
}
