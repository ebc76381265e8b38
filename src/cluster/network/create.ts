import type { NetworkMode } from './launch.ts';
import { LoopbackNetwork } from './loopback-network.ts';
import { NamespaceNetwork } from './namespace-network.ts';
import type { PodNetwork } from './pod-network.ts';

/** For the process that `launchInNamespaces` started in this mode, and called there once. */
export async function createPodNetwork(mode: NetworkMode): Promise<PodNetwork> {
  return mode === 'namespaces' ? new NamespaceNetwork() : await LoopbackNetwork.open();
}
