/**
 * One entry point in one worker: the core's decisions, and beside each of its sessions what the sockets need. The bytes
 * move in `RequestPath` and `ReplyPath`, which the worker's entry points share.
 */

import {
  type Libc,
  NativeMemory,
  type Poller,
  type SendBatch,
  socketAddressBytes,
} from '../../native/index.ts';
import type { UdpDecision } from '../../route-table.ts';
import type { UdpEntryPoint } from '../../udp-engine.ts';
import { mappedMarker, parseAddress } from '../core/address.ts';
import { Backlog } from '../core/backlog.ts';
import { EntryPointCore } from '../core/entry-point-core.ts';
import { grown } from '../core/key-table.ts';
import { placeWords, writeProxyHeader, writeSimpleHeader } from '../core/proxy-header.ts';
import { sessionKey } from '../core/session-table.ts';
import type { Channels } from './channels.ts';
import { checkInterfaces, EndpointAddresses } from './endpoint-addresses.ts';
import { SessionChannels } from './session-channels.ts';
import { SlotSets } from './slot-sets.ts';

export interface NativeListener {
  readonly fd: number;
  readonly address: string;
  readonly port: number;
  readonly isIPv6: boolean;
  /** Bound to no particular address: answers must be told which one to leave from. */
  readonly isWildcard: boolean;
}

export interface NativeEntryPointOptions {
  readonly libc: Libc;
  readonly poller: Poller;
  readonly channels: Channels;
  /** Of the entry point in the worker. */
  readonly number: number;
  /** Of the entry point in the engine. */
  readonly serial: number;
  readonly entryPoint: UdpEntryPoint;
  readonly listeners: readonly NativeListener[];
  readonly seed: number;
  readonly worker: number;
  readonly share: number;
  readonly counters: Float64Array;
  /** A row of `errorCounters`. */
  readonly errors: Float64Array;
  readonly bucket?: SharedArrayBuffer;
  readonly sessionLog?: SharedArrayBuffer;
  readonly allocateCounters: (values: number) => Float64Array;
  /** Called before a session is forgotten: nothing may then wait for it in a batch. */
  readonly beforeSessionEnds: () => void;
  /** Sends what waits for the channel, which is about to be closed. */
  readonly drainChannel: (channel: number) => void;
}

/** System calls' failures are counted for errno below this. */
export const errorCounters = 134;

const addressWords = socketAddressBytes / 4;

export class NativeEntryPoint {
  readonly name: string;
  readonly number: number;
  readonly serial: number;
  readonly core: EntryPointCore;
  readonly listeners: readonly NativeListener[];
  readonly backlogs: readonly Backlog[];
  /** Set before `core.admit`: the listener, and where in `received` the client's socket address begins. */
  listener = 0;
  received: Int32Array = new Int32Array(0);
  receivedAt = 0;
  /** For link-local clients of a wildcard listener. */
  interfaceIndex = 0;
  readonly channels: SessionChannels;
  readonly endpoints: EndpointAddresses;
  sessionListener = new Uint16Array(0);
  sessionInterface = new Uint32Array(0);
  /** `core.sessions.keys.keys`, signed: the local address in it is sent from. */
  keyWords = new Int32Array(0);
  readonly #options: NativeEntryPointOptions;
  #clientAddresses: NativeMemory;
  /** The slots that were told who a session's client is. */
  readonly #announced = new SlotSets();
  readonly #clientPlace = new Uint32Array(placeWords);
  readonly #listenerPlaces: readonly Uint32Array[];
  readonly #hasWildcard: boolean;
  /** An IPv4 address in its IPv6 form; the last word is filled in. */
  readonly #mapped = Int32Array.of(0, 0, mappedMarker, 0);
  /** System calls that failed, by errno. */
  readonly errors: Float64Array;

