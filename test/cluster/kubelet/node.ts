/** A node to test: a cluster process with a store and a kubelet, and a mirror of what it said of its pods. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ImagePrograms, KubeletLimits, NetworkMode, PodDns } from '../../../src/cluster/index.ts';
import type { Container, ContainerStatus, Pod, PodSpec } from '../../../src/kubernetes/index.ts';
import { startCluster } from '../network/cluster.ts';

export interface NodeEvent {
  object: string;
  type: string;
  reason: string;
  message: string;
}

export interface TestNode {
  readonly logDirectory: string;
  /** Every version of each pod that the API held, oldest first. */
  readonly history: readonly Pod[];
  readonly events: readonly NodeEvent[];
  readonly followed: () => string;
  readonly logged: readonly { level: string; text: string }[];
  call<Value>(name: string, argument?: unknown): Promise<Value>;
  createPod(
    name: string,
    spec: Partial<PodSpec> & { [field: string]: unknown },
    labels?: Record<string, string>,
  ): Promise<Pod>;
  /** Resolves with the first version from now on, or the present one, of which it is true. */
  until(name: string, isTrue: (pod: Pod) => boolean): Promise<Pod>;
  untilGone(name: string): Promise<void>;
  untilEvent(reason: string, message?: RegExp): Promise<NodeEvent>;
  untilFollowed(text: string): Promise<void>;
  kill(): Promise<void>;
}

export interface TestNodeOptions {
  readonly images?: ImagePrograms;
  readonly limits?: Partial<KubeletLimits>;
  readonly dns?: PodDns;
}

/** Ends with the test. */
export async function startNode(mode: NetworkMode, options: TestNodeOptions = {}): Promise<TestNode> {
  const cluster = await startCluster(mode, new URL('node.mjs', import.meta.url).pathname);
  const directory = mkdtempSync(join(tmpdir(), 'sluice-kubelet-'));
  const logDirectory = join(directory, 'pods');
  onTestFinished(async () => {
    await cluster.kill();
    rmSync(directory, { recursive: true });
  });
  const history: Pod[] = [];
  const gone = new Set<string>();
  const events: NodeEvent[] = [];
  const logged: { level: string; text: string }[] = [];
  let followedText = '';
  let waiting: (() => void)[] = [];
  cluster.onNotice((notice) => {
    const { type, pod, event, log, followed } = notice as Record<string, never>;
    if (pod && type === 'DELETED') gone.add((pod as Pod).metadata.name);
    else if (pod) history.push(pod);
    if (event) events.push(event);
    if (log) logged.push(log);
    if (followed !== undefined) followedText += followed;
    for (const check of waiting) check();
  });
  const until = <Value>(find: () => Value | undefined): Promise<Value> =>
    new Promise((resolve) => {
      const check = () => {
        const found = find();
        if (found === undefined) return;
        waiting = waiting.filter((other) => other !== check);
        resolve(found);
      };
      waiting.push(check);
      check();
    });
  await cluster.call('start', { images: {}, logDirectory, ...options });
  return {
    logDirectory,
    history,
    events,
    logged,
    followed: () => followedText,
    call: (name, argument) => cluster.call(name, argument),
    createPod: (name, spec, labels = {}) => cluster.call('create', testPod(name, spec, labels)),
    until(name, isTrue) {
      const versions = () => history.filter(({ metadata }) => metadata.name === name);
      const seen = Math.max(0, versions().length - 1);
      return until(() => versions().slice(seen).find(isTrue));
    },
    untilGone: async (name) => {
      await until(() => gone.has(name) || undefined);
    },
    untilEvent: (reason, message = /(?:)/) =>
      until(() => events.find((event) => event.reason === reason && message.test(event.message))),
    untilFollowed: async (text) => {
      await until(() => followedText.includes(text) || undefined);
    },
    kill: () => cluster.kill(),
  };
}

function testPod(name: string, spec: Partial<PodSpec>, labels: Record<string, string>): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels },
    spec: { nodeName: 'sluice', containers: [], ...spec },
  };
}

/** A container that runs a shell script. Its image needs no mapping of its own: `images` below maps it. */
export function shell(script: string, more: Partial<Container> = {}): Container {
  return { name: 'app', image: 'shell', args: ['-c', script], ...more };
}

/** A container that runs JavaScript. */
export function script(text: string, more: Partial<Container> = {}): Container {
  return { name: 'app', image: 'node', args: ['-e', text], ...more };
}

export const images: ImagePrograms = {
  shell: { command: ['/bin/sh'] },
  node: { command: [process.execPath] },
};

/** Answers each datagram with itself. */
export const echo = `
  const socket = require('dgram').createSocket('udp4');
  socket.on('message', (text, from) => socket.send(text, from.port, from.address));
  socket.bind(4444, process.env.HOST, () => console.log('listening'));
  process.on('SIGTERM', () => { console.log('asked to stop'); process.exit(0); });`;

export const udp4444 = { ports: [{ containerPort: 4444, protocol: 'UDP' as const }] };

export function isReady(pod: Pod): boolean {
  return (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');
}

export function containerOf(pod: Pod, name = 'app'): ContainerStatus {
  const found = pod.status?.containerStatuses?.find((status) => status.name === name);
  if (!found) throw new Error(`pod ${pod.metadata.name} has no status of container ${name}`);
  return found;
}

export function restartsOf(pod: Pod): number {
  return pod.status?.containerStatuses?.[0]?.restartCount ?? 0;
}
