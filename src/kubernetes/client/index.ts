export { type ClusterAccess, ClusterAccessError, type Credentials, type Identity } from './access.ts';
export { type FindClusterOptions, findCluster } from './find-cluster.ts';
export { type KubeconfigOptions, readKubeconfig } from './kubeconfig.ts';
export {
  createRemoteApi,
  type HealthChange,
  type PatchType,
  type RemoteApi,
  type RemoteApiCounters,
  type RemoteApiOptions,
  type StaleResource,
} from './remote-api.ts';
export { UnusableAnswerError } from './responses.ts';
