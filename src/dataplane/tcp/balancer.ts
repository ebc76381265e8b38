/**
 * Which endpoint a connection goes to. Weighted round robin over the services, round robin over the endpoints of
 * each; where it stands survives a change of the table, so that frequent changes do not send everybody to the first.
 */

import { createHash } from 'node:crypto';
import type { Endpoint, TcpRoute, TcpService } from '../route-table.ts';

export interface Choice {
  readonly service: TcpService;
  readonly endpoint: Endpoint;
}

export const endpointKey = ({ address, port }: Endpoint) => `${address} ${port}`;

/** Balances one route. */
export class RouteBalancer {
  #route: TcpRoute;
  /** By service name and position: the credit each has gathered. */
  #services: WeightedRing[] = [];
  /** The services whose share is refused, and the rest as one. Empty where none is refused. */
  #shares: Share[] = [];

  constructor(route: TcpRoute) {
    this.#route = route;
    this.update(route);
  }

  /** Takes the route as it is now. */
  update(route: TcpRoute): void {
    const before = new Map(this.#services.map((ring) => [ring.key, ring]));
    this.#route = route;
    this.#services = route.services.map((service, index) => {
      const key = `${service.name} ${index}`;
      const ring = before.get(key) ?? new WeightedRing(key);
      ring.update(service);
      return ring;
    });
    this.#shares = sharesOf(this.#services, this.#shares);
  }

  /** The service whose turn a new connection is, where that one is refused. To be asked once, before `choose`. */
  refused(clientAddress: string): TcpService | undefined {
    if (this.#shares.length === 0) return undefined;
    if (this.#route.balance !== 'source') return nextOfSmooth(this.#shares)?.refused;
    const scored = this.#services.map(({ service, weight }) => {
      return { service, score: weight / -Math.log(unitHash(`${clientAddress}|${service.name}`)) };
    });
    const [first] = scored.sort((left, right) => right.score - left.score);
    return first && isRefused(first.service) ? first.service : undefined;
  }

  /**
   * The endpoint for a new connection. `avoid` holds keys of endpoints that have just refused it. Undefined when
   * nothing is left.
   */
  choose(clientAddress: string, avoid: ReadonlySet<string> = new Set()): Choice | undefined {
    if (this.#route.balance === 'source') return this.#bySource(clientAddress, avoid);
    const usable = this.#services.filter((ring) => ring.weight > 0 && ring.has(avoid));
    const ring = nextOfSmooth(usable);
    const endpoint = ring?.next(avoid);
    return ring && endpoint ? { service: ring.service, endpoint } : undefined;
  }

  /**
   * Rendezvous hashing: each client ranks all endpoints, so that a change moves only those clients whose endpoint it
   * was. The weight of a service is shared by its endpoints (weighted rendezvous: weight / -ln(hash)).
   */
  #bySource(clientAddress: string, avoid: ReadonlySet<string>): Choice | undefined {
    let best: Choice | undefined;
    let bestScore = -1;
    for (const ring of this.#services) {
      const share = ring.weight / Math.max(1, ring.endpoints.length);
      if (share === 0) continue;
      for (const endpoint of ring.endpoints) {
        const key = endpointKey(endpoint);
        if (avoid.has(key)) continue;
        const score = share / -Math.log(unitHash(`${clientAddress}|${ring.service.name}|${key}`));
        if (score > bestScore) {
          bestScore = score;
          best = { service: ring.service, endpoint };
        }
      }
    }
    return best;
  }
}

interface Share {
  readonly weight: number;
  credit: number;
  /** Absent: of all the services that have endpoints. */
  readonly refused?: TcpService;
}

function isRefused({ refusal, weight }: TcpService): boolean {
  return refusal !== undefined && weight > 0;
}

function sharesOf(rings: readonly WeightedRing[], before: readonly Share[]): Share[] {
  const refused = rings.filter(({ service }) => isRefused(service));
  if (refused.length === 0) return [];
  const sum = (total: number, { weight }: WeightedRing) => total + weight;
  const rest = rings.filter((ring) => ring.endpoints.length > 0).reduce(sum, 0);
  const shares = [{ weight: rest }, ...refused.map(({ weight, service }) => ({ weight, refused: service }))];
  const isSame =
    shares.length === before.length && shares.every((one, at) => one.weight === before[at]?.weight);
  return shares.map((share, at) => ({ ...share, credit: isSame ? (before[at]?.credit ?? 0) : 0 }));
}

/** Above 0 and below 1. */
function unitHash(text: string): number {
  const digest = createHash('md5').update(text).digest();
  return (digest.readUInt32BE(0) + 0.5) / 2 ** 32;
}

/** Smooth weighted round robin: each gains its weight, the richest is taken and pays the sum. */
function nextOfSmooth<Ring extends { readonly weight: number; credit: number }>(
  rings: readonly Ring[],
): Ring | undefined {
  if (rings.length < 2) return rings[0];
  const sum = rings.reduce((total, { weight }) => total + weight, 0);
  let richest = rings[0]!;
  for (const ring of rings) {
    ring.credit += ring.weight;
    if (ring.credit > richest.credit) richest = ring;
  }
  richest.credit -= sum;
  return richest;
}

/** The ready endpoints of one service in a ring; the next one is at the front. */
class WeightedRing {
  readonly key: string;
  credit = 0;
  #service: TcpService | undefined;
  #ring: Endpoint[] = [];
  #cursor = 0;

  constructor(key: string) {
    this.key = key;
  }

  get service(): TcpService {
    return this.#service!;
  }

  get weight(): number {
    return this.#service?.weight ?? 0;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#ring;
  }

  has(avoid: ReadonlySet<string>): boolean {
    if (avoid.size === 0) return this.#ring.length > 0;
    return this.#ring.some((endpoint) => !avoid.has(endpointKey(endpoint)));
  }

  /** Those that stay keep their turn; new ones come after them. */
  update(service: TcpService): void {
    this.#service = service;
    const ready = new Map<string, Endpoint>();
    for (const endpoint of service.endpoints) {
      if (endpoint.state === 'ready') ready.set(endpointKey(endpoint), endpoint);
    }
    const inTurn = [...this.#ring.slice(this.#cursor), ...this.#ring.slice(0, this.#cursor)];
    const staying = inTurn.flatMap((endpoint) => {
      const key = endpointKey(endpoint);
      const now = ready.get(key);
      ready.delete(key);
      return now ?? [];
    });
    this.#ring = [...staying, ...ready.values()];
    this.#cursor = 0;
  }

  next(avoid: ReadonlySet<string>): Endpoint | undefined {
    for (let step = 0; step < this.#ring.length; step++) {
      const endpoint = this.#ring[this.#cursor]!;
      this.#cursor = (this.#cursor + 1) % this.#ring.length;
      if (!avoid.has(endpointKey(endpoint))) return endpoint;
    }
    return undefined;
  }
}
