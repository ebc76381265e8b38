/** Pods' addresses, and processes that run at them. */

import type { NetworkMode } from './launch.ts';
import type { PodProcess, PodProcessOptions } from './pod-process.ts';

export interface NetworkedPod {
  readonly name: string;
  readonly address: string;
}

export interface AddPodOptions {
  /** What programs in the pod see as the machine's name. The pod's name when absent. */
  readonly hostname?: string;
}

export interface PodNetwork {
  readonly mode: NetworkMode;
  /** The cluster process, as pods see it. */
  readonly gatewayAddress: string;
  /** `name` identifies the pod: once at a time. Throws `PodNetworkError`, `AddressesExhaustedError`. */
  addPod(name: string, options?: AddPodOptions): Promise<NetworkedPod>;
  /** Ends what still runs in the pod and takes its address back. Nothing happens when there is no such pod. */
  removePod(name: string): Promise<void>;
  /** Starts a program at the pod's address. Throws `PodNetworkError` when there is no such pod. */
  spawn(name: string, command: readonly [string, ...string[]], options: PodProcessOptions): PodProcess;
  /**
   * Whether a program listens on the port at the pod's address, or on every address of the pod; with `anywhere`,
   * on whichever address of the pod.
   */
  isBound(name: string, protocol: 'tcp' | 'udp', port: number, where?: 'anywhere'): Promise<boolean>;
  /** Whether the pod's programs have taken every datagram that arrived at its address, and sleep. */
  isDrained(name: string): Promise<boolean>;
  /** Ends every pod. */
  close(): Promise<void>;
}
