/** Types of apps.v1. The notation is explained in ../notation.ts. */
export const appsTypes = `
ControllerRevision object
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  data 2 any
  revision! 3 int64
DaemonSet object | Keeps one pod of a template running on every node.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 DaemonSetSpec
  status 3 DaemonSetStatus
DaemonSetCondition
  type! 1 string
  status! 2 string
  lastTransitionTime 3 time
  reason 4 string
  message 5 string
DaemonSetSpec
  selector! 1 meta.v1.LabelSelector | Which pods belong to the DaemonSet.
  template! 2 core.v1.PodTemplateSpec | What the pods are made from.
  updateStrategy 3 DaemonSetUpdateStrategy
  minReadySeconds 4 int32
  revisionHistoryLimit 6 int32
DaemonSetStatus
  currentNumberScheduled! 1 int32
  numberMisscheduled! 2 int32
  desiredNumberScheduled! 3 int32
  numberReady! 4 int32
  observedGeneration 5 int64
  updatedNumberScheduled 6 int32
  numberAvailable 7 int32
  numberUnavailable 8 int32
  collisionCount 9 int32
  conditions 10 [DaemonSetCondition] merge=type
DaemonSetUpdateStrategy
  type 1 string
  rollingUpdate 2 RollingUpdateDaemonSet
Deployment object | Keeps a number of pods of one template running, and replaces them step by step when the template changes.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 DeploymentSpec | What is wanted.
  status 3 DeploymentStatus | What is there. Kept by the cluster.
DeploymentCondition
  type! 1 string
  status! 2 string
  lastUpdateTime 6 time
  lastTransitionTime 7 time
  reason 4 string
  message 5 string
DeploymentSpec
  replicas 1 int32 | How many pods are wanted. 1 where absent.
  selector! 2 meta.v1.LabelSelector | Which pods belong to the Deployment. Must match the labels of the template. Cannot be changed.
  template! 3 core.v1.PodTemplateSpec | What the pods are made from.
  strategy 4 DeploymentStrategy retainKeys | How pods are replaced by new ones.
  minReadySeconds 5 int32 | Seconds that a pod must have been ready to count as available. 0 where absent.
  revisionHistoryLimit 6 int32 | Earlier ReplicaSets that are kept to go back to. 10 where absent.
  paused 7 bool | Changes of the template are not rolled out.
  progressDeadlineSeconds 9 int32 | Seconds without progress after which a rollout counts as failed. 600 where absent.
DeploymentStatus
  observedGeneration 1 int64 | The generation that this status speaks of.
  replicas 2 int32 | Pods that there are.
  updatedReplicas 3 int32 | Pods made from the present template.
  readyReplicas 7 int32 | Pods that are ready.
  availableReplicas 4 int32 | Pods that have been ready for minReadySeconds.
  unavailableReplicas 5 int32 | Pods that are still missing.
  conditions 6 [DeploymentCondition] merge=type | Available, Progressing and ReplicaFailure.
  collisionCount 8 int32
DeploymentStrategy
  type 1 string | RollingUpdate (the default) or Recreate.
  rollingUpdate 2 RollingUpdateDeployment | The steps of a RollingUpdate.
ReplicaSet object | Keeps a number of pods of one template running. Deployments make them.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 ReplicaSetSpec
  status 3 ReplicaSetStatus
ReplicaSetCondition
  type! 1 string
  status! 2 string
  lastTransitionTime 3 time
  reason 4 string
  message 5 string
ReplicaSetSpec
  replicas 1 int32 | How many pods are wanted. 1 where absent.
  minReadySeconds 4 int32
  selector! 2 meta.v1.LabelSelector | Which pods belong to the ReplicaSet.
  template 3 core.v1.PodTemplateSpec | What the pods are made from.
ReplicaSetStatus
  replicas! 1 int32
  fullyLabeledReplicas 2 int32
  readyReplicas 4 int32
  availableReplicas 5 int32
  observedGeneration 3 int64
  conditions 6 [ReplicaSetCondition] merge=type
RollingUpdateDaemonSet
  maxUnavailable 1 intOrString
  maxSurge 2 intOrString
RollingUpdateDeployment
  maxUnavailable 1 intOrString | Pods, or a percentage of them, that may be missing during the update. 25% where absent.
  maxSurge 2 intOrString | Pods, or a percentage of them, that may be there beyond the wanted number. 25% where absent.
RollingUpdateStatefulSetStrategy
  partition 1 int32
  maxUnavailable 2 intOrString
StatefulSet object | Keeps numbered pods running that each have a name of their own.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 StatefulSetSpec
  status 3 StatefulSetStatus
StatefulSetCondition
  type! 1 string
  status! 2 string
  lastTransitionTime 3 time
  reason 4 string
  message 5 string
StatefulSetOrdinals
  start 1 int32
StatefulSetPersistentVolumeClaimRetentionPolicy
  whenDeleted 1 string
  whenScaled 2 string
StatefulSetSpec
  replicas 1 int32
  selector! 2 meta.v1.LabelSelector
  template! 3 core.v1.PodTemplateSpec
  volumeClaimTemplates 4 [core.v1.PersistentVolumeClaim]
  serviceName 5 string
  podManagementPolicy 6 string
  updateStrategy 7 StatefulSetUpdateStrategy
  revisionHistoryLimit 8 int32
  minReadySeconds 9 int32
  persistentVolumeClaimRetentionPolicy 10 StatefulSetPersistentVolumeClaimRetentionPolicy
  ordinals 11 StatefulSetOrdinals
StatefulSetStatus
  observedGeneration 1 int64
  replicas! 2 int32
  readyReplicas 3 int32
  currentReplicas 4 int32
  updatedReplicas 5 int32
  currentRevision 6 string
  updateRevision 7 string
  collisionCount 9 int32
  conditions 10 [StatefulSetCondition] merge=type
  availableReplicas 11 int32
StatefulSetUpdateStrategy
  type 1 string
  rollingUpdate 2 RollingUpdateStatefulSetStrategy
`;
