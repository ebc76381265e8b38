/** The statuses of Gateway API objects. Pure: what is there already keeps its times and other controllers' parts. */

import type { Condition, KubeObject, ResourceType } from '../../kubernetes/index.ts';
import { condition, withTimes } from '../status/route-status.ts';
import { type AttachedRoute, type GatewayRouting, no, type Verdict, yes } from './compile-gateways.ts';
import { type CompiledListener, controllerName } from './listeners.ts';
import {
  type Gateway,
  gatewayClasses,
  gateways,
  type ListenerStatus,
  type ParentStatus,
  tcpRoutes,
  udpRoutes,
} from './objects.ts';

export interface GatewayStatusOptions {
  /** Whether the entry point of a listener is open. */
  readonly isOpen: (entryPoint: string) => boolean;
  /** Where clients find the entry points, where that is known. */
  readonly addresses: readonly { readonly type: 'IPAddress' | 'Hostname'; readonly value: string }[];
  readonly now: Date;
}

export interface ObjectStatus {
  readonly type: ResourceType;
  readonly object: KubeObject;
  readonly status: object;
}

const supportedFeatures = ['Gateway', 'ReferenceGrant', 'TCPRoute', 'UDPRoute'];

export function gatewayStatuses(routing: GatewayRouting, options: GatewayStatusOptions): ObjectStatus[] {
  const byGateway = new Map<Gateway, CompiledListener[]>();
  for (const listener of routing.listeners) {
    byGateway.set(listener.gateway, [...(byGateway.get(listener.gateway) ?? []), listener]);
  }
  return [
    ...routing.classes.map((object) => {
      const accepted = verdictCondition(object, 'Accepted', yes('Accepted', 'served by sluice'));
      return {
        type: gatewayClasses as ResourceType,
        object,
        status: {
          conditions: merged([accepted], object.status?.conditions, options.now),
          supportedFeatures: supportedFeatures.map((name) => ({ name })),
        },
      };
    }),
    ...[...byGateway].map(([gateway, listeners]) => ({
      type: gateways as ResourceType,
      object: gateway,
      status: gatewayStatus(gateway, listeners, routing, options),
    })),
    ...routing.routes.map((attached) => ({
      type: (attached.route.kind === 'UDPRoute' ? udpRoutes : tcpRoutes) as ResourceType,
      object: attached.route,
      status: { parents: parentStatuses(attached, options.now) },
    })),
  ];
}

function gatewayStatus(
  gateway: Gateway,
  listeners: readonly CompiledListener[],
  routing: GatewayRouting,
  { isOpen, addresses, now }: GatewayStatusOptions,
) {
  const valid = listeners.filter(({ problem }) => !problem);
  const isAllOpen = valid.length > 0 && valid.every(({ entryPoint }) => isOpen(entryPoint.name));
  const accepted =
    valid.length > 0
      ? yes(valid.length === listeners.length ? 'Accepted' : 'ListenersNotValid', 'sluice serves it')
      : no('ListenersNotValid', 'none of its listeners can be served');
  const programmed = isAllOpen
    ? yes('Programmed', 'every valid listener is open')
    : no(valid.length > 0 ? 'Pending' : 'Invalid', 'not every valid listener is open');
  return {
    addresses,
    conditions: merged(
      [verdictCondition(gateway, 'Accepted', accepted), verdictCondition(gateway, 'Programmed', programmed)],
      gateway.status?.conditions,
      now,
    ),
    listeners: listeners.map((listener): ListenerStatus => {
      const { name } = listener.listener;
      const present = gateway.status?.listeners?.find((one) => one.name === name)?.conditions;
      const { entryPoint } = listener;
      return {
        name,
        supportedKinds: [...listener.routeKinds],
        attachedRoutes: routing.attached.get(entryPoint.name) ?? 0,
        conditions: merged(listenerConditions(listener, isOpen(entryPoint.name)), present, now),
      };
    }),
  };
}

function listenerConditions(
  { gateway, problem, hasInvalidKinds }: CompiledListener,
  isOpen: boolean,
): Condition[] {
  const isConflict = problem?.reason === 'ProtocolConflict';
  const of = (type: string, verdict: Verdict) => verdictCondition(gateway, type, verdict);
  return [
    of('Accepted', problem ? no(problem.reason, problem.message) : yes('Accepted', 'it can be served')),
    of(
      'Conflicted',
      isConflict
        ? yes(problem.reason, problem.message)
        : no('NoConflicts', 'no other listener wants its port'),
    ),
    of(
      'ResolvedRefs',
      hasInvalidKinds
        ? no('InvalidRouteKinds', 'it allows kinds of routes that its protocol does not carry')
        : yes('ResolvedRefs', 'all that it refers to is there'),
    ),
    of(
      'Programmed',
      problem
        ? no('Invalid', problem.message)
        : isOpen
          ? yes('Programmed', 'it is open')
          : no('Pending', 'it could not be opened yet'),
    ),
  ];
}

/** Ours anew, everybody else's as they are. */
function parentStatuses({ route, parents }: AttachedRoute, now: Date): ParentStatus[] {
  const present = route.status?.parents ?? [];
  const others = present.filter((parent) => parent.controllerName !== controllerName);
  const own = parents.map(({ parentRef, accepted, resolved, shadowedBy }): ParentStatus => {
    const key = JSON.stringify(parentRef);
    const before = present.find(
      (parent) => parent.controllerName === controllerName && JSON.stringify(parent.parentRef) === key,
    );
    const conditions = [
      verdictCondition(route, 'Accepted', accepted),
      verdictCondition(route, 'ResolvedRefs', resolved),
    ];
    if (shadowedBy !== undefined) {
      const message = `the older route ${shadowedBy} has the traffic of a listener`;
      conditions.push(verdictCondition(route, 'sluice.dev/Shadowed', yes('OlderRoute', message)));
    }
    return { parentRef, controllerName, conditions: merged(conditions, before?.conditions, now) };
  });
  return [...others, ...own];
}

const verdictCondition = (
  object: KubeObject,
  type: string,
  { isTrue, reason, message }: Verdict,
): Condition => condition(object, type, isTrue, reason, message);

function merged(next: readonly Condition[], present: readonly Condition[] = [], now: Date): Condition[] {
  return [...withTimes(next, present, now)];
}
