/**
 * What the Traefik Helm chart makes of its values, as far as entry points and their Service go. Not a template engine:
 * a model of the chart's rules from 26 to 41, each with the version it changed in (chart changelog and templates).
 */

import * as v from 'valibot';
import type { Diagnostic, SourcePosition } from '../../diagnostics/index.ts';
import type { Deployment, Service, ServicePort } from '../../kubernetes/index.ts';
import type { LocatedDocument } from '../../yaml/index.ts';
import type { LocatedArgument } from './option-sources.ts';

export interface TraefikChart {
  /** The command line the chart gives to Traefik, in its order: the last value of an option wins. */
  readonly arguments: readonly LocatedArgument[];
  /** The Service the chart makes; undefined when it exposes no port. */
  readonly service: Service | undefined;
  /** The Deployment the chart makes, whose pods are the ingress. */
  readonly deployment: Deployment;
  /** Where each port of the Service was written, by port name. */
  readonly portPositions: ReadonlyMap<string, SourcePosition>;
  readonly diagnostics: readonly Diagnostic[];
}

export interface TraefikChartSource {
  readonly version: string;
  readonly releaseName: string;
  /** Where the release goes. */
  readonly namespace: string;
  readonly values: LocatedDocument | undefined;
  /** Of the source, for what the values do not say. */
  readonly position: SourcePosition;
}

const portSchema = v.looseObject({
  port: v.optional(v.number()),
  hostIP: v.optional(v.string()),
  expose: v.optional(v.union([v.boolean(), v.record(v.string(), v.boolean())])),
  exposedPort: v.optional(v.number()),
  targetPort: v.optional(v.nullable(v.union([v.string(), v.number()]))),
  protocol: v.optional(v.string()),
  nodePort: v.optional(v.nullable(v.number())),
});

const valuesSchema = v.looseObject({
  fullnameOverride: v.optional(v.string()),
  additionalArguments: v.optional(v.array(v.string())),
  deployment: v.optional(v.looseObject({ replicas: v.optional(v.number()) })),
  service: v.optional(
    v.looseObject({
      enabled: v.optional(v.boolean()),
      type: v.optional(v.string()),
      spec: v.optional(v.looseObject({ type: v.optional(v.string()) })),
    }),
  ),
  ports: v.optional(v.record(v.string(), v.nullable(portSchema))),
});

type Port = v.InferOutput<typeof portSchema>;
type Values = v.InferOutput<typeof valuesSchema>;

/** `expose` became a map in 27.0.0. */
const exposeMapSince = 27;
/** `service.type` moved to `service.spec.type` in 40.0.0; the old place is read by nothing. */
const serviceSpecSince = 40;
/** The port of the `traefik` entry point moved in 33.0.0. */
const traefikPort8080Since = 33;

export function readTraefikChart(source: TraefikChartSource): TraefikChart {
  const diagnostics: Diagnostic[] = [];
  const major = Number.parseInt(source.version, 10) || Number.POSITIVE_INFINITY;
  const locate = (path: readonly (string | number)[]) => source.values?.locate(path) ?? source.position;
  const values = parseValues(source, locate, diagnostics);
  const ports = mergedPorts(values, major);
  checkServiceType(values, major, locate, diagnostics);
  const exposed = ports.filter(([name, port]) => isExposed(name, port, major, locate, diagnostics));
  const args = chartArguments(values, ports, source.position, locate);
  return {
    arguments: args,
    service: chartService(source, values, exposed, major),
    deployment: chartDeployment(source, values, ports, major, args),
    portPositions: new Map(ports.map(([name]) => [portName(name), locate(['ports', name, 'nodePort'])])),
    diagnostics,
  };
}

type Locate = (path: readonly (string | number)[]) => SourcePosition;

function parseValues(source: TraefikChartSource, locate: Locate, diagnostics: Diagnostic[]): Values {
  const parsed = v.safeParse(valuesSchema, source.values?.value ?? {});
  if (parsed.success) return parsed.output;
  for (const issue of parsed.issues) {
    const path = (issue.path ?? []).map((item) => item.key as string | number);
    diagnostics.push({
      code: 'SL2005',
      severity: 'error',
      message: `the chart values are not valid at ${path.join('.')}: expected ${issue.expected}, found ${issue.received}`,
      position: locate(path),
    });
  }
  return {};
}

/** The user's ports over the chart's own. A port set to null is removed, as Helm does. */
function mergedPorts(values: Values, major: number): [string, Port][] {
  const defaults: Record<string, Port> = {
    traefik: { port: major >= traefikPort8080Since ? 8080 : 9000, expose: false },
    web: { port: 8000, exposedPort: 80, expose: major >= exposeMapSince ? { default: true } : true },
    websecure: { port: 8443, exposedPort: 443, expose: major >= exposeMapSince ? { default: true } : true },
  };
  const merged = new Map<string, Port>(Object.entries(defaults));
  for (const [name, port] of Object.entries(values.ports ?? {})) {
    if (port === null) merged.delete(name);
    else merged.set(name, { ...merged.get(name), ...port });
  }
  return [...merged];
}

function checkServiceType(values: Values, major: number, locate: Locate, diagnostics: Diagnostic[]): void {
  if (values.service?.type === undefined || major < serviceSpecSince) return;
  diagnostics.push({
    code: 'SL2005',
    severity: 'warning',
    message: `chart ${major} ignores service.type: the Service will be a LoadBalancer, not ${values.service.type}`,
    position: locate(['service', 'type']),
    hint: 'Move it to `service.spec.type` (chart 40.0.0 moved it).',
  });
}

