/**
 * What the ingress decides and the data plane obeys: an immutable snapshot with a generation number. Plain data, so
 * that it can be handed to another thread or process whole.
 */

/** `datagram`: each datagram on its own. `session`: once per client, as Traefik. `source`: by client address. */
export type UdpBalance = 'datagram' | 'session' | 'source';

export interface RouteTable {
  /** Grows with every change. */
  readonly generation: number;
  /** One decision per UDP entry point. An entry point without one drops everything as `no_route`. */
  readonly udp: readonly UdpDecision[];
}

/** What becomes of every datagram of one entry point: the guide's decision flow, decided ahead of the datagrams. */
export type UdpDecision =
  | { readonly kind: 'forward'; readonly entryPoint: string; readonly route: UdpRoute }
  | {
      readonly kind: 'drop';
      readonly entryPoint: string;
      readonly reason: UdpRouteRefusal;
      /** The route that failed, where there is one. */
      readonly route?: string;
      /** For the log: what is missing, by name. */
      readonly detail: string;
    };

export type UdpRouteRefusal = 'no_route' | 'no_service' | 'no_endpoints';

export interface UdpRoute {
  /** Traefik's router name: `<namespace>-<ingressroute>-<index>`. */
  readonly name: string;
  readonly services: readonly WeightedService[];
  /** Overrides the entry point's. */
  readonly balance?: UdpBalance;
}

export interface WeightedService {
  /** `namespace/name`. */
  readonly name: string;
  /** 0 gets nothing. */
  readonly weight: number;
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  /** IPv4 or IPv6 address, without brackets. */
  readonly address: string;
  readonly port: number;
  /** The pod, as `namespace/name`, where there is one. */
  readonly pod?: string;
  /** `terminating` gets no new datagrams; what it still answers is delivered. */
  readonly state: 'ready' | 'terminating';
}
