/**
 * A worker's loop: wait for sockets, carry answers, carry requests, obey the engine, forget idle sessions. It holds the
 * thread from its start to its end; between two rounds is the only time that a table, an entry point or a session changes
 * under anyone's feet.
 */

import {
  clockReader,
  clocks,
  type Libc,
  Poller,
  pollEvents,
  setTimerSlack,
  WakeEvent,
} from '../../native/index.ts';
import { endpointState } from '../core/endpoint-slots.ts';
import { TapWriter } from '../core/tap-ring.ts';
import { Bounces } from './bounces.ts';
import { Channels } from './channels.ts';
import { FileLedger } from './file-ledger.ts';
import type {
  DecisionChange,
  EndpointsReport,
  OpenCommand,
  TapCommand,
  WorkerCommand,
  WorkerReport,
  WorkerSetup,
} from './messages.ts';
import { NativeEntryPoint } from './native-entry-point.ts';
import { Pace } from './pace.ts';
import { ReplyPath } from './reply-path.ts';
import { RequestPath } from './request-path.ts';

/** Sockets that one wait reports at most. */
const maxEvents = 256;
/** While there are sessions they are looked over this often; one may outlive its timeout by as much. */
const tickMs = 20;
const quietTickMs = 500;
const expiredPerTick = 4_096;
/** How long a busy worker lets datagrams gather: see `Pace`. */
const gatherUs = 50;
/** Sleeps end within this; the kernel's own default would double them. */
const timerSlackNs = 1_000;
const wakeKey = -1;
/** Listeners' keys are below this, channels' are from 0 on. */
const firstListenerKey = -2;

export interface WorkerMail {
  /** The next command, if there is one. */
  next(): WorkerCommand | undefined;
  report(report: WorkerReport): void;
}

interface PolledListener {
  readonly entryPoint: NativeEntryPoint;
  readonly listener: number;
}

export class WorkerLoop {
  readonly #setup: WorkerSetup;
  readonly #mail: WorkerMail;
  readonly #libc: Libc;
  readonly #poller: Poller;
  readonly #wake: WakeEvent;
  readonly #channels: Channels;
  readonly #bounces: Bounces;
  readonly #requests: RequestPath;
  readonly #replies: ReplyPath;
  readonly #ledger: FileLedger;
  /** By number; a number is used again once its entry point is shut. */
  readonly #entryPoints: (NativeEntryPoint | undefined)[] = [];
  /** By `firstListenerKey - key`. */
  readonly #listeners: (PolledListener | undefined)[] = [];
  readonly #ready = new Int32Array(maxEvents);
  /** By serial. */
  readonly #sharedBuffers = new Map<number, SharedArrayBuffer>();
  readonly #pace: Pace;
  #round = 0;
  #nowMs = 0;
  /** Datagrams received in this turn. */
  #moved = 0;
  #nextTickMs = 0;
  #isStopping = false;

  constructor(libc: Libc, setup: WorkerSetup, mail: WorkerMail) {
    this.#libc = libc;
    this.#setup = setup;
    this.#mail = mail;
    this.#ledger = new FileLedger(libc, setup.ledger);
    this.#poller = new Poller(libc, maxEvents);
    this.#pace = new Pace(clockReader(libc, clocks.threadCpu));
    this.#ledger.add(this.#poller.fd);
    this.#wake = new WakeEvent(libc, setup.wakeFd);
    this.#poller.add(this.#wake.fd, pollEvents.readable, wakeKey);
    this.#channels = new Channels(libc, this.#ledger, setup.maxChannels);
    this.#bounces = new Bounces(libc, this.#channels);
    this.#requests = new RequestPath(libc, this.#channels, this.#bounces);
    this.#replies = new ReplyPath(libc, this.#channels);
  }

