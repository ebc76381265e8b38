/**
 * Objects in, decisions out: which route each connection of a TCP entry point can take, in which order they are
 * tried, and what is behind them. Pure. The rules are Traefik's (its kubernetes_tcp.go and the reference of its CRDs);
 * where sluice differs docs/tcp.md says so.
 */

import { createHash } from 'node:crypto';
import type { TcpBalance, TcpDecision, TcpRoute, TcpService, TlsCertificate } from '../../dataplane/index.ts';
import type {
  ConfigMap,
  EndpointSlice,
  IngressRouteTCP,
  IngressRouteTcpRoute,
  MiddlewareTCP,
  Node,
  Secret,
  ServersTransportTCP,
  Service,
  TLSOption,
} from '../../kubernetes/index.ts';
import { defaultPriority, namesHosts, parseTcpRule } from '../rules/tcp-rule.ts';
import type { EntryPoint } from '../static/entry-points.ts';
import type { RouteFinding } from './findings.ts';
import { byAge, isOfClass, type RoutingOptions } from './options.ts';
import { indexServices, resolveService } from './route-services.ts';
import { compileMiddlewares } from './tcp-middlewares.ts';
import { type BoundRoute, inOrder, reportShadowed } from './tcp-order.ts';
import { byName, type Path, report, type TcpContext, type TcpObjects } from './tcp-references.ts';
import { type CompiledTls, compileTls } from './tcp-tls.ts';
import { compileTransport } from './tcp-transports.ts';
import { balanceAnnotation } from './udp-annotations.ts';

