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
  /** In the order of the entry points. The same list as before when nothing has changed. */
  decisions: readonly UdpDecision[] = [];
  private readonly options: RoutingOptions;
  private bound = new Map<string, UdpCandidate[]>();
  private decided: Decided[] = [];
  /** By entry point. */
  private place = new Map<string, number>();
  private allFindings: readonly RouteFinding[] | undefined;

  constructor(options: RoutingOptions) {
    this.options = options;
  }

  /** The same list as before when nothing has changed. */
  get findings(): readonly RouteFinding[] {
    this.allFindings ??= this.decided.flatMap(({ findings }) => findings);
    return this.allFindings;
  }

  /** Routes or entry points came or went. `resolved` comes by age. */
  rebuild(entryPoints: readonly EntryPoint[], resolved: readonly ResolvedUdpRoute[]): void {
    this.bound = bindUdp(resolved);
    const before = { place: this.place, decided: this.decided };
    const names = entryPoints.filter(({ protocol }) => protocol === 'udp').map(({ name }) => name);
    this.place = new Map(names.map((name, index) => [name, index]));
    this.decided = names.map((name) => this.decide(name, before.decided[before.place.get(name) ?? -1]));
    this.decisions = this.decided.map(({ decision }) => decision);
    this.allFindings = undefined;
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
      const at = this.place.get(entryPoint);
      if (at !== undefined) this.put(at, this.decide(entryPoint, this.decided[at]));
    }
    return true;
  }

  private put(at: number, next: Decided): void {
    const before = this.decided[at];
    if (next === before) return;
    this.decided[at] = next;
    if (next.decision !== before?.decision) this.decisions = this.decisions.with(at, next.decision);
    if (next.findings !== before?.findings) this.allFindings = undefined;
  }

  /** What is the same as before is the same object. */
  private decide(entryPoint: string, before: Decided | undefined): Decided {
    const next = decideUdp(entryPoint, this.bound.get(entryPoint) ?? [], this.options);
    if (!before) return next;
    const isSame = isSameDecision(next.decision, before.decision);
    const decision = isSame ? before.decision : next.decision;
    const findings = isDeepStrictEqual(next.findings, before.findings) ? before.findings : next.findings;
    return decision === before.decision && findings === before.findings ? before : { decision, findings };
  }
}

function isSameDecision(left: UdpDecision, right: UdpDecision): boolean {
  if (left.kind === 'forward' && right.kind === 'forward' && left.route === right.route) return true;
  return isDeepStrictEqual(left, right);
}
