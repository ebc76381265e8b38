import { builtInTypes, type ObjectApi } from '../../kubernetes/index.ts';
import type { Controller, ControllerContext, ServedTypes } from './controller.ts';
import { startDaemonSetController } from './daemon-set.ts';
import { startDeploymentController } from './deployment/controller.ts';
import { startEndpointsController } from './endpoints/controller.ts';
import { startEndpointsMirror } from './endpoints/mirror.ts';
import { startEventExpiry } from './event-expiry.ts';
import { createEventRecorder, type EventRecorder } from './events.ts';
import { startGarbageCollector } from './garbage.ts';
import { createSharedInformers } from './informers.ts';
import { startNamespaceController } from './namespace.ts';
import { startPodCollector } from './pod-collector.ts';
import { startReplicaSetController } from './replica-set.ts';
import { startScheduler } from './scheduler.ts';
import { startStatefulSetController } from './stateful-set.ts';

export interface ControllersOptions {
  /** Told of everything that went wrong and will be tried again. */
  onError: (error: unknown) => void;
  /** Default: the system's clock. */
  now?: () => Date;
  /** The types whose objects have owners or live in namespaces. Default: those of the store, else the built-in ones. */
  types?: ServedTypes;
}

export interface Controllers {
  /** Resolves when every controller has seen the objects that were there at the start. */
  readonly synced: Promise<void>;
  /** Resolves when no controller works any more. */
  stop(): Promise<void>;
}

function typesOf(api: ObjectApi): ServedTypes {
  return 'types' in api ? (api as ObjectApi & { types: ServedTypes }).types : builtIn;
}

const builtIn: ServedTypes = { list: () => builtInTypes, onChange: () => () => undefined };

/** Deployments, ReplicaSets, DaemonSets, StatefulSets, EndpointSlices, Endpoints, namespaces, owner references and scheduling. */
export function startControllers(api: ObjectApi, options: ControllersOptions): Controllers {
  const { onError, now = () => new Date(), types = typesOf(api) } = options;
  const informers = createSharedInformers(api, onError);
  const recorders: EventRecorder[] = [];
  const context: ControllerContext = {
    api,
    informers,
    types,
    now,
    onError,
    recorder(component) {
      const recorder = createEventRecorder(api, component, { now, onError });
      recorders.push(recorder);
      return recorder;
    },
  };
  const controllers: Controller[] = [
    startEndpointsController(context),
    startEndpointsMirror(context),
    startReplicaSetController(context),
    startDeploymentController(context),
    startDaemonSetController(context),
    startStatefulSetController(context),
    startScheduler(context),
    startPodCollector(context),
    startNamespaceController(context),
    startGarbageCollector(context),
    startEventExpiry(context),
  ];
  return {
    synced: informers.synced(),
    async stop() {
      informers.stop();
      await Promise.all(controllers.map((controller) => controller.stop()));
      await Promise.all(recorders.map((recorder) => recorder.flush()));
    },
  };
}
