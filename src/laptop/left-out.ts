/** What of a tree is left out because this machine cannot run it: a program is missing, a port is not to be had. */

import { traefikImage } from '../ingress/index.ts';
import {
  type Deployment,
  type KubeObject,
  labelsMatch,
  namespacedName,
  type Service,
} from '../kubernetes/index.ts';
import type { Plan } from './plan.ts';
import type { LaptopStatus } from './status.ts';

/** An image of sluice.yaml whose program is not here, and may be missing. */
export interface MissingProgram {
  readonly image: string;
  readonly program: string;
  /** The command that installs it, where the tree says so. */
  readonly install: string | undefined;
}

export interface LeftOut {
  /** Deployments that run such an image, as `namespace/name`. */
  readonly deployments: readonly string[];
  /** Services whose pods are all of those. */
  readonly services: readonly string[];
  /** Entry points at ports that only root may bind. */
  readonly entryPoints: readonly string[];
}

export function leftOutBy(missing: readonly MissingProgram[], objects: readonly KubeObject[]): LeftOut {
  const names = new Set(missing.map(({ image }) => image));
  const isLeftOut = ({ spec }: Deployment) =>
    spec.template.spec.containers.some(
      ({ image }) => names.has(image) || names.has(image.replace(/[:@][^/]*$/, '')),
    );
  const deployments = objects.filter((object): object is Deployment => object.kind === 'Deployment');
  const left = deployments.filter(isLeftOut);
  const services = objects.filter((object): object is Service => object.kind === 'Service');
  return {
    deployments: left.map(namespacedName),
    services: services
      .filter((service) => {
        const behind = deployments.filter((deployment) => selects(service, deployment));
        return behind.length > 0 && behind.every((deployment) => left.includes(deployment));
      })
      .map(namespacedName),
    entryPoints: [],
  };
}

/** Ports below this one need root, unless the pod has a network of its own (ip(7), ip_unprivileged_port_start). */
const firstFreePort = 1024;

/** Where pods share the host's network and the user is not root, the ingress does without the ports of root. */
export function withoutPrivilegedPorts(plan: Plan): Plan {
  const entryPoints = plan.entryPoints.filter(({ port }) => port < firstFreePort).map(({ name }) => name);
  if (entryPoints.length === 0) return plan;
  const objects = plan.objects.map((planned) =>
    isIngress(planned.object) ? { ...planned, object: withFreePorts(planned.object) } : planned,
  );
  return { ...plan, objects, leftOut: { ...plan.leftOut, entryPoints } };
}

function isIngress(object: KubeObject): object is Deployment {
  const [container] =
    object.kind === 'Deployment' ? (object as Deployment).spec.template.spec.containers : [];
  return container?.image.startsWith(`${traefikImage}:`) ?? false;
}

/** A container is not ready before all its ports are bound: it must not declare one that it cannot bind. */
function withFreePorts(deployment: Deployment): Deployment {
  const { template } = deployment.spec;
  const containers = template.spec.containers.map((container) => ({
    ...container,
    ports: (container.ports ?? []).filter(({ containerPort }) => containerPort >= firstFreePort),
  }));
  const spec = { ...template.spec, containers };
  return { ...deployment, spec: { ...deployment.spec, template: { ...template, spec } } };
}

function selects({ spec, metadata }: Service, deployment: Deployment): boolean {
  if (!spec.selector || metadata.namespace !== deployment.metadata.namespace) return false;
  return labelsMatch({ matchLabels: spec.selector }, deployment.spec.template.metadata?.labels);
}

/** The status of all that is not left out. */
export function statusOfTheRest(
  status: LaptopStatus,
  { deployments, services, entryPoints }: LeftOut,
): LaptopStatus {
  return {
    deployments: status.deployments.filter(({ name }) => !deployments.includes(name)),
    blocked: status.blocked.filter(({ pod }) => !deployments.some((name) => pod.startsWith(`${name}-`))),
    paths: status.paths.filter(
      (path) => !isLeftOutPath(path.services, services) && !entryPoints.includes(path.entryPoint),
    ),
  };
}

function isLeftOutPath(named: readonly string[], leftOut: readonly string[]): boolean {
  return named.length > 0 && named.every((service) => leftOut.includes(service));
}
