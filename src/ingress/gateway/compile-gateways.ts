/**
 * Gateway API objects in; entry points, decisions and what is to be said of each object out. Pure. The rules are those of
 * Gateway API v1 with GEP-2643 (TCPRoute) and GEP-2645 (UDPRoute): several routes on one listener are all accepted, and
 * the oldest has the traffic. That a route gets none is said in a condition of ours, as Gateway API has none for it.
 */

import type { ServiceRefusal, TcpDecision, UdpDecision, WeightedService } from '../../dataplane/index.ts';
import { type KubeObject, namespacedName } from '../../kubernetes/index.ts';
import { byAge } from '../routing/options.ts';
import type { ServiceIndex } from '../routing/route-services.ts';
import { readUdpAnnotations, type UdpAnnotations } from '../routing/udp-annotations.ts';
import type { EntryPoint } from '../static/entry-points.ts';
import { type Reference, resolveBackends } from './backends.ts';
import { allowsNamespace, type CompiledListener, compileListeners, isOurs } from './listeners.ts';
import type { Gateway, GatewayClass, GatewayRoute, ParentReference, ReferenceGrant } from './objects.ts';
import { gatewayGroup } from './objects.ts';

export interface GatewayInput {
  readonly classes: readonly GatewayClass[];
  readonly gateways: readonly Gateway[];
  readonly udpRoutes: readonly GatewayRoute[];
  readonly tcpRoutes: readonly GatewayRoute[];
  readonly grants: readonly ReferenceGrant[];
  /** By name; for listeners that select namespaces by label. */
  readonly namespaces: ReadonlyMap<string, KubeObject>;
  readonly index: ServiceIndex;
  /** Their ports are taken. */
  readonly entryPoints: readonly EntryPoint[];
}

export interface GatewayRouting {
  readonly entryPoints: readonly EntryPoint[];
  readonly udp: readonly UdpDecision[];
  readonly tcp: readonly TcpDecision[];
  readonly classes: readonly GatewayClass[];
  readonly listeners: readonly CompiledListener[];
  /** Routes attached to each listener, by its entry point's name. */
  readonly attached: ReadonlyMap<string, number>;
  readonly routes: readonly AttachedRoute[];
}

export interface AttachedRoute {
  readonly route: GatewayRoute;
  readonly parents: readonly AttachedParent[];
}

/** What one of a route's parentRefs came to. */
export interface AttachedParent {
  readonly parentRef: ParentReference;
  readonly accepted: Verdict;
  readonly resolved: Verdict;
  /** Who has the traffic instead, where somebody has. */
  readonly shadowedBy?: string;
}

export interface Verdict {
  readonly isTrue: boolean;
  readonly reason: string;
  readonly message: string;
}

export const noGateways: GatewayRouting = {
  entryPoints: [],
  udp: [],
  tcp: [],
  classes: [],
  listeners: [],
  attached: new Map(),
  routes: [],
};

/** A route with its backends, before it is known who has the traffic. */
interface Candidate {
  readonly route: GatewayRoute;
  readonly name: string;
  readonly services: readonly WeightedService[];
  readonly resolved: Verdict;
  /** For the log, where nothing is left to forward to. */
  readonly problem: string | undefined;
  readonly annotations: UdpAnnotations | undefined;
}

export function compileGateways(input: GatewayInput): GatewayRouting {
  const listeners = compileListeners(input.classes, input.gateways, input.entryPoints);
  const candidates = [...input.udpRoutes, ...input.tcpRoutes]
    .toSorted(byAge)
    .map((route) => candidate(route, input));
  const attached = new Map<CompiledListener, Candidate[]>(listeners.map((listener) => [listener, []]));
  const results = candidates.map((one) => ({ one, parents: attach(one, listeners, attached, input) }));
  const open = listeners.filter(({ problem }) => !problem);
  return {
    entryPoints: open.map(({ entryPoint }) => entryPoint),
    udp: open.filter(isUdp).map((listener) => udpDecision(listener, attached.get(listener)?.[0])),
    tcp: open.filter((listener) => !isUdp(listener)).map((one) => tcpDecision(one, attached.get(one)?.[0])),
    classes: input.classes.filter(isOurs),
    listeners,
    attached: new Map(
      listeners.map((listener) => [listener.entryPoint.name, attached.get(listener)?.length ?? 0]),
    ),
    routes: results
      .filter(({ parents }) => parents.length > 0)
      .map(({ one, parents }) => ({
        route: one.route,
        parents: parents.map(({ at, ...parent }) => {
          const holder = at
            .map((listener) => attached.get(listener)?.[0])
            .find((first) => first && first !== one);
          return holder ? { ...parent, shadowedBy: namespacedName(holder.route) } : parent;
        }),
      })),
  };
}

const isUdp = ({ entryPoint }: CompiledListener) => entryPoint.protocol === 'udp';

