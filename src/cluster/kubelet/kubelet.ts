/** The node's agent: runs the pods that are bound to its node, and says how they are. */

import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import {
  configMaps,
  createInformer,
  type Informer,
  type KubeObject,
  namespacedName,
  nodes,
  type ObjectApi,
  type Pod,
  pods,
  type ResourceType,
  secrets,
} from '../../kubernetes/index.ts';
import type { EventRecorder } from '../controllers/events.ts';
import type { PodNetwork, PodProcess } from '../network/index.ts';
import { findImageProgram, type ImagePrograms, unmappedImageAdvice } from './images.ts';
import { defaultLimits, type KubeletLimits } from './limits.ts';
import { NodeDirectory } from './node-directory.ts';
import { PodAccess, type PodLogOptions } from './pod-access.ts';
import { gracePeriodSeconds, type KubeletPod } from './pod-spec.ts';
import { finishDeletion, type PodHost, PodWorker } from './pod-worker.ts';
import type { AttachedStreams, ExecOptions } from './sessions.ts';
import { Bell } from './timing.ts';
import type { PodDns } from './volumes/pod-volumes.ts';

export interface KubeletOptions {
  readonly api: ObjectApi;
  readonly network: PodNetwork;
  readonly nodeName: string;
  readonly images: ImagePrograms;
  /** Made where it is not there. What earlier runs left in it is removed. */
  readonly logDirectory: string;
  /** sluice.yaml as the user would name it, for the advice on images that are not mapped. */
  readonly settingsFile: string;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly now?: () => Date;
  readonly limits?: Partial<KubeletLimits>;
  /** Where pods are to look names up, where they have mount namespaces. Absent: as this machine does. */
  readonly dns?: PodDns;
}

export interface Kubelet {
  /** Resolves when the pods that are there at the start are being worked on. */
  start(): Promise<void>;
  /** Pods that waited for an image's program start when it is there now. */
  setImages(images: ImagePrograms): void;
  /** Throws `ApiError` NotFound and BadRequest, worded as the API server words them. */
  readLogs(namespace: string, pod: string, options?: PodLogOptions): AsyncIterable<string>;
  /** Starts a command in a running container. Throws `ApiError` NotFound, BadRequest, InternalError. */
  exec(namespace: string, pod: string, options: ExecOptions): Promise<PodProcess>;
  /** Joins the streams of a running container. Throws as `exec` does. */
  attach(namespace: string, pod: string, options?: { container?: string }): Promise<AttachedStreams>;
  /** A TCP connection to a pod's port, for port-forward. Throws `ApiError` NotFound, or the connection's error. */
  dialPod(namespace: string, pod: string, port: number): Promise<Duplex>;
  /** Ends every pod as a deletion would, within the limit, and leaves no process. Objects stay as they are. */
  stop(): Promise<void>;
}

export function createKubelet(options: KubeletOptions): Kubelet {
  return new NodeKubelet(options);
}

class NodeKubelet implements Kubelet {
  private readonly options: KubeletOptions;
  private readonly limits: KubeletLimits;
  private readonly workers = new Map<string, PodWorker>();
  private readonly access: PodAccess;
  private readonly directory: NodeDirectory;
  private readonly informer: Informer<Pod>;
  private readonly imagesBell = new Bell();
  private sourceInformers: Informer<KubeObject>[] = [];
  private images: ImagePrograms;
  private host: PodHost | undefined;
  private isStopping = false;

  constructor(options: KubeletOptions) {
    this.options = options;
    this.limits = { ...defaultLimits, ...options.limits };
    this.images = options.images;
    this.access = new PodAccess(options.network, this.workers);
    const onError = (error: unknown) => this.warn(error);
    this.directory = new NodeDirectory({
      path: options.logDirectory,
      maxLogBytes: this.limits.maxLogBytes,
      hasMounts: options.network.mode === 'namespaces',
      onError,
    });
    this.informer = createInformer(options.api, pods, { onError });
  }

  async start(): Promise<void> {
    this.directory.prepare();
    this.host = this.podHost(await this.hostAddress());
    this.informer.onChange(({ type, object }) => {
      if (object.spec.nodeName !== this.options.nodeName) return;
      if (type === 'DELETED') this.removed(object);
      else this.changed(object as KubeletPod);
    });
    this.informer.start();
    await this.informer.synced;
  }

  setImages(images: ImagePrograms): void {
    this.images = images;
    this.imagesBell.ring();
  }

  readLogs(namespace: string, pod: string, options: PodLogOptions = {}): AsyncIterable<string> {
    return this.access.readLogs(namespace, pod, options);
  }

  async exec(namespace: string, pod: string, options: ExecOptions): Promise<PodProcess> {
    return this.access.exec(namespace, pod, options);
  }

  async attach(
    namespace: string,
    pod: string,
    options: { container?: string } = {},
  ): Promise<AttachedStreams> {
    return this.access.attach(namespace, pod, options.container);
  }

