/** Types of core.v1. The notation is explained in ../notation.ts. */
export const podsTypes = `
Affinity
  nodeAffinity 1 NodeAffinity
  podAffinity 2 PodAffinity
  podAntiAffinity 3 PodAntiAffinity
AppArmorProfile
  type! 1 string
  localhostProfile 2 string
Capabilities
  add 1 [string]
  drop 2 [string]
ConfigMapEnvSource
  localObjectReference 1 LocalObjectReference inline
  optional 2 bool
ConfigMapKeySelector atomic
  localObjectReference 1 LocalObjectReference inline
  key! 2 string
  optional 3 bool
Container | One program of a pod.
  name! 1 string | The name, unique within the pod. Cannot be changed.
  image 2 string | The image that the program comes from.
  command 3 [string] | The program and its first arguments, in place of the image's entry point.
  args 4 [string] | Arguments, in place of the image's.
  workingDir 5 string | The folder that the program starts in.
  ports 6 [ContainerPort] merge=containerPort map=containerPort,protocol | Ports that the program listens on. Protocols other than TCP must be named.
  envFrom 19 [EnvFromSource] | ConfigMaps and Secrets whose entries become environment variables.
  env 7 [EnvVar] merge=name | Environment variables.
  resources 8 ResourceRequirements | What the container needs at least and may use at most.
  resizePolicy 23 [ContainerResizePolicy]
  restartPolicy 24 string | Always, for an init container that runs on beside the others.
  volumeMounts 9 [VolumeMount] merge=mountPath | Where volumes appear in the container's file system.
  volumeDevices 21 [VolumeDevice] merge=devicePath
  livenessProbe 10 Probe | A check whose failure restarts the container.
  readinessProbe 11 Probe | A check whose failure takes the pod out of its Services.
  startupProbe 22 Probe | A check that must succeed once before the other two begin.
  lifecycle 12 Lifecycle | What is done after the start and before the end.
  terminationMessagePath 13 string | The file whose end becomes the container's last message.
  terminationMessagePolicy 20 string | File, or FallbackToLogsOnError.
  imagePullPolicy 14 string | Always, IfNotPresent or Never.
  securityContext 15 SecurityContext | Users, capabilities and file system of the container.
  stdin 16 bool | Keep standard input open.
  stdinOnce 17 bool | Close standard input after the first client.
  tty 18 bool | Give the program a terminal.
ContainerImage
  names 1 [string]
  sizeBytes 2 int64
ContainerPort | A port that a container listens on.
  name 1 string | A name that Services can refer to.
  hostPort 2 int32 | The same port of the node.
  containerPort! 3 int32 | The port, 1 to 65535.
  protocol 4 string | TCP (the default), UDP or SCTP.
  hostIP 5 string | The node's address that hostPort is bound to.
ContainerResizePolicy
  resourceName! 1 string
  restartPolicy! 2 string
ContainerState
  waiting 1 ContainerStateWaiting
  running 2 ContainerStateRunning
  terminated 3 ContainerStateTerminated
ContainerStateRunning
  startedAt 1 time
ContainerStateTerminated
  exitCode 1 int32
  signal 2 int32
  reason 3 string
  message 4 string
  startedAt 5 time
  finishedAt 6 time
  containerID 7 string
ContainerStateWaiting
  reason 1 string
  message 2 string
ContainerStatus
  name! 1 string
  state 2 ContainerState
  lastState 3 ContainerState
  ready! 4 bool
  restartCount! 5 int32
  image! 6 string
  imageID! 7 string
  containerID 8 string
  started 9 bool
  allocatedResources 10 {quantity}
  resources 11 ResourceRequirements
  volumeMounts 12 [VolumeMountStatus] merge=mountPath
  user 13 ContainerUser
  allocatedResourcesStatus 14 [ResourceStatus] merge=name
ContainerUser
  linux 1 LinuxContainerUser
EnvFromSource
  prefix 1 string
  configMapRef 2 ConfigMapEnvSource
  secretRef 3 SecretEnvSource
EnvVar
  name! 1 string | The variable.
  value 2 string | Its value; $(NAME) stands for other variables.
  valueFrom 3 EnvVarSource | Where its value comes from.
EnvVarSource
  fieldRef 1 ObjectFieldSelector | A field of the pod.
  resourceFieldRef 2 ResourceFieldSelector | A request or limit of the container.
  configMapKeyRef 3 ConfigMapKeySelector | An entry of a ConfigMap.
  secretKeyRef 4 SecretKeySelector | An entry of a Secret.
EphemeralContainer
  ephemeralContainerCommon 1 EphemeralContainerCommon inline
  targetContainerName 2 string
EphemeralContainerCommon
  name! 1 string
  image 2 string
  command 3 [string]
  args 4 [string]
  workingDir 5 string
  ports 6 [ContainerPort] map=containerPort,protocol
  envFrom 19 [EnvFromSource]
  env 7 [EnvVar] merge=name
  resources 8 ResourceRequirements
  resizePolicy 23 [ContainerResizePolicy]
  restartPolicy 24 string
  volumeMounts 9 [VolumeMount] merge=mountPath
  volumeDevices 21 [VolumeDevice] merge=devicePath
  livenessProbe 10 Probe
  readinessProbe 11 Probe
  startupProbe 22 Probe
  lifecycle 12 Lifecycle
  terminationMessagePath 13 string
  terminationMessagePolicy 20 string
  imagePullPolicy 14 string
  securityContext 15 SecurityContext
  stdin 16 bool
  stdinOnce 17 bool
  tty 18 bool
ExecAction
  command 1 [string] | The program and its arguments; no shell.
GRPCAction
  port! 1 int32
  service 2 string
HTTPGetAction
  path 1 string | The path.
  port! 2 intOrString | The port, by number or name.
  host 3 string | The host; the pod's address where absent.
  scheme 4 string | HTTP (the default) or HTTPS.
  httpHeaders 5 [HTTPHeader]
HTTPHeader
  name! 1 string
  value! 2 string
HostAlias
  ip! 1 string
  hostnames 2 [string]
HostIP
  ip! 1 string
Lifecycle
  postStart 1 LifecycleHandler | Done right after the start.
  preStop 2 LifecycleHandler | Done before the container is asked to end.
LifecycleHandler
  exec 1 ExecAction
  httpGet 2 HTTPGetAction
  tcpSocket 3 TCPSocketAction
  sleep 4 SleepAction
NodeAffinity
  requiredDuringSchedulingIgnoredDuringExecution 1 NodeSelector
  preferredDuringSchedulingIgnoredDuringExecution 2 [PreferredSchedulingTerm]
NodeSelector atomic
  nodeSelectorTerms! 1 [NodeSelectorTerm]
NodeSelectorRequirement
  key! 1 string
  operator! 2 string
  values 3 [string]
NodeSelectorTerm atomic
  matchExpressions 1 [NodeSelectorRequirement]
  matchFields 2 [NodeSelectorRequirement]
ObjectFieldSelector atomic
  apiVersion 1 string
  fieldPath! 2 string
Pod object | Containers that run together, with one address.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 PodSpec | What is wanted.
  status 3 PodStatus | What is there. Kept by the cluster.
PodAffinity
  requiredDuringSchedulingIgnoredDuringExecution 1 [PodAffinityTerm]
  preferredDuringSchedulingIgnoredDuringExecution 2 [WeightedPodAffinityTerm]
PodAffinityTerm
  labelSelector 1 meta.v1.LabelSelector
  namespaces 2 [string]
  topologyKey! 3 string
  namespaceSelector 4 meta.v1.LabelSelector
  matchLabelKeys 5 [string]
  mismatchLabelKeys 6 [string]
PodAntiAffinity
  requiredDuringSchedulingIgnoredDuringExecution 1 [PodAffinityTerm]
  preferredDuringSchedulingIgnoredDuringExecution 2 [WeightedPodAffinityTerm]
PodCondition
  type! 1 string
  status! 2 string
  lastProbeTime 3 time
  lastTransitionTime 4 time
  reason 5 string
  message 6 string
PodDNSConfig
  nameservers 1 [string]
  searches 2 [string]
  options 3 [PodDNSConfigOption]
PodDNSConfigOption
  name 1 string
  value 2 string
PodIP
  ip! 1 string
PodOS
  name! 1 string
PodReadinessGate
  conditionType! 1 string
PodResourceClaim
  name! 1 string
  resourceClaimName 3 string
  resourceClaimTemplateName 4 string
PodResourceClaimStatus
  name 1 string
  resourceClaimName 2 string
PodSchedulingGate
  name! 1 string
PodSecurityContext
  seLinuxOptions 1 SELinuxOptions
  windowsOptions 8 WindowsSecurityContextOptions
  runAsUser 2 int64
  runAsGroup 6 int64
  runAsNonRoot 3 bool
  supplementalGroups 4 [int64]
  supplementalGroupsPolicy 12 string
  fsGroup 5 int64
  sysctls 7 [Sysctl]
  fsGroupChangePolicy 9 string
  seccompProfile 10 SeccompProfile
  appArmorProfile 11 AppArmorProfile
  seLinuxChangePolicy 13 string
PodSpec | What a pod runs, and how.
  volumes 1 [Volume] merge=name retainKeys | Files and folders that containers can mount.
  initContainers 20 [Container] merge=name | Containers that run one after the other, each to its end, before the others start.
  containers! 2 [Container] merge=name | The containers. At least one.
  ephemeralContainers 34 [EphemeralContainer] merge=name | Containers added to a running pod to look into it.
  restartPolicy 3 string | Whether containers that end are started again: Always (the default), OnFailure or Never.
  terminationGracePeriodSeconds 4 int64 | Seconds that containers have to end after they are asked to. 30 where absent.
  activeDeadlineSeconds 5 int64 | Seconds after which the pod is ended as failed.
  dnsPolicy 6 string | How names are resolved. ClusterFirst where absent.
  nodeSelector 7 {string} atomic | Labels that the node must have.
  serviceAccountName 8 string | The ServiceAccount that the pod runs as. default where absent.
  serviceAccount 9 string
  automountServiceAccountToken 21 bool | Whether a token of the ServiceAccount is mounted.
  nodeName 10 string | The node that the pod runs on. Set by the scheduler.
  hostNetwork 11 bool | Use the node's network instead of an address of its own.
  hostPID 12 bool
  hostIPC 13 bool
  shareProcessNamespace 27 bool | Whether containers see each other's processes.
  securityContext 14 PodSecurityContext | Users, groups and kernel settings of all containers.
  imagePullSecrets 15 [LocalObjectReference] merge=name | Secrets that images are pulled with.
  hostname 16 string | The pod's host name. Its own name where absent.
  subdomain 17 string | Makes the pod's full name hostname.subdomain.namespace.svc.cluster.local.
  affinity 18 Affinity | Which nodes and neighbours are preferred or required.
  schedulerName 19 string | Who chooses the node. default-scheduler where absent.
  tolerations 22 [Toleration] | Taints of nodes that the pod puts up with.
  hostAliases 23 [HostAlias] merge=ip | Lines of the pod's /etc/hosts.
  priorityClassName 24 string | How important the pod is.
  priority 25 int32
  dnsConfig 26 PodDNSConfig
  readinessGates 28 [PodReadinessGate] | Further conditions that must hold for the pod to be ready.
  runtimeClassName 29 string
  enableServiceLinks 30 bool | Whether services are told to containers by environment variables.
  preemptionPolicy 31 string
  overhead 32 {quantity}
  topologySpreadConstraints 33 [TopologySpreadConstraint] merge=topologyKey map=topologyKey,whenUnsatisfiable | How pods are spread over nodes.
  setHostnameAsFQDN 35 bool
  os 36 PodOS
  hostUsers 37 bool
  schedulingGates 38 [PodSchedulingGate] merge=name
  resourceClaims 39 [PodResourceClaim] merge=name retainKeys
  resources 40 ResourceRequirements
PodStatus
  phase 1 string | Pending, Running, Succeeded, Failed or Unknown.
  conditions 2 [PodCondition] merge=type | PodScheduled, Initialized, ContainersReady and Ready.
  message 3 string
  reason 4 string
  nominatedNodeName 11 string
  hostIP 5 string | The address of the node.
  hostIPs 16 [HostIP] merge=ip
  podIP 6 string | The pod's address.
  podIPs 12 [PodIP] merge=ip | The pod's addresses, one a family.
  startTime 7 time | When the node took the pod over.
  initContainerStatuses 10 [ContainerStatus]
  containerStatuses 8 [ContainerStatus] | What the containers are doing.
  qosClass 9 string | Guaranteed, Burstable or BestEffort, by requests and limits.
  ephemeralContainerStatuses 13 [ContainerStatus]
  resize 14 string
  resourceClaimStatuses 15 [PodResourceClaimStatus] merge=name retainKeys
PodTemplateSpec | What pods are made from.
  metadata 1 meta.v1.ObjectMeta | Labels and annotations of the pods.
  spec 2 PodSpec | What the pods run.
PreferredSchedulingTerm
  weight! 1 int32
  preference! 2 NodeSelectorTerm
Probe
  handler 1 ProbeHandler inline
  initialDelaySeconds 2 int32 | Seconds after the start before the first check.
  timeoutSeconds 3 int32 | Seconds after which a check has failed. 1 where absent.
  periodSeconds 4 int32 | Seconds between checks. 10 where absent.
  successThreshold 5 int32 | Successes in a row after a failure that count as success. 1 where absent.
  failureThreshold 6 int32 | Failures in a row that count as failure. 3 where absent.
  terminationGracePeriodSeconds 7 int64 | Seconds to end in when the check has failed, in place of the pod's.
ProbeHandler
  exec 1 ExecAction | Runs a command in the container; 0 is success.
  httpGet 2 HTTPGetAction | Asks over HTTP; 200 to 399 is success.
  tcpSocket 3 TCPSocketAction | Opens a connection.
  grpc 4 GRPCAction | Asks the gRPC health service.
ResourceClaim
  name 1 string
  request 2 string
ResourceFieldSelector atomic
  containerName 1 string
  resource! 2 string
  divisor 3 quantity
ResourceHealth
  resourceID 1 string
  health 2 string
ResourceRequirements
  limits 1 {quantity} | What may be used at most.
  requests 2 {quantity} | What is needed at least. The limits where absent.
  claims 3 [ResourceClaim] map=name
ResourceStatus
  name 1 string
  resources 2 [ResourceHealth]
SELinuxOptions
  user 1 string
  role 2 string
  type 3 string
  level 4 string
SeccompProfile
  type! 1 string
  localhostProfile 2 string
SecretEnvSource
  localObjectReference 1 LocalObjectReference inline
  optional 2 bool
SecretKeySelector atomic
  localObjectReference 1 LocalObjectReference inline
  key! 2 string
  optional 3 bool
SecurityContext
  capabilities 1 Capabilities
  privileged 2 bool
  seLinuxOptions 3 SELinuxOptions
  windowsOptions 10 WindowsSecurityContextOptions
  runAsUser 4 int64
  runAsGroup 8 int64
  runAsNonRoot 5 bool
  readOnlyRootFilesystem 6 bool
  allowPrivilegeEscalation 7 bool
  procMount 9 string
  seccompProfile 11 SeccompProfile
  appArmorProfile 12 AppArmorProfile
SleepAction
  seconds! 1 int64
Sysctl
  name 1 string
  value 2 string
TCPSocketAction
  port! 1 intOrString | The port, by number or name.
  host 2 string
Toleration
  key 1 string
  operator 2 string
  value 3 string
  effect 4 string
  tolerationSeconds 5 int64
TopologySpreadConstraint
  maxSkew! 1 int32
  topologyKey! 2 string
  whenUnsatisfiable! 3 string
  labelSelector 4 meta.v1.LabelSelector
  minDomains 5 int32
  nodeAffinityPolicy 6 string
  nodeTaintsPolicy 7 string
  matchLabelKeys 8 [string]
VolumeDevice
  name! 1 string
  devicePath! 2 string
VolumeMount
  name! 1 string | The volume.
  readOnly 2 bool | Whether it can only be read.
  recursiveReadOnly 7 string
  mountPath! 3 string | Where it appears.
  subPath 4 string | A part of the volume.
  mountPropagation 5 string
  subPathExpr 6 string
VolumeMountStatus
  name 1 string
  mountPath 2 string
  readOnly 3 bool
  recursiveReadOnly 4 string
WeightedPodAffinityTerm
  weight! 1 int32
  podAffinityTerm! 2 PodAffinityTerm
WindowsSecurityContextOptions
  gmsaCredentialSpecName 1 string
  gmsaCredentialSpec 2 string
  runAsUserName 3 string
  hostProcess 4 bool
`;
