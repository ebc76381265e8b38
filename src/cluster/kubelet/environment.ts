/** The variables a container starts with. */

import { cpus, totalmem } from 'node:os';
import {
  ApiError,
  configMaps,
  type KubeObject,
  type ObjectApi,
  parseQuantity,
  type ResourceType,
  secrets,
} from '../../kubernetes/index.ts';
import { expandVariables } from './command.ts';
import type { EnvFromSource, EnvVarSource, KubeletPod, PodContainer } from './pod-spec.ts';

/** A container cannot be made until an object it names is there. Worded as a kubelet words it. */
export class ContainerConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ContainerConfigError';
  }
}

export interface PodFacts {
  readonly pod: KubeletPod;
  readonly podIP: string;
  readonly hostIP: string;
}

/** What programs of this machine need to be found and to speak the user's language. */
const inheritedNames = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];

/** Throws `ContainerConfigError`. `imageEnv` is what the image itself sets. */
export async function containerEnvironment(
  api: ObjectApi,
  facts: PodFacts,
  container: PodContainer,
  imageEnv: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const { pod, podIP } = facts;
  const env: Record<string, string> = {};
  for (const name of inheritedNames) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  Object.assign(env, { HOSTNAME: podHostname(pod), POD_IP: podIP }, imageEnv);
  for (const source of container.envFrom ?? []) {
    Object.assign(env, await environmentFrom(api, pod.metadata.namespace, source));
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const found = valueFrom
      ? await sourcedValue(api, facts, container, valueFrom)
      : expandVariables(value ?? '', env);
    if (found !== undefined) env[name] = found;
  }
  return env;
}

/** What programs in the pod see as the machine's name. */
export function podHostname({ metadata, spec }: KubeletPod): string {
  return spec.hostname ?? metadata.name.slice(0, 63);
}

async function environmentFrom(
  api: ObjectApi,
  namespace: string | undefined,
  { prefix = '', configMapRef, secretRef }: EnvFromSource,
): Promise<Record<string, string>> {
  const reference = configMapRef ?? secretRef;
  if (!reference) return {};
  const kind = configMapRef ? 'ConfigMap' : 'Secret';
  const data = await readKeys(api, kind, namespace, reference.name, reference.optional);
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, value]) => [`${prefix}${key}`, value.toString()]),
  );
}

/** Undefined for an optional source that is not there. */
async function sourcedValue(
  api: ObjectApi,
  facts: PodFacts,
  container: PodContainer,
  { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef }: EnvVarSource,
): Promise<string | undefined> {
  if (fieldRef) return fieldValue(facts, fieldRef.fieldPath);
  if (resourceFieldRef) return resourceValue(facts.pod, resourceFieldRef, container);
  const reference = configMapKeyRef ?? secretKeyRef;
  if (!reference) return undefined;
  const kind = configMapKeyRef ? 'ConfigMap' : 'Secret';
  const { namespace } = facts.pod.metadata;
  const data = await readKeys(api, kind, namespace, reference.name, reference.optional);
  const value = data?.[reference.key];
  if (value === undefined && data && !reference.optional) {
    throw new ContainerConfigError(
      `couldn't find key ${reference.key} in ${kind} ${namespace}/${reference.name}`,
    );
  }
  return value?.toString();
}

interface DataObject extends KubeObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

/** A ConfigMap's or Secret's bytes by key. Throws `ContainerConfigError`; undefined where it is optional and absent. */
export async function readKeys(
  api: ObjectApi,
  kind: 'ConfigMap' | 'Secret',
  namespace: string | undefined,
  name: string,
  optional = false,
): Promise<Record<string, Buffer> | undefined> {
  const type = (kind === 'ConfigMap' ? configMaps : secrets) as ResourceType<DataObject>;
  try {
    const { data = {}, binaryData = {} } = await api.get(type, namespace, name);
    const encoding = kind === 'ConfigMap' ? 'utf8' : 'base64';
    const decoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text, encoding)]);
    const binary = Object.entries(binaryData).map(([key, text]) => [key, Buffer.from(text, 'base64')]);
    return Object.fromEntries([...decoded, ...binary]) as Record<string, Buffer>;
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'NotFound') throw error;
    if (optional) return undefined;
    throw new ContainerConfigError(`${kind.toLowerCase()} "${name}" not found`);
  }
}

/**
 * https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#available-fields
 * Throws `ContainerConfigError` for a field that is not offered.
 */
export function fieldValue({ pod, podIP, hostIP }: PodFacts, path: string): string {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (subscript) return metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2] ?? ''] ?? '';
  const fields: Record<string, string | undefined> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'metadata.labels': formatMap(metadata.labels),
    'metadata.annotations': formatMap(metadata.annotations),
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName ?? 'default',
    'status.podIP': podIP,
    'status.podIPs': podIP,
    'status.hostIP': hostIP,
    'status.hostIPs': hostIP,
  };
  if (!Object.hasOwn(fields, path)) throw new ContainerConfigError(`unsupported fieldPath: ${path}`);
  return fields[path] ?? '';
}

/** As downward files hold it: one `key="value"` a line, sorted. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/** What a container may use or asks for, in units of the divisor, rounded up. Without a limit: what the node has. */
export function resourceValue(
  pod: KubeletPod,
  { containerName, resource, divisor }: NonNullable<EnvVarSource['resourceFieldRef']>,
  container: PodContainer | undefined,
): string {
  const [kind = '', name = ''] = resource.split(/\.(.*)/s);
  const named = containerName
    ? [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(
        (other) => other.name === containerName,
      )
    : container;
  const resources = named?.resources ?? {};
  const given =
    kind === 'limits' ? resources.limits?.[name] : (resources.requests?.[name] ?? resources.limits?.[name]);
  const ofNode: Record<string, number> = { cpu: cpus().length, memory: totalmem() };
  const fallback = kind === 'limits' ? (ofNode[name] ?? 0) : 0;
  const unit = divisor === undefined || String(divisor) === '0' ? 1 : parseQuantity(divisor);
  return String(Math.ceil((given === undefined ? fallback : parseQuantity(given)) / unit));
}
