/** One pod on this node, from the moment it is bound here until the API has forgotten it. */

import type { Condition, ContainerStatus, ObjectApi, Pod } from '../../kubernetes/index.ts';
import { ApiError, pods } from '../../kubernetes/index.ts';
import type { PodNetwork } from '../network/index.ts';
import { accompany, type CompanionHost, runPreStop } from './companion.ts';
import { type Companion, type ContainerHost, ContainerRunner } from './container.ts';
import { containerEnvironment, podHostname } from './environment.ts';
import { type PodEvent, podEvents } from './events.ts';
import { Grace } from './grace.ts';
import type { ImageProgram } from './images.ts';
import type { KubeletLimits } from './limits.ts';
import type { LogFile } from './logs/log-file.ts';
import { gracePeriodSeconds, type KubeletPod } from './pod-spec.ts';
import { isInitialized, podStatus } from './status.ts';
import { StatusWriter } from './status-writer.ts';
import { Bell, pause } from './timing.ts';
import { type PodDns, PodVolumes, VolumeError } from './volumes/pod-volumes.ts';

/** What the kubelet gives to each of its pods. */
export interface PodHost {
  readonly api: ObjectApi;
  readonly network: PodNetwork;
  readonly hostIP: string;
  readonly limits: KubeletLimits;
  findImage(image: string): ImageProgram | undefined;
  imagesChanged(): Promise<void>;
  adviseOnImage(image: string): string;
  openLog(pod: Pod, container: string, restartCount: number): LogFile;
  /** The pod's own directory for volumes; made when asked for. */
  volumeDirectory(pod: Pod): Promise<string>;
  readonly dns: PodDns | undefined;
  record(pod: Pod, event: PodEvent): void;
  onError(pod: Pod, error: unknown): void;
  now(): Date;
}

/** How long before a network that could not be made is tried again. */
const networkRetryMs = 1_000;
/** How long a pod's programs may take at most to answer what has arrived for them, and how often to look. */
const drainLimitMs = 1_000;
const drainPollMs = 5;
/** How long before volumes are tried again: the object they need may have come. */
const volumeRetryMs = 1_000;

export class PodWorker {
  readonly initContainers: readonly ContainerRunner[];
  readonly containers: readonly ContainerRunner[];
  /** Resolves when the pod is off this node. */
  readonly done: Promise<void>;
  private readonly host: PodHost;
  private readonly status: StatusWriter;
  private readonly stopping = new AbortController();
  private readonly changes = new Bell();
  private readonly startTime: string;
  private newest: KubeletPod;
  private lastConditions: readonly Condition[];
  private podIP: string | undefined;
  private isFinished = false;
  private readonly grace = new Grace();
  private volumes: PodVolumes | undefined;

  constructor(host: PodHost, pod: KubeletPod) {
    this.host = host;
    this.newest = pod;
    this.lastConditions = pod.status?.conditions ?? [];
    this.startTime = seconds(host.now());
    const containerHost = this.containerHost();
    const companion: Companion = (run, signal) => void accompany(this.companionHost(), run, signal);
    const runner = (isInit: boolean) => (container: KubeletPod['spec']['containers'][number]) =>
      new ContainerRunner(containerHost, container, { isInit, companion });
    this.initContainers = (pod.spec.initContainers ?? []).map(runner(true));
    this.containers = pod.spec.containers.map(runner(false));
    this.status = new StatusWriter(
      host.api,
      () => this.withStatus(),
      (error) => host.onError(pod, error),
    );
    this.done = this.live().catch((error: unknown) => host.onError(pod, error));
  }

  get pod(): KubeletPod {
    return this.newest;
  }

  /** Whether none of its containers will be started any more. */
  get isThrough(): boolean {
    return this.isFinished;
  }

  get networkName(): string {
    return this.newest.metadata.uid ?? '';
  }

  get address(): string | undefined {
    return this.podIP;
  }

  /** Takes a newer version of the pod. */
  update(pod: KubeletPod): void {
    this.newest = pod;
    if (pod.metadata.deletionTimestamp) {
      this.end(gracePeriodSeconds(pod) * 1000);
      return;
    }
    for (const container of pod.spec.containers) {
      this.containers.find(({ name }) => name === container.name)?.update(container);
    }
    this.status.touch();
  }

