/** The engine that moves UDP datagrams, whichever system calls it uses. */

import type { Socket } from 'node:dgram';
import type { RouteTable, UdpBalance } from './route-table.ts';

export interface UdpEntryPoint {
  readonly name: string;
  /** `datagram` when absent. */
  readonly balance?: UdpBalance;
  /** A session is forgotten after this long without a datagram either way. 3,000 when absent, as Traefik's. */
  readonly idleTimeoutMs?: number;
  /** 65,536 when absent. */
  readonly maxSessions?: number;
}

/** Where an entry point listens: an address to bind, or a socket that is bound already (perhaps by another process). */
export type UdpListener =
  | { readonly kind: 'address'; readonly address: string; readonly port: number }
  | { readonly kind: 'socket'; readonly socket: Socket };

export const udpDropReasons = [
  'no_route',
  'no_service',
  'no_endpoints',
  'session_cap',
  'upstream_unreachable',
  'send_error',
  'reply_unexpected_source',
] as const;

/** Why a datagram went no further. Each dropped datagram has exactly one. */
export type UdpDropReason = (typeof udpDropReasons)[number];

export interface UdpEntryPointCounters {
  readonly entryPoint: string;
  /** From clients. */
  readonly datagramsIn: number;
  readonly bytesIn: number;
  /** Handed to an endpoint. */
  readonly datagramsForwarded: number;
  /** Answers delivered to clients. */
  readonly datagramsOut: number;
  readonly bytesOut: number;
  readonly sessions: number;
  readonly drops: Readonly<Record<UdpDropReason, number>>;
}

export interface UdpEngine {
  readonly kind: 'dgram' | 'native';
  /** Starts to listen. Gives the addresses really bound. Rejects, with nothing left open, when one cannot be. */
  open(
    entryPoint: UdpEntryPoint,
    listeners: readonly UdpListener[],
  ): Promise<readonly { address: string; port: number }[]>;
  /** Stops listening and forgets the entry point's sessions. */
  shut(entryPointName: string): Promise<void>;
  /** Resolves when no datagram meets an older table any more. */
  apply(table: RouteTable): Promise<void>;
  counters(): readonly UdpEntryPointCounters[];
  /** Closes every socket. May be called twice. */
  close(): Promise<void>;
}
