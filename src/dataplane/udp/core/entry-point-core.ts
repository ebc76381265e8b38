/**
 * The decisions of one entry point on one thread, without any socket: whether a datagram is let in, its session, and the
 * endpoint it goes to. Bytes' addresses and a clock in; ids, slots and refusals out. Both engines are shells around it.
 *
 * A datagram's way: `admit` gives its session or a refusal; `chooseSlot` gives the endpoint or a refusal; the engine sends
 * and then calls exactly one of `countForwarded` and `countDrop`.
 */

import type { UdpDecision, UdpRate, UdpRoute } from '../../route-table.ts';
import { type UdpEntryPoint, udpSessionEnds } from '../../udp-engine.ts';
import { addressWords } from './address.ts';
import { AddressList, AddressRanges } from './address-list.ts';
import { counter, counterCount, firstDropCounter } from './counter-slots.ts';
import { EndpointSlots, endpointState } from './endpoint-slots.ts';
import { Plan } from './plan.ts';
import { emptyProxyHeader, placeWords, readProxyHeader } from './proxy-header.ts';
import { SessionAccounts } from './session-log.ts';
import { SessionTable, sessionKey } from './session-table.ts';
import { SharedBucket, sharedBucketBytes } from './shared-bucket.ts';
import type { TapWriter } from './tap-ring.ts';
import { codeOf, dropCode, refusal } from './verdicts.ts';

export const defaultIdleTimeoutMs = 3_000;
export const defaultMaxSessions = 65_536;
/** The largest payload of a UDP datagram over IPv4. */
export const largestDatagramBytes = 65_507;
/** Over IPv6, without a jumbogram, it may be 20 bytes more. */
const largestIPv6DatagramBytes = 65_527;

export interface EntryPointCoreOptions {
  readonly entryPoint: UdpEntryPoint;
  /** Any 32-bit number that clients cannot know. */
  readonly seed: number;
  /** The same on every thread and host that should agree on `source`; not secret. */
  readonly sourceSeed?: number;
  /** Frees what the engine holds for a session that ends. It is still in the table. */
  readonly onSessionEnd: (session: number) => void;
  /** Called by `admit` for a session that it opens. */
  readonly onSessionStart?: (session: number) => void;
  readonly onSessionCapacity?: (capacity: number) => void;
  readonly allocateCounters?: (values: number) => Float64Array;
  /** Where to count; a row of `counterCount`. A new one when absent. */
  readonly counters?: Float64Array;
  /** Of the entry point's rate, `sharedBucketBytes`, where other threads draw on it too. */
  readonly bucket?: SharedArrayBuffer;
  /** Where to tell what became of sessions: see `allocateSessionLog`. */
  readonly sessionLog?: SharedArrayBuffer;
  /** Whether ports in keys are in the wire's byte order. */
  readonly hasWirePorts?: boolean;
  /** Number of this thread, to spread the first turns. */
  readonly worker?: number;
  /** This thread's part of the entry point's sessions. 1 when absent. */
  readonly share?: number;
}

interface Bucket {
  readonly perMs: number;
  readonly burst: number;
}

export class EntryPointCore {
  readonly name: string;
  readonly sessions: SessionTable;
  readonly slots: EndpointSlots;
  readonly counters: Float64Array;
  /** Filled by the engine before `admit`: see `sessionKey`. */
  readonly key = new Uint32Array(sessionKey.words);
  idleTimeoutMs: number;
  /** Set by the engine beside `key`, as a number, where `trusted` is set. */
  senderPort = 0;
  /** Peers whose PROXY headers are believed. */
  readonly trusted: AddressRanges | undefined;
  /** Where sampled datagrams are noted, while somebody wants to know. */
  tap: TapWriter | undefined;
  plan: Plan;
  /** Set by the engine: whether it has fallen behind with the listener in hand. */
  isBehind = false;
  /** Set by the engine: whether a new session gets a socket at the expense of another only. */
  isShortOfSockets = false;
  maxDatagramBytes = largestIPv6DatagramBytes;
  readonly #entryPoint: UdpEntryPoint;
  readonly #access: AddressList | undefined;
  #perClient: Bucket | undefined;
  #total: SharedBucket | undefined;
  readonly #bucketMemory: SharedArrayBuffer;
  /** While somebody wants to know what became of sessions. */
  readonly #accounts: SessionAccounts | undefined;
  /** Whether anything at all is counted of each session. */
  #countsSessions = false;
  readonly #onSessionEnd: (session: number) => void;
  readonly #onSessionStart: ((session: number) => void) | undefined;
  readonly #sourceSeed: number;
  readonly #worker: number;
  readonly #header = emptyProxyHeader();
  readonly #portOf: (port: number) => number;
  /** Of the datagram in hand, for `tap`. */
  #bytes = 0;
  #maxAmplification = 0;
  /** Grows when the plan's endpoints change. */
  #planNumber = 0;

