/**
 * The routes and all that they refer to, and the table they make. Only what a change touches is made anew, and what came out
 * the same as before stays the same object, so that whoever takes the table sees at once what is new in it.
 */

import { isDeepStrictEqual } from 'node:util';
import type { RouteTable, TcpDecision, TlsCertificate, UdpDecision } from '../../../dataplane/index.ts';
import type { IngressRouteTCP, IngressRouteUDP, KubeObject, WatchEvent } from '../../../kubernetes/index.ts';
import { namespacedName } from '../../../kubernetes/index.ts';
import { type GatewayRouting, noGateways } from '../../gateway/compile-gateways.ts';
import { GatewayState, isGatewayKind } from '../../gateway/gateway-state.ts';
import type { EntryPoint } from '../../static/entry-points.ts';
import type { RouteFinding } from '../findings.ts';
import { isOfClass, type RoutingOptions } from '../options.ts';
import { certificatesOf, type ResolvedTcpRoute, resolveTcpRoute } from '../tcp-routes.ts';
import { type ResolvedUdpRoute, resolveUdpRoute, type UdpRouting } from '../udp-routes.ts';
import { Dependencies, ReadTracker } from './dependencies.ts';
import { ObjectIndex, referencedKinds } from './object-index.ts';
import { SortedRoutes } from './sorted-routes.ts';
import { TcpDecisions } from './tcp-decisions.ts';
import { UdpDecisions } from './udp-decisions.ts';

export const routeKinds = ['ingressrouteudps', 'ingressroutetcps'] as const;
export type RouteKind = (typeof routeKinds)[number];

export interface Routing extends UdpRouting {
  readonly entryPoints: readonly EntryPoint[];
  /** By age. */
  readonly udpRoutes: readonly ResolvedUdpRoute[];
  /** By age. */
  readonly tcpRoutes: readonly ResolvedTcpRoute[];
  /** Its entry points are to be opened besides the static ones. */
  readonly gateway: GatewayRouting;
}

export const emptyRouting: Routing = {
  table: { generation: 0, udp: [], tcp: [], certificates: [] },
  findings: [],
  entryPoints: [],
  udpRoutes: [],
  tcpRoutes: [],
  gateway: noGateways,
};

export class RoutingState {
  private readonly options: RoutingOptions;
  private entryPoints: readonly EntryPoint[] = [];
  private readonly index = new ObjectIndex();
  private readonly tracker = new ReadTracker();
  private readonly tracked;
  private readonly dependencies = new Dependencies();
  private readonly udp = new SortedRoutes<IngressRouteUDP, ResolvedUdpRoute>();
  private readonly tcp = new SortedRoutes<IngressRouteTCP, ResolvedTcpRoute>();
  /** Routes to resolve anew: their kind and name. */
  private readonly dirty = new Set<string>();
  /** Whether a route or an entry point came, went or asks for another place: then who holds what is decided anew. */
  private readonly stale = { udp: true, tcp: true, gateway: false };
  private readonly gateways = new GatewayState();
  private gatewayResult: GatewayRouting = noGateways;
  private readonly readKinds = new Set<string>();
  private readonly udpDecisions: UdpDecisions;
  private readonly tcpDecisions = new TcpDecisions();
  /** Of the routes on their own; undefined where they are to be gathered anew. */
  private routeFindings: { ofUdp?: readonly RouteFinding[]; ofTcp?: readonly RouteFinding[] } = {};
  private findingParts: readonly (readonly RouteFinding[])[] = [];
  private last: Routing = emptyRouting;

  constructor(options: RoutingOptions = {}) {
    this.options = options;
    this.udpDecisions = new UdpDecisions(options);
    this.tracked = this.index.tracked(this.tracker);
  }

  setEntryPoints(entryPoints: readonly EntryPoint[]): void {
    if (isDeepStrictEqual(entryPoints, this.entryPoints)) return;
    this.entryPoints = entryPoints;
    this.stale.udp = true;
    this.stale.tcp = true;
    this.stale.gateway = true;
    for (const name of this.udp.names()) this.dirty.add(userOf('ingressrouteudps', name));
    for (const name of this.tcp.names()) this.dirty.add(userOf('ingressroutetcps', name));
  }