  /** Ends the pod's containers. A shorter grace than one already given shortens it. */
  end(graceMs: number): void {
    this.grace.limitTo(graceMs);
    this.stopping.abort();
    this.changes.ring();
  }

  /** The API refused to hold the pod any longer, or never wanted it: its status is written no more. */
  forget(): void {
    this.status.close();
  }

  private async live(): Promise<void> {
    this.status.touch();
    try {
      if (await this.joinNetwork()) {
        this.tellOfCpuLimits();
        await this.setUpVolumes();
        await this.runInitContainers();
        await this.runContainers();
      }
      this.isFinished = true;
      await this.status.flush();
      await this.host.network.removePod(this.networkName);
      // A pod that is through stays in the API until someone deletes it.
      while (!this.stopping.signal.aborted) await this.changes.next();
      if (this.newest.metadata.deletionTimestamp) await finishDeletion(this.host.api, this.newest);
    } finally {
      await this.host.network.removePod(this.networkName);
      await this.volumes?.remove();
      this.status.close();
    }
  }

  /** Brings volumes up to date that are filled from the object, by its kind and `namespace/name`. */
  async refreshVolumes(kind: 'ConfigMap' | 'Secret', name: string): Promise<void> {
    if (!this.volumes?.uses(kind, name)) return;
    await this.volumes.setUp().catch((error: unknown) => this.host.onError(this.newest, error));
  }

  private tellOfCpuLimits(): void {
    for (const { name, resources } of this.newest.spec.containers) {
      const limit = resources?.limits?.cpu;
      if (limit !== undefined) this.record(podEvents.cpuNotLimited(name, String(limit)));
    }
  }

  private async setUpVolumes(): Promise<void> {
    const { network, api, hostIP } = this.host;
    const dns = network.mode === 'namespaces' ? this.host.dns : undefined;
    if (!this.newest.spec.volumes?.length && !dns) return;
    const directory = await this.host.volumeDirectory(this.newest);
    const facts = { pod: this.newest, podIP: this.podIP ?? '', hostIP };
    this.volumes = new PodVolumes(api, facts, directory, dns);
    while (!this.stopping.signal.aborted) {
      try {
        await this.volumes.setUp();
        if (network.mode === 'loopback') this.tellOfMounts();
        return;
      } catch (error) {
        if (!(error instanceof VolumeError)) throw error;
        this.record(podEvents.mountFailed(error.volume, error.message));
        await pause(volumeRetryMs, this.stopping.signal);
      }
    }
  }

  private tellOfMounts(): void {
    const { containers, initContainers = [] } = this.newest.spec;
    for (const container of [...initContainers, ...containers]) {
      for (const { volume, mount } of this.volumes?.placements(container) ?? []) {
        this.record(podEvents.notMounted(volume, mount.target, mount.source));
      }
    }
  }

  private async joinNetwork(): Promise<boolean> {
    while (!this.stopping.signal.aborted) {
      try {
        const hostname = podHostname(this.newest);
        const { address } = await this.host.network.addPod(this.networkName, { hostname });
        this.podIP = address;
        this.status.touch();
        return true;
      } catch (error) {
        this.record(podEvents.sandboxFailed(error instanceof Error ? error.message : String(error)));
        await pause(networkRetryMs, this.stopping.signal);
      }
    }
    return false;
  }

  private async runInitContainers(): Promise<void> {
    for (const runner of this.initContainers) {
      if (this.stopping.signal.aborted) return;
      const ended = runner.run();
      if (!runner.isSidecar) {
        await this.orStopped(ended, runner);
        if (!isInitialized(runner.status)) return;
        continue;
      }
      while (!isInitialized(runner.status) && !this.stopping.signal.aborted) await this.changes.next();
    }
  }

  private async runContainers(): Promise<void> {
    const isInitializedAll = this.initContainers.every((runner) => isInitialized(runner.status));
    if (isInitializedAll && !this.stopping.signal.aborted) {
      const ended = Promise.all(this.containers.map((runner) => runner.run()));
      await Promise.race([ended, this.whenStopping()]);
    }
    await this.stopContainers(this.containers);
    // Sidecars serve the containers: they go last, and within the grace period even when nobody deleted the pod.
    this.grace.limitTo(graceMsOf(this.newest));
    await this.stopContainers(this.initContainers);
  }

