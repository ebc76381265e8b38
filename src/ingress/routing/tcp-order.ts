/** The order in which the routes of a TCP entry point are tried, and which of them never get a turn. */

import type { TcpRoute } from '../../dataplane/index.ts';
import type { IngressRouteTCP } from '../../kubernetes/index.ts';
import { namespacedName } from '../../kubernetes/index.ts';
import type { RouteFinding } from './findings.ts';

/** A compiled route and where it was written. */
export interface BoundRoute {
  readonly route: TcpRoute;
  readonly ingressRoute: IngressRouteTCP;
  /** Of `spec.routes`. */
  readonly index: number;
  readonly match: string;
}

/**
 * The higher priority first. Between equals the order given: the older IngressRouteTCP, then by namespace and name,
 * then as written. (In Traefik equals come in an order that changes from one reload to the next.)
 */
export function inOrder(routes: readonly BoundRoute[]): BoundRoute[] {
  return [...routes].sort((left, right) => right.route.priority - left.route.priority);
}

/** Warns of routes that an earlier one leaves nothing to: one with the same match, or one that matches anything. */
export function reportShadowed(
  inTurn: readonly BoundRoute[],
  entryPoint: string,
  findings: RouteFinding[],
): void {
  const seen = new Map<string, BoundRoute>();
  for (const bound of inTurn) {
    const kind = bound.route.tls ? 'tls' : 'plain';
    const first = seen.get(`${kind} *`) ?? seen.get(`${kind} ${bound.match}`);
    if (!first) seen.set(`${kind} ${isCatchAll(bound) ? '*' : bound.match}`, bound);
    else {
      const holder = `${namespacedName(first.ingressRoute)} (priority ${first.route.priority})`;
      findings.push({
        code: 'SL3206',
        severity: 'warning',
        kind: bound.ingressRoute.kind,
        route: namespacedName(bound.ingressRoute),
        message: `gets no connections from entry point ${entryPoint}: ${holder} takes all that it matches`,
        path: ['spec', 'routes', bound.index],
      });
    }
  }
}

function isCatchAll({ route: { rule } }: BoundRoute): boolean {
  return rule.kind === 'hostSni' && rule.host === '*';
}
