export { type BackOffTimes, defaultBackOff } from './back-off.ts';
export type { ImageProgram, ImagePrograms } from './images.ts';
export { createKubelet, type Kubelet, type KubeletOptions } from './kubelet.ts';
export type { KubeletLimits } from './limits.ts';
export type { PodLogOptions } from './pod-access.ts';
export type { AttachedStreams, ExecOptions as PodExecOptions } from './sessions.ts';
export type { PodDns } from './volumes/pod-volumes.ts';
