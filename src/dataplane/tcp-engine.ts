/** The engine that moves TCP connections. */

import type { Server } from 'node:net';
import type { RouteTable } from './route-table.ts';

export interface TcpEntryPoint {
  readonly name: string;
  /** Connections at a time; one more is refused as `connection_cap`. 20,000 when absent. */
  readonly maxConnections?: number;
  /** Connections at a time from one client address; one more is refused as `client_cap`. No limit when absent. */
  readonly maxConnectionsPerClient?: number;
  /** A connection without a byte either way for this long is closed. 0 or absent: never, as in Traefik. */
  readonly idleTimeoutMs?: number;
  /** How long a connection that one side has ended may stay silent, where its service sets none. 600,000 when absent. */
  readonly halfClosedIdleMs?: number;
  /**
   * How long the first bytes of a client (PROXY header, ClientHello, TLS handshake) may take. A client that says
   * nothing within a tenth of it is taken for one that lets the server speak first, where a route without TLS could
   * have it. 10,000 when absent.
   */
  readonly openingTimeoutMs?: number;
  /**
   * Silence on a client's connection before the kernel asks whether the client lives; it may be twice as long the
   * first time. At least 1,000. 15,000 when absent.
   */
  readonly keepAliveMs?: number;
  /**
   * What becomes of connections to an endpoint that has left the table. Absent: they live on until an end closes
   * them, as in Traefik and kube-proxy. Otherwise they are reset after this long.
   */
  readonly removedEndpointGraceMs?: number;
  /** PROXY protocol headers are read, where there is one, from these sources (addresses and CIDR ranges) only. */
  readonly proxyProtocol?: { readonly trustedSources: readonly string[] } | { readonly trustAll: true };
  /** Several sockets may listen on the address (SO_REUSEPORT), where Node can ask for it. */
  readonly reusePort?: boolean;
}

/** Where an entry point listens: an address to bind, or a server that is bound already (perhaps by another process). */
export type TcpListener =
  | { readonly kind: 'address'; readonly address: string; readonly port: number }
  | { readonly kind: 'socket'; readonly server: Server };

export const tcpRefusalReasons = [
  'no_route',
  'no_service',
  'no_endpoints',
  'route_invalid',
  'source_denied',
  'in_flight_limit',
  'connection_cap',
  'client_cap',
  'proxy_header_invalid',
  'hello_invalid',
  'opening_timeout',
  'tls_handshake',
  'endpoint_unreachable',
  'client_gone',
  'shutting_down',
] as const;

/** Why a connection reached no endpoint. Each refused connection has exactly one. */
export type TcpRefusalReason = (typeof tcpRefusalReasons)[number];

export const tcpEndReasons = [
  'finished',
  'client_reset',
  'endpoint_reset',
  'idle_timeout',
  'half_closed_timeout',
  'endpoint_removed',
  'shutting_down',
] as const;

/** How a connection that had reached an endpoint ended. Each has exactly one. `finished`: both sides had ended it. */
export type TcpEndReason = (typeof tcpEndReasons)[number];

/**
 * `accepted = opening + forwarded + the sum of refused`, and `forwarded = open + the sum of ended`, at any moment.
 */
export interface TcpEntryPointCounters {
  readonly entryPoint: string;
  readonly accepted: number;
  /** Accepted and not decided yet. */
  readonly opening: number;
  /** Reached an endpoint. */
  readonly forwarded: number;
  readonly open: number;
  /** From clients, without TLS's own bytes where TLS is ended here. */
  readonly bytesIn: number;
  /** To clients. */
  readonly bytesOut: number;
  /** Tries to reach an endpoint that failed and were followed by a try of another. */
  readonly connectRetries: number;
  readonly refused: Readonly<Record<TcpRefusalReason, number>>;
  readonly ended: Readonly<Record<TcpEndReason, number>>;
}

/** What became of one connection, told when it is over. */
export interface TcpConnectionRecord {
  readonly entryPoint: string;
  /** The client, as the PROXY header tells it where there was one. `address:port`, IPv6 in brackets. */
  readonly client: string;
  readonly serverName?: string;
  readonly route?: string;
  readonly service?: string;
  readonly endpoint?: string;
  readonly outcome:
    | { readonly kind: 'ended'; readonly reason: TcpEndReason }
    | { readonly kind: 'refused'; readonly reason: TcpRefusalReason; readonly detail?: string };
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Since it was accepted. */
  readonly durationMs: number;
}

export interface TcpEngine {
  /** Starts to listen. Gives the addresses really bound. Rejects, with nothing left open, when one cannot be. */
  open(
    entryPoint: TcpEntryPoint,
    listeners: readonly TcpListener[],
  ): Promise<readonly { address: string; port: number }[]>;
  /**
   * As `open`, for an entry point that is open: the new listeners are there before the old ones are shut, and connections
   * through those are reset. When it rejects, the old ones go on as they were.
   */
  replace(
    entryPoint: TcpEntryPoint,
    listeners: readonly TcpListener[],
  ): Promise<readonly { address: string; port: number }[]>;
  /** Stops listening and resets the entry point's connections. */
  shut(entryPointName: string): Promise<void>;
  /** New connections meet the new table from when it resolves; those that are open keep their endpoint. */
  apply(table: RouteTable): Promise<void>;
  counters(): readonly TcpEntryPointCounters[];
  /**
   * Stops listening and waits for the connections to end, at most `graceMs`; then resets those that are left. For
   * one entry point, or for all. Gives how many were reset.
   */
  drain(graceMs: number, entryPointName?: string): Promise<number>;
  /** Resets everything. May be called twice. */
  close(): Promise<void>;
}