  constructor(options: EntryPointCoreOptions) {
    const { entryPoint, share = 1 } = options;
    const allocate = options.allocateCounters ?? ((values) => new Float64Array(values));
    this.name = entryPoint.name;
    this.#entryPoint = entryPoint;
    this.idleTimeoutMs = entryPoint.idleTimeoutMs ?? defaultIdleTimeoutMs;
    this.#onSessionEnd = options.onSessionEnd;
    this.#onSessionStart = options.onSessionStart;
    this.#sourceSeed = options.sourceSeed ?? 0;
    this.#worker = options.worker ?? 0;
    this.#portOf = options.hasWirePorts ? swapped : (port) => port;
    this.counters = options.counters ?? allocate(counterCount);
    this.slots = new EndpointSlots(allocate);
    this.trusted = entryPoint.proxyProtocolFrom && new AddressRanges(entryPoint.proxyProtocolFrom);
    this.#access = AddressList.from(entryPoint.allow, entryPoint.deny);
    this.#bucketMemory = options.bucket ?? new SharedArrayBuffer(sharedBucketBytes);
    const limitPerClient = entryPoint.maxSessionsPerClient ?? 0;
    this.sessions = new SessionTable({
      limit: Math.max(1, Math.ceil((entryPoint.maxSessions ?? defaultMaxSessions) * share)),
      limitPerClient,
      keepsPlaces: this.trusted !== undefined,
      tracksClients: limitPerClient > 0,
      seed: options.seed,
      onGrow: (capacity) => {
        this.#accounts?.grow(capacity);
        options.onSessionCapacity?.(capacity);
      },
    });
    this.#accounts = options.sessionLog && new SessionAccounts(options.sessionLog);
    this.plan = new Plan(undefined, entryPoint.balance ?? 'datagram', this.slots, undefined);
    this.#takeLimits(undefined);
  }