  /** `kind` is the plural of the object's type. Kinds that routes have nothing to do with are passed over. */
  apply(kind: string, change: WatchEvent): void {
    if (isGatewayKind(kind)) {
      this.gateways.apply(kind, change);
      this.stale.gateway = true;
    } else if (isOneOf(routeKinds, kind)) this.applyRoute(kind, change);
    else if (isOneOf(referencedKinds, kind)) {
      for (const dependency of this.index.apply(kind, change)) {
        for (const user of this.dependencies.users(dependency)) this.dirty.add(user);
      }
    }
  }

  /** The kinds that routes have looked for so far: what need not be watched before anything refers to it. */
  get kindsRead(): ReadonlySet<string> {
    return this.readKinds;
  }

  /** The routing of all that was applied. The same object as before when nothing in it has changed. */
  compile(): Routing {
    const changed = { udp: this.stale.udp, tcp: this.stale.tcp, gateway: false };
    for (const user of this.dirty) {
      const [kind = '', name = ''] = user.split(' ');
      if (user === gatewayUser) this.stale.gateway = true;
      else if (kind === 'ingressrouteudps') changed.udp = this.resolveUdp(user, name) || changed.udp;
      else changed.tcp = this.resolveTcp(user, name) || changed.tcp;
    }
    this.dirty.clear();
    if (this.stale.gateway) changed.gateway = this.resolveGateways();
    const isSame =
      !changed.udp && !changed.tcp && !changed.gateway && this.last.entryPoints === this.entryPoints;
    if (!isSame) this.last = this.assemble(changed);
    Object.assign(this.stale, { udp: false, tcp: false, gateway: false });
    return this.last;
  }

  private applyRoute(kind: RouteKind, { type, object }: WatchEvent): void {
    const name = namespacedName(object);
    const user = userOf(kind, name);
    const routes: Pick<SortedRoutes<KubeObject, unknown>, 'get' | 'set' | 'delete'> = kind ===
    'ingressrouteudps'
      ? (this.udp as SortedRoutes<KubeObject, unknown>)
      : (this.tcp as SortedRoutes<KubeObject, unknown>);
    const isServed = type !== 'DELETED' && isOfClass(object as IngressRouteUDP, this.options);
    if (isServed) {
      this.dirty.add(user);
      if (routes.set(object)) return;
    } else if (routes.get(name)) {
      routes.delete(name);
      this.dirty.delete(user);
      this.dependencies.forget(user);
    } else return;
    if (kind === 'ingressrouteudps') {
      this.stale.udp = true;
      delete this.routeFindings.ofUdp;
    } else {
      this.stale.tcp = true;
      delete this.routeFindings.ofTcp;
    }
  }

  /** Whether anything came out differently. */
  private resolveUdp(user: string, name: string): boolean {
    const known = this.udp.get(name);
    if (!known) return false;
    const result = resolveUdpRoute(known.route, this.entryPoints, this.tracked.services, this.options);
    this.noteReads(user);
    const previous = known.result;
    if (previous && isDeepStrictEqual(result, previous)) return false;
    this.udp.setResult(name, result);
    if (result.findings.length > 0 || previous?.findings.length !== 0) delete this.routeFindings.ofUdp;
    // Where all is decided anew anyway, or another place is asked for, one at a time is no use.
    if (!this.stale.udp) this.stale.udp = !previous || !this.udpDecisions.replace(previous, result);
    return true;
  }

  private resolveTcp(user: string, name: string): boolean {
    const known = this.tcp.get(name);
    if (!known) return false;
    const result = resolveTcpRoute(known.route, this.entryPoints, this.tracked.tcp, this.options);
    this.noteReads(user);
    const previous = known.result;
    if (previous && isDeepStrictEqual(result, previous)) return false;
    this.tcp.setResult(name, result);
    if (result.findings.length > 0 || previous?.findings.length !== 0) delete this.routeFindings.ofTcp;
    if (!this.stale.tcp) this.stale.tcp = !previous || !this.tcpDecisions.replace(previous, result);
    return true;
  }

