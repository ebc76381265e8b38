export { kubeconfigText, writeKubeconfig } from './kubeconfig.ts';
export type { ApiCounters, ApiLimits } from './limits.ts';
export { type ApiServer, type ApiServerOptions, createApiServer, type ListeningApi } from './server.ts';
export { kubeletStreams } from './streams/kubelet-streams.ts';
export type {
  AttachOptions,
  ExecOptions,
  ExitStatus,
  LogOptions,
  PodStreams,
  ProcessStreams,
  TerminalSize,
} from './streams/pod-streams.ts';
export { apiVersion } from './version.ts';
