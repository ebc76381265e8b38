/** A worker as the engine sees it: commands with answers, and another in its place when it fails. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Libc, WakeEvent } from '../../native/index.ts';
import type { EngineLog } from '../engine-log.ts';
import { FileLedger } from './file-ledger.ts';
import type { EndpointsReport, WorkerCommand, WorkerReport, WorkerSetup } from './messages.ts';

type Uncounted<Command> = Command extends unknown ? Omit<Command, 'id'> : never;
export type Order = Uncounted<WorkerCommand>;

/** A worker that fails again and again is started again after ever longer pauses, up to this. */
const longestPauseMs = 5_000;
const firstPauseMs = 10;
/** With this pause, three have failed in a row. */
const hopelessPauseMs = 40;
/** A worker that lived this long had not failed at its start. */
const soundLifeMs = 10_000;

export interface WorkerHandleOptions {
  readonly libc: Libc;
  readonly worker: number;
  readonly share: number;
  readonly maxChannels: number;
  readonly log: EngineLog;
  /** What a new worker is told first, after it took the place of one that failed. */
  readonly ordersAfterRestart: () => readonly Order[];
  readonly onEndpoints: (reports: readonly EndpointsReport[]) => void;
  /** Called when the worker has failed and what it held is closed. */
  readonly onFailure: () => void;
}

interface Pending {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class WorkerHandle {
  readonly #options: WorkerHandleOptions;
  readonly #wake: WakeEvent;
  readonly #sharedLedger = FileLedger.allocate();
  readonly #pending = new Map<number, Pending>();
  #thread: Worker | undefined;
  #nextId = 1;
  #pauseMs = firstPauseMs;
  #startedAtMs = 0;
  #restart: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: WorkerHandleOptions) {
    this.#options = options;
    this.#wake = new WakeEvent(options.libc);
    this.#start();
  }

  /** Resolves when the worker has done it. One that fails meanwhile does it in its next life. */
  order(order: Order): Promise<void> {
    const id = this.#nextId++;
    const done = new Promise<void>((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    this.#keepProcessAlive();
    this.#post({ ...order, id } as WorkerCommand);
    return done;
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearTimeout(this.#restart);
    const thread = this.#thread;
    if (thread) {
      const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
      this.#keepProcessAlive();
      this.#post({ kind: 'stop', id: 0 });
      await ended;
    }
    new FileLedger(this.#options.libc, this.#sharedLedger).closeAll();
    this.#wake.close();
    this.#settleAll();
  }

  #start(): void {
    const { worker, share, maxChannels } = this.#options;
    const setup: WorkerSetup = {
      worker,
      share,
      wakeFd: this.#wake.fd,
      ledger: this.#sharedLedger,
      maxChannels,
    };
    // Options of the process's own script (--input-type, --eval) are not for this one.
    const options = { workerData: setup, name: `sluice udp ${worker}`, execArgv: [] };
    const thread = new Worker(workerScript(), options);
    let failure: Error | undefined;
    this.#thread = thread;
    this.#startedAtMs = performance.now();
    thread.on('message', (report: WorkerReport) => this.#onReport(report));
    thread.on('error', (error: Error) => {
      failure = error;
    });
    thread.on('exit', () => this.#onExit(failure));
    this.#keepProcessAlive();
  }

  #onReport(report: WorkerReport): void {
    if (report.kind === 'log') {
      this.#options.log(report.level, report.message);
      return;
    }
    if (report.kind === 'done') this.#options.onEndpoints(report.endpoints);
    const pending = this.#pending.get(report.id);
    this.#pending.delete(report.id);
    this.#keepProcessAlive();
    if (report.kind === 'done') pending?.resolve();
    else pending?.reject(new Error(report.message));
  }

  /** While someone waits for an answer. A worker that waits for datagrams is no reason of its own. */
  #keepProcessAlive(): void {
    if (this.#pending.size > 0 || this.#isStopped) this.#thread?.ref();
    else this.#thread?.unref();
  }

  #onExit(failure: Error | undefined): void {
    this.#thread = undefined;
    if (this.#isStopped) return;
    const { log, worker, libc, onFailure } = this.#options;
    if (performance.now() - this.#startedAtMs > soundLifeMs) this.#pauseMs = firstPauseMs;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(longestPauseMs, 2 * pauseMs);
    log(
      'error',
      `UDP worker ${worker} failed (${failure?.message ?? 'it ended'}); its sessions are lost, another takes its place in ${pauseMs} ms`,
    );
    new FileLedger(libc, this.#sharedLedger).closeAll();
    onFailure();
    // Nobody waits for ever for a worker that cannot even start.
    if (pauseMs >= hopelessPauseMs) this.#rejectAll(failure ?? new Error('the UDP worker ended'));
    this.#restart = setTimeout(() => this.#startAgain(), pauseMs);
  }

  #startAgain(): void {
    const { log, worker, ordersAfterRestart } = this.#options;
    this.#start();
    const orders = ordersAfterRestart().map((order) => this.order(order));
    Promise.all(orders).then(
      () => {
        log('info', `UDP worker ${worker} is back`);
        // What was asked of the one that failed is part of what this one was told.
        this.#settleAll();
      },
      (error: Error) => log('error', `UDP worker ${worker}: ${error.message}`),
    );
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #settleAll(): void {
    for (const { resolve } of this.#pending.values()) resolve();
    this.#pending.clear();
  }

  #post(command: WorkerCommand): void {
    this.#thread?.postMessage(command);
    this.#wake.signal();
  }
}

/** Threads are started from compiled files: Node 20 does not run TypeScript. In a checkout, `npm run build` makes them. */
function workerScript(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('./worker-thread.js', import.meta.url);
  const compiled = new URL('../../../../dist/dataplane/udp/native/worker-thread.js', import.meta.url);
  if (!existsSync(fileURLToPath(compiled))) throw new Error('the UDP worker is not built: `npm run build`');
  return compiled;
}
