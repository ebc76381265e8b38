/** The Kubernetes kinds sluice works with, with the fields it reads. Unknown fields are kept as they came. */

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  managedFields?: ManagedFieldsEntry[];
}

/** What a writer owns of an object, as server-side apply keeps it. */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  time?: string;
  fieldsType?: 'FieldsV1';
  fieldsV1?: Record<string, unknown>;
  subresource?: string;
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export interface Namespace extends KubeObject {
  kind: 'Namespace';
  spec?: { finalizers?: string[] };
  status?: { phase?: 'Active' | 'Terminating'; conditions?: Condition[] };
}

export interface Taint {
  key: string;
  value?: string;
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export interface Node extends KubeObject {
  kind: 'Node';
  spec?: { podCIDR?: string; unschedulable?: boolean; taints?: Taint[]; [field: string]: unknown };
  status?: {
    addresses?: { type: 'InternalIP' | 'ExternalIP' | 'Hostname'; address: string }[];
    capacity?: Record<string, string>;
    allocatable?: Record<string, string>;
    conditions?: Condition[];
    nodeInfo?: Record<string, string>;
    [field: string]: unknown;
  };
}

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

export interface ContainerPort {
  name?: string;
  containerPort: number;
  /** TCP when absent, as the API defaults it. */
  protocol?: Protocol;
  hostPort?: number;
  hostIP?: string;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: Record<string, unknown>;
}

export interface ResourceRequirements {
  requests?: Record<string, string | number>;
  limits?: Record<string, string | number>;
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  workingDir?: string;
  env?: EnvVar[];
  ports?: ContainerPort[];
  resources?: ResourceRequirements;
  [field: string]: unknown;
}

export interface PodSpec {
  containers: Container[];
  nodeName?: string;
  restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  /** 30 when absent, as the API defaults it. */
  terminationGracePeriodSeconds?: number;
  [field: string]: unknown;
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  [field: string]: unknown;
}

export interface ContainerState {
  waiting?: { reason: string; message?: string };
  running?: { startedAt: string };
  terminated?: {
    exitCode: number;
    signal?: number;
    reason?: string;
    message?: string;
    containerID?: string;
    startedAt?: string;
    finishedAt?: string;
  };
}

export interface ContainerStatus {
  name: string;
  image: string;
  ready: boolean;
  started?: boolean;
  restartCount: number;
  state: ContainerState;
  lastState?: ContainerState;
  imageID?: string;
  containerID?: string;
}

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

export interface Pod extends KubeObject {
  kind: 'Pod';
  spec: PodSpec;
  status?: {
    phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
    podIP?: string;
    podIPs?: { ip: string }[];
    hostIP?: string;
    startTime?: string;
    qosClass?: QosClass;
    conditions?: Condition[];
    containerStatuses?: ContainerStatus[];
    [field: string]: unknown;
  };
}

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: {
    key: string;
    operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    values?: string[];
  }[];
}

export interface PodTemplateSpec {
  metadata?: Partial<ObjectMeta>;
  spec: PodSpec;
}

export interface ReplicaSet extends KubeObject {
  kind: 'ReplicaSet';
  spec: { replicas?: number; selector: LabelSelector; template: PodTemplateSpec; [field: string]: unknown };
  status?: {
    replicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    observedGeneration?: number;
    [field: string]: unknown;
  };
}

export interface Deployment extends KubeObject {
  kind: 'Deployment';
  spec: {
    replicas?: number;
    selector: LabelSelector;
    template: PodTemplateSpec;
    strategy?: {
      type?: 'RollingUpdate' | 'Recreate';
      rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string };
    };
    revisionHistoryLimit?: number;
    paused?: boolean;
    [field: string]: unknown;
  };
  status?: {
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    unavailableReplicas?: number;
    observedGeneration?: number;
    conditions?: Condition[];
    [field: string]: unknown;
  };
}

export interface DaemonSet extends KubeObject {
  kind: 'DaemonSet';
  spec: {
    selector: LabelSelector;
    template: PodTemplateSpec;
    updateStrategy?: {
      type?: 'RollingUpdate' | 'OnDelete';
      rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string };
    };
    minReadySeconds?: number;
    revisionHistoryLimit?: number;
    [field: string]: unknown;
  };
  status?: {
    currentNumberScheduled?: number;
    desiredNumberScheduled?: number;
    numberAvailable?: number;
    numberMisscheduled?: number;
    numberReady?: number;
    numberUnavailable?: number;
    updatedNumberScheduled?: number;
    observedGeneration?: number;
    [field: string]: unknown;
  };
}

export interface StatefulSet extends KubeObject {
  kind: 'StatefulSet';
  spec: {
    replicas?: number;
    serviceName?: string;
    selector: LabelSelector;
    template: PodTemplateSpec;
    podManagementPolicy?: 'OrderedReady' | 'Parallel';
    updateStrategy?: { type?: 'RollingUpdate' | 'OnDelete'; rollingUpdate?: { partition?: number } };
    minReadySeconds?: number;
    ordinals?: { start?: number };
    volumeClaimTemplates?: { metadata?: { name?: string } }[];
    [field: string]: unknown;
  };
  status?: {
    replicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    currentReplicas?: number;
    updatedReplicas?: number;
    currentRevision?: string;
    updateRevision?: string;
    collisionCount?: number;
    observedGeneration?: number;
    [field: string]: unknown;
  };
}

