/** One container of a pod: started, watched, restarted with back-off, and stopped. */

import { randomBytes } from 'node:crypto';
import type { ContainerState, ContainerStatus } from '../../kubernetes/index.ts';
import type { PodNetwork, PodProcess } from '../network/index.ts';
import { BackOff, type BackOffTimes, formatDelay } from './back-off.ts';
import { ContainerConfigError } from './environment.ts';
import { type PodEvent, podEvents } from './events.ts';
import { type ImageSource, waitForImage } from './image-wait.ts';
import type { LogFile } from './logs/log-file.ts';
import { type KubeletPod, longPodName, type PodContainer } from './pod-spec.ts';
import { planStart, type StartPlan, type StartSources, whyNotStartable } from './start-plan.ts';
import { Bell, pause } from './timing.ts';

/** What a container needs of its pod and of the kubelet. */
export interface ContainerHost extends StartSources, ImageSource {
  /** The newest. */
  readonly pod: KubeletPod;
  /** The pod's name in the network. */
  readonly networkName: string;
  readonly network: PodNetwork;
  readonly backOff: BackOffTimes;
  openLog(container: string, restartCount: number): LogFile;
  /** What comes before SIGTERM. Ends when the signal aborts: the grace is over, or the container ended by itself. */
  preStop(run: ContainerRun, signal: AbortSignal): Promise<void>;
  /** Called after each change of a container's status. */
  changed(): void;
  now(): Date;
}

/** What runs beside a container while it runs: probes, the wait for its port. Stops when the signal aborts. */
export type Companion = (run: ContainerRun, signal: AbortSignal) => void;

export interface ContainerRun {
  readonly container: PodContainer;
  readonly process: PodProcess;
  readonly plan: StartPlan;
  setStarted(isStarted: boolean): void;
  setReady(isReady: boolean): void;
  /** Ends this run; the restart policy says whether another follows. */
  end(event: PodEvent, graceMs: number): void;
  /** Makes the run's end one by the memory limit. */
  endForMemory(): void;
}

/** How often a container asks again for a ConfigMap or Secret that was not there. */
const configRetryMs = 1_000;

export class ContainerRunner {
  readonly name: string;
  /** Of the newest run, and of the run before it. */
  log: LogFile | undefined;
  previousLog: LogFile | undefined;
  private current: ContainerRun | undefined;
  private readonly host: ContainerHost;
  private readonly isInit: boolean;
  private readonly companion: Companion;
  private readonly backOff: BackOff;
  private readonly stopping = new AbortController();
  private readonly imageChange = new Bell();
  private container: PodContainer;
  private state: ContainerState;
  private lastState: ContainerState = {};
  private restartCount = -1;
  private isReady = false;
  private isStarted = false;
  private containerID: string | undefined;
  private endedForMemory = false;
  private runEnd = new AbortController();

  constructor(
    host: ContainerHost,
    container: PodContainer,
    options: { isInit: boolean; companion: Companion },
  ) {
    this.host = host;
    this.container = container;
    this.name = container.name;
    this.isInit = options.isInit;
    this.companion = options.companion;
    this.backOff = new BackOff(host.backOff);
    const isFirst = options.isInit || !host.pod.spec.initContainers?.length;
    this.state = { waiting: { reason: isFirst ? 'ContainerCreating' : 'PodInitializing' } };
  }

  get status(): ContainerStatus {
    return {
      name: this.name,
      state: this.state,
      lastState: this.lastState,
      ready: this.isInit && !this.isSidecar ? this.state.terminated?.exitCode === 0 : this.isReady,
      restartCount: Math.max(0, this.restartCount),
      image: this.container.image,
      imageID: this.restartCount < 0 ? '' : this.container.image,
      started: this.isStarted,
      ...(this.containerID ? { containerID: this.containerID } : {}),
    };
  }

  /** What runs now. */
  get running(): ContainerRun | undefined {
    return this.current;
  }

  get isSidecar(): boolean {
    return this.isInit && this.container.restartPolicy === 'Always';
  }

  /** Resolves when it ended and will not be started again. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const plan = await this.prepare();
      if (!plan) return;
      const startedAtMs = performance.now();
      const exitCode = await this.runOnce(plan);
      if (signal.aborted || !this.restartsAfter(exitCode)) return;
      await this.waitBeforeRestart(this.backOff.delayAfter(performance.now() - startedAtMs));
    }
  }

  /** Takes a changed container into use: a new image ends the present run. */
  update(container: PodContainer): void {
    const isChanged = container.image !== this.container.image;
    this.container = container;
    if (isChanged && this.current)
      this.endRun(podEvents.definitionChanged(this.name), graceMsOf(this.host.pod));
    else if (isChanged) this.imageChange.ring();
  }

  /** Ends it for good: the hook, SIGTERM, and SIGKILL when the grace is over. Resolves when it has ended. */
  async stop(graceOver: Promise<void>): Promise<void> {
    this.stopping.abort();
    const { current } = this;
    if (!current) return;
    this.host.record(podEvents.stopping(this.name));
    await this.terminate(current, graceOver);
  }

  private async terminate(run: ContainerRun, graceOver: Promise<void>): Promise<void> {
    const { process } = run;
    const hook = new AbortController();
    const isOver = Promise.race([graceOver, process.exited]).then(() => hook.abort());
    await this.host.preStop(run, hook.signal);
    process.signal('SIGTERM');
    await isOver;
    process.kill();
    await process.exited;
  }

  private endRun(event: PodEvent, graceMs: number): void {
    const { current } = this;
    if (!current) return;
    this.host.record(event);
    void this.terminate(current, pause(graceMs, undefined, current.process.exited));
  }

