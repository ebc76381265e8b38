/** The routing as Traefik's API shows it: routers and services by qualified name. Read-only, and pure. */

import type { Endpoint, TcpRule, WeightedService } from '../../dataplane/index.ts';
import { namespacedName } from '../../kubernetes/index.ts';
import type { RouteFinding } from '../routing/findings.ts';
import type { Routing } from '../routing/incremental/routing-state.ts';
import type { ResolvedTcpRoute } from '../routing/tcp-routes.ts';
import type { ResolvedUdpRoute, ResolvedUdpRule } from '../routing/udp-routes.ts';
import type { EntryPoint } from '../static/entry-points.ts';
import { present } from '../static/entry-points.ts';

export type Status = 'enabled' | 'warning' | 'disabled';

export interface Item {
  readonly name: string;
  readonly provider: string;
  readonly status: Status;
  readonly [field: string]: unknown;
}

export interface TraefikView {
  readonly udp: { readonly routers: readonly Item[]; readonly services: readonly Item[] };
  readonly tcp: { readonly routers: readonly Item[]; readonly services: readonly Item[] };
}

const provider = 'kubernetescrd';
const qualified = (name: string) => `${name}@${provider}`;

export function traefikView(routing: Routing): TraefikView {
  return {
    udp: {
      routers: routing.udpRoutes.flatMap((route) =>
        route.rules.map((rule) => udpRouter(route, rule, routing)),
      ),
      services: routing.udpRoutes.flatMap((route) =>
        route.rules.flatMap(({ name, services, index }) =>
          serviceItems(name, services, route.ingressRoute.spec.routes[index]?.services ?? []),
        ),
      ),
    },
    tcp: {
      routers: routing.tcpRoutes.flatMap((route) => tcpRouters(route, routing)),
      services: routing.tcpRoutes.flatMap(({ routes, ingressRoute }) =>
        routes.flatMap(({ route, index }) =>
          serviceItems(route.name, route.services, ingressRoute.spec.routes[index]?.services ?? []),
        ),
      ),
    },
  };
}

/** Traefik calls a router `enabled` that another one keeps from all traffic; here it is `warning`, with the reason. */
function udpRouter(route: ResolvedUdpRoute, rule: ResolvedUdpRule, { findings, entryPoints }: Routing): Item {
  const { ingressRoute } = route;
  const wanted = ingressRoute.spec.entryPoints ?? [];
  const all = entryPoints.filter(({ protocol }) => protocol === 'udp').map(({ name }) => name);
  const own = findings.filter(
    (finding) =>
      isAbout(finding, 'IngressRouteUDP', namespacedName(ingressRoute)) && isAboutRule(finding, rule.index),
  );
  return {
    entryPoints: wanted.length > 0 ? wanted : all,
    service: qualified(rule.name),
    ...errorsOf(own, rule.outcome.kind === 'forward' && route.entryPoints.length > 0),
    using: route.entryPoints,
    name: qualified(rule.name),
    provider,
  };
}

function tcpRouters({ ingressRoute, entryPoints, routes }: ResolvedTcpRoute, routing: Routing): Item[] {
  const wanted = ingressRoute.spec.entryPoints ?? [];
  return routes.map(({ route, index, match }) => {
    const own = routing.findings.filter(
      (finding) =>
        isAbout(finding, 'IngressRouteTCP', namespacedName(ingressRoute)) && isAboutRule(finding, index),
    );
    return {
      entryPoints: wanted.length > 0 ? wanted : entryPoints,
      service: qualified(route.name),
      rule: match,
      priority: route.priority,
      ...(route.tls ? { tls: { passthrough: route.tls.mode === 'passthrough' } } : {}),
      ...errorsOf(own, !route.refusal && entryPoints.length > 0),
      using: entryPoints,
      name: qualified(route.name),
      provider,
    };
  });
}

function isAbout({ kind = 'IngressRouteUDP', route }: RouteFinding, wanted: string, name: string): boolean {
  return kind === wanted && route === name;
}

