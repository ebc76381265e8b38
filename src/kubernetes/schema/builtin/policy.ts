/** Types of policy.v1. The notation is explained in ../notation.ts. */
export const policyTypes = `
Eviction object
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  deleteOptions 2 meta.v1.DeleteOptions
PodDisruptionBudget object | How many pods may be missing at a time. Stored only.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 PodDisruptionBudgetSpec
  status 3 PodDisruptionBudgetStatus
PodDisruptionBudgetSpec
  minAvailable 1 intOrString
  selector 2 meta.v1.LabelSelector replace
  maxUnavailable 3 intOrString
  unhealthyPodEvictionPolicy 4 string
PodDisruptionBudgetStatus
  observedGeneration 1 int64
  disruptedPods 2 {time}
  disruptionsAllowed 3 int32
  currentHealthy 4 int32
  desiredHealthy 5 int32
  expectedPods 6 int32
  conditions 7 [meta.v1.Condition] merge=type map=type
`;
