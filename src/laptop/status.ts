/** How far the cluster is: what the launcher shows and waits for. Plain data; it crosses between processes. */

import { type Deployment, namespacedName, type Pod } from '../kubernetes/index.ts';
import { podTrouble, type UdpPath } from './paths.ts';

export interface DeploymentProgress {
  /** `namespace/name`. */
  readonly name: string;
  readonly readyReplicas: number;
  readonly wantedReplicas: number;
  /** Whether every replica is of the newest template, ready, and none is left over. */
  readonly isRolledOut: boolean;
}

export interface BlockedPod {
  /** `namespace/name`. */
  readonly pod: string;
  readonly reason: string;
}

export interface LaptopStatus {
  readonly deployments: readonly DeploymentProgress[];
  /** Pods that will not get ready by waiting. */
  readonly blocked: readonly BlockedPod[];
  readonly paths: readonly UdpPath[];
}

export function deploymentProgress(deployment: Deployment): DeploymentProgress {
  const { spec, status, metadata } = deployment;
  const wanted = spec.replicas ?? 1;
  const counts = [status?.replicas, status?.updatedReplicas, status?.readyReplicas];
  return {
    name: namespacedName(deployment),
    readyReplicas: status?.readyReplicas ?? 0,
    wantedReplicas: wanted,
    isRolledOut:
      status?.observedGeneration === metadata.generation && counts.every((count) => (count ?? 0) === wanted),
  };
}

/** Reasons a kubelet gives for a container that waiting alone does not mend. */
const blockingReasons = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

export function blockedPods(pods: readonly Pod[]): BlockedPod[] {
  return pods.flatMap((pod) => {
    const waiting = (pod.status?.containerStatuses ?? []).flatMap(({ state }) => state.waiting?.reason ?? []);
    const isBlocked = waiting.some((reason) => blockingReasons.has(reason));
    return isBlocked ? [{ pod: namespacedName(pod), reason: podTrouble(pod) }] : [];
  });
}
