/**
 * Endpoints by name (ExternalName Services) for an engine that knows addresses only. Names are looked up ahead of the
 * datagrams, and again and again: no datagram waits for a name server, and what it said last stays in use when it is gone.
 */

import { isIP } from 'node:net';
import type { Endpoint, RouteTable, UdpDecision, UdpEngine } from '../../dataplane/index.ts';
import type { IngressLog } from '../log.ts';

export interface NamedEndpointsOptions {
  readonly engine: Pick<UdpEngine, 'apply'>;
  /** All addresses of a name. Rejects where it has none. */
  readonly lookup: (name: string) => Promise<readonly string[]>;
  readonly log: IngressLog;
  /** How often names are looked up again. 30,000 when absent. */
  readonly everyMs?: number;
}

interface Known {
  addresses: readonly string[];
  /** As it was last logged. */
  problem: string | undefined;
}

export class NamedEndpoints {
  private readonly options: NamedEndpointsOptions;
  private readonly known = new Map<string, Known>();
  private readonly names = new WeakMap<UdpDecision, readonly string[]>();
  /** What was made of a decision, so that it stays the same object while its names have the same addresses. */
  private readonly made = new WeakMap<UdpDecision, { readonly by: string; readonly decision: UdpDecision }>();
  private readonly timer: NodeJS.Timeout;
  private table: RouteTable = { generation: 0, udp: [] };

  constructor(options: NamedEndpointsOptions) {
    this.options = options;
    this.timer = setInterval(() => void this.refresh([...this.known.keys()]), options.everyMs ?? 30_000);
    this.timer.unref();
  }

  /** A name that is new has no address yet: its datagrams are dropped as `no_endpoints` until it has one. */
  apply(table: RouteTable): Promise<void> {
    this.table = table;
    const wanted = new Set(table.udp.flatMap((decision) => this.namesOf(decision)));
    for (const name of this.known.keys()) if (!wanted.has(name)) this.known.delete(name);
    const fresh = [...wanted].filter((name) => !this.known.has(name));
    for (const name of fresh) this.known.set(name, { addresses: [], problem: undefined });
    if (fresh.length > 0) void this.refresh(fresh);
    return this.options.engine.apply(this.resolved(table));
  }

  stop(): void {
    clearInterval(this.timer);
    this.known.clear();
  }

  private async refresh(names: readonly string[]): Promise<void> {
    const hasChanged = await Promise.all(names.map((name) => this.look(name)));
    if (!hasChanged.includes(true)) return;
    await this.options.engine.apply(this.resolved(this.table)).catch((error: unknown) => {
      this.options.log.error({}, `route table refused: ${String(error)}`);
    });
  }

  /** Whether it has other addresses now. */
  private async look(name: string): Promise<boolean> {
    const { lookup, log } = this.options;
    try {
      const addresses = [...new Set(await lookup(name))].sort();
      const known = this.known.get(name);
      if (!known) return false;
      known.problem = undefined;
      if (known.addresses.join() === addresses.join()) return false;
      log.info({ name, addresses }, `${name} is at ${addresses.join(', ')}`);
      known.addresses = addresses;
      return true;
    } catch (error) {
      const known = this.known.get(name);
      const problem = String(error);
      if (!known || known.problem === problem) return false;
      known.problem = problem;
      const next =
        known.addresses.length > 0 ? 'its last addresses stay in use' : 'its datagrams are dropped';
      log.warn({ name }, `${name} has no address: ${next}: ${problem}`);
      return false;
    }
  }

  private namesOf(decision: UdpDecision): readonly string[] {
    let names = this.names.get(decision);
    if (!names) {
      const services = decision.kind === 'forward' ? decision.route.services : [];
      const endpoints = services.flatMap((service) => service.endpoints);
      names = endpoints.map(({ address }) => address).filter((address) => isIP(address) === 0);
      this.names.set(decision, names);
    }
    return names;
  }

  /** The table itself where it has no names. */
  private resolved(table: RouteTable): RouteTable {
    if (this.known.size === 0) return table;
    return { ...table, udp: table.udp.map((decision) => this.decisionOf(decision)) };
  }

  private decisionOf(decision: UdpDecision): UdpDecision {
    const names = this.namesOf(decision);
    if (names.length === 0 || decision.kind !== 'forward') return decision;
    const by = names.map((name) => this.known.get(name)?.addresses.join()).join(';');
    const made = this.made.get(decision);
    if (made?.by === by) return made.decision;
    const services = decision.route.services.map((service) => ({
      ...service,
      endpoints: service.endpoints.flatMap((endpoint) => this.endpointsOf(endpoint)),
    }));
    const next: UdpDecision = { ...decision, route: { ...decision.route, services } };
    this.made.set(decision, { by, decision: next });
    return next;
  }

  private endpointsOf(endpoint: Endpoint): Endpoint[] {
    if (isIP(endpoint.address) !== 0) return [endpoint];
    return (this.known.get(endpoint.address)?.addresses ?? []).map((address) => ({ ...endpoint, address }));
  }
}
