/** Defaults and checks of a pod's spec, whether in a Pod or in a template. */

import type { Container, PodSpec } from '../../../kubernetes/index.ts';
import { InvalidQuantity, parseQuantity } from '../../../kubernetes/index.ts';
import type { FieldErrors } from './field-errors.ts';
import { checkPortName, checkPortNumber, labelName } from './names.ts';

type Fields = Record<string, unknown>;

/** Sets each field that is absent. */
export function setDefaults(target: Fields, defaults: Readonly<Fields>): void {
  for (const [key, value] of Object.entries(defaults)) {
    if (target[key] === undefined || target[key] === null) target[key] = value;
  }
}

const records = (value: unknown): Fields[] =>
  Array.isArray(value) ? value.filter((item): item is Fields => isRecord(item)) : [];

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** SetDefaults_PodSpec and SetDefaults_Container of the API server (pkg/apis/core/v1/defaults.go). */
export function defaultPodSpec(spec: PodSpec): void {
  setDefaults(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
  });
  for (const list of ['containers', 'initContainers', 'ephemeralContainers']) {
    for (const container of records(spec[list])) defaultContainer(container);
  }
  for (const volume of records(spec.volumes)) defaultVolume(volume);
}

function defaultContainer(container: Fields): void {
  setDefaults(container, {
    imagePullPolicy: pullPolicyOf(container.image),
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  });
  for (const port of records(container.ports)) setDefaults(port, { protocol: 'TCP' });
  for (const { valueFrom } of records(container.env)) {
    if (isRecord(valueFrom) && isRecord(valueFrom.fieldRef)) {
      setDefaults(valueFrom.fieldRef, { apiVersion: 'v1' });
    }
  }
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) defaultProbe(container[probe]);
  if (isRecord(container.lifecycle)) {
    for (const hook of [container.lifecycle.postStart, container.lifecycle.preStop]) {
      if (isRecord(hook)) defaultHttpGet(hook.httpGet);
    }
  }
}

/** `Always` for the tag latest and for no tag, as a registry may give another image under the same name. */
function pullPolicyOf(image: unknown): string {
  const reference = typeof image === 'string' ? image : '';
  if (reference.includes('@')) return 'IfNotPresent';
  const tag = /:([^:/]+)$/.exec(reference)?.[1] ?? 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultProbe(probe: unknown): void {
  if (!isRecord(probe)) return;
  setDefaults(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  defaultHttpGet(probe.httpGet);
  if (isRecord(probe.grpc)) setDefaults(probe.grpc, { service: '' });
}

function defaultHttpGet(httpGet: unknown): void {
  if (isRecord(httpGet)) setDefaults(httpGet, { path: '/', scheme: 'HTTP' });
}

const defaultFileMode = 0o644;
const volumeSources = ['configMap', 'secret', 'downwardAPI', 'projected'];

function defaultVolume(volume: Fields): void {
  if (Object.keys(volume).length === 1) volume.emptyDir = {};
  if (isRecord(volume.hostPath)) setDefaults(volume.hostPath, { type: '' });
  for (const name of volumeSources) {
    const source = volume[name];
    if (!isRecord(source)) continue;
    setDefaults(source, { defaultMode: defaultFileMode });
    for (const part of [source, ...records(source.sources).flatMap(({ downwardAPI }) => downwardAPI)]) {
      if (!isRecord(part)) continue;
      for (const { fieldRef } of records(part.items)) {
        if (isRecord(fieldRef)) setDefaults(fieldRef, { apiVersion: 'v1' });
      }
    }
  }
}

export const protocols: readonly string[] = ['SCTP', 'TCP', 'UDP'];

export function validatePodSpec(spec: PodSpec, path: string, errors: FieldErrors): void {
  const containers: readonly Container[] = spec.containers ?? [];
  if (containers.length === 0) errors.required(`${path}.containers`);
  const names = new Set<string>();
  const hostPorts = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const at = `${path}.containers[${index}]`;
    if (!container.name) errors.required(`${at}.name`);
    else {
      for (const complaint of labelName(container.name))
        errors.invalid(`${at}.name`, container.name, complaint);
      if (names.has(container.name)) errors.duplicate(`${at}.name`, container.name);
      names.add(container.name);
    }
    if (!container.image) errors.required(`${at}.image`);
    validatePorts(container, at, hostPorts, errors);
    validateResources(container, `${at}.resources`, errors);
    validateMounts(container, spec, at, errors);
  }
  const policies = ['Always', 'OnFailure', 'Never'];
  if (!policies.includes(spec.restartPolicy ?? 'Always')) {
    errors.notSupported(`${path}.restartPolicy`, spec.restartPolicy, policies);
  }
  const grace = spec.terminationGracePeriodSeconds ?? 0;
  if (grace < 0) {
    const detail = 'must be greater than or equal to 0';
    errors.invalid(`${path}.terminationGracePeriodSeconds`, grace, detail);
  }
}

function validatePorts(container: Container, at: string, hostPorts: Set<string>, errors: FieldErrors): void {
  const names = new Set<string>();
  for (const [index, port] of (container.ports ?? []).entries()) {
    const path = `${at}.ports[${index}]`;
    if (port.name) {
      for (const complaint of checkPortName(port.name)) errors.invalid(`${path}.name`, port.name, complaint);
      if (names.has(port.name)) errors.duplicate(`${path}.name`, port.name);
      names.add(port.name);
    }
    if (!port.containerPort) errors.required(`${path}.containerPort`);
    else {
      for (const complaint of checkPortNumber(port.containerPort)) {
        errors.invalid(`${path}.containerPort`, port.containerPort, complaint);
      }
    }
    if (!protocols.includes(port.protocol ?? 'TCP')) {
      errors.notSupported(`${path}.protocol`, port.protocol, protocols);
    }
    if (!port.hostPort) continue;
    const hostPort = `${port.protocol}/${port.hostIP ?? '0.0.0.0'}/${port.hostPort}`;
    if (hostPorts.has(hostPort)) errors.duplicate(`${path}.hostPort`, hostPort);
    hostPorts.add(hostPort);
  }
}

function validateMounts(container: Container, spec: PodSpec, at: string, errors: FieldErrors): void {
  const volumes = new Set(records(spec.volumes).map(({ name }) => name));
  for (const [index, { name, mountPath }] of records(container.volumeMounts).entries()) {
    const path = `${at}.volumeMounts[${index}]`;
    if (!name) errors.required(`${path}.name`);
    else if (!volumes.has(name)) errors.notFound(`${path}.name`, name);
    if (!mountPath) errors.required(`${path}.mountPath`);
  }
}

function validateResources({ resources }: Container, path: string, errors: FieldErrors): void {
  const amounts = (list: 'requests' | 'limits') => {
    const found = new Map<string, number>();
    for (const [name, quantity] of Object.entries(resources?.[list] ?? {})) {
      try {
        const amount = parseQuantity(quantity);
        if (amount < 0) {
          errors.invalid(`${path}.${list}.${name}`, quantity, 'must be greater than or equal to 0');
        }
        found.set(name, amount);
      } catch (error) {
        if (!(error instanceof InvalidQuantity)) throw error;
        errors.invalid(`${path}.${list}.${name}`, quantity, error.message);
      }
    }
    return found;
  };
  const limits = amounts('limits');
  for (const [name, request] of amounts('requests')) {
    const limit = limits.get(name);
    if (limit === undefined || request <= limit) continue;
    const detail = `must be less than or equal to ${name} limit of ${resources?.limits?.[name]}`;
    errors.invalid(`${path}.requests`, resources?.requests?.[name], detail);
  }
}
