export {
  ApiError,
  type ApiErrorCause,
  type ApiErrorDetails,
  type ApiErrorReason,
  type DeleteOptions,
  type ListOptions,
  type ObjectApi,
  type WatchEvent,
  type WatchEventType,
  type WatchOptions,
} from './api.ts';
export * from './client/index.ts';
export { createInformer, type Informer, type InformerOptions } from './informer.ts';
export { describeObject, namespacedName } from './names.ts';
export type * from './objects.ts';
export * from './patch/index.ts';
export { formatQuantity, InvalidQuantity, parseQuantity } from './quantities.ts';
export * from './resource-types.ts';
export {
  builtInSchema,
  invariant,
  type ListType,
  namedType,
  type Schema,
  type WireField,
  type WireKind,
} from './schema/index.ts';
export {
  type FieldRequirement,
  fieldPredicate,
  fieldValue,
  formatLabelSelector,
  labelsMatch,
  parseFieldSelector,
  parseLabelSelector,
  SelectorSyntaxError,
} from './selectors.ts';
export { type ServiceEndpoint, sliceEndpoints } from './slice-endpoints.ts';