  private restartsAfter(exitCode: number): boolean {
    if (this.isSidecar) return true;
    const policy = this.host.pod.spec.restartPolicy ?? 'Always';
    if (policy === 'Never') return false;
    return exitCode !== 0 || (policy === 'Always' && !this.isInit);
  }

  private async waitBeforeRestart(delayMs: number): Promise<void> {
    if (delayMs === 0) return;
    const { pod } = this.host;
    const delay = formatDelay(delayMs);
    const message = `back-off ${delay} restarting failed container=${this.name} pod=${longPodName(pod)}`;
    this.lastState = this.state.terminated ? { terminated: this.state.terminated } : this.lastState;
    this.setState({ waiting: { reason: 'CrashLoopBackOff', message } });
    this.host.record(podEvents.restartBackOff(this.name, longPodName(pod)));
    await pause(delayMs, this.stopping.signal);
  }

  /** Waits until there is something to start. Undefined when it is to stop. */
  private async prepare(): Promise<StartPlan | undefined> {
    const program = await waitForImage(this.host, {
      container: () => this.container,
      imageChanged: () => this.imageChange.next(),
      wait: (reason, message) => this.wait(reason, message),
      signal: this.stopping.signal,
    });
    while (program && !this.stopping.signal.aborted) {
      try {
        return await planStart(this.host, this.container, program);
      } catch (error) {
        const isConfig = error instanceof ContainerConfigError;
        const message = error instanceof Error ? error.message : String(error);
        this.wait(isConfig ? 'CreateContainerConfigError' : 'CreateContainerError', message);
        await pause(configRetryMs, this.stopping.signal);
      }
    }
    return undefined;
  }

  private wait(reason: string, message: string): void {
    const { waiting } = this.state;
    if (waiting?.reason === reason && waiting.message === message) return;
    if (this.state.terminated) this.lastState = { terminated: this.state.terminated };
    this.host.record(podEvents.error(reason.startsWith('CreateContainer') ? message : reason));
    this.setState({ waiting: { reason, message } });
  }

  private async runOnce(plan: StartPlan): Promise<number> {
    this.restartCount++;
    this.containerID = `sluice://${randomBytes(32).toString('hex')}`;
    this.endedForMemory = false;
    this.host.record(podEvents.created(this.name));
    const failure = whyNotStartable(plan);
    if (failure) return this.startFailed(failure);
    let process: PodProcess;
    try {
      process = this.spawn(plan);
    } catch (error) {
      // What the system refuses: a zero byte in an argument, more arguments than it takes.
      return this.startFailed(error instanceof Error ? error.message : String(error));
    }
    const startedAt = this.host.now().toISOString();
    this.current = this.runOf(process, plan);
    this.openLog(process);
    this.host.record(podEvents.started(this.name));
    this.lastState = this.state.terminated ? { terminated: this.state.terminated } : this.lastState;
    this.state = { running: { startedAt: seconds(startedAt) } };
    this.runEnd = new AbortController();
    this.companion(this.current, this.runEnd.signal);
    this.host.changed();
    const exitCode = await process.exited;
    this.current = undefined;
    this.runEnd.abort();
    this.ended(exitCode, startedAt);
    return exitCode;
  }

  private spawn({ command, env, workingDirectory, mounts }: StartPlan): PodProcess {
    const { network, networkName } = this.host;
    const stdin = this.container.stdin === true;
    return network.spawn(networkName, command, { env, workingDirectory, mounts, stdin });
  }

  private runOf(process: PodProcess, plan: StartPlan): ContainerRun {
    return {
      container: this.container,
      process,
      plan,
      setStarted: (isStarted) => {
        // A started sidecar lets the next container start; any other init container must have ended.
        this.isStarted = isStarted && (!this.isInit || this.isSidecar);
        this.host.changed();
      },
      setReady: (isReady) => {
        if (this.isReady === isReady || this.current?.process !== process) return;
        this.isReady = isReady;
        this.host.changed();
      },
      end: (event, graceMs) => this.endRun(event, graceMs),
      endForMemory: () => {
        this.endedForMemory = true;
        process.kill();
      },
    };
  }

  private ended(exitCode: number, startedAt: string): void {
    const reason = this.endedForMemory ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
    this.isReady = false;
    this.isStarted = false;
    this.setState({
      terminated: {
        exitCode,
        reason,
        startedAt: seconds(startedAt),
        finishedAt: seconds(this.host.now().toISOString()),
        ...(this.containerID ? { containerID: this.containerID } : {}),
      },
    });
  }

  /** Worded as containerd words it. */
  private startFailed(why: string): number {
    const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ${why}: unknown`;
    const now = seconds(this.host.now().toISOString());
    this.host.record({ type: 'Warning', reason: 'Failed', message: `Error: ${message}` });
    this.setState({
      terminated: {
        exitCode: 128,
        reason: 'StartError',
        message,
        startedAt: '1970-01-01T00:00:00Z',
        finishedAt: now,
        ...(this.containerID ? { containerID: this.containerID } : {}),
      },
    });
    return 128;
  }

  private openLog({ stdout, stderr }: PodProcess): void {
    void this.previousLog?.remove();
    this.previousLog = this.log;
    this.log = this.host.openLog(this.name, this.restartCount);
    this.log.take('stdout', stdout);
    this.log.take('stderr', stderr);
  }

  private setState(state: ContainerState): void {
    this.state = state;
    this.host.changed();
  }
}

function graceMsOf({ spec }: KubeletPod): number {
  return (spec.terminationGracePeriodSeconds ?? 30) * 1000;
}

/** Kubernetes' times have whole seconds. */
function seconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}