  /** Takes the new decision over. Gives the slots of endpoints that are gone: what the engine holds for them is its to free. */
  apply(decision: UdpDecision | undefined): readonly number[] {
    const before = this.plan;
    const plan = new Plan(decision, this.#entryPoint.balance ?? 'datagram', this.slots, before);
    if (before.readyCount === 0) plan.stagger(this.#worker);
    const present = new Set<number>();
    for (const service of plan.route?.services ?? []) {
      for (const { address, port } of service.endpoints) {
        const slot = this.slots.find(address, port);
        if (slot >= 0) present.add(slot);
      }
    }
    this.counters[counter.endpointsLeftOut] = plan.leftOut;
    const gone = this.slots.keepOnly(present);
    if (!plan.hasSameEndpoints(before) || plan.balance !== before.balance) this.#planNumber++;
    this.plan = plan;
    this.#takeLimits(plan.route);
    // While a route has nothing to forward to, its sessions go on by what it said.
    if (plan.route || decision?.kind !== 'drop' || decision.reason === 'no_route') {
      this.idleTimeoutMs =
        plan.route?.idleTimeoutMs ?? this.#entryPoint.idleTimeoutMs ?? defaultIdleTimeoutMs;
    }
    if (gone.length > 0) this.#forgetSlots(gone);
    return gone;
  }

  /** Of what the entry point and the route set, the smaller holds. */
  #takeLimits(route: UdpRoute | undefined): void {
    const own = this.#entryPoint;
    this.maxDatagramBytes =
      smaller(route?.maxDatagramBytes, own.maxDatagramBytes) ?? largestIPv6DatagramBytes;
    this.#maxAmplification = smaller(route?.maxAmplification, own.maxAmplification) ?? 0;
    this.#countsSessions = this.#maxAmplification > 0 || this.#accounts !== undefined;
    this.#perClient = bucketOf(slower(route?.ratePerClient, own.ratePerClient));
    if (this.#perClient) this.sessions.trackClients();
    const rate = slower(route?.rate, own.rate);
    if (!rate) this.#total = undefined;
    else {
      const { datagramsPerSecond, burst = datagramsPerSecond } = rate;
      this.#total = new SharedBucket(this.#bucketMemory, datagramsPerSecond, burst);
    }
  }

  /** The session of the datagram whose key is in `key`, opened where there is none; or a refusal. */
  admit(bytes: number, nowMs: number): number {
    const answer = this.#admit(bytes, nowMs);
    if (!this.tap) return answer;
    this.#bytes = bytes;
    if (answer < 0 && this.tap.isDue()) this.#note(this.tap, false, this.key, 0, -1, codeOf(answer), nowMs);
    return answer;
  }

  #admit(bytes: number, nowMs: number): number {
    const { key, plan } = this;
    const from = this.trusted ? this.#trueClient(this.trusted) : key;
    if (this.#access && !this.#access.admits(from, 0)) return refusal(dropCode.denied);
    if (plan.access && !plan.access.admits(from, 0)) return refusal(dropCode.denied);
    if (bytes > this.maxDatagramBytes) return refusal(dropCode.too_large);
    let client = -1;
    if (this.sessions.clients) {
      client = this.sessions.clients.enter(from, this.#perClient?.burst ?? 0, nowMs);
      this.counters[counter.clientsForgotten] = this.sessions.clients.forgotten;
      if (this.#perClient && !this.#takeClientToken(client, this.#perClient, nowMs)) {
        return refusal(dropCode.rate_client);
      }
    }
    if (this.#total && !this.#total.take(Math.floor(performance.timeOrigin + nowMs))) {
      return refusal(dropCode.rate_entry_point);
    }
    if (plan.refusal !== 0) return plan.refusal;
    const known = this.sessions.keys.find(key);
    // Who is known is served first: what a new session costs is what the engine is behind with.
    if (known < 0 && this.isBehind && this.#hasNoRoom()) return refusal(dropCode.session_cap);
    const session = known >= 0 ? known : this.#openSession(client, nowMs);
    this.sessions.touch(session, nowMs, known >= 0);
    if (this.trusted) this.#keepPlace(session, from);
    if (plan.responses > 0) {
      this.sessions.awaited[session] = (this.sessions.awaited[session] as number) + plan.responses;
    }
    if (this.#countsSessions) this.#countRequest(session, bytes);
    return session;
  }

  #countRequest(session: number, bytes: number): void {
    const { bytesIn } = this.sessions;
    bytesIn[session] = (bytesIn[session] as number) + bytes;
    if (!this.#accounts) return;
    const { datagramsIn } = this.#accounts;
    datagramsIn[session] = (datagramsIn[session] as number) + 1;
  }

  /**
   * Where the session's next datagram goes, or a refusal. `avoid`: a slot that has just failed, which is only the answer
   * where there is no other; or -1.
   */
  chooseSlot(session: number, nowMs: number, avoid: number): number {
    const slot = this.#chooseSlot(session, nowMs, avoid);
    if (this.tap && avoid < 0 && this.tap.isDue()) {
      const { keys } = this.sessions;
      this.#note(this.tap, false, keys.keys, session * keys.words, slot, slot < 0 ? codeOf(slot) : -1, nowMs);
    }
    return slot;
  }

  #chooseSlot(session: number, nowMs: number, avoid: number): number {
    const { plan, sessions } = this;
    // Between `admit` and a later attempt the table may have changed.
    if (plan.refusal !== 0) return plan.refusal;
    if (plan.balance === 'datagram') return plan.nextSlot(nowMs, avoid);
    const before = sessions.slot[session] as number;
    // Its session fell to a service that is refused.
    if (before < -1 && sessions.plan[session] === this.#planNumber) return before;
    if (before >= 0 && before !== avoid && this.slots.isUsable(before, nowMs)) {
      if (plan.balance === 'session' || sessions.plan[session] === this.#planNumber) return before;
    }
    const slot = this.#placeSession(session, nowMs, avoid);
    if (before >= 0 && slot >= 0 && before !== slot) this.count(counter.sessionsMoved);
    sessions.slot[session] = slot;
    sessions.plan[session] = this.#planNumber;
    return slot;
  }

  countForwarded(slot: number, bytes: number): void {
    const { counters } = this;
    counters[counter.datagramsIn] = (counters[counter.datagramsIn] as number) + 1;
    counters[counter.bytesIn] = (counters[counter.bytesIn] as number) + bytes;
    counters[counter.datagramsForwarded] = (counters[counter.datagramsForwarded] as number) + 1;
    counters[counter.bytesForwarded] = (counters[counter.bytesForwarded] as number) + bytes;
    this.slots.countForwarded(slot, bytes);
  }

  /** A client's datagram that goes no further. */
  countDrop(code: number, bytes: number): void {
    this.count(counter.datagramsIn);
    this.counters[counter.bytesIn] = (this.counters[counter.bytesIn] as number) + bytes;
    this.count(firstDropCounter + code);
  }

  /** Whether an answer of that size may go to the session's client: 0, or a refusal. */
  admitReply(session: number, slot: number, bytes: number, nowMs: number): number {
    const verdict = this.#admitReply(session, slot, bytes, nowMs);
    if (this.tap?.isDue()) {
      this.#bytes = bytes;
      const { keys } = this.sessions;
      const at = session * keys.words;
      this.#note(this.tap, true, keys.keys, at, slot, verdict < 0 ? codeOf(verdict) : -1, nowMs);
    }
    return verdict;
  }

  #admitReply(session: number, slot: number, bytes: number, nowMs: number): number {
    const { sessions } = this;
    this.slots.countReply(slot, bytes);
    sessions.touch(session, nowMs, false);
    if (bytes > this.maxDatagramBytes) return refusal(dropCode.reply_too_large);
    return this.#countsSessions ? this.#admitCounted(session, slot, bytes) : 0;
  }

  #admitCounted(session: number, slot: number, bytes: number): number {
    const { bytesIn, bytesOut } = this.sessions;
    const out = (bytesOut[session] as number) + bytes;
    const most = this.#maxAmplification;
    if (most > 0 && out > most * (bytesIn[session] as number)) return refusal(dropCode.amplification);
    bytesOut[session] = out;
    if (this.#accounts) {
      const { datagramsOut, answeredBy } = this.#accounts;
      datagramsOut[session] = (datagramsOut[session] as number) + 1;
      answeredBy[session] = slot;
    }
    return 0;
  }

  countReply(bytes: number): void {
    const { counters } = this;
    counters[counter.repliesIn] = (counters[counter.repliesIn] as number) + 1;
    counters[counter.datagramsOut] = (counters[counter.datagramsOut] as number) + 1;
    counters[counter.bytesOut] = (counters[counter.bytesOut] as number) + bytes;
  }

  /** An answer that goes no further. */
  countReplyDrop(code: number): void {
    this.count(counter.repliesIn);
    this.count(firstDropCounter + code);
  }

  /** Whether the session's answers are complete, by the route's `responses`; call once per answer. */
  isAnswered(session: number): boolean {
    if (this.plan.responses === 0) return false;
    const awaited = this.sessions.awaited[session] as number;
    if (awaited > 0) this.sessions.awaited[session] = awaited - 1;
    return awaited <= 1;
  }

  /** Ends the session; `reason` is the counter that says why. */
  endSession(session: number, reason: number): void {
    this.#endSession(session, reason, endOfCounter(reason));
  }

  #endSession(session: number, reason: number, end: number): void {
    this.#onSessionEnd(session);
    // Sending the answers that waited may have ended it already.
    if (!this.sessions.keys.has(session)) return;
    if (this.#accounts) this.#tellEnd(this.#accounts, session, end);
    this.sessions.remove(session);
    this.count(reason);
    this.counters[counter.sessions] = this.sessions.size;
  }

  /** Ends idle sessions, at most `limit` of them. Whether there may be more. */
  expire(nowMs: number, limit: number): boolean {
    const thenMs = nowMs - this.idleTimeoutMs;
    for (let ended = 0; ended < limit; ended++) {
      const session = this.sessions.idleSince(thenMs);
      if (session < 0) return false;
      this.endSession(session, counter.sessionsExpired);
    }
    return true;
  }

  /** Ends the session that was idle for the longest time, for what it holds to be had by another. False: there is none. */
  evictLongestIdle(except: number): boolean {
    const session = this.sessions.longestIdle();
    if (session < 0 || session === except) return false;
    this.endSession(session, counter.sessionsEvicted);
    return true;
  }

  endAllSessions(): void {
    for (let id = this.sessions.longestIdle(); id >= 0; id = this.sessions.longestIdle()) {
      this.#endSession(id, counter.sessionsExpired, shutEnd);
    }
  }

  #tellEnd(accounts: SessionAccounts, session: number, end: number): void {
    const { keys, places, bytesIn, bytesOut, lastActiveMs } = this.sessions;
    const { addresses, ports } = this.slots;
    const own = this.plan.balance === 'datagram' ? -1 : (this.sessions.slot[session] as number);
    const slot = own >= 0 ? own : (accounts.answeredBy[session] as number);
    const client = this.trusted ? places : keys.keys;
    const at = session * (this.trusted ? placeWords : keys.words);
    accounts.end(
      session,
      client,
      at,
      this.trusted
        ? (places[at + addressWords] as number)
        : this.#portOf((client[at + sessionKey.port] as number) & 0xffff),
      addresses,
      slot * addressWords,
      slot < 0 || this.slots.state[slot] === endpointState.free ? -1 : (ports[slot] as number),
      bytesIn[session] as number,
      bytesOut[session] as number,
      lastActiveMs[session] as number,
      end,
    );
  }

  count(at: number, more = 1): void {
    this.counters[at] = (this.counters[at] as number) + more;
  }

  /**
   * Reads the PROXY header that a datagram with `key` begins with, if its sender is trusted with one: how many bytes
   * it takes, or a refusal. To be called before `admit`, where `trusted` is set.
   */
  readHeader(bytes: Uint8Array, offset: number, length: number): number {
    this.#header.namesClient = false;
    this.#header.bytes = 0;
    if (!this.trusted?.has(this.key, sessionKey.client)) return 0;
    if (!readProxyHeader(bytes, offset, length, this.#header)) {
      this.#header.namesClient = false;
      return refusal(dropCode.proxy_header);
    }
    return this.#header.bytes;
  }

  /** The place of the session's client: as a trusted peer named it, or as it sent. `into` has `placeWords`. */
  placeOfClient(session: number, port: number, into: Uint32Array): void {
    const { keys, places } = this.sessions;
    if (this.trusted) {
      const at = session * placeWords;
      for (let word = 0; word < placeWords; word++) into[word] = places[at + word] as number;
      return;
    }
    const at = session * keys.words;
    for (let word = 0; word < addressWords; word++) into[word] = keys.keys[at + word] as number;
    into[addressWords] = port;
  }

  /** As the datagram's own header says, or where it has none an earlier one of the session; else its sender. */
  #trueClient(trusted: AddressRanges): Uint32Array {
    const { client, namesClient, bytes } = this.#header;
    if (namesClient) return client;
    // A header that names nobody (LOCAL) says that the peer speaks for itself.
    const asksSession = bytes === 0 && trusted.has(this.key, sessionKey.client);
    const known = asksSession ? this.sessions.keys.find(this.key) : -1;
    const from = known >= 0 ? this.sessions.places : this.key;
    const at = known >= 0 ? known * placeWords : sessionKey.client;
    for (let word = 0; word < addressWords; word++) client[word] = from[at + word] as number;
    client[addressWords] = known >= 0 ? (from[at + addressWords] as number) : this.senderPort;
    return client;
  }

  #keepPlace(session: number, place: Uint32Array): void {
    const { places } = this.sessions;
    for (let word = 0; word < placeWords; word++) places[session * placeWords + word] = place[word] as number;
  }

  #note(
    tap: TapWriter,
    isReply: boolean,
    keys: Uint32Array,
    at: number,
    slot: number,
    code: number,
    nowMs: number,
  ): void {
    const { addresses, ports } = this.slots;
    const port = this.#portOf((keys[at + sessionKey.port] as number) & 0xffff);
    const endpointPort = slot < 0 ? 0 : (ports[slot] as number);
    tap.note(nowMs, isReply, keys, at, port, addresses, slot, endpointPort, this.#bytes, code);
  }

  #hasNoRoom(): boolean {
    return this.isShortOfSockets || this.sessions.size >= this.sessions.keys.limit;
  }

  /** There is always room to be made: at a limit a session that is idle goes, and any session may. */
  #openSession(client: number, nowMs: number): number {
    const { sessions } = this;
    if (sessions.isClientFull(client)) {
      this.endSession(sessions.longestIdleOfClient(client), counter.sessionsEvicted);
    }
    if (sessions.size >= sessions.keys.limit) {
      this.endSession(sessions.longestIdle(), counter.sessionsEvicted);
    }
    const session = sessions.insert(this.key, client, nowMs);
    this.#accounts?.start(session, nowMs);
    this.count(counter.sessionsOpened);
    this.counters[counter.sessions] = sessions.size;
    this.#onSessionStart?.(session);
    return session;
  }

