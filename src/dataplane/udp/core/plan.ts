/**
 * One entry point's decision, made ready for the packet path: which slot gets the next datagram. Services share by
 * smooth weighted round robin (as nginx's), the endpoints of a service take turns; `source` ranks all endpoints for a
 * client address by weighted rendezvous hashing, so that an endpoint that joins or leaves moves only the clients that it
 * gains or loses.
 */

import type {
  UdpBalance,
  UdpClientAddress,
  UdpDecision,
  UdpRoute,
  WeightedService,
} from '../../route-table.ts';
import { addressWords } from './address.ts';
import { AddressList } from './address-list.ts';
import { type EndpointSlots, endpointState } from './endpoint-slots.ts';
import { dropCode, refusal } from './verdicts.ts';

interface PlannedService {
  readonly name: string;
  /** Of the name. */
  readonly hash: number;
  readonly weight: number;
  /** Its ready endpoints. */
  readonly slots: Int32Array;
  /** What answers its share of the datagrams, or 0 where it has endpoints for them. */
  readonly refusal: number;
  /** Smooth weighted round robin's running value. */
  current: number;
  /** Whose turn it is among `slots`. */
  next: number;
}

export class Plan {
  readonly balance: UdpBalance;
  readonly route: UdpRoute | undefined;
  /** The refusal that answers every datagram, or 0 when they are forwarded. */
  readonly refusal: number;
  /** Endpoints without a slot: see `claim`. */
  leftOut = 0;
  /** Ready endpoints with a weight. */
  readonly readyCount: number;
  readonly access: AddressList | undefined;
  readonly clientAddress: UdpClientAddress | undefined;
  /** 0: no such limit. */
  readonly responses: number;
  readonly #services: PlannedService[];
  readonly #slots: EndpointSlots;
  readonly #totalWeight: number;
  readonly #hasRefused: boolean;
  /** Whose turn it was last. */
  #chosen = 0;

  /**
   * Claims the decision's endpoints in `slots` (and leaves it to the caller to free the others). Turns go on where those
   * of `before` stopped.
   */
  constructor(
    decision: UdpDecision | undefined,
    balance: UdpBalance,
    slots: EndpointSlots,
    before: Plan | undefined,
  ) {
    this.#slots = slots;
    this.route = decision?.kind === 'forward' ? decision.route : undefined;
    this.balance = this.route?.balance ?? balance;
    this.access = AddressList.from(this.route?.allow, this.route?.deny);
    this.clientAddress = this.route?.clientAddress;
    this.responses = this.route?.responses ?? 0;
    this.#services = (this.route?.services ?? []).flatMap((service) => this.#planService(service));
    for (const service of this.#services) {
      const old = before ? before.#services.find(({ name }) => name === service.name) : undefined;
      if (!old) continue;
      service.current = Math.max(-service.weight, Math.min(service.weight, old.current));
      service.next = continued(old, service.slots);
    }
    this.#hasRefused = this.#services.some((service) => service.refusal !== 0);
    this.#totalWeight = this.#services.reduce((sum, { weight }) => sum + weight, 0);
    this.readyCount = this.#services.reduce((sum, service) => sum + service.slots.length, 0);
    if (!decision) this.refusal = refusal(dropCode.no_route);
    else if (decision.kind === 'drop') this.refusal = refusal(dropCode[decision.reason]);
    else if (this.readyCount > 0) this.refusal = 0;
    else this.refusal = this.#services[0]?.refusal ?? refusal(dropCode.no_endpoints);
  }

  /** Spreads the workers' first turns, so that they do not all begin with the same endpoint. */
  stagger(turns: number): void {
    for (const service of this.#services) {
      if (service.slots.length > 0) service.next = turns % service.slots.length;
    }
  }

