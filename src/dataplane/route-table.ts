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
  /** One decision per TCP entry point. An entry point without one refuses everything as `no_route`. */
  readonly tcp?: readonly TcpDecision[];
  /** What TLS routes may present, by SNI. Holds private keys: `withoutPrivateKeys` before it is shown to anybody. */
  readonly certificates?: readonly TlsCertificate[];
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

/** `route_invalid`: it asks for something that cannot be understood, and is refused rather than half obeyed. */
export type UdpRouteRefusal = 'no_route' | 'no_service' | 'no_endpoints' | 'route_invalid';

export interface UdpRoute {
  /** Traefik's router name: `<namespace>-<ingressroute>-<index>`. */
  readonly name: string;
  readonly services: readonly WeightedService[];
  /** Overrides the entry point's. */
  readonly balance?: UdpBalance;
  /** Source addresses that may use the route (CIDR or single addresses), on top of the entry point's list. */
  readonly allow?: readonly string[];
  /** Source addresses that may not. Wins over `allow`. */
  readonly deny?: readonly string[];
  /** Of this and the entry point's the smaller holds; so with the other limits. */
  readonly maxDatagramBytes?: number;
  readonly maxAmplification?: number;
  readonly rate?: UdpRate;
  readonly ratePerClient?: UdpRate;
  /** Overrides the entry point's. */
  readonly idleTimeoutMs?: number;
  /**
   * After this many answers to a client's latest datagrams its session ends at once, without waiting for the idle
   * timeout (1 suits DNS). Absent: any number of answers, or none, at any time.
   */
  readonly responses?: number;
  /** How the endpoint learns the client's address. Absent: it sees the data plane's own. */
  readonly clientAddress?: UdpClientAddress;
}

/** A token bucket. */
export interface UdpRate {
  readonly datagramsPerSecond: number;
  /** Datagrams that may come at once. One second's worth when absent. */
  readonly burst?: number;
}

/**
 * `proxy-v2`: a PROXY protocol v2 header before every datagram. `proxy-v2-first`: before the first one that an endpoint
 * gets from a session. `simple-proxy-protocol`: Cloudflare's 38-byte header on every datagram, both ways. `transparent`: the
 * datagram itself comes from the client's address (needs CAP_NET_ADMIN, the native engine, and routes that lead the
 * answers back through this host).
 */
export type UdpClientAddress = 'proxy-v2' | 'proxy-v2-first' | 'simple-proxy-protocol' | 'transparent';

export interface WeightedService {
  /** `namespace/name`. */
  readonly name: string;
  /** 0 gets nothing. */
  readonly weight: number;
  readonly endpoints: readonly Endpoint[];
  /**
   * Set where the service has no ready endpoint and its share is to be lost for this reason, as Gateway API wants it. Absent:
   * the other services have it.
   */
  readonly refusal?: ServiceRefusal;
}

export type ServiceRefusal = 'no_service' | 'no_endpoints';

export interface Endpoint {
  /** IPv4 or IPv6 address, without brackets. For an ExternalName Service a host name, resolved when it is used. */
  readonly address: string;
  readonly port: number;
  /** The pod, as `namespace/name`, where there is one. */
  readonly pod?: string;
  /** `terminating` gets no new datagrams; what it still answers is delivered. */
  readonly state: 'ready' | 'terminating';
}

/** What becomes of the connections of one TCP entry point. */
export interface TcpDecision {
  readonly entryPoint: string;
  /** In the order in which they are tried: the first whose rule matches has the connection, even to refuse it. */
  readonly routes: readonly TcpRoute[];
}

/** `connection`: weighted round robin, once per connection. `source`: by client address, consistently. */
export type TcpBalance = 'connection' | 'source';

/** `route_invalid`: it asks for something that is missing or broken, and is refused rather than half obeyed. */
export type TcpRouteRefusal = 'no_service' | 'no_endpoints' | 'route_invalid';

