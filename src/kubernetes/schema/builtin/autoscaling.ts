/** Types of autoscaling.v1. The notation is explained in ../notation.ts. */
export const autoscalingTypes = `
Scale object
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 ScaleSpec
  status 3 ScaleStatus
ScaleSpec
  replicas 1 int32
ScaleStatus
  replicas 1 int32
  selector 2 string
`;
