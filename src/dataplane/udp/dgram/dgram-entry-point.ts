/**
 * One entry point over `node:dgram`. Its decisions are the core's; here are the sockets.
 *
 *     client ──▶ listener ──▶ session ──▶ flow to endpoint a (a connected socket) ──▶ a
 *                                   └───▶ flow to endpoint b (another)            ──▶ b
 *
 * One socket per session and endpoint, because only a connected one tells that its endpoint is unreachable, refuses what
 * others send to its port, and leaves no doubt whose answer it received. A session balanced per datagram over n endpoints
 * holds up to n of them. Sockets are the scarce thing here: when the process may have no more, the longest idle session
 * gives up its own. (The native engine can read the kernel's error queue and so needs one socket per session.)
 */

import { randomBytes } from 'node:crypto';
import type { RemoteInfo, Socket } from 'node:dgram';
import type { UdpDecision } from '../../route-table.ts';
import type {
  UdpEntryPoint,
  UdpEntryPointCounters,
  UdpListener,
  UdpSessionRecord,
} from '../../udp-engine.ts';
import { addressWords, parseAddress } from '../core/address.ts';
import { counter, readCounters, readEndpointCounters } from '../core/counter-slots.ts';
import { EntryPointCore } from '../core/entry-point-core.ts';
import {
  hasSimpleHeader,
  largestHeaderBytes,
  placeWords,
  simpleHeaderBytes,
  writeProxyHeader,
  writeSimpleHeader,
} from '../core/proxy-header.ts';
import { allocateSessionLog, SessionLogReader } from '../core/session-log.ts';
import { sessionKey } from '../core/session-table.ts';
import type { TapWriter } from '../core/tap-ring.ts';
import { codeOf, dropCode } from '../core/verdicts.ts';
import type { EngineLog } from '../engine-log.ts';
import type { KernelDrops } from './kernel-drops.ts';
import { type Listener, Listeners } from './listeners.ts';
import type { SocketBudget } from './socket-budget.ts';
import { openUpstream } from './sockets.ts';

interface Session {
  readonly id: number;
  readonly listener: Listener;
  readonly address: string;
  readonly port: number;
  readonly flows: Flow[];
  hasEnded: boolean;
}

interface Flow {
  readonly session: Session;
  readonly slot: number;
  readonly socket: Socket;
  /** The last datagram, until something comes back: an ICMP error means that it was lost. */
  unanswered: Buffer | undefined;
  /** Whether the endpoint has got anything through it. */
  hasSent: boolean;
  pendingSends: number;
  /** Answers that the kernel has dropped, as far as is known. */
  kernelDrops: number;
  isClosed: boolean;
}

/** Sends that the kernel did not take at once: of an entry point, each way. */
const maxPendingSends = 1024;
/** Of one socket towards an endpoint: a way that is blocked leaves room for the others. */
const maxPendingPerFlow = 128;
/** A datagram is offered to so many endpoints. */
const maxAttempts = 3;
/** Larger datagrams are not kept for another attempt. */
const maxKeptBytes = 2048;
const expiredPerTick = 2048;
const localAddressesEveryMs = 5_000;

/** What one datagram may evict for want of a descriptor or a port. */
const maxEvictions = 4;
const exhaustedCodes = new Set(['EMFILE', 'ENFILE', 'EADDRINUSE', 'EADDRNOTAVAIL', 'EAGAIN']);
const unreachableCodes = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENONET']);

export class DgramEntryPoint {
  readonly name: string;
  readonly #core: EntryPointCore;
  readonly #budget: SocketBudget;
  readonly #log: EngineLog;
  readonly #listeners: Listeners;
  readonly #sessions: (Session | undefined)[] = [];
  /** Room for a place: see `placeWords`. */
  readonly #place = new Uint32Array(placeWords);
  /** Sends that failed, by the error's code: few different ones. */
  readonly #errors = new Map<string, number>();
  #pendingSends = 0;
  #pendingReplies = 0;
  /** In force. */
  #decision: UdpDecision | undefined;
  #localAddressesAtMs = performance.now();

  readonly #sessionLog: SessionLogReader | undefined;
  readonly #onSession: ((record: UdpSessionRecord) => void) | undefined;

