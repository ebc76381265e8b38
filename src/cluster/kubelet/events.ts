/** Events of a pod, worded as a kubelet words them, so that `kubectl describe` reads as it does elsewhere. Pure. */

export interface PodEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

const normal = (reason: string, message: string): PodEvent => ({ type: 'Normal', reason, message });
const warning = (reason: string, message: string): PodEvent => ({ type: 'Warning', reason, message });

export const podEvents = {
  pulling: (image: string) => normal('Pulling', `Pulling image "${image}"`),
  pulled: (image: string) => normal('Pulled', `Container image "${image}" already present on machine`),
  pullFailed: (image: string, why: string) => warning('Failed', `Failed to pull image "${image}": ${why}`),
  error: (reason: string) => warning('Failed', `Error: ${reason}`),
  pullBackOff: (image: string) => normal('BackOff', `Back-off pulling image "${image}"`),
  created: (container: string) => normal('Created', `Created container: ${container}`),
  started: (container: string) => normal('Started', `Started container ${container}`),
  stopping: (container: string) => normal('Killing', `Stopping container ${container}`),
  restartBackOff: (container: string, pod: string) =>
    warning('BackOff', `Back-off restarting failed container ${container} in pod ${pod}`),
  probeKill: (container: string, probe: string) =>
    normal('Killing', `Container ${container} failed ${probe} probe, will be restarted`),
  postStartKill: (container: string) =>
    normal('Killing', `FailedPostStartHook: container ${container} will be restarted`),
  definitionChanged: (container: string) =>
    normal('Killing', `Container ${container} definition changed, will be restarted`),
  sandboxFailed: (why: string) => warning('FailedCreatePodSandBox', `Failed to create pod sandbox: ${why}`),
  mountFailed: (volume: string, why: string) =>
    warning('FailedMount', `MountVolume.SetUp failed for volume "${volume}" : ${why}`),
  notMounted: (volume: string, target: string, source: string) =>
    warning(
      'VolumeNotMounted',
      `Volume "${volume}" cannot be seen at ${target}: pods have no mount namespaces here. What is in it is in ${source}`,
    ),
  unhealthy: (probe: string, output: string) => warning('Unhealthy', `${probe} probe failed: ${output}`),
  hookFailed: (hook: 'PostStart' | 'PreStop', why: string) =>
    warning(`Failed${hook}Hook`, `${hook}Hook failed: ${why}`),
  cpuNotLimited: (container: string, limit: string) =>
    normal(
      'CpuNotLimited',
      `Container ${container} has a CPU limit of ${limit}: it is not enforced here, a process takes what the machine has`,
    ),
  portNotBound: (container: string, ports: string, limitSeconds: number) =>
    warning(
      'PortNotBound',
      `Container ${container} declares ${ports}, and nothing listens there after ${limitSeconds}s: taken for ready all the same`,
    ),
} as const;
