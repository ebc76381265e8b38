/** The listeners of our Gateways: which of them can be opened, and which routes they take. Pure. */

import { type KubeObject, labelsMatch, namespacedName } from '../../kubernetes/index.ts';
import { byAge } from '../routing/options.ts';
import type { EntryPoint } from '../static/entry-points.ts';
import { type Gateway, type GatewayClass, gatewayGroup, type Listener, type RouteKind } from './objects.ts';

export const controllerName = 'sluice.dev/gateway-controller';

/** One listener and what is to be said of it. */
export interface CompiledListener {
  readonly gateway: Gateway;
  readonly listener: Listener;
  /** `gateway-<namespace>-<gateway>-<listener>`. */
  readonly entryPoint: EntryPoint;
  readonly routeKinds: readonly RouteKind[];
  /** Absent: it can be opened. */
  readonly problem?: { readonly reason: string; readonly message: string };
  readonly hasInvalidKinds: boolean;
}

/** Traefik's default for the sessions of an entry point; Gateway API leaves it open. */
const udpTimeoutMs = 3000;

export function isOurs(gatewayClass: GatewayClass): boolean {
  return gatewayClass.spec.controllerName === controllerName;
}

/** Of the Gateways of our classes, the oldest first: of two that want one port the older has it. */
export function compileListeners(
  classes: readonly GatewayClass[],
  gateways: readonly Gateway[],
  staticEntryPoints: readonly EntryPoint[],
): CompiledListener[] {
  const ours = new Set(classes.filter(isOurs).map(({ metadata }) => metadata.name));
  const taken = new Map<string, string>();
  for (const { name, port, protocol } of staticEntryPoints)
    taken.set(`${protocol} ${port}`, `entry point ${name}`);
  return gateways
    .filter(({ spec }) => ours.has(spec.gatewayClassName))
    .toSorted(byAge)
    .flatMap((gateway) => {
      const listeners = gateway.spec.listeners.map((listener) => compileListener(gateway, listener, taken));
      for (const { entryPoint, problem } of listeners) {
        if (problem) continue;
        taken.set(`${entryPoint.protocol} ${entryPoint.port}`, `Gateway ${namespacedName(gateway)}`);
      }
      return listeners;
    });
}

function compileListener(
  gateway: Gateway,
  listener: Listener,
  taken: ReadonlyMap<string, string>,
): CompiledListener {
  const { name, namespace = 'default' } = gateway.metadata;
  const protocol = listener.protocol === 'UDP' ? 'udp' : 'tcp';
  const supported: RouteKind = { group: gatewayGroup, kind: protocol === 'udp' ? 'UDPRoute' : 'TCPRoute' };
  const wanted = listener.allowedRoutes?.kinds ?? [];
  const isSupported = (kind: RouteKind) =>
    (kind.group ?? gatewayGroup) === supported.group && kind.kind === supported.kind;
  const problem = problemOf(gateway, listener, protocol, taken);
  return {
    gateway,
    listener,
    entryPoint: {
      name: `gateway-${namespace}-${name}-${listener.name}`,
      host: '',
      port: listener.port,
      protocol,
      udpTimeoutMs,
      position: { file: `Gateway ${namespacedName(gateway)}`, line: 1, column: 1 },
    },
    routeKinds: wanted.length === 0 || wanted.some(isSupported) ? [supported] : [],
    ...(problem ? { problem } : {}),
    hasInvalidKinds: wanted.some((kind) => !isSupported(kind)),
  };
}

function problemOf(
  gateway: Gateway,
  listener: Listener,
  protocol: string,
  taken: ReadonlyMap<string, string>,
): CompiledListener['problem'] {
  if (listener.protocol !== 'UDP' && listener.protocol !== 'TCP') {
    const message = `protocol ${listener.protocol} is not served: sluice routes UDP and TCP`;
    return { reason: 'UnsupportedProtocol', message };
  }
  const twin = gateway.spec.listeners.find(
    (other) => other !== listener && other.port === listener.port && other.protocol === listener.protocol,
  );
  if (twin) {
    const message = `listener ${twin.name} has the same port and protocol`;
    return { reason: 'ProtocolConflict', message };
  }
  const holder = taken.get(`${protocol} ${listener.port}`);
  if (holder === undefined) return undefined;
  return { reason: 'PortUnavailable', message: `port ${listener.port}/${protocol} is taken by ${holder}` };
}

/** Whether routes of the namespace may attach. `namespaces` are looked at only for a selector. */
export function allowsNamespace(
  { gateway, listener }: CompiledListener,
  namespace: string,
  namespaces: ReadonlyMap<string, KubeObject>,
): boolean {
  const { from = 'Same', selector } = listener.allowedRoutes?.namespaces ?? {};
  if (from === 'All') return true;
  if (from === 'Same') return (gateway.metadata.namespace ?? 'default') === namespace;
  return from === 'Selector' && labelsMatch(selector, namespaces.get(namespace)?.metadata.labels);
}