export interface TcpRoutingInput {
  readonly entryPoints: readonly (EntryPoint & { readonly asDefault?: boolean })[];
  readonly routes: readonly IngressRouteTCP[];
  readonly middlewares?: readonly MiddlewareTCP[];
  readonly serversTransports?: readonly ServersTransportTCP[];
  readonly tlsOptions?: readonly TLSOption[];
  readonly secrets?: readonly Secret[];
  readonly configMaps?: readonly ConfigMap[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  /** For `nodePortLB`. */
  readonly nodes?: readonly Node[];
  readonly options?: RoutingOptions;
}

export interface TcpRouting {
  /** One per TCP entry point. */
  readonly tcp: readonly TcpDecision[];
  /** Those of the TLS routes, each once. They hold private keys. */
  readonly certificates: readonly TlsCertificate[];
  readonly findings: readonly RouteFinding[];
}

/** One IngressRouteTCP on its own. */
export interface ResolvedTcpRoute {
  readonly ingressRoute: IngressRouteTCP;
  /** The TCP entry points it is bound to. */
  readonly entryPoints: readonly string[];
  readonly routes: readonly BoundRoute[];
  readonly certificate?: TlsCertificate;
  readonly findings: readonly RouteFinding[];
}

/** Compiles the TCP half of the table. The same input gives the same output, in whatever order objects come. */
export function compileTcpRoutes(input: TcpRoutingInput): TcpRouting {
  const { entryPoints, options = {} } = input;
  const objects = indexObjects(input);
  const resolved = input.routes
    .filter((route) => isOfClass(route, options))
    .sort(byAge)
    .map((route) => resolveTcpRoute(route, entryPoints, objects, options));
  const findings = resolved.flatMap((route) => route.findings);
  const tcp = entryPoints
    .filter(({ protocol }) => protocol === 'tcp')
    .map(({ name: entryPoint }): TcpDecision => {
      const routes = inOrder(boundTo(entryPoint, resolved));
      reportShadowed(routes, entryPoint, findings);
      return { entryPoint, routes: routes.map(({ route }) => route) };
    });
  return { tcp, certificates: certificatesOf(resolved), findings };
}

/** What an IngressRouteTCP asks for, whoever else asks for the same. */
export function resolveTcpRoute(
  ingressRoute: IngressRouteTCP,
  entryPoints: TcpRoutingInput['entryPoints'],
  objects: TcpObjects,
  options: RoutingOptions,
): ResolvedTcpRoute {
  const findings: RouteFinding[] = [];
  const context: TcpContext = { ingressRoute, objects, options, findings };
  const tls = compileTls(context);
  const { certificate } = tls;
  const routes = compileRoutes(context, tls);
  const bound = boundEntryPoints(context, entryPoints);
  return {
    ingressRoute,
    entryPoints: bound,
    routes,
    ...(certificate ? { certificate } : {}),
    findings: findings.map((finding) => ({ ...finding, kind: ingressRoute.kind })),
  };
}

export function boundTo(entryPoint: string, resolved: readonly ResolvedTcpRoute[]): BoundRoute[] {
  return resolved.flatMap(({ entryPoints, routes }) => (entryPoints.includes(entryPoint) ? routes : []));
}

/** Each once. */
export function certificatesOf(resolved: readonly ResolvedTcpRoute[]): TlsCertificate[] {
  const certificates = new Map<string, TlsCertificate>();
  for (const { certificate } of resolved) {
    if (certificate) certificates.set(certificate.name, certificate);
  }
  return [...certificates.values()];
}

function indexObjects(input: TcpRoutingInput): TcpObjects {
  return {
    services: indexServices(input),
    middlewares: byName(input.middlewares),
    serversTransports: byName(input.serversTransports),
    tlsOptions: byName(input.tlsOptions),
    secrets: byName(input.secrets),
    configMaps: byName(input.configMaps),
  };
}

/** Without `entryPoints`: those marked `asDefault`, or else every TCP entry point but Traefik's own for its API. */
function boundEntryPoints(context: TcpContext, all: TcpRoutingInput['entryPoints']): string[] {
  const tcp = all.filter(({ protocol }) => protocol === 'tcp');
  const wanted = context.ingressRoute.spec.entryPoints ?? [];
  if (wanted.length === 0) {
    const marked = tcp.filter(({ asDefault }) => asDefault);
    const defaults = marked.length > 0 ? marked : tcp.filter(({ name }) => name !== 'traefik');
    return defaults.map(({ name }) => name);
  }
  return wanted.flatMap((name, index) => {
    const found = tcp.find((entryPoint) => entryPoint.name === name);
    // One that is named twice is bound once.
    if (found) return wanted.indexOf(name) === index ? [found.name] : [];
    const isUdp = all.some((entryPoint) => entryPoint.name === name);
    const names = tcp.map((entryPoint) => entryPoint.name).join(', ') || 'none';
    const message = isUdp
      ? `entry point "${name}" is a UDP entry point: an IngressRouteTCP cannot use it`
      : `entry point "${name}" doesn't exist; there are: ${names}`;
    report(context, { code: 'SL3101', message, path: ['spec', 'entryPoints', index] });
    return [];
  });
}

function compileRoutes(context: TcpContext, tls: CompiledTls): BoundRoute[] {
  const compiled = (context.ingressRoute.spec.routes ?? []).flatMap((written, index): BoundRoute[] => {
    const route = compileRoute(written, index, tls, context);
    return route ? [{ route, ingressRoute: context.ingressRoute, index, match: written.match }] : [];
  });
  // Traefik names a route by its match, so the last of those that share one is the one that is left.
  return compiled.filter(({ route, index }) => {
    const later = compiled.find((other) => other.index > index && other.route.name === route.name);
    if (!later) return true;
    const message = `route ${later.index} has the same match and replaces this one`;
    report(context, { code: 'SL3206', message, path: ['spec', 'routes', index], severity: 'warning' });
    return false;
  });
}

/** Undefined, with a finding, where it cannot be told which connections it is for. */
function compileRoute(
  written: IngressRouteTcpRoute,
  index: number,
  tls: CompiledTls,
  context: TcpContext,
): TcpRoute | undefined {
  const path = ['spec', 'routes', index];
  const matched = compileMatch(written, path, tls, context);
  if (!matched) return undefined;
  const guards = compileMiddlewares(written.middlewares ?? [], path, context);
  const problems: RouteFinding[] = [];
  const services = compileServices(written, path, { ...context, findings: problems });
  context.findings.push(...problems);
  const name = routeName(context.ingressRoute, written.match);
  const refusal = refusalOf(name, written, services, guards ? tls.problem : 'a middleware', problems);
  return {
    name,
    ...matched,
    ...(tls.tls ? { tls: tls.tls } : {}),
    ...guards,
    ...balanceOf(services, index, context),
    services,
    ...(refusal ? { refusal } : {}),
  };
}

function compileMatch(
  { match, priority = 0, syntax }: IngressRouteTcpRoute,
  path: Path,
  tls: CompiledTls,
  context: TcpContext,
): Pick<TcpRoute, 'rule' | 'priority'> | undefined {
  const at = [...path, 'match'];
  if (syntax === 'v2') {
    const message = 'syntax v2 is not supported: the match is read as v3';
    report(context, { code: 'SL3108', message, path: [...path, 'syntax'], severity: 'warning' });
  }
  const reading = parseTcpRule(match);
  if (reading.kind === 'error') {
    const { message, offset } = reading;
    const where = `at character ${offset + 1} of ${JSON.stringify(match)}`;
    report(context, { code: 'SL3201', message: `${message} (${where})`, path: at, textOffset: offset });
    return undefined;
  }
  const { rule } = reading;
  if (!tls.tls && namesHosts(rule)) {
    const message = `${JSON.stringify(match)} matches a server name, which only TLS connections have, and the route has no tls`;
    report(context, { code: 'SL3202', message, path: at });
    return undefined;
  }
  if (!Number.isFinite(priority) || priority > maxPriority) {
    const message = `priority ${priority} is above the highest, ${maxPriority}`;
    report(context, { code: 'SL3207', message, path: [...path, 'priority'] });
    return undefined;
  }
  return { rule, priority: priority || defaultPriority(match, rule) };
}

/** Traefik keeps the last thousand of 64 bits for itself; a number of JavaScript cannot tell them apart. */
const maxPriority = 2 ** 63 - 1024;

/** Traefik's: `<namespace>-<name>-<the first 20 hexadecimal digits of the match's SHA-256>`. */
function routeName({ metadata }: IngressRouteTCP, match: string): string {
  const digest = createHash('sha256').update(match).digest('hex').slice(0, 20);
  return `${metadata.namespace ?? 'default'}-${metadata.name || metadata.generateName}-${digest}`;
}

function compileServices(written: IngressRouteTcpRoute, path: Path, context: TcpContext): TcpService[] {
  const wanted = written.services ?? [];
  const found = wanted.flatMap((reference, position): TcpService[] => {
    const at = [...path, 'services', position];
    const { ingressRoute, options, findings, objects } = context;
    const within = { protocol: 'TCP', ingressRoute, index: objects.services, options, findings } as const;
    const service = resolveService(reference, at, within);
    const transport = compileTransport(reference, at, context);
    return service && transport ? [{ ...service, ...transport }] : [];
  });
  // Traefik ignores the weight of a route's only service.
  return wanted.length === 1 ? found.map((service) => ({ ...service, weight: 1 })) : found;
}

function refusalOf(
  name: string,
  written: IngressRouteTcpRoute,
  services: readonly TcpService[],
  invalid: string | undefined,
  problems: readonly RouteFinding[],
): TcpRoute['refusal'] {
  if (invalid !== undefined) return { reason: 'route_invalid', detail: `route ${name}: ${invalid}` };
  if (services.length === 0) {
    const detail = written.services?.length ? problems[0]?.message : `route ${name} names no service`;
    return { reason: 'no_service', detail: detail ?? `route ${name} has no service left` };
  }
  const isReady = ({ weight, endpoints }: TcpService) =>
    weight > 0 && endpoints.some(({ state }) => state === 'ready');
  if (services.some(isReady)) return undefined;
  const detail = problems[0]?.message ?? `route ${name}: every service has weight 0`;
  return { reason: 'no_endpoints', detail };
}

const balances: readonly TcpBalance[] = ['connection', 'source'];

/** The annotation decides; without it a Service that asks for `sessionAffinity: ClientIP` gets `source`. */
function balanceOf(
  services: readonly TcpService[],
  index: number,
  context: TcpContext,
): Pick<TcpRoute, 'balance'> {
  const { ingressRoute, objects } = context;
  const annotation = ingressRoute.metadata.annotations?.[balanceAnnotation];
  const chosen = balances.find((balance) => balance === annotation);
  if (chosen) return { balance: chosen };
  if (annotation !== undefined && index === 0) {
    const message = `${balanceAnnotation} is ${JSON.stringify(annotation)}; it may be ${balances.join(', ')}`;
    const path = ['metadata', 'annotations', balanceAnnotation];
    report(context, { code: 'SL3109', message, path, severity: 'warning' });
  }
  const hasAffinity = services.some(
    ({ name }) => objects.services.services.get(name)?.spec.sessionAffinity === 'ClientIP',
  );
  return hasAffinity ? { balance: 'source' } : {};
}