function candidate(route: GatewayRoute, { index, grants }: GatewayInput): Candidate {
  const { namespace = 'default', name } = route.metadata;
  const reference: Reference = { route, protocol: route.kind === 'UDPRoute' ? 'UDP' : 'TCP' };
  const { services, resolved, problem } = resolveBackends(reference, index, grants);
  const annotations = route.kind === 'UDPRoute' ? readUdpAnnotations(route) : undefined;
  const full = `${route.kind.toLowerCase()}-${namespace}-${name}`;
  return { route, name: full, services, resolved, problem, annotations };
}

/** For each parentRef to a Gateway of ours: the listeners it attaches to, and the verdict. */
function attach(
  one: Candidate,
  listeners: readonly CompiledListener[],
  attached: Map<CompiledListener, Candidate[]>,
  { namespaces }: GatewayInput,
): (AttachedParent & { at: readonly CompiledListener[] })[] {
  const { route, resolved } = one;
  const own = route.metadata.namespace ?? 'default';
  return (route.spec.parentRefs ?? []).flatMap((parentRef) => {
    if ((parentRef.group ?? gatewayGroup) !== gatewayGroup || (parentRef.kind ?? 'Gateway') !== 'Gateway')
      return [];
    const name = `${parentRef.namespace ?? own}/${parentRef.name}`;
    const ofGateway = listeners.filter(({ gateway }) => namespacedName(gateway) === name);
    // A Gateway of somebody else's class, or none: not ours to speak of.
    if (ofGateway.length === 0) return [];
    const { sectionName, port } = parentRef;
    const named = ofGateway.filter(
      ({ listener }) =>
        (sectionName === undefined || listener.name === sectionName) &&
        (port === undefined || listener.port === port),
    );
    if (named.length === 0) {
      const message = `Gateway ${name} has no listener ${sectionName ?? `on port ${port}`}`;
      return [{ parentRef, accepted: no('NoMatchingParent', message), resolved, at: [] }];
    }
    const at = named.filter(
      (listener) =>
        listener.routeKinds.some(({ kind }) => kind === route.kind) &&
        allowsNamespace(listener, own, namespaces),
    );
    if (at.length === 0) {
      const message = `no listener of Gateway ${name} takes a ${route.kind} of namespace ${own}`;
      return [{ parentRef, accepted: no('NotAllowedByListeners', message), resolved, at }];
    }
    for (const listener of at) {
      const routes = attached.get(listener);
      if (routes && !routes.includes(one)) routes.push(one);
    }
    const names = at.map(({ listener }) => listener.name).join(', ');
    return [{ parentRef, accepted: acceptedOf(one, `attached to ${names}`), resolved, at }];
  });
}

/** Annotations that cannot be understood keep the listener, and its datagrams are dropped: see `udpDecision`. */
function acceptedOf({ annotations }: Candidate, attached: string): Verdict {
  const problems = (annotations?.problems ?? []).map(({ code, message }) => `${code}: ${message}`);
  if (annotations?.refusal !== undefined) return no('UnsupportedValue', problems.join('; '));
  return yes('Accepted', [attached, ...problems].join('; '));
}

export const yes = (reason: string, message: string): Verdict => ({ isTrue: true, reason, message });
export const no = (reason: string, message: string): Verdict => ({ isTrue: false, reason, message });

function udpDecision(
  { entryPoint: { name: entryPoint } }: CompiledListener,
  holder: Candidate | undefined,
): UdpDecision {
  if (!holder) {
    return {
      kind: 'drop',
      entryPoint,
      reason: 'no_route',
      detail: `no UDPRoute is attached to ${entryPoint}`,
    };
  }
  const { name, services, problem, annotations } = holder;
  const refusal = annotations?.refusal;
  if (refusal !== undefined) {
    return { kind: 'drop', entryPoint, reason: 'route_invalid', route: name, detail: refusal };
  }
  if (problem === undefined) {
    return { kind: 'forward', entryPoint, route: { name, services, ...annotations?.settings } };
  }
  const reason = reasonOf(services);
  return { kind: 'drop', entryPoint, reason, route: name, detail: problem };
}

/** Why nothing is left to forward to. */
function reasonOf(services: readonly WeightedService[]): ServiceRefusal {
  return services.every(({ refusal }) => refusal === 'no_service') ? 'no_service' : 'no_endpoints';
}

function tcpDecision(
  { entryPoint: { name: entryPoint } }: CompiledListener,
  holder: Candidate | undefined,
): TcpDecision {
  if (!holder) return { entryPoint, routes: [] };
  const { name, services, problem } = holder;
  const reason = reasonOf(services);
  return {
    entryPoint,
    routes: [
      {
        name,
        priority: -1,
        rule: { kind: 'hostSni', host: '*' },
        services,
        ...(problem === undefined ? {} : { refusal: { reason, detail: problem } }),
      },
    ],
  };
}
