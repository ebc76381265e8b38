/**
 * When a container without probes is ready. Kubernetes says: when it has started, and the first datagrams are lost to a
 * program that does not listen yet. Here: when the ports it declares are bound.
 */

import type { PodNetwork } from '../network/index.ts';
import type { PodContainer } from './pod-spec.ts';
import { pause } from './timing.ts';

export interface PortWait {
  readonly network: PodNetwork;
  readonly networkName: string;
  /** After this long without a listener the container counts as ready all the same. */
  readonly limitMs: number;
}

interface WantedPort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

/** Programs bind within tens of milliseconds, or take their time: looking often soon stops being worth it. */
const firstIntervalMs = 4;
const lastIntervalMs = 100;

/** Resolves with the ports that are still not bound at the limit, as `4444/UDP`; with none when all are. */
export async function portsBound(
  container: PodContainer,
  wait: PortWait,
  signal: AbortSignal,
): Promise<string[]> {
  const deadlineMs = performance.now() + wait.limitMs;
  let missing = wantedPorts(container);
  let intervalMs = firstIntervalMs;
  while (!signal.aborted) {
    missing = await stillUnbound(missing, wait);
    if (missing.length === 0 || performance.now() >= deadlineMs) break;
    await pause(intervalMs, signal);
    intervalMs = Math.min(intervalMs * 1.1, lastIntervalMs);
  }
  return missing.map(({ protocol, port }) => `${port}/${protocol.toUpperCase()}`);
}

function wantedPorts({ ports = [] }: PodContainer): WantedPort[] {
  return ports.flatMap(({ protocol = 'TCP', containerPort }) => {
    if (protocol === 'SCTP') return [];
    return [{ protocol: protocol === 'TCP' ? 'tcp' : 'udp', port: containerPort }];
  });
}

async function stillUnbound(ports: readonly WantedPort[], wait: PortWait): Promise<WantedPort[]> {
  const bound = await Promise.all(
    ports.map(({ protocol, port }) => wait.network.isBound(wait.networkName, protocol, port)),
  );
  return ports.filter((_, index) => !bound[index]);
}
