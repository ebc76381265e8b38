/** Types of authentication.v1. The notation is explained in ../notation.ts. */
export const authenticationTypes = `
BoundObjectReference
  kind 1 string
  apiVersion 2 string
  name 3 string
  uID 4 string
ExtraValue
  items 1 [string]
SelfSubjectReview object
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  status 2 SelfSubjectReviewStatus
SelfSubjectReviewStatus
  userInfo 1 UserInfo
TokenRequest object
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec! 2 TokenRequestSpec
  status 3 TokenRequestStatus
TokenRequestSpec
  audiences! 1 [string]
  expirationSeconds 4 int64
  boundObjectRef 3 BoundObjectReference
TokenRequestStatus
  token 1 string
  expirationTimestamp 2 time
TokenReview object
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec! 2 TokenReviewSpec
  status 3 TokenReviewStatus
TokenReviewSpec
  token 1 string
  audiences 2 [string]
TokenReviewStatus
  authenticated 1 bool
  user 2 UserInfo
  audiences 4 [string]
  error 3 string
UserInfo
  username 1 string
  uid 2 string
  groups 3 [string]
  extra 4 {ExtraValue}
`;
