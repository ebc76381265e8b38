/** Computes the status from the newest objects whenever one of them, or the route table, changes. */

import { isDeepStrictEqual } from 'node:util';
import type { EntryPoint, IngressController } from '../ingress/index.ts';
import {
  createInformer,
  deployments,
  ingressRouteUdps,
  type KubeObject,
  type ObjectApi,
  pods,
  type ResourceType,
  services,
} from '../kubernetes/index.ts';
import { tracePaths } from './paths.ts';
import { blockedPods, deploymentProgress, type LaptopStatus } from './status.ts';

export interface StatusBoardOptions {
  readonly api: ObjectApi;
  readonly controller: Pick<IngressController, 'routing' | 'onApplied'>;
  readonly entryPoints: () => readonly EntryPoint[];
  readonly ingressService: () => string | undefined;
  readonly onStatus: (status: LaptopStatus) => void;
  readonly onError: (error: unknown) => void;
}

export interface StatusBoard {
  start(): Promise<void>;
  /** Computes the status from what the API holds now. */
  refresh(): Promise<void>;
  stop(): void;
}

const watched = [deployments, pods, services, ingressRouteUdps];

export function createStatusBoard(options: StatusBoardOptions): StatusBoard {
  const { api, controller, onError, onStatus } = options;
  const informers = watched.map((type) => createInformer(api, type as ResourceType, { onError }));
  let last: LaptopStatus | undefined;
  let isScheduled = false;
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  const look = async () => {
    const status = await readStatus(options);
    if (isStopped || isDeepStrictEqual(status, last)) return;
    last = status;
    onStatus(status);
  };
  const refresh = () => {
    running = running.then(look).catch(onError);
    return running;
  };
  // Changes that come in one turn of the event loop make one status.
  const schedule = () => {
    if (isScheduled || isStopped) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      void refresh();
    });
  };
  return {
    async start() {
      for (const informer of informers) {
        informer.onChange(schedule);
        informer.start();
      }
      controller.onApplied(schedule);
      await Promise.all(informers.map(({ synced }) => synced));
      await refresh();
    },
    refresh,
    stop() {
      isStopped = true;
      for (const informer of informers) informer.stop();
    },
  };
}

/** From the API itself and not from what was watched: a status must never be older than the write it follows. */
async function readStatus({
  api,
  controller,
  entryPoints,
  ingressService,
}: StatusBoardOptions): Promise<LaptopStatus> {
  const list = async <Kind extends KubeObject>(type: ResourceType<Kind>) => (await api.list(type)).items;
  const running = await list(pods);
  return {
    deployments: (await list(deployments)).map(deploymentProgress),
    blocked: blockedPods(running),
    paths: tracePaths({
      entryPoints: entryPoints(),
      routes: await list(ingressRouteUdps),
      services: await list(services),
      pods: running,
      routing: controller.routing,
      ingressService: ingressService(),
    }),
  };
}