export interface TcpRoute {
  /** Traefik's router name. */
  readonly name: string;
  readonly priority: number;
  readonly rule: TcpRule;
  /** Absent: the connection is raw TCP. Present: the client must speak TLS. */
  readonly tls?: TcpRouteTls;
  /** One list per `ipAllowList`: the client must be in each of them. Addresses and CIDR ranges. */
  readonly allowedSources?: readonly (readonly string[])[];
  /** The fewest connections at a time that an `inFlightConn` of the route allows one client address. */
  readonly maxConnectionsPerClient?: number;
  /** `connection` when absent. */
  readonly balance?: TcpBalance;
  readonly services: readonly TcpService[];
  /** Set where the route can carry nothing; it still holds what it matches. `detail` names what is missing. */
  readonly refusal?: { readonly reason: TcpRouteRefusal; readonly detail: string };
}

/** What a route matches, over the ClientHello and the client's address. */
export type TcpRule =
  /** `*` is anything, even a connection without TLS; `*.example.com` is one label before the rest. Lower case. */
  | { readonly kind: 'hostSni'; readonly host: string }
  /** In Go's syntax, found anywhere in the name unless anchored. */
  | { readonly kind: 'hostSniRegexp'; readonly pattern: string }
  /** An address or a CIDR range. */
  | { readonly kind: 'clientIp'; readonly range: string }
  | { readonly kind: 'alpn'; readonly protocol: string }
  | { readonly kind: 'and' | 'or'; readonly left: TcpRule; readonly right: TcpRule }
  | { readonly kind: 'not'; readonly operand: TcpRule };

export type TcpRouteTls =
  /** The bytes go to the endpoint as they are. */
  | { readonly mode: 'passthrough' }
  | {
      readonly mode: 'terminate';
      /** Of `RouteTable.certificates`; taken where no certificate fits the client's SNI better. */
      readonly certificate?: string;
      readonly options?: TlsOptions;
    };

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** What a TLSOption may say about the client's side. */
export interface TlsOptions {
  readonly minVersion?: TlsVersion;
  readonly maxVersion?: TlsVersion;
  /** As OpenSSL names them. */
  readonly cipherSuites?: readonly string[];
  /** As OpenSSL names them. */
  readonly curves?: readonly string[];
  readonly alpnProtocols?: readonly string[];
  /** Refuse a client whose SNI no certificate covers. */
  readonly sniStrict?: boolean;
  readonly clientAuthorities?: readonly string[];
  /** `request`: asked for, not checked. `verify-if-given`: checked where given. `require`: there must be a good one. */
  readonly clientCertificate?: 'request' | 'verify-if-given' | 'require-any' | 'require';
}

export interface TlsCertificate {
  /** The Secret, as `namespace/name`. */
  readonly name: string;
  /** PEM, the leaf first. */
  readonly certificateChain: string;
  /** PEM. */
  readonly privateKey: string;
}

/** A service of a TCP route, and how its endpoints are reached (ServersTransportTCP). */
export interface TcpService extends WeightedService {
  /** For each endpoint that is tried. 5,000 when absent. */
  readonly connectTimeoutMs?: number;
  /** Silence before the kernel asks whether the endpoint lives. At least 1,000. The entry point's when absent. */
  readonly keepAliveMs?: number;
  /** How long a connection that one side has ended may stay silent. Absent: the engine's own. Negative: for ever. */
  readonly terminationDelayMs?: number;
  /** The version of the PROXY protocol header that each connection starts with. Absent: none. */
  readonly proxyProtocol?: 1 | 2;
  /** Present: the endpoint is spoken to in TLS. */
  readonly tls?: EndpointTls;
}

export interface EndpointTls {
  /** Sent as SNI, and the name the certificate must carry. The endpoint's address when absent. */
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
  /** PEM. The system's when absent. */
  readonly rootAuthorities?: readonly string[];
  /** What sluice presents to the endpoint. */
  readonly certificate?: { readonly certificateChain: string; readonly privateKey: string };
  /** One of them must be among the certificate's subject alternative names (DNS names, URIs). */
  readonly peerNames?: readonly string[];
}
