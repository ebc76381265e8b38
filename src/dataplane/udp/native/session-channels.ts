/**
 * Which channels a session has: its newest, through which its datagrams go, and behind it older ones for answers still under
 * way. Sockets are found, opened, and taken from the longest idle where there are no more.
 */

import { errno, type Poller, pollEvents } from '../../native/index.ts';
import { counter } from '../core/counter-slots.ts';
import type { EntryPointCore } from '../core/entry-point-core.ts';
import { grown } from '../core/key-table.ts';
import { dropCode } from '../core/verdicts.ts';
import type { Channels, ChannelTarget } from './channels.ts';
import { addressLength4, addressLength6, type EndpointAddresses } from './endpoint-addresses.ts';
import { isExhausted } from './errors.ts';
import { SlotSets } from './slot-sets.ts';

export interface SessionChannelsOptions {
  readonly poller: Poller;
  readonly channels: Channels;
  /** Of the entry point in the worker. */
  readonly owner: number;
  readonly core: EntryPointCore;
  readonly endpoints: EndpointAddresses;
  /** Where the session's client's socket address is. */
  readonly clientAddress: (session: number) => number;
  /** Sends what waits for the channel, which is about to be closed. */
  readonly drainChannel: (channel: number) => void;
}

/** Channels that one session may have behind each other; transparent ones, as many as there are endpoints. */
const maxChain = 4;
/** How long an entry point believes that it gets no more sockets without giving some back. */
const socketTrialMs = 250;
/** Sessions that may be evicted for the sockets of one. */
const maxEvictions = 4;
/** Of the sessions that are next to be evicted, so many are asked for a socket that can be taken over as it is. */
const takeOverSample = 16;

export class SessionChannels {
  readonly #options: SessionChannelsOptions;
  readonly #channels: Channels;
  /** A session's newest channel, or -1. */
  #newest = new Int32Array(0);
  /** The slots that a session's open channels have sent to. */
  readonly #sentTo = new SlotSets();
  #nextTrialMs = 0;
  /** A channel that outlives the session which is being ended; -1: none. */
  #inherited = -1;

  constructor(options: SessionChannelsOptions) {
    this.#options = options;
    this.#channels = options.channels;
  }

  /** The channel through which the session reaches the slot, opened where there is none; or a negative errno. */
  reach(session: number, slot: number): number {
    const newest = this.#newest[session] as number;
    if (newest >= 0) {
      if (this.#channels.peer[newest] === slot) return newest;
      if (this.#reaches(newest, slot)) {
        this.#sentTo.add(session, slot);
        return newest;
      }
      const older = this.#takeFromChain(session, slot);
      if (older >= 0) return older;
    }
    return this.#open(session, slot);
  }

  /** Whether an answer that came from the slot through an open channel of the session was asked for. */
  hasSentTo(session: number, slot: number): boolean {
    return this.#sentTo.has(session, slot);
  }

  start(session: number): void {
    this.#newest[session] = -1;
    this.#sentTo.clear(session);
  }

  /** Closes all channels of the session. */
  end(session: number): void {
    for (let channel = this.#newest[session] as number; channel >= 0; ) {
      const next = this.#channels.older[channel] as number;
      this.#close(channel);
      channel = next;
    }
    this.#newest[session] = -1;
  }

  /** Closes what the session has towards slots that are free now, and forgets that it has sent there. */
  leave(session: number, gone: readonly number[]): void {
    for (const slot of gone) this.#sentTo.remove(session, slot);
    const { older, peer } = this.#channels;
    let newer = -1;
    for (let channel = this.#newest[session] as number; channel >= 0; ) {
      const next = older[channel] as number;
      if (gone.includes(peer[channel] as number)) {
        if (newer < 0) this.#newest[session] = next;
        else older[newer] = next;
        this.#close(channel);
      } else newer = channel;
      channel = next;
    }
  }

  growSessions(capacity: number): void {
    this.#newest = grown(this.#newest, new Int32Array(capacity).fill(-1));
    this.#sentTo.growSessions(capacity);
  }

  growSlots(slots: number): void {
    this.#sentTo.growSlots(slots);
  }

  /** Between rounds. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextTrialMs) return;
    this.#nextTrialMs = nowMs + socketTrialMs;
    this.#options.core.isShortOfSockets = false;
  }

  #reaches(channel: number, slot: number): boolean {
    if (this.#channels.peer[channel] !== -1) return false;
    return this.#channels.isIPv6[channel] === 1 || !this.#options.endpoints.isIPv6(slot);
  }

  /** An older channel of the session that reaches the slot becomes its newest. */
  #takeFromChain(session: number, slot: number): number {
    const { older, peer } = this.#channels;
    let newer = this.#newest[session] as number;
    for (let channel = older[newer] as number; channel >= 0; channel = older[channel] as number) {
      if (peer[channel] === slot || this.#reaches(channel, slot)) {
        older[newer] = older[channel] as number;
        older[channel] = this.#newest[session] as number;
        this.#newest[session] = channel;
        if (peer[channel] === -1) this.#sentTo.add(session, slot);
        return channel;
      }
      newer = channel;
    }
    return -1;
  }

