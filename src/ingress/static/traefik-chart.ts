/**
 * What the Traefik Helm chart makes of its values, as far as entry points and their Service go. Not a template engine:
 * a model of the chart's rules from 26 to 41, each with the version it changed in (chart changelog and templates).
 */

import * as v from 'valibot';
import type { Diagnostic, SourcePosition } from '../../diagnostics/index.ts';
import type { Service, ServicePort } from '../../kubernetes/index.ts';
import type { LocatedDocument } from '../../yaml/index.ts';
import type { LocatedArgument } from './entry-points.ts';

export interface TraefikChart {
  /** The command line the chart gives to Traefik, in its order: the last value of an option wins. */
  readonly arguments: readonly LocatedArgument[];
  /** The Service the chart makes; undefined when it exposes no port. */
  readonly service: Service | undefined;
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
  return {
    arguments: chartArguments(values, ports, locate),
    service: chartService(source, values, exposed, major),
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

/** The chart writes the ports' entry points first and the user's own arguments after them. */
function chartArguments(values: Values, ports: readonly [string, Port][], locate: Locate): LocatedArgument[] {
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
  return [...fromPorts, ...additional];
}

function chartService(
  { releaseName, namespace }: TraefikChartSource,
  values: Values,
  exposed: readonly [string, Port][],
  major: number,
): Service | undefined {
  if (values.service?.enabled === false || exposed.length === 0) return undefined;
  const type = major >= serviceSpecSince ? values.service?.spec?.type : values.service?.type;
  const selector = {
    'app.kubernetes.io/name': 'traefik',
    'app.kubernetes.io/instance': `${releaseName}-${namespace}`,
  };
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
