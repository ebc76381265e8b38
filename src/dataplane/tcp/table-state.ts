/** What the engine remembers of a table: per entry point its routes, ready to be matched and balanced. */

import { isDeepStrictEqual } from 'node:util';
import type { TcpDecision, TcpRoute } from '../route-table.ts';
import { addressMatcher } from './address.ts';
import { endpointKey, RouteBalancer } from './balancer.ts';
import { RouteChooser } from './route-chooser.ts';
import { CountByKey } from './tally.ts';

/** What outlives a change of a route. Made of the route when it is first used: most of ten thousand are not, soon. */
export class RouteState {
  route: TcpRoute;
  /** Connections by client address. */
  readonly inFlight: CountByKey = new CountByKey();
  #balancer: RouteBalancer | undefined;
  #isAllowed: ((address: string) => boolean) | undefined;

  constructor(route: TcpRoute) {
    this.route = route;
  }

  get balancer(): RouteBalancer {
    this.#balancer ??= new RouteBalancer(this.route);
    return this.#balancer;
  }

  update(route: TcpRoute): void {
    if (route === this.route) return;
    this.route = route;
    this.#isAllowed = undefined;
    this.#balancer?.update(route);
  }

  /** Whether every allow list of the route holds the address. */
  allows(address: string): boolean {
    this.#isAllowed ??= allOf((this.route.allowedSources ?? []).map((ranges) => addressMatcher(ranges)));
    return this.#isAllowed(address);
  }
}

function allOf(tests: readonly ((address: string) => boolean)[]): (address: string) => boolean {
  return (address) => tests.every((test) => test(address));
}

/** The table of one entry point. */
export class EntryPointTable {
  readonly chooser: RouteChooser;
  readonly #routes: readonly TcpRoute[];
  /** Shared with the table before, where only what is behind its routes has changed. */
  readonly #states: Map<string, RouteState>;
  #endpoints: ReadonlySet<string> | undefined;

  constructor(decision: TcpDecision | undefined, before?: EntryPointTable) {
    this.#routes = decision?.routes ?? [];
    // Routes of one name share a state, and the last one's is true: those are not told apart here.
    const isClear = before !== undefined && before.#states.size === before.#routes.length;
    const changed = isClear ? changedBehind(before.#routes, this.#routes) : undefined;
    if (changed && before) {
      // What the chooser gives of the table before has the name and the rule, which is all that is asked of it.
      this.chooser = before.chooser;
      this.#states = before.#states;
      for (const route of changed) this.#states.get(route.name)?.update(route);
      return;
    }
    this.chooser = new RouteChooser(this.#routes);
    this.#states = new Map();
    for (const route of this.#routes) {
      const known = before === undefined ? undefined : before.#states.get(route.name);
      const state = known ?? new RouteState(route);
      state.update(route);
      this.#states.set(route.name, state);
    }
  }

  stateOf(route: TcpRoute): RouteState {
    const state = this.#states.get(route.name);
    if (!state) throw new Error(`route ${route.name} is not of this table`);
    return state;
  }

  /** Whether some route still leads to the endpoint, ready or terminating. */
  hasEndpoint(key: string): boolean {
    if (!this.#endpoints) {
      const services = this.#routes.flatMap((route) => route.services);
      this.#endpoints = new Set(services.flatMap(({ endpoints }) => endpoints.map(endpointKey)));
    }
    return this.#endpoints.has(key);
  }
}

/**
 * The routes that are not the same object, where all have the name, the rule and the TLS-or-not they had, in the same order;
 * else undefined.
 */
function changedBehind(before: readonly TcpRoute[], next: readonly TcpRoute[]): TcpRoute[] | undefined {
  if (before.length !== next.length) return undefined;
  const changed: TcpRoute[] = [];
  for (let at = 0; at < next.length; at++) {
    const [was, is] = [before[at] as TcpRoute, next[at] as TcpRoute];
    if (was === is) continue;
    const isInPlace =
      was.name === is.name &&
      (was.tls === undefined) === (is.tls === undefined) &&
      isDeepStrictEqual(was.rule, is.rule);
    if (!isInPlace) return undefined;
    changed.push(is);
  }
  return changed;
}