  dialPod(namespace: string, pod: string, port: number): Promise<Duplex> {
    return this.access.dial(namespace, pod, port);
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    this.informer.stop();
    const workers = [...this.workers.values()];
    for (const worker of workers) {
      worker.forget();
      worker.end(Math.min(gracePeriodSeconds(worker.pod) * 1000, this.limits.stopGraceMs));
    }
    await Promise.all(workers.map(({ done }) => done));
    for (const informer of this.sourceInformers) informer.stop();
    await this.directory.removeVolumes();
  }

  private changed(pod: KubeletPod): void {
    const uid = pod.metadata.uid ?? '';
    const worker = this.workers.get(uid);
    if (worker) {
      worker.update(pod);
    } else if (pod.metadata.deletionTimestamp) {
      void finishDeletion(this.options.api, pod).catch((error: unknown) => this.warn(error));
    } else if (this.host && !isThrough(pod)) {
      if (this.activePods >= this.limits.maxPods) this.refuse(pod);
      else this.take(uid, new PodWorker(this.host, pod));
    }
  }

  private take(uid: string, worker: PodWorker): void {
    this.workers.set(uid, worker);
    void worker.done.then(() => this.release(uid, worker));
  }

  private get activePods(): number {
    return [...this.workers.values()].filter(({ isThrough }) => !isThrough).length;
  }

  /** The object is gone, with or without the kubelet's consent. */
  private removed(pod: Pod): void {
    const worker = this.workers.get(pod.metadata.uid ?? '');
    worker?.forget();
    worker?.end(forcedGraceMs);
  }

  private release(uid: string, { pod, initContainers, containers }: PodWorker): void {
    this.workers.delete(uid);
    const logs = [...initContainers, ...containers].flatMap(({ log, previousLog }) => [
      ...(log ? [log.close()] : []),
      ...(previousLog ? [previousLog.close()] : []),
    ]);
    void Promise.all(logs).then(() => {
      if (!this.isStopping) this.directory.removeLogs(pod);
    });
  }

  /** As a kubelet whose node is full. */
  private refuse(pod: KubeletPod): void {
    const { maxPods } = this.limits;
    const reason = 'OutOfpods';
    const message = `Node didn't have enough resource: pods, requested: 1, used: ${this.activePods}, capacity: ${maxPods}`;
    this.options.recorder.record(pod, 'Warning', reason, message);
    const metadata = { ...pod.metadata };
    delete metadata.resourceVersion;
    const status = { ...pod.status, phase: 'Failed' as const, reason, message };
    void this.options.api
      .updateStatus(pods, { ...pod, metadata, status })
      .catch((error: unknown) => this.warn(error));
  }

  private async hostAddress(): Promise<string> {
    const node = await this.options.api.get(nodes, undefined, this.options.nodeName).catch(() => undefined);
    const internal = node?.status?.addresses?.find(({ type }) => type === 'InternalIP');
    return internal?.address ?? this.options.network.gatewayAddress;
  }

  private podHost(hostIP: string): PodHost {
    const { api, network, recorder, settingsFile, dns, now = () => new Date() } = this.options;
    return {
      api,
      network,
      hostIP,
      dns,
      limits: this.limits,
      findImage: (image) => findImageProgram(this.images, image),
      imagesChanged: () => this.imagesBell.next(),
      adviseOnImage: (image) => unmappedImageAdvice({ image }, settingsFile),
      openLog: (pod, container, restartCount) => this.directory.openLog(pod, container, restartCount),
      volumeDirectory: (pod) => {
        this.followSources();
        return this.directory.volumesOf(pod);
      },
      record: (pod, { type, reason, message }) => recorder.record(pod, type, reason, message),
      onError: (pod, error) => this.warn(`pod ${namespacedName(pod)}: ${String(error)}`),
      now,
    };
  }

  /** From the first pod with volumes on: what fills volumes is followed, so that they follow it. */
  private followSources(): void {
    if (this.sourceInformers.length > 0) return;
    this.sourceInformers = [
      this.followSource('ConfigMap', configMaps as ResourceType),
      this.followSource('Secret', secrets as ResourceType),
    ];
  }

  private followSource(kind: 'ConfigMap' | 'Secret', type: ResourceType): Informer<KubeObject> {
    const informer = createInformer(this.options.api, type, { onError: (error) => this.warn(error) });
    informer.onChange(({ type: change, object }) => {
      if (change === 'DELETED') return;
      for (const worker of this.workers.values()) void worker.refreshVolumes(kind, namespacedName(object));
    });
    informer.start();
    return informer;
  }

  private warn(error: unknown): void {
    this.options.log.warn(`kubelet: ${String(error)}`);
  }
}

/** What a pod gets whose object was removed at once (minimumGracePeriodInSeconds of a kubelet). */
const forcedGraceMs = 2_000;

function isThrough({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
