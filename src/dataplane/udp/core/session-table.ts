/**
 * What is remembered about clients: one session per client and, on a wildcard listener, per address it sent to. Sessions
 * are held in two use-ordered lists, as the kernel's connection tracking tells assured flows from others: `new` (one
 * datagram so far) and `established`. One idle timeout for all of them makes each list its own timer queue, the next to
 * expire first, and room is made from the head of `new` before `established` is touched: a flood of spoofed sources
 * pushes out itself.
 */

import { addressWords } from './address.ts';
import { grown, KeyTable } from './key-table.ts';
import { placeWords } from './proxy-header.ts';

/**
 * The words of a session's key: client address; client port in the low half of the next, number of the listener in the
 * high half; scope of a link-local client; local address, zero unless the listener is a wildcard.
 */
export const sessionKey = { client: 0, port: 4, scope: 5, local: 6, words: 10 } as const;

export const segment = { new: 0, established: 1 } as const;

export interface SessionTableOptions {
  readonly limit: number;
  /** Sessions of one client address; 0 for no such limit. */
  readonly limitPerClient: number;
  /** Whether client addresses are kept track of from the start: see `trackClients`. */
  readonly tracksClients: boolean;
  /** Whether `places` is filled. */
  readonly keepsPlaces: boolean;
  readonly seed: number;
  readonly onGrow?: (capacity: number) => void;
}

/** When one address is at its limit, this many of its sessions are looked at for the longest idle. */
const clientSample = 8;

export class SessionTable {
  readonly keys: KeyTable;
  lastActiveMs = new Float64Array(0);
  /** The endpoint that the session is at; -1 before it is at any. */
  slot = new Int32Array(0);
  /** Number of the plan that chose `slot`. */
  plan = new Int32Array(0);
  /** Answers that are still to come, where the route says how many there are. */
  awaited = new Uint32Array(0);
  bytesIn = new Float64Array(0);
  bytesOut = new Float64Array(0);
  /** Where the client really is, a place a session, where a proxy in front of us may say so; else empty. */
  places = new Uint32Array(0);
  clients: ClientTable | undefined;
  readonly #seed: number;
  readonly #keepsPlaces: boolean;
  readonly #limitPerClient: number;
  readonly #onGrow: ((capacity: number) => void) | undefined;
  /** Sessions of one client address, in a ring. */
  #client = new Int32Array(0);
  #clientNext = new Int32Array(0);
  #clientPrev = new Int32Array(0);

  constructor({ limit, limitPerClient, tracksClients, keepsPlaces, seed, onGrow }: SessionTableOptions) {
    this.#onGrow = onGrow;
    this.#keepsPlaces = keepsPlaces;
    this.keys = new KeyTable({
      words: sessionKey.words,
      limit,
      seed,
      onGrow: (capacity) => this.#grow(capacity),
    });
    this.#limitPerClient = limitPerClient;
    this.#seed = seed;
    if (tracksClients) this.trackClients();
  }

  /** Keeps track of client addresses from now on: for `limitPerClient` and for `tokens`. */
  trackClients(): void {
    this.clients ??= new ClientTable(this.keys.limit, this.#seed);
  }

  get size(): number {
    return this.keys.size;
  }

  /** A new session; -1 when the table is full. `client`: of its address, from `clients`, or -1. */
  insert(key: Uint32Array, client: number, nowMs: number): number {
    const id = this.keys.insert(key);
    if (id < 0) return -1;
    this.lastActiveMs[id] = nowMs;
    this.slot[id] = -1;
    this.plan[id] = -1;
    this.awaited[id] = 0;
    this.bytesIn[id] = 0;
    this.bytesOut[id] = 0;
    this.#client[id] = client;
    if (client >= 0) this.#join(id, client);
    return id;
  }

  remove(id: number): void {
    const client = this.#client[id] as number;
    if (client >= 0) this.#leave(id, client);
    this.keys.remove(id);
  }

  /** A datagram of the session, either way. */
  touch(id: number, nowMs: number, isEstablished: boolean): void {
    this.lastActiveMs[id] = nowMs;
    if (isEstablished) this.keys.touch(id, segment.established);
    else this.keys.touch(id);
  }

  /** A session that was idle since before `thenMs`, or -1. */
  idleSince(thenMs: number): number {
    for (let list = 0; list < 2; list++) {
      const id = this.keys.oldest(list);
      if (id >= 0 && (this.lastActiveMs[id] as number) <= thenMs) return id;
    }
    return -1;
  }

  /** The session to evict for another to be let in. -1 when there is none. */
  longestIdle(): number {
    const id = this.keys.oldest(segment.new);
    return id >= 0 ? id : this.keys.oldest(segment.established);
  }

  /** The session to evict if not the given one, which is to be evicted itself before that: see `longestIdle`. -1: none. */
  nextLongestIdle(id: number): number {
    const newer = this.keys.newer(id);
    if (newer >= 0 || this.keys.segmentOf(id) === segment.established) return newer;
    return this.keys.oldest(segment.established);
  }

  isClientFull(client: number): boolean {
    return (
      this.#limitPerClient > 0 &&
      client >= 0 &&
      ((this.clients as ClientTable).sessions[client] as number) >= this.#limitPerClient
    );
  }

  /** The longest idle of the client address's sessions (of a sample, where there are many). */
  longestIdleOfClient(client: number): number {
    const clients = this.clients as ClientTable;
    const first = clients.firstSession[client] as number;
    let best = first;
    let id = first;
    for (let step = 0; step < clientSample; step++) {
      if ((this.lastActiveMs[id] as number) < (this.lastActiveMs[best] as number)) best = id;
      id = this.#clientNext[id] as number;
      if (id === first) break;
    }
    // The next sample begins where this one ended.
    clients.firstSession[client] = id;
    return best;
  }

  #join(id: number, client: number): void {
    const clients = this.clients as ClientTable;
    const first = clients.firstSession[client] as number;
    if (first < 0) {
      clients.firstSession[client] = id;
      this.#clientNext[id] = id;
      this.#clientPrev[id] = id;
    } else {
      const last = this.#clientPrev[first] as number;
      this.#clientNext[last] = id;
      this.#clientPrev[id] = last;
      this.#clientNext[id] = first;
      this.#clientPrev[first] = id;
    }
    clients.sessions[client] = (clients.sessions[client] as number) + 1;
    clients.keys.touch(client, segment.established);
  }