  /** Whether both send the same clients to the same endpoints in the `source` way. */
  hasSameEndpoints(other: Plan): boolean {
    return (
      this.#services.length === other.#services.length &&
      this.#services.every(({ weight, slots, refusal: answer }, index) => {
        const theirs = other.#services[index];
        return (
          theirs?.weight === weight &&
          theirs.refusal === answer &&
          theirs.slots.length === slots.length &&
          slots.every((slot, at) => theirs.slots[at] === slot)
        );
      })
    );
  }

  /**
   * The slot whose turn it is, or a refusal where it is the turn of a service that is refused. Endpoints in quarantine, and
   * `avoid` (-1: none), are passed over while there is another: the answer is then one in quarantine, and `avoid` itself
   * where it is alone. A datagram that has an `avoid` had its service's turn already: it takes no other's, and is not refused.
   */
  nextSlot(nowMs: number, avoid: number): number {
    const services = this.#services;
    if (avoid < 0) {
      this.#chosen = this.#nextService();
      const answer = (services[this.#chosen] as PlannedService).refusal;
      if (answer !== 0) return answer;
    }
    let chosen = this.#chosen;
    for (let tries = services.length; tries > 0; tries--) {
      const slot = this.#turn(services[chosen] as PlannedService, nowMs, avoid, true);
      if (slot >= 0) return slot;
      chosen = (chosen + 1) % services.length;
    }
    for (let index = 0; index < services.length; index++) {
      const slot = this.#turn(services[index] as PlannedService, nowMs, avoid, false);
      if (slot >= 0) return slot;
    }
    return avoid;
  }

  /** As `nextSlot`, by the client address at `offset` of `key`. */
  slotOfClient(key: Uint32Array, offset: number, seed: number, nowMs: number, avoid: number): number {
    if (this.#hasRefused && avoid < 0) {
      const answer = this.#refusalOfClient(key, offset, seed);
      if (answer !== 0) return answer;
    }
    const usable = this.#highest(key, offset, seed, nowMs, avoid, true);
    if (usable >= 0) return usable;
    const other = this.#highest(key, offset, seed, nowMs, avoid, false);
    return other >= 0 ? other : avoid;
  }

  #planService({ name, weight, endpoints, refusal: reason }: WeightedService): PlannedService[] {
    const claimed = endpoints.map((endpoint) => this.#slots.claim(endpoint, name));
    this.leftOut += claimed.filter((slot) => slot < 0).length;
    const ready = claimed.filter((slot) => slot >= 0 && this.#slots.state[slot] === endpointState.ready);
    if (weight <= 0 || (ready.length === 0 && !reason)) return [];
    const answer = reason && ready.length === 0 ? refusal(dropCode[reason]) : 0;
    const hash = hashOfText(name);
    return [{ name, hash, weight, slots: Int32Array.from(ready), refusal: answer, current: 0, next: 0 }];
  }

  #nextService(): number {
    const services = this.#services;
    if (services.length === 1) return 0;
    let best = 0;
    for (let index = 0; index < services.length; index++) {
      const service = services[index] as PlannedService;
      service.current += service.weight;
      if (service.current > (services[best] as PlannedService).current) best = index;
    }
    (services[best] as PlannedService).current -= this.#totalWeight;
    return best;
  }

  #turn(service: PlannedService, nowMs: number, avoid: number, onlyUsable: boolean): number {
    const { slots } = service;
    for (let tries = slots.length; tries > 0; tries--) {
      const slot = slots[service.next] as number;
      service.next = service.next + 1 === slots.length ? 0 : service.next + 1;
      if (slot !== avoid && (!onlyUsable || this.#slots.isUsable(slot, nowMs))) return slot;
    }
    return -1;
  }

  /** The refusal of the service that the client falls to, or 0. A service counts as one, however many endpoints it has. */
  #refusalOfClient(key: Uint32Array, offset: number, seed: number): number {
    const client = hashOf(key, offset, seed);
    let answer = 0;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const service of this.#services) {
      const score = scoreOf(mix(client ^ service.hash), service.weight);
      if (score >= bestScore) continue;
      bestScore = score;
      answer = service.refusal;
    }
    return answer;
  }

  #highest(
    key: Uint32Array,
    offset: number,
    seed: number,
    nowMs: number,
    avoid: number,
    onlyUsable: boolean,
  ): number {
    const client = hashOf(key, offset, seed);
    let best = -1;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const { weight, slots } of this.#services) {
      const share = weight / slots.length;
      for (let index = 0; index < slots.length; index++) {
        const slot = slots[index] as number;
        if (slot === avoid || (onlyUsable && !this.#slots.isUsable(slot, nowMs))) continue;
        const endpoint = hashOf(this.#slots.addresses, slot * addressWords, client);
        const draw = mix(endpoint ^ Math.imul(this.#slots.ports[slot] as number, 0x9e3779b1));
        const score = scoreOf(draw, share);
        if (score < bestScore) {
          bestScore = score;
          best = slot;
        }
      }
    }
    return best;
  }
}

/** The smallest of exponentially distributed draws falls to each endpoint in proportion to its share. */
function scoreOf(draw: number, share: number): number {
  return -Math.log((draw + 1) / 4294967297) / share;
}

/** Where the turns of `old` go on among `slots`: at the first of its coming endpoints that is still there. */
function continued(old: PlannedService, slots: Int32Array): number {
  for (let step = 0; step < old.slots.length; step++) {
    const at = slots.indexOf(old.slots[(old.next + step) % old.slots.length] as number);
    if (at >= 0) return at;
  }
  return 0;
}

function hashOf(words: Uint32Array, offset: number, seed: number): number {
  let hash = seed | 0;
  for (let index = 0; index < addressWords; index++) hash = mix(hash ^ (words[offset + index] as number));
  return hash;
}

function hashOfText(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = mix(hash ^ text.charCodeAt(index));
  return hash;
}

/** The finalizer of MurmurHash3. */
function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