  #open(session: number, slot: number): number {
    const { plan } = this.#options.core;
    const isTransparent = plan.clientAddress === 'transparent';
    const isOpen = plan.balance === 'datagram' && plan.readyCount > 1 && !isTransparent;
    const channel = this.#obtain(session, slot, isOpen, isTransparent);
    if (channel < 0) return channel;
    if (isOpen) this.#sentTo.add(session, slot);
    this.#channels.older[channel] = this.#newest[session] as number;
    this.#newest[session] = channel;
    this.#trimChain(channel, isTransparent ? maxChain + plan.readyCount : maxChain);
    return channel;
  }

  /** A channel that is in no session's chain yet. Evicts for it where it must. Gives its number or a negative errno. */
  #obtain(session: number, slot: number, isOpen: boolean, isTransparent: boolean): number {
    const { core, endpoints, clientAddress } = this.#options;
    const isIPv6 = isOpen ? endpoints.hasIPv6 : endpoints.isIPv6(slot);
    const target = {
      isIPv6,
      address: endpoints.at(slot, isIPv6),
      addressLength: isIPv6 ? addressLength6 : addressLength4,
      source: isTransparent ? clientAddress(session) : 0,
    };
    const peer = isOpen ? -1 : slot;
    // Where sockets ran out just now, asking for one more in vain is what costs most.
    let channel = core.isShortOfSockets ? -errno.EMFILE : this.#openSocket(session, peer, target);
    for (let tries = maxEvictions; channel < 0 && tries > 0 && isExhausted(-channel); tries--) {
      core.isShortOfSockets = true;
      const inherited = isTransparent ? -1 : this.#takeOver(session, peer, isIPv6);
      if (inherited >= 0) return inherited;
      if (!core.evictLongestIdle(session)) break;
      channel = this.#openSocket(session, peer, target);
    }
    return channel;
  }

  #openSocket(session: number, peer: number, target: ChannelTarget): number {
    const { owner, poller } = this.#options;
    const channel = this.#channels.open(owner, session, peer, target);
    if (channel < 0) return channel;
    const reason = poller.tryAdd(this.#channels.fd[channel] as number, pollEvents.readable, channel);
    if (reason === 0) return channel;
    this.#channels.close(channel);
    return -reason;
  }

  /**
   * Evicts for its socket a session that is at the same endpoint; the channel, or -1. With the last local port taken the
   * kernel looks at all of them to say so, some 50 ns each, and would give out the one that was freed: a flood of new
   * clients that each cost as much would starve the others.
   */
  #takeOver(session: number, peer: number, isIPv6: boolean): number {
    const { core } = this.#options;
    const { sessions } = core;
    let candidate = sessions.longestIdle();
    for (let step = 0; step < takeOverSample && candidate >= 0; step++) {
      const channel = candidate === session ? -1 : (this.#newest[candidate] as number);
      if (channel >= 0 && this.#isLike(channel, peer, isIPv6)) {
        this.#inherited = channel;
        core.endSession(candidate, counter.sessionsEvicted);
        this.#inherited = -1;
        const stale = this.#channels.handOver(channel, session);
        for (let count = 0; count < stale; count++) core.countReplyDrop(dropCode.reply_unexpected_source);
        return channel;
      }
      candidate = sessions.nextLongestIdle(candidate);
    }
    return -1;
  }

  #isLike(channel: number, peer: number, isIPv6: boolean): boolean {
    return this.#channels.peer[channel] === peer && this.#channels.isIPv6[channel] === (isIPv6 ? 1 : 0);
  }

  #trimChain(newest: number, most: number): void {
    const { older } = this.#channels;
    let last = newest;
    for (let length = 1; length < most && (older[last] as number) >= 0; length++)
      last = older[last] as number;
    for (let channel = older[last] as number; channel >= 0; ) {
      const next = older[channel] as number;
      this.#close(channel);
      this.#options.core.count(counter.socketsGivenUp);
      channel = next;
    }
    older[last] = -1;
  }

  #close(channel: number): void {
    if ((this.#channels.firstPending[channel] as number) >= 0) this.#options.drainChannel(channel);
    if (channel !== this.#inherited) this.#channels.close(channel);
  }
}