  #leave(id: number, client: number): void {
    const clients = this.clients as ClientTable;
    const next = this.#clientNext[id] as number;
    const prev = this.#clientPrev[id] as number;
    this.#clientNext[prev] = next;
    this.#clientPrev[next] = prev;
    if (clients.firstSession[client] === id) clients.firstSession[client] = next === id ? -1 : next;
    clients.sessions[client] = (clients.sessions[client] as number) - 1;
    if (clients.sessions[client] === 0) clients.keys.touch(client, segment.new);
  }

  #grow(capacity: number): void {
    this.lastActiveMs = grown(this.lastActiveMs, new Float64Array(capacity));
    this.slot = grown(this.slot, new Int32Array(capacity));
    this.plan = grown(this.plan, new Int32Array(capacity));
    this.awaited = grown(this.awaited, new Uint32Array(capacity));
    this.bytesIn = grown(this.bytesIn, new Float64Array(capacity));
    this.bytesOut = grown(this.bytesOut, new Float64Array(capacity));
    if (this.#keepsPlaces) this.places = grown(this.places, new Uint32Array(capacity * placeWords));
    this.#client = grown(this.#client, new Int32Array(capacity));
    this.#clientNext = grown(this.#clientNext, new Int32Array(capacity));
    this.#clientPrev = grown(this.#clientPrev, new Int32Array(capacity));
    this.#onGrow?.(capacity);
  }
}

/**
 * Client addresses: their sessions and their tokens. As many as there may be sessions, and one more; the one that was
 * not seen for the longest time and has no session makes room. (Those without a session are in segment `new`.)
 */
export class ClientTable {
  readonly keys: KeyTable;
  /** Addresses that made room so far. */
  forgotten = 0;
  sessions = new Int32Array(0);
  firstSession = new Int32Array(0);
  /** Of the address's rate limit. */
  tokens = new Float64Array(0);
  refilledAtMs = new Float64Array(0);

  constructor(sessionLimit: number, seed: number) {
    this.keys = new KeyTable({
      words: addressWords,
      limit: sessionLimit + 1,
      seed,
      onGrow: (capacity) => this.#grow(capacity),
    });
  }

  /** The id of the address at the start of `key`, a new one with `tokens` where it has none. */
  enter(key: Uint32Array, tokens: number, nowMs: number): number {
    const known = this.keys.find(key);
    if (known >= 0) {
      this.keys.touch(known);
      return known;
    }
    // Fewer sessions than entries are there, so some entry has none.
    if (this.keys.size >= this.keys.limit) {
      this.keys.remove(this.keys.oldest(segment.new));
      this.forgotten++;
    }
    const id = this.keys.insert(key);
    this.sessions[id] = 0;
    this.firstSession[id] = -1;
    this.tokens[id] = tokens;
    this.refilledAtMs[id] = nowMs;
    return id;
  }

  #grow(capacity: number): void {
    this.sessions = grown(this.sessions, new Int32Array(capacity));
    this.firstSession = grown(this.firstSession, new Int32Array(capacity));
    this.tokens = grown(this.tokens, new Float64Array(capacity));
    this.refilledAtMs = grown(this.refilledAtMs, new Float64Array(capacity));
  }
}