  constructor(options: NativeEntryPointOptions) {
    const { entryPoint, libc } = options;
    this.name = entryPoint.name;
    this.number = options.number;
    this.serial = options.serial;
    this.listeners = options.listeners;
    this.backlogs = options.listeners.map(() => new Backlog());
    this.#options = options;
    this.errors = options.errors;
    this.#listenerPlaces = options.listeners.map(({ address, port }) => {
      const place = new Uint32Array(placeWords);
      parseAddress(address, place);
      place[placeWords - 1] = port;
      return place;
    });
    this.#hasWildcard = options.listeners.some(({ isWildcard }) => isWildcard);
    this.#clientAddresses = new NativeMemory(libc, socketAddressBytes);
    this.endpoints = new EndpointAddresses(libc);
    this.core = new EntryPointCore({
      entryPoint,
      seed: options.seed,
      hasWirePorts: true,
      worker: options.worker,
      share: options.share,
      counters: options.counters,
      ...(options.bucket ? { bucket: options.bucket } : {}),
      ...(options.sessionLog ? { sessionLog: options.sessionLog } : {}),
      allocateCounters: options.allocateCounters,
      onSessionStart: (session) => this.#startSession(session),
      onSessionEnd: (session) => this.#endSession(session),
      onSessionCapacity: (capacity) => this.#growSessions(capacity),
    });
    this.channels = new SessionChannels({
      poller: options.poller,
      channels: options.channels,
      owner: options.number,
      core: this.core,
      endpoints: this.endpoints,
      clientAddress: (session) => this.clientAddress(session),
      drainChannel: options.drainChannel,
    });
  }

  apply(decision: UdpDecision | undefined): void {
    const before = this.core.plan.clientAddress;
    checkInterfaces(decision);
    const gone = this.core.apply(decision);
    const { clientAddress } = this.core.plan;
    const { capacity } = this.core.slots;
    this.endpoints.write(this.core.slots);
    this.channels.growSlots(capacity);
    if (clientAddress === 'proxy-v2-first') this.#announced.growSlots(capacity);
    if (gone.length > 0) this.#leaveSlots(gone);
    // Sockets have the client's address, or ours, from their beginning.
    if ((before === 'transparent') !== (clientAddress === 'transparent')) {
      this.#forEachSession((session) => this.channels.end(session));
    }
  }

  /** Between rounds: forgets idle sessions, at most `limit`. */
  tick(nowMs: number, limit: number): void {
    this.core.expire(nowMs, limit);
    this.channels.tick(nowMs);
  }

  /** Fills the core's key from the client's socket address, which begins at word `at` of `words`. */
  writeKey(listener: number, words: Int32Array, at: number): void {
    const { key } = this.core;
    this.listener = listener;
    this.received = words;
    this.receivedAt = at;
    // The first word: family below, port above. The port stays as the wire has it: a key needs no more.
    const first = words[at] as number;
    key[sessionKey.port] = (first >>> 16) | (listener << 16);
    if (this.core.trusted) this.core.senderPort = portOf(first);
    // What a datagram of a wildcard listener left there.
    if (this.#hasWildcard) {
      key.fill(0, sessionKey.local);
      this.interfaceIndex = 0;
    }
    if ((this.listeners[listener] as NativeListener).isIPv6) {
      key[0] = words[at + 2] as number;
      key[1] = words[at + 3] as number;
      key[2] = words[at + 4] as number;
      key[3] = words[at + 5] as number;
      key[sessionKey.scope] = words[at + 6] as number;
    } else {
      key[0] = 0;
      key[1] = 0;
      key[2] = mappedMarker;
      key[3] = words[at + 1] as number;
      key[sessionKey.scope] = 0;
    }
  }

  /** On a wildcard listener: the local address that the datagram was sent to, from its packet info at `offset`. */
  writeLocalAddress(source: NativeListener, control: DataView, offset: number): void {
    const { key } = this.core;
    if (offset < 0) return;
    if (source.isIPv6) {
      for (let word = 0; word < 4; word++) {
        key[sessionKey.local + word] = control.getUint32(offset + 4 * word, true);
      }
      this.interfaceIndex = control.getUint32(offset + 16, true);
    } else {
      key[sessionKey.local + 2] = mappedMarker;
      key[sessionKey.local + 3] = control.getUint32(offset + 4, true);
    }
  }

  /** Has the message of `send` that was begun last leave from the address that the session's client sent to. */
  leaveFrom(send: SendBatch, session: number, isIPv6: boolean): void {
    const at = session * sessionKey.words + sessionKey.local;
    if (!isIPv6) {
      send.leaveFrom4(this.keyWords[at + 3] as number);
      return;
    }
    // The interface matters to link-local addresses (fe80::/10) alone; for others the route decides.
    const isLinkLocal = ((this.keyWords[at] as number) & 0xc0ff) === 0x80fe;
    send.leaveFrom6(this.keyWords, at, isLinkLocal ? (this.sessionInterface[session] as number) : 0);
  }

  /** The slot at a socket address that a datagram was received from, or -1. */
  slotOf(words: Int32Array, isIPv6: boolean): number {
    return this.slotOfReceived(words, 0, isIPv6);
  }

  slotOfReceived(words: Int32Array, at: number, isIPv6: boolean): number {
    const first = words[at] as number;
    const port = portOf(first);
    if (isIPv6) return this.core.slots.findAddress(words, at + 2, port);
    const mapped = this.#mapped;
    mapped[3] = words[at + 1] as number;
    return this.core.slots.findAddress(mapped, 0, port);
  }

  noteSendError(reason: number): void {
    const at = Math.min(reason, errorCounters - 1);
    this.errors[at] = (this.errors[at] as number) + 1;
  }

  noteReceiveError(reason: number): void {
    this.noteSendError(reason);
  }

  /** Where the client's socket address is, for a send to it. */
  clientAddress(session: number): number {
    return this.#clientAddresses.address + session * socketAddressBytes;
  }

  /**
   * Writes what goes before a datagram of the session to the slot, for the endpoint to learn who its client is; gives its
   * length, 0 when nothing does.
   */
  writeHeader(session: number, slot: number, bytes: Uint8Array, offset: number): number {
    const how = this.core.plan.clientAddress;
    if (how === undefined || how === 'transparent') return 0;
    if (how === 'proxy-v2-first') {
      if (this.#announced.has(session, slot)) return 0;
      this.#announced.add(session, slot);
    }
    const client = this.#clientPlace;
    this.placeOfClient(session, client);
    const local = this.#localPlaceOf(session);
    return how === 'simple-proxy-protocol'
      ? writeSimpleHeader(bytes, offset, client, local)
      : writeProxyHeader(bytes, offset, client, local);
  }

  /** The session's client: see `placeWords`. */
  placeOfClient(session: number, into: Uint32Array): void {
    const first = this.#clientAddresses.words[session * addressWords] as number;
    this.core.placeOfClient(session, portOf(first), into);
  }

  /** The endpoint may have been replaced by one that knows nothing. */
  forgetAnnouncement(session: number, slot: number): void {
    this.#announced.remove(session, slot);
  }

  #localPlaceOf(session: number): Uint32Array {
    const number = this.sessionListener[session] as number;
    const place = this.#listenerPlaces[number] as Uint32Array;
    if ((this.listeners[number] as NativeListener).isWildcard) {
      const at = session * sessionKey.words + sessionKey.local;
      for (let word = 0; word < 4; word++) place[word] = this.keyWords[at + word] as number;
    }
    return place;
  }

  #startSession(session: number): void {
    const words = this.#clientAddresses.words;
    const at = session * addressWords;
    for (let word = 0; word < addressWords; word++) {
      words[at + word] = this.received[this.receivedAt + word] as number;
    }
    this.sessionListener[session] = this.listener;
    this.sessionInterface[session] = this.interfaceIndex;
    this.channels.start(session);
    this.#announced.clear(session);
  }

  #endSession(session: number): void {
    this.#options.beforeSessionEnds();
    this.channels.end(session);
  }

  #growSessions(capacity: number): void {
    const before = this.#clientAddresses;
    this.#clientAddresses = new NativeMemory(this.#options.libc, capacity * socketAddressBytes);
    this.#clientAddresses.bytes.set(
      before.bytes.subarray(0, this.sessionListener.length * socketAddressBytes),
    );
    this.sessionListener = grown(this.sessionListener, new Uint16Array(capacity));
    this.sessionInterface = grown(this.sessionInterface, new Uint32Array(capacity));
    this.channels.growSessions(capacity);
    this.#announced.growSessions(capacity);
    this.keyWords = new Int32Array(this.core.sessions.keys.keys.buffer);
  }

  #forEachSession(visit: (session: number) => void): void {
    const { keys } = this.core.sessions;
    for (let session = 0; session < keys.capacity; session++) if (keys.has(session)) visit(session);
  }

  /** Endpoints are gone: what is connected to them is closed, and nobody has sent to who gets their slots next. */
  #leaveSlots(gone: readonly number[]): void {
    this.#forEachSession((session) => {
      for (const slot of gone) this.#announced.remove(session, slot);
      this.channels.leave(session, gone);
    });
  }
}

/** Of a socket address's first word: family below, port above in the wire's order. */
function portOf(first: number): number {
  return ((first >>> 8) & 0xff00) | (first >>> 24);
}
