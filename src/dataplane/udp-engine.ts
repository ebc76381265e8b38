/** The engine that moves UDP datagrams, whichever system calls it uses. */

import type { Socket } from 'node:dgram';
import type { RouteTable, UdpBalance, UdpRate } from './route-table.ts';

export interface UdpEntryPoint {
  readonly name: string;
  /** `datagram` when absent. */
  readonly balance?: UdpBalance;
  /** A session is forgotten after this long without a datagram either way. 3,000 when absent, as Traefik's. */
  readonly idleTimeoutMs?: number;
  /**
   * 65,536 when absent. At the limit the session that was idle longest is evicted, one-datagram ones first; while more new
   * clients come than can be served, they are dropped instead.
   */
  readonly maxSessions?: number;
  /** Of one client address, whatever its ports. Absent: no limit of its own. At the limit that address's longest idle is evicted. */
  readonly maxSessionsPerClient?: number;
  /** Source addresses that may use the entry point (CIDR or single addresses). Absent: all. */
  readonly allow?: readonly string[];
  /** Source addresses that may not. Wins over `allow`. */
  readonly deny?: readonly string[];
  /** Datagrams of one client address. */
  readonly ratePerClient?: UdpRate;
  /** Datagrams of all clients together. */
  readonly rate?: UdpRate;
  /** Larger datagrams are dropped, either way. Absent: what the protocol allows. */
  readonly maxDatagramBytes?: number;
  /** Most bytes answered to a session per byte received from it. Absent: no limit. */
  readonly maxAmplification?: number;
  /**
   * Peers (CIDR or single addresses) whose datagrams begin with a PROXY protocol v2 header naming the true client. Such a
   * header from anyone else is payload.
   */
  readonly proxyProtocolFrom?: readonly string[];
}

/** Where an entry point listens: an address to bind, or a socket that is bound already (perhaps by another process). */
export type UdpListener =
  | { readonly kind: 'address'; readonly address: string; readonly port: number }
  | { readonly kind: 'socket'; readonly socket: Socket };

/** Why a client's datagram was not forwarded. For every entry point: datagrams in = forwarded + the sum of these. */
export const udpRequestDropReasons = [
  'no_route',
  'no_service',
  'no_endpoints',
  'session_cap',
  'upstream_unreachable',
  'send_error',
  'denied',
  'rate_client',
  'rate_entry_point',
  'too_large',
  'proxy_header',
  'no_socket',
  'send_queue_full',
  'route_invalid',
] as const;

/** Why an answer was not delivered. For every entry point: replies in = datagrams out + the sum of these. */
export const udpReplyDropReasons = [
  'reply_unexpected_source',
  'reply_send_error',
  'reply_too_large',
  'reply_proxy_header',
  'amplification',
] as const;

export const udpDropReasons = [...udpRequestDropReasons, ...udpReplyDropReasons] as const;

/** Why a datagram went no further. Each dropped datagram has exactly one. */
export type UdpDropReason = (typeof udpDropReasons)[number];

export interface UdpEntryPointCounters {
  readonly entryPoint: string;
  /** That datagrams take now, where there is one. The counters go on when it changes. */
  readonly route?: string;
  /** From clients; counted when their verdict is known. */
  readonly datagramsIn: number;
  readonly bytesIn: number;
  /** Handed to an endpoint. */
  readonly datagramsForwarded: number;
  readonly bytesForwarded: number;
  /** From endpoints. */
  readonly repliesIn: number;
  /** Answers delivered to clients. */
  readonly datagramsOut: number;
  readonly bytesOut: number;
  readonly sessions: number;
  readonly sessionsOpened: number;
  /** Ended by the idle timeout. */
  readonly sessionsExpired: number;
  /** Ended to make room. */
  readonly sessionsEvicted: number;
  /** Ended by the route's `responses`. */
  readonly sessionsAnswered: number;
  /** Went on at another endpoint because theirs left or was unreachable. */
  readonly sessionsMoved: number;
  /** Forwarded datagrams that came back as ICMP unreachable. */
  readonly datagramsBounced: number;
  /** Of those, the ones that were forwarded again, to another endpoint. */
  readonly datagramsRetried: number;
  /** Lost in the kernel before the engine saw them: its receive buffer was full. Not part of `datagramsIn`. */
  readonly kernelDrops: number;
  /** Answers lost in the kernel: the receive buffer of their session's socket was full. Not part of `repliesIn`. */
  readonly replyKernelDrops: number;
  /** Client addresses that limits per client had to forget, for others to be remembered. */
  readonly clientsForgotten: number;
  /** Sockets that were closed for newer ones of their session, whose endpoint had changed again and again: late answers are lost. */
  readonly socketsGivenUp: number;
  /** The present table's endpoints that get nothing: they are too many, or what they have is no address. */
  readonly endpointsLeftOut: number;
  /** Sessions that ended without a record, where records are asked for: nobody had fetched those before them. */
  readonly sessionRecordsMissed: number;
  readonly drops: Readonly<Record<UdpDropReason, number>>;
  /** System calls that failed, by the error's name (ENOBUFS, EMSGSIZE …). */
  readonly sendErrors: Readonly<Record<string, number>>;
  /** Of the present table's endpoints. */
  readonly endpoints: readonly UdpEndpointCounters[];
  /** Datagrams in, per worker; one where there are no workers. */
  readonly workers: readonly number[];
}

