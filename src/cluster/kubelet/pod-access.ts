/** What people ask of a node's pods: their logs, and ways into them. Refusals are worded as the API server words them. */

import type { Duplex } from 'node:stream';
import { ApiError } from '../../kubernetes/index.ts';
import type { PodNetwork, PodProcess } from '../network/index.ts';
import type { ContainerRunner } from './container.ts';
import { type LogReadOptions, readLog } from './logs/log-reader.ts';
import type { PodWorker } from './pod-worker.ts';
import {
  type AttachedStreams,
  attachToContainer,
  dial,
  type ExecOptions,
  execInContainer,
  type PodPlace,
} from './sessions.ts';
import { pause } from './timing.ts';

export interface PodLogOptions extends LogReadOptions {
  /** May be left out where the pod has one container. */
  readonly container?: string;
  /** The run before the present one. */
  readonly previous?: boolean;
}

/** Commands, attachments and connections at a time, on the whole node. */
const maxSessions = 256;

/** How long to wait for the output of a program that has ended. */
const lastWordsMs = 1_000;

export class PodAccess {
  private readonly network: PodNetwork;
  private readonly workers: ReadonlyMap<string, PodWorker>;
  private sessions = 0;

  /** `workers` by any key. */
  constructor(network: PodNetwork, workers: ReadonlyMap<string, PodWorker>) {
    this.network = network;
    this.workers = workers;
  }

  async *readLogs(namespace: string, pod: string, options: PodLogOptions): AsyncGenerator<string> {
    const worker = this.workerOf(namespace, pod);
    const runner = containerOf(worker, options.container);
    const log = options.previous ? runner.previousLog : runner.log;
    if (!log) throw new ApiError('BadRequest', noLogMessage(worker, runner, options.previous === true));
    // What a program wrote last may still be on its way when it has ended.
    const isOver = log !== runner.log || !runner.running;
    if (isOver) await pause(lastWordsMs, options.signal, log.ended());
    yield* readLog(log, options);
  }

  exec(namespace: string, pod: string, options: ExecOptions): PodProcess {
    const { place, run } = this.runningContainer(namespace, pod, options.container);
    const process = this.counted(() => execInContainer(place, run, options));
    void process.exited.then(() => this.sessions--);
    return process;
  }

  attach(namespace: string, pod: string, container: string | undefined): AttachedStreams {
    const { run } = this.runningContainer(namespace, pod, container);
    const attached = this.counted(() => attachToContainer(run));
    attached.stdout.once('close', () => this.sessions--);
    return attached;
  }

  async dial(namespace: string, pod: string, port: number): Promise<Duplex> {
    const place = this.placeOf(this.workerOf(namespace, pod));
    const dialled = this.counted(() => dial(place, port));
    const release = () => this.sessions--;
    dialled.then((stream) => stream.once('close', release), release);
    return dialled;
  }

  /** Throws `ApiError` TooManyRequests at the limit. */
  private counted<Value>(open: () => Value): Value {
    if (this.sessions >= maxSessions) {
      throw new ApiError('TooManyRequests', `too many sessions: ${maxSessions} are open on this node`);
    }
    const opened = open();
    this.sessions++;
    return opened;
  }

  private runningContainer(namespace: string, pod: string, container: string | undefined) {
    const worker = this.workerOf(namespace, pod);
    const { phase } = worker.pod.status ?? {};
    if (phase === 'Succeeded' || phase === 'Failed') {
      const message = `cannot exec into a container in a completed pod; current phase is ${phase}`;
      throw new ApiError('BadRequest', message);
    }
    const runner = containerOf(worker, container);
    if (!runner.running) throw new ApiError('BadRequest', `container not found ("${runner.name}")`);
    return { place: this.placeOf(worker), run: runner.running };
  }

  private placeOf({ networkName, address = '' }: PodWorker): PodPlace {
    return { network: this.network, networkName, address };
  }

  private workerOf(namespace: string, name: string): PodWorker {
    for (const worker of this.workers.values()) {
      const { metadata } = worker.pod;
      if (metadata.namespace === namespace && metadata.name === name) return worker;
    }
    throw new ApiError('NotFound', `pods "${name}" not found`);
  }
}

function containerOf(
  { pod, initContainers, containers }: PodWorker,
  name: string | undefined,
): ContainerRunner {
  const all = [...initContainers, ...containers];
  const podName = pod.metadata.name;
  if (name === undefined && all.length > 1) {
    const names = all.map((runner) => runner.name).join(' ');
    throw new ApiError(
      'BadRequest',
      `a container name must be specified for pod ${podName}, choose one of: [${names}]`,
    );
  }
  const found = name === undefined ? all[0] : all.find((runner) => runner.name === name);
  if (!found) throw new ApiError('BadRequest', `container ${name} is not valid for pod ${podName}`);
  return found;
}

function noLogMessage({ pod }: PodWorker, { name, status }: ContainerRunner, previous: boolean): string {
  const common = `container "${name}" in pod "${pod.metadata.name}"`;
  if (previous) return `previous terminated ${common} not found`;
  const reason = status.state.waiting?.reason ?? 'ContainerCreating';
  const isPullFailure = reason === 'ErrImagePull' || reason === 'ImagePullBackOff';
  return `${common} is waiting to start: ${isPullFailure ? 'trying and failing to pull image' : reason}`;
}
