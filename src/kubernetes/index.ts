export {
  ApiError,
  type ApiErrorReason,
  type DeleteOptions,
  type ListOptions,
  type ObjectApi,
  type WatchEvent,
  type WatchEventType,
  type WatchOptions,
} from './api.ts';
export { describeObject, namespacedName } from './names.ts';
export type * from './objects.ts';
export * from './resource-types.ts';
