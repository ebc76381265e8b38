/** Types of scheduling.v1. The notation is explained in ../notation.ts. */
export const schedulingTypes = `
PriorityClass object | How important pods are. Stored only.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  value! 2 int32
  globalDefault 3 bool
  description 4 string
  preemptionPolicy 5 string
`;
