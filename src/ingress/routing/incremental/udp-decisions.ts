/** Who holds each UDP entry point, decided anew only where something has changed. */

import { isDeepStrictEqual } from 'node:util';
import type { UdpDecision } from '../../../dataplane/index.ts';
import type { EntryPoint } from '../../static/entry-points.ts';
import type { RouteFinding } from '../findings.ts';
import type { RoutingOptions } from '../options.ts';
import { bindUdp, decideUdp, type ResolvedUdpRoute, type UdpCandidate } from '../udp-routes.ts';

interface Decided {
  readonly decision: UdpDecision;
  readonly findings: readonly RouteFinding[];
}

export class UdpDecisions {
  private readonly options: RoutingOptions;
  private bound = new Map<string, UdpCandidate[]>();
  private decided = new Map<string, Decided>();

  constructor(options: RoutingOptions) {
    this.options = options;
  }

  get decisions(): UdpDecision[] {
    return [...this.decided.values()].map(({ decision }) => decision);
  }

  get findings(): RouteFinding[] {
    return [...this.decided.values()].flatMap(({ findings }) => findings);
  }

  /** Routes or entry points came or went. `resolved` comes by age. */
  rebuild(entryPoints: readonly EntryPoint[], resolved: readonly ResolvedUdpRoute[]): void {
    this.bound = bindUdp(resolved);
    const before = this.decided;
    this.decided = new Map();
    for (const { name, protocol } of entryPoints) {
      if (protocol === 'udp') this.decided.set(name, this.decide(name, before.get(name)));
    }
  }

  /** One route came out differently. False when it asks for another place: then all is to be rebuilt. */
  replace(previous: ResolvedUdpRoute, next: ResolvedUdpRoute): boolean {
    const isInPlace =
      isDeepStrictEqual(previous.entryPoints, next.entryPoints) &&
      previous.rules.length === next.rules.length;
    if (!isInPlace) return false;
    for (const entryPoint of next.entryPoints) {
      const candidates = this.bound.get(entryPoint) ?? [];
      for (const [index, { route, rule }] of candidates.entries()) {
        const replacement = route === previous ? next.rules[rule.index] : undefined;
        if (replacement) candidates[index] = { route: next, rule: replacement };
      }
      // The map keeps the order of the entry points.
      this.decided.set(entryPoint, this.decide(entryPoint, this.decided.get(entryPoint)));
    }
    return true;
  }

  private decide(entryPoint: string, before: Decided | undefined): Decided {
    const next = decideUdp(entryPoint, this.bound.get(entryPoint) ?? [], this.options);
    if (!before || !isSameDecision(next.decision, before.decision)) return next;
    return { decision: before.decision, findings: next.findings };
  }
}

function isSameDecision(left: UdpDecision, right: UdpDecision): boolean {
  if (left.kind === 'forward' && right.kind === 'forward' && left.route === right.route) return true;
  return isDeepStrictEqual(left, right);
}
