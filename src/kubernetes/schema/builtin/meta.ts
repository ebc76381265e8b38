/** Types of meta.v1. The notation is explained in ../notation.ts. */
export const metaTypes = `
Condition
  type! 1 string
  status! 2 string
  observedGeneration 3 int64
  lastTransitionTime! 4 time
  reason! 5 string
  message! 6 string
DeleteOptions object
  gracePeriodSeconds 1 int64
  preconditions 2 Preconditions
  orphanDependents 3 bool
  propagationPolicy 4 string
  dryRun 5 [string]
  ignoreStoreReadErrorWithClusterBreakingPotential 6 bool
FieldSelectorRequirement
  key 1 string
  operator 2 string
  values 3 [string]
LabelSelector atomic | Chooses objects by their labels. Everything in it has to hold; an empty one chooses everything.
  matchLabels 1 {string} | Labels that must have exactly these values.
  matchExpressions 2 [LabelSelectorRequirement] | Further conditions on labels.
LabelSelectorRequirement
  key! 1 string merge=key | The label.
  operator! 2 string | In, NotIn, Exists or DoesNotExist.
  values 3 [string] | The values of In and NotIn.
ListMeta
  selfLink 1 string
  resourceVersion 2 string
  continue 3 string
  remainingItemCount 4 int64
ManagedFieldsEntry
  manager 1 string
  operation 2 string
  apiVersion 3 string
  time 4 time
  fieldsType 6 string
  fieldsV1 7 any
  subresource 8 string
ObjectMeta | What every object has: its name, its labels and what the server keeps about it.
  name 1 string | The name, unique among the objects of its kind in the namespace. Cannot be changed.
  generateName 2 string | A prefix that the server makes a unique name of, where no name is given.
  namespace 3 string | The namespace that the object lives in. Cannot be changed.
  selfLink 4 string | No longer filled in.
  uid 5 string | Tells the object from earlier ones of the same name. Set by the server.
  resourceVersion 6 string | Changes with each write. An update that names an older one is refused.
  generation 7 int64 | Counts the changes of what is wanted. Set by the server.
  creationTimestamp 8 time | When the object was created. Set by the server.
  deletionTimestamp 9 time | When the object is to be gone; set by the server once it is being deleted.
  deletionGracePeriodSeconds 10 int64 | Seconds the object has to end by itself once it is being deleted.
  labels 11 {string} | Words that objects are chosen by.
  annotations 12 {string} | Notes of any length that nothing is chosen by.
  ownerReferences 13 [OwnerReference] merge=uid | The objects this one belongs to; it is deleted when all of them are gone.
  finalizers 14 [string] merge | What has to be done before the object may go; whoever did its part removes its entry.
  managedFields 17 [ManagedFieldsEntry] | Who set which field. Kept by the server for server-side apply.
OwnerReference | An object that this one belongs to.
  apiVersion! 5 string
  kind! 1 string
  name! 3 string
  uid! 4 string
  controller 6 bool
  blockOwnerDeletion 7 bool
Preconditions
  uid 1 string
  resourceVersion 2 string
Status object
  metadata 1 ListMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  status 2 string
  message 3 string
  reason 4 string
  details 5 StatusDetails
  code 6 int32
StatusCause
  reason 1 string
  message 2 string
  field 3 string
StatusDetails
  name 1 string
  group 2 string
  kind 3 string
  uid 6 string
  causes 4 [StatusCause]
  retryAfterSeconds 5 int32
`;