export interface ServicePort {
  name?: string;
  port: number;
  /** A container port's number or name; the same as `port` when absent. */
  targetPort?: number | string;
  /** TCP when absent, as the API defaults it. */
  protocol?: Protocol;
  nodePort?: number;
  appProtocol?: string;
}

export interface Service extends KubeObject {
  kind: 'Service';
  spec: {
    type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
    clusterIP?: string;
    clusterIPs?: string[];
    ports?: ServicePort[];
    selector?: Record<string, string>;
    externalName?: string;
    sessionAffinity?: 'None' | 'ClientIP';
    publishNotReadyAddresses?: boolean;
    [field: string]: unknown;
  };
}

export interface EndpointConditions {
  ready?: boolean;
  serving?: boolean;
  terminating?: boolean;
}

export interface EndpointSlice extends KubeObject {
  kind: 'EndpointSlice';
  addressType: 'IPv4' | 'IPv6' | 'FQDN';
  endpoints: {
    addresses: string[];
    conditions?: EndpointConditions;
    nodeName?: string;
    targetRef?: { kind: string; namespace?: string; name: string; uid?: string };
  }[];
  ports: { name?: string; port?: number; protocol?: Protocol }[];
}

export interface EndpointAddress {
  ip: string;
  nodeName?: string;
  targetRef?: { kind: string; namespace?: string; name: string; uid?: string };
}

export interface Endpoints extends KubeObject {
  kind: 'Endpoints';
  subsets?: {
    addresses?: EndpointAddress[];
    notReadyAddresses?: EndpointAddress[];
    ports?: { name?: string; port: number; protocol?: Protocol }[];
  }[];
}

export interface IngressRouteUdpService {
  name: string;
  port: number | string;
  namespace?: string;
  /** 1 when absent. */
  weight?: number;
  nativeLB?: boolean;
  nodePortLB?: boolean;
}

export interface IngressRouteUDP extends KubeObject {
  kind: 'IngressRouteUDP';
  spec: {
    ingressClassName?: string;
    /** Absent or empty means every UDP entry point, as in Traefik. */
    entryPoints?: string[];
    routes: { services?: IngressRouteUdpService[] }[];
  };
}

/** A reference to a Traefik object; the referring object's namespace when absent. */
export interface TraefikReference {
  name: string;
  namespace?: string;
}

export interface IngressRouteTcpService extends IngressRouteUdpService {
  /** The endpoints are spoken to in TLS. */
  tls?: boolean;
  /** A ServersTransportTCP of the route's namespace. */
  serversTransport?: string;
  /** Deprecated for the one of ServersTransportTCP. */
  proxyProtocol?: { version?: number };
  /** Milliseconds. Deprecated for the one of ServersTransportTCP. */
  terminationDelay?: number;
}

export interface IngressRouteTcpRoute {
  match: string;
  /** 0 or absent: made of the length of `match`. */
  priority?: number;
  syntax?: 'v2' | 'v3';
  services?: IngressRouteTcpService[];
  middlewares?: TraefikReference[];
}

export interface IngressRouteTCP extends KubeObject {
  kind: 'IngressRouteTCP';
  spec: {
    ingressClassName?: string;
    /** Absent or empty means every default TCP entry point, as in Traefik. */
    entryPoints?: string[];
    routes: IngressRouteTcpRoute[];
    tls?: {
      secretName?: string;
      passthrough?: boolean;
      options?: TraefikReference;
      store?: TraefikReference;
      certResolver?: string;
      domains?: { main?: string; sans?: string[] }[];
    };
  };
}

export interface MiddlewareTCP extends KubeObject {
  kind: 'MiddlewareTCP';
  spec: {
    inFlightConn?: { amount?: number };
    ipAllowList?: { sourceRange?: string[] };
    /** Deprecated for `ipAllowList`. */
    ipWhiteList?: { sourceRange?: string[] };
    [field: string]: unknown;
  };
}

export interface ServersTransportTCP extends KubeObject {
  kind: 'ServersTransportTCP';
  spec: {
    /** A Go duration or a number of seconds, as the other two. */
    dialTimeout?: string | number;
    dialKeepAlive?: string | number;
    terminationDelay?: string | number;
    proxyProtocol?: { version?: number };
    tls?: {
      serverName?: string;
      insecureSkipVerify?: boolean;
      rootCAs?: { secret?: string; configMap?: string }[];
      /** Deprecated for `rootCAs`. */
      rootCAsSecrets?: string[];
      certificatesSecrets?: string[];
      peerCertURI?: string;
      peerCertSANs?: string[];
      [field: string]: unknown;
    };
    [field: string]: unknown;
  };
}

export interface TLSOption extends KubeObject {
  kind: 'TLSOption';
  spec: {
    /** `VersionTLS12`, for one. */
    minVersion?: string;
    maxVersion?: string;
    /** As Go and the IANA name them. */
    cipherSuites?: string[];
    curvePreferences?: string[];
    clientAuth?: { secretNames?: string[]; clientAuthType?: string };
    sniStrict?: boolean;
    alpnProtocols?: string[];
    [field: string]: unknown;
  };
}

export interface Secret extends KubeObject {
  type?: string;
  /** In base64. */
  data?: Record<string, string>;
  /** As written, where the API has not turned it into `data` yet. */
  stringData?: Record<string, string>;
}

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

export interface Event extends KubeObject {
  kind: 'Event';
  involvedObject: { apiVersion?: string; kind: string; namespace?: string; name: string; uid?: string };
  reason: string;
  message: string;
  type: 'Normal' | 'Warning';
  count?: number;
  firstTimestamp?: string;
  lastTimestamp?: string;
  source?: { component?: string };
}