  /** Returns when the engine says stop. */
  run(): void {
    setTimerSlack(this.#libc, timerSlackNs);
    while (!this.#isStopping) {
      if (this.#pace.shouldGather(this.#moved, this.#nowMs)) this.#libc.usleep(gatherUs);
      const count = this.#poller.wait(this.#channels.count > 0 ? tickMs : quietTickMs);
      const nowMs = performance.now();
      this.#nowMs = nowMs;
      this.#moved = 0;
      this.#round++;
      const listeners = this.#carryReplies(count, nowMs);
      for (let index = 0; index < listeners; index++) {
        const polled = this.#listeners[this.#ready[index] as number];
        if (polled)
          this.#moved += this.#requests.receive(polled.entryPoint, polled.listener, nowMs, this.#round);
      }
      if (nowMs >= this.#nextTickMs) this.#tick(nowMs);
    }
  }

  /** Also obeys commands. Gives how many listeners are ready; which, is in `#ready`. */
  #carryReplies(count: number, nowMs: number): number {
    let listeners = 0;
    let isCalled = false;
    for (let index = 0; index < count; index++) {
      const key = this.#poller.key(index);
      if (key >= 0) this.#onChannel(key, this.#poller.events(index), nowMs);
      else if (key === wakeKey) isCalled = true;
      else this.#ready[listeners++] = firstListenerKey - key;
    }
    this.#replies.flush();
    if (isCalled) this.#obey();
    return listeners;
  }

  #onChannel(channel: number, events: number, nowMs: number): void {
    const channels = this.#channels;
    // It may have been closed in this very round.
    if ((channels.fd[channel] as number) < 0) return;
    const entryPoint = this.#entryPoints[channels.owner[channel] as number];
    if (!entryPoint) return;
    if ((events & pollEvents.readable) !== 0) {
      this.#moved += this.#replies.receive(entryPoint, channel, nowMs, this.#round);
    }
    if ((events & pollEvents.error) !== 0 && (channels.fd[channel] as number) >= 0) {
      this.#bounces.take(entryPoint, channel, nowMs);
    }
  }

  #tick(nowMs: number): void {
    this.#nextTickMs = nowMs + tickMs;
    for (const entryPoint of this.#entryPoints) entryPoint?.tick(nowMs, expiredPerTick);
  }

  #obey(): void {
    this.#wake.drain();
    for (let command = this.#mail.next(); command; command = this.#mail.next()) {
      if (command.kind === 'crash') throw new Error('made to crash');
      try {
        this.#do(command);
        this.#mail.report({ kind: 'done', id: command.id, endpoints: this.#endpoints(command) });
      } catch (error) {
        this.#mail.report({
          kind: 'failed',
          id: command.id,
          message: error instanceof Error ? error.message : String(error),
        });
      }
    }
  }

  #do(command: Exclude<WorkerCommand, { kind: 'crash' }>): void {
    switch (command.kind) {
      case 'open':
        this.#open(command);
        break;
      case 'shut':
        this.#shut(command.serial);
        break;
      case 'apply':
        this.#apply(command.changes);
        break;
      case 'tap':
        this.#tap(command);
        break;
      case 'stop':
        for (const entryPoint of this.#entryPoints.slice()) if (entryPoint) this.#shut(entryPoint.serial);
        this.#poller.close();
        this.#isStopping = true;
        break;
    }
  }

  /** Throws the first failure, when all is done: an entry point whose decision is of no use keeps the one it has. */
  #apply(changes: readonly DecisionChange[]): void {
    const failures: unknown[] = [];
    const byName = new Map(changes.map((change) => [change.entryPoint, change]));
    for (const entryPoint of this.#entryPoints) {
      const change = entryPoint && byName.get(entryPoint.name);
      if (!change) continue;
      try {
        entryPoint.apply(change.decision);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #open(command: OpenCommand): void {
    const vacant = this.#entryPoints.indexOf(undefined);
    const number = vacant >= 0 ? vacant : this.#entryPoints.length;
    const { serial } = command;
    const entryPoint: NativeEntryPoint = new NativeEntryPoint({
      libc: this.#libc,
      poller: this.#poller,
      channels: this.#channels,
      number,
      serial,
      entryPoint: command.entryPoint,
      listeners: command.listeners,
      seed: command.seed,
      worker: this.#setup.worker,
      share: command.share,
      counters: new Float64Array(command.counters),
      errors: new Float64Array(command.errors),
      bucket: command.bucket,
      ...(command.sessionLog ? { sessionLog: command.sessionLog } : {}),
      allocateCounters: (values) => this.#allocate(serial, values),
      beforeSessionEnds: () => this.#replies.flush(),
      drainChannel: (channel) => this.#requests.drain(entryPoint, channel),
    });
    entryPoint.apply(command.decision);
    this.#entryPoints[number] = entryPoint;
    for (const [listener, { fd }] of command.listeners.entries()) {
      const vacantKey = this.#listeners.indexOf(undefined);
      const at = vacantKey >= 0 ? vacantKey : this.#listeners.length;
      this.#listeners[at] = { entryPoint, listener };
      this.#poller.add(fd, pollEvents.readable, firstListenerKey - at);
    }
  }

  #tap({ entryPoint: name, shared, every }: TapCommand): void {
    const entryPoint = this.#entryPoints.find((candidate) => candidate?.name === name);
    if (entryPoint) entryPoint.core.tap = shared && new TapWriter(shared, every);
  }

  #shut(serial: number): void {
    const number = this.#entryPoints.findIndex((entryPoint) => entryPoint?.serial === serial);
    const entryPoint = this.#entryPoints[number];
    if (!entryPoint) return;
    entryPoint.core.endAllSessions();
    for (const { fd } of entryPoint.listeners) this.#poller.remove(fd);
    for (const [at, polled] of this.#listeners.entries()) {
      if (polled?.entryPoint === entryPoint) this.#listeners[at] = undefined;
    }
    this.#entryPoints[number] = undefined;
    this.#sharedBuffers.delete(serial);
  }

  #allocate(serial: number, values: number): Float64Array {
    const shared = new SharedArrayBuffer(Math.max(1, values) * 8);
    this.#sharedBuffers.set(serial, shared);
    return new Float64Array(shared);
  }

  /** Of the entry points that the command was about. */
  #endpoints(command: WorkerCommand): EndpointsReport[] {
    const names = new Set(
      command.kind === 'apply'
        ? command.changes.map(({ entryPoint }) => entryPoint)
        : command.kind === 'open'
          ? [command.entryPoint.name]
          : [],
    );
    return this.#entryPoints.flatMap((entryPoint) => {
      if (!entryPoint || !names.has(entryPoint.name)) return [];
      const counters = this.#sharedBuffers.get(entryPoint.serial);
      if (!counters) return [];
      const { descriptions, state } = entryPoint.core.slots;
      const slots = descriptions.flatMap((description, slot) => {
        if (!description) return [];
        const isTerminating = state[slot] === endpointState.terminating;
        return { slot, ...description, state: isTerminating ? ('terminating' as const) : ('ready' as const) };
      });
      return { entryPoint: entryPoint.name, serial: entryPoint.serial, counters, slots };
    });
  }
}
