/** Types of core.v1. The notation is explained in ../notation.ts. */
export const coreTypes = `
ClientIPConfig
  timeoutSeconds 1 int32
ConfigMap object | Configuration that pods read.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  immutable 4 bool | The entries cannot be changed.
  data 2 {string} | Entries of text.
  binaryData 3 {bytes} | Entries of bytes, in base64.
ConfigMapNodeConfigSource
  namespace 1 string
  name 2 string
  uid 3 string
  resourceVersion 4 string
  kubeletConfigKey 5 string
DaemonEndpoint
  Port 1 int32
EndpointAddress
  ip! 1 string
  hostname 3 string
  nodeName 4 string
  targetRef 2 ObjectReference
EndpointPort
  name 1 string
  port! 2 int32
  protocol 3 string
  appProtocol 4 string
EndpointSubset
  addresses 1 [EndpointAddress]
  notReadyAddresses 2 [EndpointAddress]
  ports 3 [EndpointPort]
Endpoints object | The addresses behind a Service, in the older form.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  subsets 2 [EndpointSubset]
Event object | Something that happened to an object.
  metadata! 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  involvedObject! 2 ObjectReference
  reason 3 string
  message 4 string
  source 5 EventSource
  firstTimestamp 6 time
  lastTimestamp 7 time
  count 8 int32
  type 9 string
  eventTime 10 microTime
  series 11 EventSeries
  action 12 string
  related 13 ObjectReference
  reportingComponent 14 string
  reportingInstance 15 string
EventSeries
  count 1 int32
  lastObservedTime 2 microTime
EventSource
  component 1 string
  host 2 string
LimitRange object | Bounds and defaults of requests and limits. Stored only.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 LimitRangeSpec
LimitRangeItem
  type! 1 string
  max 2 {quantity}
  min 3 {quantity}
  default 4 {quantity}
  defaultRequest 5 {quantity}
  maxLimitRequestRatio 6 {quantity}
LimitRangeSpec
  limits! 1 [LimitRangeItem]
LinuxContainerUser
  uid 1 int64
  gid 2 int64
  supplementalGroups 3 [int64]
LoadBalancerIngress
  ip 1 string
  hostname 2 string
  ipMode 3 string
  ports 4 [PortStatus]
LoadBalancerStatus
  ingress 1 [LoadBalancerIngress]
LocalObjectReference atomic
  name 1 string
Namespace object | A space of names.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 NamespaceSpec
  status 3 NamespaceStatus
NamespaceCondition
  type! 1 string
  status! 2 string
  lastTransitionTime 4 time
  reason 5 string
  message 6 string
NamespaceSpec
  finalizers 1 [string]
NamespaceStatus
  phase 1 string
  conditions 2 [NamespaceCondition] merge=type
Node object | A machine that runs pods.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 NodeSpec
  status 3 NodeStatus
NodeAddress
  type! 1 string
  address! 2 string
NodeCondition
  type! 1 string
  status! 2 string
  lastHeartbeatTime 3 time
  lastTransitionTime 4 time
  reason 5 string
  message 6 string
NodeConfigSource
  configMap 2 ConfigMapNodeConfigSource
NodeConfigStatus
  assigned 1 NodeConfigSource
  active 2 NodeConfigSource
  lastKnownGood 3 NodeConfigSource
  error 4 string
NodeDaemonEndpoints
  kubeletEndpoint 1 DaemonEndpoint
NodeFeatures
  supplementalGroupsPolicy 1 bool
NodeRuntimeHandler
  name 1 string
  features 2 NodeRuntimeHandlerFeatures
NodeRuntimeHandlerFeatures
  recursiveReadOnlyMounts 1 bool
  userNamespaces 2 bool
NodeSpec
  podCIDR 1 string
  podCIDRs 7 [string] merge
  providerID 3 string
  unschedulable 4 bool
  taints 5 [Taint]
  configSource 6 NodeConfigSource
  externalID 2 string
NodeStatus
  capacity 1 {quantity}
  allocatable 2 {quantity}
  phase 3 string
  conditions 4 [NodeCondition] merge=type
  addresses 5 [NodeAddress] merge=type
  daemonEndpoints 6 NodeDaemonEndpoints
  nodeInfo 7 NodeSystemInfo
  images 8 [ContainerImage]
  volumesInUse 9 [string]
  volumesAttached 10 [AttachedVolume]
  config 11 NodeConfigStatus
  runtimeHandlers 12 [NodeRuntimeHandler]
  features 13 NodeFeatures
NodeSystemInfo
  machineID 1 string
  systemUUID 2 string
  bootID 3 string
  kernelVersion 4 string
  osImage 5 string
  containerRuntimeVersion 6 string
  kubeletVersion 7 string
  kubeProxyVersion 8 string
  operatingSystem 9 string
  architecture 10 string
ObjectReference atomic
  kind 1 string
  namespace 2 string
  name 3 string
  uid 4 string
  apiVersion 5 string
  resourceVersion 6 string
  fieldPath 7 string
PortStatus
  port! 1 int32
  protocol! 2 string
  error 3 string
ReplicationController object | The forerunner of the ReplicaSet. Stored only: nothing runs its pods.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 ReplicationControllerSpec
  status 3 ReplicationControllerStatus
ReplicationControllerCondition
  type 1 string
  status 2 string
  lastTransitionTime 3 time
  reason 4 string
  message 5 string
ReplicationControllerSpec
  replicas 1 int32
  minReadySeconds 4 int32
  selector 2 {string} atomic
  template 3 PodTemplateSpec
ReplicationControllerStatus
  replicas 1 int32
  fullyLabeledReplicas 2 int32
  readyReplicas 4 int32
  availableReplicas 5 int32
  observedGeneration 3 int64
  conditions 6 [ReplicationControllerCondition] merge=type
ResourceQuota object | What a namespace may use at most. Stored only.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 ResourceQuotaSpec
  status 3 ResourceQuotaStatus
ResourceQuotaSpec
  hard 1 {quantity}
  scopes 2 [string]
  scopeSelector 3 ScopeSelector
ResourceQuotaStatus
  hard 1 {quantity}
  used 2 {quantity}
ScopeSelector atomic
  matchExpressions 1 [ScopedResourceSelectorRequirement]
ScopedResourceSelectorRequirement
  scopeName! 1 string
  operator! 2 string
  values 3 [string]
Secret object | Configuration that is not to be shown.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  immutable 5 bool | The entries cannot be changed.
  data 2 {bytes} | Entries, in base64.
  stringData 4 {string} | Entries as text, which the server puts into data.
  type 3 string | What the entries are for. Opaque where absent.
SecretReference atomic
  name 1 string
  namespace 2 string
Service object | A name and an address that pods are reached under.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 ServiceSpec | What is wanted.
  status 3 ServiceStatus | What is there. Kept by the cluster.
ServiceAccount object | A name that pods act under.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  secrets 2 [ObjectReference] merge=name
  imagePullSecrets 3 [LocalObjectReference]
  automountServiceAccountToken 4 bool
ServicePort
  name 1 string | The name of the port; required where there are several.
  protocol 2 string | TCP (the default), UDP or SCTP.
  appProtocol 6 string | What is spoken on the port.
  port! 3 int32 | The port of the service.
  targetPort 4 intOrString | The port of the pods, by number or name. The same number where absent.
  nodePort 5 int32 | The port of every node, for NodePort and LoadBalancer. Allocated where absent.
ServiceSpec
  ports 1 [ServicePort] merge=port map=port,protocol | The ports of the service.
  selector 2 {string} atomic | Labels of the pods behind the service.
  clusterIP 3 string | The service's address inside the cluster; None for a service without one. Allocated where absent.
  clusterIPs 18 [string] | The service's addresses, one a family.
  type 4 string | ClusterIP (the default), NodePort, LoadBalancer or ExternalName.
  externalIPs 5 [string] | Further addresses that nodes accept traffic for.
  sessionAffinity 7 string | None (the default), or ClientIP to keep a client on one pod.
  loadBalancerIP 8 string
  loadBalancerSourceRanges 9 [string]
  externalName 10 string | The name that an ExternalName service stands for.
  externalTrafficPolicy 11 string | Cluster (the default), or Local to keep to the pods of the node.
  healthCheckNodePort 12 int32
  publishNotReadyAddresses 13 bool | Send traffic to pods that are not ready too.
  sessionAffinityConfig 14 SessionAffinityConfig
  ipFamilies 19 [string] | IPv4, IPv6 or both.
  ipFamilyPolicy 17 string | SingleStack, PreferDualStack or RequireDualStack.
  allocateLoadBalancerNodePorts 20 bool
  loadBalancerClass 21 string | Who implements the load balancer.
  internalTrafficPolicy 22 string | Cluster (the default), or Local to keep to the pods of the node.
  trafficDistribution 23 string
ServiceStatus
  loadBalancer 1 LoadBalancerStatus
  conditions 2 [meta.v1.Condition] merge=type map=type
SessionAffinityConfig
  clientIP 1 ClientIPConfig
Taint
  key! 1 string
  value 2 string
  effect! 3 string
  timeAdded 4 time
TypedLocalObjectReference atomic
  apiGroup 1 string
  kind 2 string
  name 3 string
`;