  private async orStopped(ended: Promise<void>, runner: ContainerRunner): Promise<void> {
    await Promise.race([ended, this.whenStopping()]);
    if (this.stopping.signal.aborted) await this.stopContainers([runner]);
  }

  private async stopContainers(runners: readonly ContainerRunner[]): Promise<void> {
    const running = runners.filter((runner) => runner.running !== undefined);
    // The ingress hears of the deletion when the kubelet does: what it sends until it has turned away is still served.
    if (running.some((runner) => runner.status.ready)) await this.drain();
    // Answers may wait for something else than a core: a timer, another pod.
    if (running.length > 0) await pause(this.host.limits.drainMs, undefined, this.grace.over());
    await Promise.all(runners.map((runner) => runner.stop(this.grace.over())));
  }

  /** Then what has arrived is answered too, however busy the machine is, unless the program never comes to rest. */
  private async drain(): Promise<void> {
    const { limits, network } = this.host;
    await pause(limits.drainMs, undefined, this.grace.over());
    const deadlineMs = performance.now() + drainLimitMs;
    while (performance.now() < deadlineMs && !(await network.isDrained(this.networkName))) {
      await pause(drainPollMs, undefined, this.grace.over());
    }
  }

  private whenStopping(): Promise<void> {
    const { signal } = this.stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  private companionHost(): CompanionHost {
    const { network, limits } = this.host;
    return {
      network,
      networkName: this.networkName,
      address: this.podIP ?? '',
      portWaitMs: limits.portWaitMs,
      graceMs: graceMsOf(this.newest),
      record: (event) => this.record(event),
    };
  }

  private record(event: PodEvent): void {
    this.host.record(this.newest, event);
  }

  private withStatus(): Pod {
    const status = podStatus({
      pod: this.newest,
      now: seconds(this.host.now()),
      hostIP: this.host.hostIP,
      podIP: this.podIP,
      startTime: this.startTime,
      lastConditions: this.lastConditions,
      initContainers: this.initContainers.map(statusOf),
      containers: this.containers.map(statusOf),
      isFinished: this.isFinished,
    });
    this.lastConditions = status.conditions ?? [];
    const metadata = { ...this.newest.metadata };
    delete metadata.resourceVersion;
    return { ...this.newest, metadata, status };
  }

  private containerHost(): ContainerHost {
    const { host } = this;
    const pod = () => this.newest;
    return {
      get pod() {
        return pod();
      },
      networkName: this.networkName,
      network: host.network,
      backOff: host.limits.backOff,
      findImage: (image) => host.findImage(image),
      imagesChanged: () => host.imagesChanged(),
      adviseOnImage: (image) => host.adviseOnImage(image),
      environment: (container, program) =>
        containerEnvironment(
          host.api,
          { pod: this.newest, podIP: this.podIP ?? '', hostIP: host.hostIP },
          container,
          program.env ?? {},
        ),
      mounts: (container) => this.volumes?.mounts(container) ?? [],
      openLog: (container, restartCount) => host.openLog(this.newest, container, restartCount),
      record: (event) => this.record(event),
      preStop: (run, signal) => runPreStop(this.companionHost(), run, signal),
      changed: () => {
        this.status.touch();
        this.changes.ring();
      },
      now: () => host.now(),
    };
  }
}

/** The pod's processes have ended: its object goes. */
export async function finishDeletion(api: ObjectApi, { metadata }: Pod): Promise<void> {
  const { namespace, name, uid } = metadata;
  try {
    await api.delete(pods, namespace, name, { gracePeriodSeconds: 0, ...(uid ? { uid } : {}) });
  } catch (error) {
    // Somebody was faster.
    if (error instanceof ApiError && (error.reason === 'NotFound' || error.reason === 'Conflict')) return;
    throw error;
  }
}

function statusOf(runner: ContainerRunner): ContainerStatus {
  return runner.status;
}

function graceMsOf({ spec }: KubeletPod): number {
  return (spec.terminationGracePeriodSeconds ?? 30) * 1000;
}

/** Kubernetes' times have whole seconds. */
function seconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
