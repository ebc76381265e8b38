/** Types of rbac.v1. The notation is explained in ../notation.ts. */
export const rbacTypes = `
AggregationRule
  clusterRoleSelectors 1 [meta.v1.LabelSelector]
ClusterRole object | What may be done. Stored only: the embedded cluster has one user, who may do everything.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  rules 2 [PolicyRule]
  aggregationRule 3 AggregationRule
ClusterRoleBinding object | Who has a ClusterRole. Stored only.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  subjects 2 [Subject]
  roleRef! 3 RoleRef
PolicyRule
  verbs! 1 [string]
  apiGroups 2 [string]
  resources 3 [string]
  resourceNames 4 [string]
  nonResourceURLs 5 [string]
Role object | What may be done in a namespace. Stored only: the embedded cluster has one user, who may do everything.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  rules 2 [PolicyRule]
RoleBinding object | Who has a Role or ClusterRole in a namespace. Stored only.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  subjects 2 [Subject]
  roleRef! 3 RoleRef
RoleRef atomic
  apiGroup! 1 string
  kind! 2 string
  name! 3 string
Subject atomic
  kind! 1 string
  apiGroup 2 string
  name! 3 string
  namespace 4 string
`;
