/** The middlewares of a TCP route: who may connect, and how often at a time. */

import { parseAddressRange, type TcpRoute } from '../../dataplane/index.ts';
import type { MiddlewareTCP, TraefikReference } from '../../kubernetes/index.ts';
import { followReference, type Path, report, type TcpContext } from './tcp-references.ts';

export type TcpGuards = Pick<TcpRoute, 'allowedSources' | 'maxConnectionsPerClient'>;

/**
 * Undefined, with findings, where one of them is missing or means nothing: a route that should be guarded is not
 * served unguarded. Traefik disables it too.
 */
export function compileMiddlewares(
  references: readonly TraefikReference[],
  path: Path,
  context: TcpContext,
): TcpGuards | undefined {
  const guards = references.map((reference, index) => {
    const at = [...path, 'middlewares', index];
    const name = followReference(reference, 'MiddlewareTCP', at, context);
    if (name === undefined) return undefined;
    const middleware = context.objects.middlewares.get(name);
    const guard = middleware ? compileMiddleware(middleware, name) : `MiddlewareTCP ${name} not found`;
    if (typeof guard !== 'string') return guard;
    report(context, { code: 'SL3203', message: guard, path: [...at, 'name'] });
    return undefined;
  });
  if (guards.includes(undefined)) return undefined;
  const allowedSources = guards.flatMap((guard) => guard?.allowedSources ?? []);
  const limits = guards.flatMap((guard) => guard?.maxConnectionsPerClient ?? []);
  return {
    ...(allowedSources.length > 0 ? { allowedSources } : {}),
    ...(limits.length > 0 ? { maxConnectionsPerClient: Math.min(...limits) } : {}),
  };
}

/** A string says what is wrong with it. */
function compileMiddleware({ spec }: MiddlewareTCP, name: string): TcpGuards | string {
  const list = spec.ipAllowList ?? spec.ipWhiteList;
  if (list) {
    const ranges = list.sourceRange ?? [];
    if (ranges.length === 0) return `MiddlewareTCP ${name} allows nobody: its sourceRange is empty`;
    const bad = ranges.find((range) => !parseAddressRange(range));
    if (bad !== undefined)
      return `MiddlewareTCP ${name}: ${JSON.stringify(bad)} is no IP address or CIDR range`;
    return { allowedSources: [ranges] };
  }
  if (spec.inFlightConn) {
    const { amount = 0 } = spec.inFlightConn;
    if (!Number.isInteger(amount) || amount < 0) return `MiddlewareTCP ${name}: amount ${amount} is no count`;
    return { maxConnectionsPerClient: amount };
  }
  return `MiddlewareTCP ${name} is neither an ipAllowList nor an inFlightConn`;
}