  private resolveGateways(): boolean {
    const next = this.gateways.compile(this.tracked.services, this.entryPoints);
    this.noteReads(gatewayUser);
    const isNew = next !== this.gatewayResult;
    this.gatewayResult = next;
    return isNew;
  }

  private noteReads(user: string): void {
    const reads = this.tracker.take();
    this.dependencies.set(user, reads);
    for (const dependency of reads) this.readKinds.add(dependency.slice(0, dependency.indexOf(' ')));
  }

  private assemble(changed: { udp: boolean; tcp: boolean }): Routing {
    const before = this.last;
    const udpRoutes = changed.udp ? this.udp.results() : before.udpRoutes;
    const tcpRoutes = changed.tcp ? this.tcp.results() : before.tcpRoutes;
    if (this.stale.udp) this.udpDecisions.rebuild(this.entryPoints, udpRoutes);
    if (this.stale.tcp) this.tcpDecisions.rebuild(this.entryPoints, tcpRoutes);
    const { gatewayResult: gateway } = this;
    const udp = joined(this.udpDecisions.decisions, gateway.udp);
    const tcp = joined(this.tcpDecisions.decisions, gateway.tcp);
    const table = this.tableOf(udp, tcp, tcpRoutes, changed);
    const findings = this.findingsOf(udpRoutes, tcpRoutes);
    return { table, findings, entryPoints: this.entryPoints, udpRoutes, tcpRoutes, gateway };
  }

  /** The list before when nothing in it has changed. */
  private findingsOf(
    udpRoutes: readonly ResolvedUdpRoute[],
    tcpRoutes: readonly ResolvedTcpRoute[],
  ): readonly RouteFinding[] {
    const { ofUdp, ofTcp } = this.routeFindings;
    const own = {
      ofUdp: ofUdp ?? udpRoutes.flatMap((route) => route.findings),
      ofTcp: ofTcp ?? tcpRoutes.flatMap((route) => route.findings),
    };
    this.routeFindings = own;
    const parts = [own.ofUdp, this.udpDecisions.findings, own.ofTcp, this.tcpDecisions.findings];
    if (isSameList(parts, this.findingParts)) return this.last.findings;
    this.findingParts = parts;
    return parts.flat();
  }

  /** The table before when nothing in it has changed, so that findings alone make no new one. */
  private tableOf(
    udp: readonly UdpDecision[],
    tcp: readonly TcpDecision[],
    tcpRoutes: readonly ResolvedTcpRoute[],
    changed: { tcp: boolean },
  ): RouteTable {
    const before = this.last.table;
    const certificates = changed.tcp
      ? reusedCertificates(certificatesOf(tcpRoutes), before)
      : before.certificates;
    const isSame =
      isSameList(udp, before.udp) &&
      isSameList(tcp, before.tcp ?? []) &&
      isSameList(certificates ?? [], before.certificates ?? []);
    if (isSame && before.generation > 0) return before;
    return { generation: before.generation + 1, udp, tcp, certificates: certificates ?? [] };
  }
}

function joined<Item>(own: readonly Item[], more: readonly Item[]): readonly Item[] {
  return more.length > 0 ? [...own, ...more] : own;
}

function isSameList<Item>(left: readonly Item[], right: readonly Item[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}

function reusedCertificates(next: readonly TlsCertificate[], before: RouteTable): TlsCertificate[] {
  const known = new Map((before.certificates ?? []).map((certificate) => [certificate.name, certificate]));
  return next.map((certificate) => {
    const previous = known.get(certificate.name);
    return previous && isDeepStrictEqual(previous, certificate) ? previous : certificate;
  });
}

/** All Gateway API routes are made together: there are few. */
const gatewayUser = 'gateway *';

const userOf = (kind: RouteKind, name: string) => `${kind} ${name}`;

function isOneOf<Name extends string>(names: readonly Name[], name: string): name is Name {
  return (names as readonly string[]).includes(name);
}
