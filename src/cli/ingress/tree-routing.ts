/** The routing of a GitOps tree that runs nowhere: the pods are those that its workloads would make. */

import { DiagnosticError, hasErrors, type SourcePosition } from '../../diagnostics/index.ts';
import { diskFileSystem } from '../../files/index.ts';
import {
  type RouteFinding,
  type Routing,
  type RoutingOptions,
  RoutingState,
  type StaticConfiguration,
} from '../../ingress/index.ts';
import {
  type EndpointSlice,
  type KubeObject,
  labelsMatch,
  namespacedName,
  type PodTemplateSpec,
  type Service,
  typeOf,
} from '../../kubernetes/index.ts';
import { renderKustomization } from '../../kustomize/index.ts';
import { makePlan } from '../../laptop/index.ts';
import { noteDiagnostics } from '../output.ts';

export interface TreeRouting {
  readonly routing: Routing;
  /** Where what the finding is about was written. */
  readonly positionOf: (finding: RouteFinding) => SourcePosition | undefined;
}

/** Entry points come from the tree's Traefik values, and besides from the static configuration given. */
export function routingOfTree(
  directory: string,
  configuration: StaticConfiguration,
  options: RoutingOptions,
): TreeRouting {
  const plan = makePlan({
    paths: [directory],
    files: diskFileSystem,
    workingDirectory: process.cwd(),
    render: renderKustomization,
  });
  if (hasErrors(plan.diagnostics)) throw new DiagnosticError(plan.diagnostics);
  noteDiagnostics(plan.diagnostics);
  const objects = plan.objects.map(({ object }) => object);
  const state = new RoutingState(options);
  state.setEntryPoints([...plan.entryPoints, ...configuration.entryPoints]);
  for (const object of [...objects, ...imaginedSlices(objects)]) {
    const type = typeOf(object);
    if (type) state.apply(type.plural, { type: 'ADDED', object });
  }
  return {
    routing: state.compile(),
    positionOf: ({ kind = 'IngressRouteUDP', route, path }) => {
      const planned = plan.objects.find(
        ({ object }) => object.kind === kind && namespacedName(object) === route,
      );
      return planned?.locate(path);
    },
  };
}

interface Workload extends KubeObject {
  spec: { replicas?: number; template: PodTemplateSpec };
}

/** A slice for each Service, with one endpoint for each workload that it selects. */
function imaginedSlices(objects: readonly KubeObject[]): EndpointSlice[] {
  const workloads = objects.filter(({ kind }) =>
    ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind),
  ) as Workload[];
  const services = objects.filter(({ kind }) => kind === 'Service') as Service[];
  return services.flatMap((service) => {
    const { selector, ports = [] } = service.spec;
    if (!selector) return [];
    const selected = workloads.filter(
      ({ metadata, spec }) =>
        metadata.namespace === service.metadata.namespace &&
        labelsMatch({ matchLabels: selector }, spec.template.metadata?.labels) &&
        spec.replicas !== 0,
    );
    return selected.map((workload, index) => sliceOf(service, ports, workload, index));
  });
}

function sliceOf(
  service: Service,
  ports: NonNullable<Service['spec']['ports']>,
  workload: Workload,
  index: number,
): EndpointSlice {
  const { name, namespace } = service.metadata;
  const containerPorts = workload.spec.template.spec.containers.flatMap((container) => container.ports ?? []);
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${index}`,
      ...(namespace ? { namespace } : {}),
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType: 'IPv4',
    endpoints: [
      { addresses: [`pods of ${workload.kind} ${workload.metadata.name}`], conditions: { ready: true } },
    ],
    ports: ports.flatMap(({ name: portName, port, targetPort = port, protocol = 'TCP' }) => {
      const number =
        typeof targetPort === 'number'
          ? targetPort
          : containerPorts.find((one) => one.name === targetPort && (one.protocol ?? 'TCP') === protocol)
              ?.containerPort;
      return number === undefined
        ? []
        : [{ ...(portName ? { name: portName } : {}), port: number, protocol }];
    }),
  };
}
