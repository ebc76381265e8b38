/** The routes of one entry point in, the one that has a connection out. */

import type { TcpRoute } from '../route-table.ts';
import { type ConnectionFacts, compileRule, neededHosts, type RuleMatcher } from './rule-matcher.ts';

interface Candidate {
  readonly order: number;
  readonly route: TcpRoute;
  /** Compiled when first needed: most of ten thousand routes are not, between two changes. */
  matches?: RuleMatcher;
}

/** Routes for connections with TLS and for those without are apart, as in Traefik. */
export class RouteChooser {
  readonly #plain: Candidates;
  readonly #tls: Candidates;

  /** `routes` in the order in which they are tried. */
  constructor(routes: readonly TcpRoute[]) {
    this.#plain = new Candidates(routes.filter(({ tls }) => tls === undefined));
    this.#tls = new Candidates(routes.filter(({ tls }) => tls !== undefined));
  }

  /** Without TLS routes the first bytes change nothing, so the server may speak first. */
  get needsFirstBytes(): boolean {
    return this.#tls.count > 0;
  }

  get hasPlainRoutes(): boolean {
    return this.#plain.count > 0;
  }

  choose(facts: ConnectionFacts, hasTls: boolean): TcpRoute | undefined {
    return (hasTls ? this.#tls : this.#plain).first(facts);
  }
}

class Candidates {
  readonly count: number;
  readonly #byHost = new Map<string, Candidate[]>();
  readonly #others: Candidate[] = [];

  constructor(routes: readonly TcpRoute[]) {
    this.count = routes.length;
    for (const [order, route] of routes.entries()) {
      const candidate = { order, route };
      const hosts = neededHosts(route.rule);
      if (!hosts) this.#others.push(candidate);
      for (const host of new Set(hosts)) {
        const present = this.#byHost.get(host);
        if (present) present.push(candidate);
        else this.#byHost.set(host, [candidate]);
      }
    }
  }

  first(facts: ConnectionFacts): TcpRoute | undefined {
    const { serverName } = facts;
    const exact = this.#firstOf(serverName, facts);
    const wildcard = this.#firstOf(`*${serverName.slice(serverName.indexOf('.'))}`, facts);
    const named = exact && (!wildcard || exact.order < wildcard.order) ? exact : wildcard;
    // The lists are in order: the last one need only be searched for something earlier.
    for (const candidate of this.#others) {
      if (named && candidate.order > named.order) break;
      if (isMatch(candidate, facts)) return candidate.route;
    }
    return named?.route;
  }

  #firstOf(host: string, facts: ConnectionFacts): Candidate | undefined {
    return this.#byHost.get(host)?.find((candidate) => isMatch(candidate, facts));
  }
}

function isMatch(candidate: Candidate, facts: ConnectionFacts): boolean {
  candidate.matches ??= compileRule(candidate.route.rule);
  return candidate.matches(facts);
}