/** What is said of the whole object is said of each of its rules. */
function isAboutRule({ path }: RouteFinding, index: number): boolean {
  return path[1] !== 'routes' || path[2] === index;
}

function errorsOf(findings: readonly RouteFinding[], works: boolean): { status: Status; error?: string[] } {
  const error = findings.map(({ message }) => message);
  const status = works ? (error.length > 0 ? 'warning' : 'enabled') : 'disabled';
  return { status, ...(error.length > 0 ? { error } : {}) };
}

interface Reference {
  readonly name: string;
  readonly port: number | string;
}

/** One service, or a weighted one and its children, as Traefik builds them. */
function serviceItems(
  name: string,
  services: readonly WeightedService[],
  wanted: readonly Reference[],
): Item[] {
  const common = { status: 'enabled' as const, usedBy: [qualified(name)], provider };
  const [only] = services;
  if (!only) return [];
  if (wanted.length === 1) {
    return [{ ...common, loadBalancer: balancer(only), name: qualified(name), type: 'loadbalancer' }];
  }
  const children = services.map((service) => ({ service, name: childName(name, service, wanted) }));
  return [
    {
      ...common,
      weighted: { services: children.map((child) => ({ name: child.name, weight: child.service.weight })) },
      name: qualified(name),
      type: 'weighted',
    },
    ...children.map((child) => ({
      ...common,
      loadBalancer: balancer(child.service),
      name: qualified(child.name),
      type: 'loadbalancer',
    })),
  ];
}

/** `<router>-<service>-<port as written>`. */
function childName(router: string, { name }: WeightedService, wanted: readonly Reference[]): string {
  const short = name.slice(name.indexOf('/') + 1);
  const port = wanted.find((reference) => reference.name === short)?.port;
  return `${router}-${short}${port === undefined ? '' : `-${port}`}`;
}

const balancer = ({ endpoints }: WeightedService) => ({
  servers: endpoints
    .filter(({ state }) => state === 'ready')
    .map((endpoint) => ({ address: addressOf(endpoint) })),
});

export function addressOf({ address, port }: Pick<Endpoint, 'address' | 'port'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** An entry point with its static options, durations as Go prints them. */
export function entryPointItem(entryPoint: EntryPoint): Record<string, unknown> {
  const { name, host, port, protocol, graceTimeoutMs = 10_000, acceptGraceMs, udpTimeoutMs } = entryPoint;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    address: `${shown}:${port}/${protocol}`,
    ...present({ asDefault: entryPoint.asDefault, reusePort: entryPoint.reusePort }),
    transport: {
      lifeCycle: {
        ...present({ requestAcceptGraceTimeout: acceptGraceMs ? goDuration(acceptGraceMs) : undefined }),
        graceTimeOut: goDuration(graceTimeoutMs),
      },
    },
    ...(protocol === 'udp' ? { udp: { timeout: goDuration(udpTimeoutMs) } } : {}),
    name,
  };
}

/** As Go's `time.Duration` prints it: `1m30s`, `500ms`. */
export function goDuration(durationMs: number): string {
  if (durationMs < 1000) return `${durationMs}ms`;
  const hours = Math.floor(durationMs / 3_600_000);
  const minutes = Math.floor((durationMs % 3_600_000) / 60_000);
  const seconds = (durationMs % 60_000) / 1000;
  const long = hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : '';
  return `${long}${seconds}s`;
}

/** A rule in one line, for people. */
export function ruleText(rule: TcpRule): string {
  switch (rule.kind) {
    case 'hostSni':
      return `HostSNI(${rule.host})`;
    case 'hostSniRegexp':
      return `HostSNIRegexp(${rule.pattern})`;
    case 'clientIp':
      return `ClientIP(${rule.range})`;
    case 'alpn':
      return `ALPN(${rule.protocol})`;
    case 'not':
      return `!${ruleText(rule.operand)}`;
    default:
      return `(${ruleText(rule.left)} ${rule.kind === 'and' ? '&&' : '||'} ${ruleText(rule.right)})`;
  }
}
