/** The routes of each TCP entry point in the order in which they are tried, made anew only where something has changed. */

import { isDeepStrictEqual } from 'node:util';
import type { TcpDecision } from '../../../dataplane/index.ts';
import type { EntryPoint } from '../../static/entry-points.ts';
import type { RouteFinding } from '../findings.ts';
import { type BoundRoute, inOrder, reportShadowed } from '../tcp-order.ts';
import { boundTo, type ResolvedTcpRoute } from '../tcp-routes.ts';

/** What was made of an entry point's routes. */
interface Decided {
  /** By age. */
  readonly bound: readonly BoundRoute[];
  readonly ordered: readonly BoundRoute[];
  readonly decision: TcpDecision;
  readonly findings: readonly RouteFinding[];
}

export class TcpDecisions {
  /** In the order of the entry points. The same list as before when nothing has changed. */
  decisions: readonly TcpDecision[] = [];
  private decided = new Map<string, Decided>();
  private allFindings: readonly RouteFinding[] | undefined;

  /** The same list as before when nothing has changed. */
  get findings(): readonly RouteFinding[] {
    this.allFindings ??= [...this.decided.values()].flatMap(({ findings }) => findings);
    return this.allFindings;
  }

  /** Routes or entry points came or went. `resolved` comes by age. */
  rebuild(entryPoints: readonly EntryPoint[], resolved: readonly ResolvedTcpRoute[]): void {
    const before = this.decided;
    const names = entryPoints.filter(({ protocol }) => protocol === 'tcp').map(({ name }) => name);
    this.decided = new Map(
      names.map((name) => [name, decide(name, boundTo(name, resolved), before.get(name))]),
    );
    this.decisions = [...this.decided.values()].map(({ decision }) => decision);
    this.allFindings = undefined;
  }

  /** One route came out differently. False when it asks for another place: then all is to be rebuilt. */
  replace(previous: ResolvedTcpRoute, next: ResolvedTcpRoute): boolean {
    const isInPlace =
      isDeepStrictEqual(previous.entryPoints, next.entryPoints) &&
      previous.routes.length === next.routes.length &&
      previous.routes.every((route, index) => placeOf(route) === placeOf(next.routes[index]));
    if (!isInPlace) return false;
    for (const name of next.entryPoints) {
      let decided = this.decided.get(name);
      for (const [index, route] of next.routes.entries()) {
        decided = decided && withRoute(decided, previous.routes[index], route);
      }
      // The map keeps the order of the entry points.
      if (decided) this.decided.set(name, decided);
    }
    this.decisions = [...this.decided.values()].map(({ decision }) => decision);
    return true;
  }
}

function decide(entryPoint: string, bound: readonly BoundRoute[], before: Decided | undefined): Decided {
  if (before && isSameList(bound, before.bound)) return before;
  const ordered = inOrder(bound);
  const findings: RouteFinding[] = [];
  reportShadowed(ordered, entryPoint, findings);
  const routes = ordered.map(({ route }) => route);
  const isSame = before && isSameList(routes, before.decision.routes);
  return { bound, ordered, decision: isSame ? before.decision : { entryPoint, routes }, findings };
}

/** Where only what is behind a route has changed, all the others and their order stay as they are. */
function withRoute(decided: Decided, previous: BoundRoute | undefined, next: BoundRoute): Decided {
  const at = previous ? decided.bound.indexOf(previous) : -1;
  const turn = previous ? decided.ordered.indexOf(previous) : -1;
  if (at < 0 || turn < 0) return decided;
  const { decision } = decided;
  const isSame = isDeepStrictEqual(decision.routes[turn], next.route);
  return {
    ...decided,
    bound: decided.bound.with(at, next),
    ordered: decided.ordered.with(turn, next),
    decision: isSame ? decision : { ...decision, routes: decision.routes.with(turn, next.route) },
  };
}

/** All that its place in the order, and what it leaves to others, depends on. */
function placeOf(bound: BoundRoute | undefined): string {
  if (!bound) return '';
  const { route, ingressRoute, index, match } = bound;
  const age = ingressRoute.metadata.creationTimestamp ?? '';
  return `${route.name} ${index} ${route.priority} ${route.tls ? 'tls' : 'plain'} ${age} ${match}`;
}

function isSameList<Item>(left: readonly Item[], right: readonly Item[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}
