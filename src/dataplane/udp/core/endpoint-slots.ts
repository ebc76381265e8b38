/**
 * The endpoints of one entry point, each under a small number (its slot) that stays its own from table to table until the
 * endpoint is gone. Sessions, sockets and counters refer to slots.
 */

import type { Endpoint } from '../../route-table.ts';
import { addressWords, formatAddress, formatHostPort, parseAddress } from './address.ts';
import { grown, KeyTable } from './key-table.ts';

export const endpointState = { free: 0, ready: 1, terminating: 2 } as const;

/** Counter values per slot. */
export const endpointCounter = { datagrams: 0, bytes: 1, replies: 2, replyBytes: 3 } as const;
export const endpointCounterCount = 4;

/** After an ICMP unreachable an endpoint is passed over for this long; twice as long each time it goes on. */
const firstQuarantineMs = 250;
const longestQuarantineMs = 8_000;

/** Of one entry point. */
export const maxEndpoints = 16_384;

export interface EndpointDescription {
  readonly address: string;
  readonly port: number;
  readonly service: string;
  readonly pod?: string;
}

export class EndpointSlots {
  /** Slots are below this. */
  capacity = 0;
  state = new Uint8Array(0);
  addresses = new Uint32Array(0);
  ports = new Uint16Array(0);
  counters: Float64Array;
  readonly descriptions: (EndpointDescription | undefined)[] = [];
  readonly #byKey = new Map<string, number>();
  /** From address and port as numbers to an id, and from the id to the slot. */
  readonly #byAddress = new KeyTable({ words: addressWords + 1, limit: maxEndpoints, seed: 0 });
  #slotOfId = new Int32Array(0);
  readonly #key = new Uint32Array(addressWords + 1);
  readonly #allocate: (values: number) => Float64Array;
  #quarantinedUntilMs = new Float64Array(0);
  #quarantineMs = new Float64Array(0);

  /** `allocate` gives zeroed counters; those of a growing table are copied to its newest ones. */
  constructor(allocate: (values: number) => Float64Array = (values) => new Float64Array(values)) {
    this.#allocate = allocate;
    this.counters = allocate(0);
  }

  /** The slot of the endpoint, or -1. */
  find(address: string, port: number): number {
    return this.#byKey.get(canonical(address, port)) ?? -1;
  }

  /** The slot at the address whose words are at `offset`, or -1. */
  findAddress(words: Uint32Array | Int32Array, offset: number, port: number): number {
    const key = this.#key;
    for (let word = 0; word < addressWords; word++) key[word] = words[offset + word] as number;
    key[addressWords] = port;
    const id = this.#byAddress.find(key);
    return id < 0 ? -1 : (this.#slotOfId[id] as number);
  }

  /** The slot of the endpoint, a new one where it has none. -1 when its address is no address, or they are too many. */
  claim({ address, port, pod, state }: Endpoint, service: string): number {
    const key = canonical(address, port);
    const description = { address, port, service, ...(pod === undefined ? {} : { pod }) };
    let slot = this.#byKey.get(key) ?? -1;
    if (slot < 0) {
      if (this.#byKey.size >= maxEndpoints) return -1;
      slot = this.#freeSlot();
      if (!parseAddress(address, this.addresses, slot * addressWords)) return -1;
      this.ports[slot] = port;
      this.counters.fill(0, slot * endpointCounterCount, (slot + 1) * endpointCounterCount);
      this.#quarantinedUntilMs[slot] = 0;
      this.#quarantineMs[slot] = 0;
      this.#byKey.set(key, slot);
      this.#index(slot);
    }
    this.descriptions[slot] = description;
    this.state[slot] = endpointState[state];
    return slot;
  }

  /** Frees the slots that are not among those. Gives the freed ones. */
  keepOnly(slots: ReadonlySet<number>): number[] {
    const freed: number[] = [];
    for (const [key, slot] of this.#byKey) {
      if (slots.has(slot)) continue;
      this.#byKey.delete(key);
      this.#byAddress.remove(this.#idOf(slot));
      this.state[slot] = endpointState.free;
      this.descriptions[slot] = undefined;
      freed.push(slot);
    }
    return freed;
  }

  /** Whether new datagrams may go there now. */
  isUsable(slot: number, nowMs: number): boolean {
    return this.state[slot] === endpointState.ready && nowMs >= (this.#quarantinedUntilMs[slot] as number);
  }

  /** The endpoint answered with ICMP unreachable. */
  quarantine(slot: number, nowMs: number): void {
    // Errors of datagrams that were under way already say nothing new.
    if (nowMs < (this.#quarantinedUntilMs[slot] as number)) return;
    const before = this.#quarantineMs[slot] as number;
    const lengthMs = before === 0 ? firstQuarantineMs : Math.min(longestQuarantineMs, 2 * before);
    this.#quarantineMs[slot] = lengthMs;
    this.#quarantinedUntilMs[slot] = nowMs + lengthMs;
  }

  countForwarded(slot: number, bytes: number): void {
    const at = slot * endpointCounterCount;
    (this.counters[at] as number)++;
    this.counters[at + 1] = (this.counters[at + 1] as number) + bytes;
  }

  /** Also takes the endpoint for reachable again. */
  countReply(slot: number, bytes: number): void {
    const at = slot * endpointCounterCount + endpointCounter.replies;
    (this.counters[at] as number)++;
    this.counters[at + 1] = (this.counters[at + 1] as number) + bytes;
    if (this.#quarantineMs[slot] !== 0) {
      this.#quarantineMs[slot] = 0;
      this.#quarantinedUntilMs[slot] = 0;
    }
  }

  #idOf(slot: number): number {
    const at = slot * addressWords;
    this.#key.set(this.addresses.subarray(at, at + addressWords));
    this.#key[addressWords] = this.ports[slot] as number;
    return this.#byAddress.find(this.#key);
  }

  #index(slot: number): void {
    this.#idOf(slot);
    const id = this.#byAddress.insert(this.#key);
    if (this.#byAddress.capacity > this.#slotOfId.length) {
      this.#slotOfId = grown(this.#slotOfId, new Int32Array(this.#byAddress.capacity));
    }
    this.#slotOfId[id] = slot;
  }

  #freeSlot(): number {
    for (let slot = 0; slot < this.capacity; slot++) {
      if (this.state[slot] === endpointState.free) return slot;
    }
    const slot = this.capacity;
    this.#grow(Math.max(8, 2 * slot));
    return slot;
  }

  #grow(capacity: number): void {
    this.capacity = capacity;
    this.state = grown(this.state, new Uint8Array(capacity));
    this.addresses = grown(this.addresses, new Uint32Array(capacity * addressWords));
    this.ports = grown(this.ports, new Uint16Array(capacity));
    this.counters = grown(this.counters, this.#allocate(capacity * endpointCounterCount));
    this.#quarantinedUntilMs = grown(this.#quarantinedUntilMs, new Float64Array(capacity));
    this.#quarantineMs = grown(this.#quarantineMs, new Float64Array(capacity));
  }
}

const scratch = new Uint32Array(addressWords);

/** One text for all ways to write an address. */
function canonical(address: string, port: number): string {
  return formatHostPort(parseAddress(address, scratch) ? formatAddress(scratch) : address, port);
}
