export * from './api/index.ts';
export type { ServedTypes } from './controllers/controller.ts';
export {
  createEventRecorder,
  type EventRecorder,
  type EventRecorderOptions,
} from './controllers/events.ts';
export { type NodeDescription, registerNode } from './controllers/node.ts';
export { forgetRunningPods } from './controllers/restart.ts';
export { type Controllers, type ControllersOptions, startControllers } from './controllers/start.ts';
export * from './kubelet/index.ts';
export * from './network/index.ts';
export {
  createServiceProxy,
  type ServiceProxy,
  type ServiceProxyOptions,
} from './service-proxy/service-proxy.ts';
export { openStateDirectory, type StateDirectoryOptions } from './store/state/directory.ts';
export type { State, StateRecord } from './store/state/state.ts';
export { createStore, type StoreOptions } from './store/store.ts';
export type * from './store/types.ts';