  constructor(
    entryPoint: UdpEntryPoint,
    budget: SocketBudget,
    kernelDrops: KernelDrops,
    log: EngineLog,
    onSession?: (record: UdpSessionRecord) => void,
  ) {
    this.name = entryPoint.name;
    this.#onSession = onSession;
    const sessionLog = onSession && allocateSessionLog();
    this.#sessionLog = sessionLog && new SessionLogReader(entryPoint.name, sessionLog);
    this.#budget = budget;
    this.#log = log;
    this.#core = new EntryPointCore({
      entryPoint,
      seed: randomBytes(4).readInt32LE(),
      ...(sessionLog ? { sessionLog } : {}),
      onSessionEnd: (id) => this.#freeSession(id),
    });
    this.#listeners = new Listeners(
      kernelDrops,
      (listener, datagram, from) => this.#onDatagram(listener, datagram, from),
      (error) => this.#log('warn', `entry point ${this.name}: ${error.message}`),
    );
  }

  async listen(listeners: readonly UdpListener[]): Promise<{ address: string; port: number }[]> {
    const places: { address: string; port: number }[] = [];
    for (const listener of listeners) places.push(await this.#listeners.open(listener));
    return places;
  }

  apply(decision: UdpDecision | undefined): void {
    if (this.#decision === decision) return;
    this.#take(decision);
    this.#decision = decision;
  }

  #take(decision: UdpDecision | undefined): void {
    if (decision?.kind === 'forward' && decision.route.clientAddress === 'transparent') {
      const { name } = decision.route;
      this.#log(
        'error',
        `route ${name}: only the native engine can be transparent; its datagrams are dropped`,
      );
    }
    const gone = this.#core.apply(decision);
    if (gone.length === 0) return;
    for (const session of this.#sessions) {
      for (const flow of session?.flows.filter(({ slot }) => gone.includes(slot)) ?? [])
        this.#closeFlow(flow);
    }
  }

  tap(writer: TapWriter | undefined): void {
    this.#core.tap = writer;
  }

  counters(): UdpEntryPointCounters {
    const endpoints = readEndpointCounters(this.#core.slots);
    const route = this.#core.plan.route?.name;
    const counters = readCounters(
      this.name,
      [this.#core.counters],
      endpoints,
      Object.fromEntries(this.#errors),
    );
    return {
      ...counters,
      kernelDrops: this.#listeners.kernelDrops,
      sessionRecordsMissed: this.#sessionLog?.missed ?? 0,
      ...(route === undefined ? {} : { route }),
    };
  }

  /** Sockets that have dropped what they received, by their port; some may be flows of this entry point. */
  noteDrops(dropsByPort: ReadonlyMap<number, number>): void {
    for (const session of this.#sessions) {
      for (const flow of session?.flows ?? []) {
        const drops = dropsByPort.get(flow.socket.address().port);
        if (drops === undefined) continue;
        this.#core.count(counter.replyKernelDrops, (drops - flow.kernelDrops) >>> 0);
        flow.kernelDrops = drops;
      }
    }
  }

  tick(nowMs: number): void {
    this.#core.isShortOfSockets = false;
    this.#core.expire(nowMs, expiredPerTick);
    this.#tellSessions();
    if (nowMs - this.#localAddressesAtMs < localAddressesEveryMs) return;
    this.#localAddressesAtMs = nowMs;
    this.#listeners.followLocalAddresses().catch((error: Error) => this.#log('warn', error.message));
  }

  async close(): Promise<void> {
    this.#core.endAllSessions();
    this.#tellSessions();
    await this.#listeners.close();
  }

  #tellSessions(): void {
    const records = this.#sessionLog?.read(this.#core.plan.route?.name) ?? [];
    for (const record of records) this.#onSession?.(record);
  }

  #onDatagram(listener: Listener, datagram: Buffer, from: RemoteInfo): void {
    const nowMs = performance.now();
    this.#core.isBehind = listener.isBehind;
    this.#writeKey(listener, from);
    const header = this.#core.trusted ? this.#core.readHeader(datagram, 0, datagram.length) : 0;
    if (header < 0) {
      this.#core.countDrop(codeOf(header), datagram.length);
      return;
    }
    const payload = header > 0 ? datagram.subarray(header) : datagram;
    const id = this.#core.admit(payload.length, nowMs);
    if (id < 0) {
      this.#core.countDrop(codeOf(id), payload.length);
      return;
    }
    this.#sessions[id] ??= {
      id,
      listener,
      address: from.address,
      port: from.port,
      flows: [],
      hasEnded: false,
    };
    this.#forward(this.#sessions[id], payload, nowMs, -1, 1, true);
  }

  #writeKey(listener: Listener, from: RemoteInfo): void {
    const { key } = this.#core;
    parseAddress(from.address, key, sessionKey.client);
    key[sessionKey.port] = (listener.number << 16) | from.port;
    key[sessionKey.scope] = scopeOf(from.address);
    this.#core.senderPort = from.port;
  }

  /** `isFirst`: its verdict is still to be counted. Otherwise it had one and came back. */
  #forward(
    session: Session,
    datagram: Buffer,
    nowMs: number,
    avoid: number,
    attempt: number,
    isFirst: boolean,
  ): void {
    const slot = this.#core.chooseSlot(session.id, nowMs, avoid);
    if (slot < 0) {
      if (isFirst) this.#core.countDrop(codeOf(slot), datagram.length);
      return;
    }
    // What an endpoint sent back is not sent to it again.
    if (slot === avoid && !isFirst) return;
    const onFailure = (code: string) => this.#onSendFailure(session, slot, datagram, code, attempt, isFirst);
    const flow =
      session.flows.find((other) => other.slot === slot) ?? this.#openFlow(session, slot, onFailure);
    if (!flow) return;
    if (this.#pendingSends >= maxPendingSends || flow.pendingSends >= maxPendingPerFlow) {
      if (isFirst) this.#core.countDrop(dropCode.send_queue_full, datagram.length);
      return;
    }
    this.#send(flow, datagram, (error) => {
      if (error) {
        const { code = 'unknown' } = error as NodeJS.ErrnoException;
        if (unreachableCodes.has(code)) this.#onUnreachable(flow);
        onFailure(code);
        return;
      }
      flow.unanswered = datagram.length <= maxKeptBytes ? datagram : undefined;
      if (isFirst) this.#core.countForwarded(slot, datagram.length);
      else this.#countRetry(slot, datagram.length);
    });
  }

  #send(flow: Flow, datagram: Buffer, onSent: (error: Error | null) => void): void {
    const header = this.#headerOf(flow);
    flow.hasSent = true;
    flow.pendingSends++;
    this.#pendingSends++;
    flow.socket.send(header ? [header, datagram] : datagram, (error) => {
      flow.pendingSends--;
      this.#pendingSends--;
      onSent(error);
    });
  }

  /** What goes before a datagram for the endpoint to learn who its client is. */
  #headerOf({ session, hasSent }: Flow): Buffer | undefined {
    const how = this.#core.plan.clientAddress;
    if (how === undefined || how === 'transparent' || (how === 'proxy-v2-first' && hasSent)) return undefined;
    const bytes = Buffer.alloc(largestHeaderBytes);
    const { listener } = session;
    const local = new Uint32Array(placeWords);
    this.#core.placeOfClient(session.id, session.port, this.#place);
    parseAddress(listener.place.address, local);
    local[addressWords] = listener.place.port;
    const write = how === 'simple-proxy-protocol' ? writeSimpleHeader : writeProxyHeader;
    return bytes.subarray(0, write(bytes, 0, this.#place, local));
  }

  /** The answer without the header that the route asks endpoints for; undefined when it is not there. */
  #withoutHeader(session: Session, reply: Buffer): Buffer | undefined {
    if (this.#core.plan.clientAddress !== 'simple-proxy-protocol') return reply;
    this.#core.placeOfClient(session.id, session.port, this.#place);
    if (!hasSimpleHeader(reply, 0, reply.length, this.#place)) return undefined;
    return reply.subarray(simpleHeaderBytes);
  }

  #countRetry(slot: number, bytes: number): void {
    this.#core.count(counter.datagramsRetried);
    this.#core.slots.countForwarded(slot, bytes);
  }

  #onSendFailure(
    session: Session,
    slot: number,
    datagram: Buffer,
    code: string,
    attempt: number,
    isFirst: boolean,
  ): void {
    const isUnreachable = unreachableCodes.has(code);
    if (!isUnreachable) this.#noteError(code);
    if (isUnreachable && attempt < maxAttempts && !session.hasEnded) {
      const nowMs = performance.now();
      this.#core.slots.quarantine(slot, nowMs);
      this.#forward(session, datagram, nowMs, slot, attempt + 1, isFirst);
    } else if (isFirst) {
      this.#core.countDrop(reasonOf(code), datagram.length);
    }
  }

  #noteError(code: string): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
  }

  /** Undefined where there is none to be had: `onFailure` is told why, now or in a moment. */
  #openFlow(session: Session, slot: number, onFailure: (code: string) => void): Flow | undefined {
    const socket = this.#openSocket(session, slot, onFailure);
    if (typeof socket === 'string') onFailure(socket);
    if (!socket || typeof socket === 'string') return undefined;
    const flow: Flow = {
      session,
      slot,
      socket,
      unanswered: undefined,
      hasSent: false,
      pendingSends: 0,
      kernelDrops: 0,
      isClosed: false,
    };
    session.flows.push(flow);
    socket.on('message', (reply) => this.#onReply(flow, reply));
    socket.on('error', (error) => {
      if (unreachableCodes.has((error as NodeJS.ErrnoException).code ?? '')) this.#onUnreachable(flow);
    });
    return flow;
  }

  #openSocket(
    session: Session,
    slot: number,
    onRefused: (code: string) => void,
  ): Socket | string | undefined {
    const endpoint = this.#core.slots.descriptions[slot];
    if (!endpoint || session.hasEnded) return 'EBADF';
    if (this.#core.plan.clientAddress === 'transparent') return 'EOPNOTSUPP';
    while (!this.#budget.take()) {
      this.#core.isShortOfSockets = true;
      if (!this.#core.evictLongestIdle(session.id)) return 'EMFILE';
    }
    let socket = openUpstream(endpoint.address, endpoint.port, onRefused);
    // Another session's descriptor or port would help.
    for (let left = maxEvictions; left > 0 && isExhausted(socket); left--) {
      this.#core.isShortOfSockets = true;
      if (!this.#core.evictLongestIdle(session.id)) break;
      socket = openUpstream(endpoint.address, endpoint.port, onRefused);
    }
    if (!socket || typeof socket === 'string') this.#budget.giveBack();
    return socket;
  }

  /** The endpoint's host says that nobody listens there: others get its datagrams, and the one that came back. */
  #onUnreachable(flow: Flow): void {
    if (flow.isClosed) return;
    const nowMs = performance.now();
    this.#core.slots.quarantine(flow.slot, nowMs);
    this.#core.count(counter.datagramsBounced);
    const { session, slot, unanswered } = flow;
    this.#closeFlow(flow);
    if (unanswered && !session.hasEnded) this.#forward(session, unanswered, nowMs, slot, 2, false);
  }

  #onReply(flow: Flow, received: Buffer): void {
    if (flow.isClosed) return;
    const { session } = flow;
    flow.unanswered = undefined;
    const reply = this.#withoutHeader(session, received);
    if (!reply) {
      this.#core.countReplyDrop(dropCode.reply_proxy_header);
      return;
    }
    const verdict = this.#core.admitReply(session.id, flow.slot, reply.length, performance.now());
    if (verdict < 0) {
      this.#core.countReplyDrop(codeOf(verdict));
      return;
    }
    this.#sendReply(session, reply);
    if (this.#core.isAnswered(session.id)) this.#core.endSession(session.id, counter.sessionsAnswered);
  }

  #sendReply({ listener, address, port }: Session, reply: Buffer): void {
    // A listener is closed when its address leaves the host.
    if (this.#pendingReplies >= maxPendingSends || listener.isClosed) {
      this.#core.countReplyDrop(dropCode.reply_send_error);
      return;
    }
    this.#pendingReplies++;
    listener.socket.send(reply, port, address, (error) => {
      this.#pendingReplies--;
      if (!error) {
        this.#core.countReply(reply.length);
        return;
      }
      this.#noteError((error as NodeJS.ErrnoException).code ?? 'unknown');
      this.#core.countReplyDrop(dropCode.reply_send_error);
    });
  }

  #freeSession(id: number): void {
    const session = this.#sessions[id];
    this.#sessions[id] = undefined;
    if (!session) return;
    session.hasEnded = true;
    for (const flow of session.flows.slice()) this.#closeFlow(flow);
  }

  #closeFlow(flow: Flow): void {
    if (flow.isClosed) return;
    flow.isClosed = true;
    flow.session.flows.splice(flow.session.flows.indexOf(flow), 1);
    flow.socket.close();
    this.#budget.giveBack();
  }
}

function isExhausted(outcome: Socket | string | undefined): boolean {
  return typeof outcome === 'string' && exhaustedCodes.has(outcome);
}

function reasonOf(code: string): number {
  if (unreachableCodes.has(code)) return dropCode.upstream_unreachable;
  if (exhaustedCodes.has(code)) return dropCode.no_socket;
  return code === 'EMSGSIZE' ? dropCode.too_large : dropCode.send_error;
}

/** A number for the scope of a link-local address. */
function scopeOf(address: string): number {
  const percent = address.indexOf('%');
  let scope = 0;
  if (percent >= 0) {
    for (let at = percent; at < address.length; at++) scope = Math.imul(scope, 31) + address.charCodeAt(at);
  }
  return scope;
}