export interface UdpEndpointCounters {
  readonly address: string;
  readonly port: number;
  /** `namespace/name`. */
  readonly service: string;
  readonly pod?: string;
  readonly state: 'ready' | 'terminating';
  readonly datagrams: number;
  readonly bytes: number;
  readonly replies: number;
  readonly replyBytes: number;
}

/** Why a session ended. `answered`: its route's `responses` had come. `shut`: its entry point was. */
export const udpSessionEnds = ['idle_timeout', 'evicted', 'answered', 'shut'] as const;

export type UdpSessionEnd = (typeof udpSessionEnds)[number];

/** What became of one session, told when it is over. */
export interface UdpSessionRecord {
  readonly entryPoint: string;
  /** `address:port`, IPv6 in brackets; as a PROXY header tells it where there was one. */
  readonly client: string;
  /** That the entry point's datagrams take at the end. */
  readonly route?: string;
  /** Its own; where each datagram is balanced on its own, the one that answered last. */
  readonly endpoint?: string;
  readonly reason: UdpSessionEnd;
  /** Let in; the counters tell what became of them. */
  readonly datagramsIn: number;
  readonly bytesIn: number;
  /** Answers that were let through. */
  readonly datagramsOut: number;
  readonly bytesOut: number;
  /** From its first datagram to its last, either way. */
  readonly durationMs: number;
}

/** What was seen of one datagram. Never its content. */
export interface UdpTapRecord {
  /** Milliseconds since 1970, to the worker's round. */
  readonly atMs: number;
  readonly entryPoint: string;
  readonly direction: 'request' | 'reply';
  readonly client: { readonly address: string; readonly port: number };
  /** Absent when none was chosen. */
  readonly endpoint?: { readonly address: string; readonly port: number };
  /** Of the payload. */
  readonly bytes: number;
  /** `passed`: on its way (a send may still fail; the counters tell). */
  readonly verdict: 'passed' | UdpDropReason;
}

export interface UdpTapOptions {
  /** One of so many datagrams of each entry point and worker is noted. 1: every one. */
  readonly every: number;
  /** Records kept per entry point and worker until they are read. 1,024 when absent. */
  readonly records?: number;
}

/** Sampled datagrams, in a ring that never slows the packet path down. */
export interface UdpTap {
  /** What was noted since the last call; of each entry point and worker the oldest first. */
  read(): readonly UdpTapRecord[];
  /** Records lost so far because they were not read in time. */
  missed(): number;
  close(): void;
}

export interface UdpEngine {
  readonly kind: 'dgram' | 'native';
  /** Starts to listen. Gives the addresses really bound. Rejects, with nothing left open, when one cannot be. */
  open(
    entryPoint: UdpEntryPoint,
    listeners: readonly UdpListener[],
  ): Promise<readonly { address: string; port: number }[]>;
  /**
   * As `open`, for an entry point that is open: the new listeners are there before the old ones are shut. When it rejects,
   * the old ones go on as they were. The new ones begin without sessions.
   */
  replace(
    entryPoint: UdpEntryPoint,
    listeners: readonly UdpListener[],
  ): Promise<readonly { address: string; port: number }[]>;
  /** Stops listening and forgets the entry point's sessions. */
  shut(entryPointName: string): Promise<void>;
  /**
   * Resolves when no datagram meets an older table any more. Rejects when a decision is of no use (a range that is none);
   * its entry point then keeps the one it has, and the others have theirs.
   */
  apply(table: RouteTable): Promise<void>;
  counters(): readonly UdpEntryPointCounters[];
  /** Watches the entry points that are open now. Takes the place of the tap before it. */
  tap(options: UdpTapOptions): UdpTap;
  /** Closes every socket. May be called twice. */
  close(): Promise<void>;
}
