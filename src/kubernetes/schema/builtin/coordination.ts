/** Types of coordination.v1. The notation is explained in ../notation.ts. */
export const coordinationTypes = `
Lease object | Who leads, or that somebody lives.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec 2 LeaseSpec
LeaseSpec
  holderIdentity 1 string
  leaseDurationSeconds 2 int32
  acquireTime 3 microTime
  renewTime 4 microTime
  leaseTransitions 5 int32
  strategy 6 string
  preferredHolder 7 string
`;
