/** The ingress of the laptop's cluster is pods of the chart's Deployment: what they say, and what they count. */

import type { ImagePrograms, Kubelet } from '../cluster/index.ts';
import { traefikImage } from '../ingress/index.ts';
import { createInformer, namespacedName, type ObjectApi, type Pod, pods } from '../kubernetes/index.ts';
import { readUdpCounters, type UdpPathCounters } from './udp-counters.ts';

export interface IngressLogLine {
  /** pino's levels: 30 info, 40 warn, 50 error. */
  readonly level: number;
  readonly message: string;
}

export interface IngressPodsOptions {
  readonly api: ObjectApi;
  readonly kubelet: Pick<Kubelet, 'readLogs'>;
  readonly onLine: (line: IngressLogLine) => void;
  readonly onError: (error: unknown) => void;
}

export interface IngressPods {
  start(): Promise<void>;
  /** What the pods have counted together, by entry point. A pod that does not answer is left out. */
  counters(): Promise<readonly UdpPathCounters[]>;
  stop(): void;
}

/** The chart's label; every Traefik chart sets it. */
const isIngressPod = ({ metadata }: Pod) => metadata.labels?.['app.kubernetes.io/name'] === 'traefik';
/** How long a pod may take to tell its counters. */
const metricsTimeoutMs = 1000;

export function createIngressPods({ api, kubelet, onLine, onError }: IngressPodsOptions): IngressPods {
  const informer = createInformer(api, pods, { onError });
  const followed = new Map<string, AbortController>();
  const follow = (pod: Pod) => {
    const key = `${namespacedName(pod)} ${pod.metadata.uid}`;
    if (followed.has(key)) return;
    const abort = new AbortController();
    followed.set(key, abort);
    void followLog(kubelet, pod, abort.signal, onLine).finally(() => followed.delete(key));
  };
  informer.onChange(({ type, object }) => {
    if (type !== 'DELETED' && isIngressPod(object) && isRunning(object)) follow(object);
  });
  return {
    async start() {
      informer.start();
      await informer.synced;
    },
    async counters() {
      const running = informer.list().filter((pod) => isIngressPod(pod) && isRunning(pod));
      const texts = await Promise.all(running.map(metricsOf));
      return readUdpCounters(texts.filter((text) => text !== undefined));
    },
    stop() {
      informer.stop();
      for (const abort of followed.values()) abort.abort();
    },
  };
}

function isRunning({ status }: Pod): boolean {
  return status?.containerStatuses?.some(({ state }) => state.running) ?? false;
}

async function followLog(
  kubelet: Pick<Kubelet, 'readLogs'>,
  { metadata: { namespace = 'default', name } }: Pod,
  signal: AbortSignal,
  onLine: (line: IngressLogLine) => void,
): Promise<void> {
  let rest = '';
  try {
    for await (const text of kubelet.readLogs(namespace, name, { follow: true, signal })) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const told = toldLine(line);
        if (told) onLine(told);
      }
    }
  } catch {
    // The pod is gone, and its log with it: nothing more is to be told.
  }
}

const levels: Readonly<Record<string, number>> = { TRA: 10, DEB: 20, INF: 30, WAR: 40, ERR: 50, FAT: 60 };

/** Of the access log, in either format: a line for every session, which `kubectl logs` shows. */
const accessLine = /^(?:\{"time":"[^"]+","protocol":"|\S+ - - \[)/;

/**
 * What is told of a line of an ingress pod's log. As `sluice ingress` writes it: time, level, message. Another program's line
 * is told as it is, one of the access log not at all.
 */
export function toldLine(line: string): IngressLogLine | undefined {
  if (accessLine.test(line)) return undefined;
  const [, level = '', message = ''] = /^\S+Z ([A-Z]{3}) (.*)$/.exec(line) ?? [];
  return level in levels ? { level: levels[level] ?? 30, message } : { level: 30, message: line };
}

/** Of the port that the chart names `traefik`, where ping and metrics are. */
async function metricsOf({ spec, status }: Pod): Promise<string | undefined> {
  const port = spec.containers[0]?.ports?.find(({ name }) => name === 'traefik')?.containerPort;
  if (port === undefined || !status?.podIP) return undefined;
  const url = `http://${status.podIP}:${port}/metrics`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(metricsTimeoutMs) });
    return await response.text();
  } catch {
    return undefined;
  }
}

/** What runs in place of the chart's image: sluice itself, unless the tree maps the image to something else. */
export function withIngressProgram(
  images: ImagePrograms,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): ImagePrograms {
  return { [traefikImage]: { command, env }, ...images };
}
