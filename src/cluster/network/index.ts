export { AddressesExhaustedError, clusterCidr, serviceCidr } from './addresses.ts';
export { createPodNetwork } from './create.ts';
export { createServiceDns, type ServiceDns, type ServiceDnsOptions } from './dns/server.ts';
export {
  type LaunchedCluster,
  type LaunchOptions,
  launchInNamespaces,
  NamespacesUnavailableError,
  type NetworkMode,
} from './launch.ts';
export type { AddPodOptions, NetworkedPod, PodNetwork } from './pod-network.ts';
export { PodNetworkError } from './pod-network-error.ts';
export { childrenOf, type Mount, type PodProcess, type PodProcessOptions } from './pod-process.ts';
export { findProgram } from './programs.ts';