  #placeSession(session: number, nowMs: number, avoid: number): number {
    if (this.plan.balance !== 'source') return this.plan.nextSlot(nowMs, avoid);
    const { keys, places } = this.sessions;
    return this.trusted
      ? this.plan.slotOfClient(places, session * placeWords, this.#sourceSeed, nowMs, avoid)
      : this.plan.slotOfClient(keys.keys, session * keys.words, this.#sourceSeed, nowMs, avoid);
  }

  #takeClientToken(client: number, { perMs, burst }: Bucket, nowMs: number): boolean {
    const { clients } = this.sessions;
    if (!clients) return true;
    const elapsed = nowMs - (clients.refilledAtMs[client] as number);
    const tokens = Math.min(burst, (clients.tokens[client] as number) + elapsed * perMs);
    clients.refilledAtMs[client] = nowMs;
    clients.tokens[client] = tokens < 1 ? tokens : tokens - 1;
    return tokens >= 1;
  }

  /** Sessions at an endpoint that is gone are chosen another for. Their next datagram finds it. */
  #forgetSlots(gone: readonly number[]): void {
    const { sessions } = this;
    this.#accounts?.forgetSlots(gone);
    for (let id = 0; id < sessions.keys.capacity; id++) {
      if (!sessions.keys.has(id) || !gone.includes(sessions.slot[id] as number)) continue;
      sessions.slot[id] = -1;
      this.count(counter.sessionsMoved);
    }
  }
}

const shutEnd = udpSessionEnds.indexOf('shut');

function endOfCounter(reason: number): number {
  const end =
    reason === counter.sessionsEvicted
      ? 'evicted'
      : reason === counter.sessionsAnswered
        ? 'answered'
        : 'idle_timeout';
  return udpSessionEnds.indexOf(end);
}

function swapped(port: number): number {
  return ((port & 0xff) << 8) | (port >>> 8);
}

function smaller(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? (left ?? right) : Math.min(left, right);
}

function slower(left: UdpRate | undefined, right: UdpRate | undefined): UdpRate | undefined {
  if (!left || !right) return left ?? right;
  const burstOf = ({ datagramsPerSecond, burst = datagramsPerSecond }: UdpRate) => burst;
  return {
    datagramsPerSecond: Math.min(left.datagramsPerSecond, right.datagramsPerSecond),
    burst: Math.min(burstOf(left), burstOf(right)),
  };
}

function bucketOf(rate: UdpRate | undefined): Bucket | undefined {
  if (!rate) return undefined;
  const { datagramsPerSecond, burst = datagramsPerSecond } = rate;
  return { perMs: datagramsPerSecond / 1_000, burst: Math.max(1, burst) };
}