function isExposed(
  name: string,
  port: Port,
  major: number,
  locate: Locate,
  diagnostics: Diagnostic[],
): boolean {
  const report = (field: string, severity: Diagnostic['severity'], message: string, hint: string) =>
    diagnostics.push({ code: 'SL2005', severity, message, position: locate(['ports', name, field]), hint });
  const expose = port.expose ?? (major < exposeMapSince ? true : undefined);
  if (typeof expose === 'boolean' && major >= exposeMapSince && expose) {
    const message = `chart ${major} does not render ports.${name}.expose: true`;
    report('expose', 'error', message, 'Write `expose: { default: true }` (chart 27.0.0 made it a map).');
    return false;
  }
  const isOn = typeof expose === 'object' ? expose.default === true : expose === true;
  if (isOn && !['TCP', 'UDP'].includes(port.protocol ?? 'TCP')) {
    const message = `the chart puts port ${name} into no Service: its protocol is ${JSON.stringify(port.protocol)}`;
    report('protocol', 'error', message, 'Write `protocol: UDP` or `protocol: TCP`, in capitals.');
    return false;
  }
  return isOn;
}

/** What the chart asks for whatever the values say, as far as it matters to UDP and TCP. */
const ownArguments = [
  '--api.dashboard=true',
  '--ping=true',
  '--metrics.prometheus=true',
  '--providers.kubernetescrd',
];

/** The chart writes the ports' entry points first, then its own, and the user's arguments after them. */
function chartArguments(
  values: Values,
  ports: readonly [string, Port][],
  position: SourcePosition,
  locate: Locate,
): LocatedArgument[] {
  const fromPorts = ports
    .filter(([, port]) => port.port !== undefined)
    .map(([name, port]) => ({
      text: `--entryPoints.${name}.address=${port.hostIP ?? ''}:${port.port}/${(port.protocol ?? 'tcp').toLowerCase()}`,
      position: locate(['ports', name, 'port']),
    }));
  const additional = (values.additionalArguments ?? []).map((text, index) => ({
    text,
    position: locate(['additionalArguments', index]),
  }));
  return [...fromPorts, ...ownArguments.map((text) => ({ text, position })), ...additional];
}

/** The Traefik version of each chart that changed it, newest first (chart changelog). */
const traefikVersions: readonly [chart: number, version: string][] = [
  [41, 'v3.7.5'],
  [40, 'v3.7.0'],
  [39, 'v3.6.7'],
  [38, 'v3.6.5'],
  [36, 'v3.4.1'],
  [34, 'v3.3.1'],
  [33, 'v3.2.0'],
  [31, 'v3.1.0'],
  [28, 'v3.0.0'],
  [27, 'v2.11.0'],
  [0, 'v2.10.6'],
];

/** The repository of the image that the chart runs; its tag follows the chart's version. */
export const traefikImage = 'docker.io/traefik';

function chartDeployment(
  source: TraefikChartSource,
  values: Values,
  ports: readonly [string, Port][],
  major: number,
  args: readonly LocatedArgument[],
): Deployment {
  const name = fullName(source.releaseName, values);
  const selector = chartSelector(source);
  const labels = {
    ...selector,
    'helm.sh/chart': `traefik-${source.version}`,
    'app.kubernetes.io/managed-by': 'Helm',
  };
  const tag = traefikVersions.find(([chart]) => chart <= major)?.[1];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: source.namespace, labels },
    spec: {
      replicas: values.deployment?.replicas ?? 1,
      selector: { matchLabels: selector },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 60,
          containers: [
            {
              name,
              image: `${traefikImage}:${tag}`,
              args: args.map(({ text }) => text),
              ports: ports
                .filter(([, port]) => port.port !== undefined)
                .map(([portOf, port]) => ({
                  name: portName(portOf),
                  containerPort: port.port ?? 0,
                  protocol: port.protocol === 'UDP' ? 'UDP' : 'TCP',
                })),
            },
          ],
        },
      },
    },
  };
}

function chartSelector({ releaseName, namespace }: TraefikChartSource): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'traefik',
    'app.kubernetes.io/instance': `${releaseName}-${namespace}`,
  };
}

function chartService(
  source: TraefikChartSource,
  values: Values,
  exposed: readonly [string, Port][],
  major: number,
): Service | undefined {
  if (values.service?.enabled === false || exposed.length === 0) return undefined;
  const type = major >= serviceSpecSince ? values.service?.spec?.type : values.service?.type;
  const { releaseName, namespace } = source;
  const selector = chartSelector(source);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: fullName(releaseName, values),
      namespace,
      labels: { ...selector, 'app.kubernetes.io/managed-by': 'Helm' },
    },
    spec: {
      type: (type ?? 'LoadBalancer') as NonNullable<Service['spec']['type']>,
      ports: exposed.map(([name, port]) => servicePort(name, port)),
      selector,
    },
  };
}

/** Helm's usual rule: the override, else the release's name when it holds the chart's, else both joined. */
function fullName(releaseName: string, values: Values): string {
  if (values.fullnameOverride) return values.fullnameOverride;
  return releaseName.includes('traefik') ? releaseName : `${releaseName}-traefik`;
}

function servicePort(name: string, port: Port): ServicePort {
  const { nodePort } = port;
  return {
    name: portName(name),
    port: port.exposedPort ?? port.port ?? 0,
    targetPort: port.targetPort ?? portName(name),
    protocol: (port.protocol ?? 'TCP') as 'TCP' | 'UDP',
    ...(typeof nodePort === 'number' ? { nodePort } : {}),
  };
}

/** Kubernetes allows 15 lower-case letters in a port's name; the chart cuts the entry point's name down to that. */
function portName(entryPointName: string): string {
  return entryPointName.toLowerCase().slice(0, 15).replace(/-+$/, '');
}
