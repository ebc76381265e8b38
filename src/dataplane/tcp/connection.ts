/** One client's connection, from being accepted to being over. */

import { Socket } from 'node:net';
import type { TcpConnectionRecord, TcpEndReason, TcpEntryPoint, TcpRefusalReason } from '../tcp-engine.ts';
import { formatSocketAddress, plainAddress, type SocketAddress } from './address.ts';
import { type Choice, endpointKey } from './balancer.ts';
import type { CertificateStore } from './certificates.ts';
import type { ClientHello } from './client-hello.ts';
import { acceptTls } from './client-tls.ts';
import { linkEndpoint } from './endpoint-link.ts';
import { ignoreError } from './first-bytes.ts';
import { type HelloFound, type Refusal, readHelloOpening, readProxyOpening } from './opening.ts';
import { maxWaitingBytes, Relay, resetSocket } from './relay.ts';
import type { RestingEndpoints } from './resting-endpoints.ts';
import type { EntryPointTable, RouteState } from './table-state.ts';
import type { CountByKey, Tally } from './tally.ts';

/** What a connection needs of its entry point. */
export interface ConnectionHost {
  readonly entryPoint: TcpEntryPoint;
  readonly tally: Tally;
  /** Connections by client address. */
  readonly clients: CountByKey;
  readonly resting: RestingEndpoints;
  /** Says of the address of a peer whether its PROXY headers are believed. */
  readonly trustsProxy: (address: string) => boolean;
  /** As it is now. */
  readonly table: () => EntryPointTable;
  readonly certificates: () => CertificateStore;
  readonly nowMs: () => number;
  /** The connection is over. */
  readonly onOver: (connection: Connection, record: TcpConnectionRecord) => void;
}

const defaultMaxConnections = 20_000;
const defaultOpeningTimeoutMs = 10_000;
const defaultHalfClosedIdleMs = 600_000;
/** A connection that five endpoints in a row refuse says more about the service than a sixth would. */
const maxConnectAttempts = 5;
/** fatal, unrecognized_name (RFC 8446 6.2), for clients whose name no route has. */
const unrecognizedNameAlert = Buffer.from([21, 3, 1, 0, 2, 2, 112]);

export class Connection {
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  /** The socket, or the TLS session over it once there is one. */
  #stream: Socket;
  readonly #acceptedAtMs: number;
  #client: SocketAddress;
  /** Where the client connected to, as a PROXY header told it. */
  #proxiedDestination: SocketAddress | undefined;
  #isCountedForClient = false;
  /** Its route's, once it counts as one of the route's connections. */
  #heldRoute: RouteState | undefined;
  #routeName: string | undefined;
  #serverName: string | undefined;
  #choice: Choice | undefined;
  #relay: Relay | undefined;
  #isOver = false;
  #isKeptAlive = false;
  #bytesIn = 0;
  #bytesOut = 0;

  /** `socket` is paused: nothing of it has been read. */
  constructor(host: ConnectionHost, socket: Socket) {
    this.#host = host;
    this.#socket = socket;
    this.#stream = socket;
    this.#acceptedAtMs = host.nowMs();
    socket.on('error', ignoreError);
    this.#client = { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    host.tally.accept();
  }

  /** The key of the endpoint it is with, once it is. */
  get endpoint(): string | undefined {
    return this.#relay && this.#choice ? endpointKey(this.#choice.endpoint) : undefined;
  }

  /** Carries the connection; resolves when it has reached an endpoint or is over. Never rejects. */
  async serve(): Promise<void> {
    try {
      const refusal = await this.#open();
      if (refusal) this.#refuse(refusal);
    } catch (error) {
      // Whatever goes wrong costs this connection and no other.
      if (this.#relay) this.#relay.abort('endpoint_reset');
      else this.#refuse({ kind: 'refused', reason: 'route_invalid', detail: String(error) });
    }
  }

  /** To be called again and again: it takes effect once the connection has reached an endpoint. */
  keepAlive(clientMs: number): void {
    if (!this.#relay || this.#isKeptAlive) return;
    this.#isKeptAlive = true;
    this.#relay.keepAlive(clientMs, this.#choice?.service.keepAliveMs ?? clientMs);
  }

  /** Resets it, wherever it is. */
  abort(reason: 'shutting_down' | 'endpoint_removed'): void {
    if (this.#relay) this.#relay.abort(reason);
    else this.#refuse({ kind: 'refused', reason: 'shutting_down' });
  }

  async #open(): Promise<Refusal | undefined> {
    const { entryPoint, tally } = this.#host;
    if (this.#socket.remoteAddress === undefined) return refused('client_gone');
    const cap = entryPoint.maxConnections ?? defaultMaxConnections;
    if (tally.opening + tally.open > cap) return refused('connection_cap');
    const opened = await this.#readOpening();
    if (opened.kind === 'refused') return opened;
    const { hello } = opened;
    this.#serverName = hello?.serverName;
    const table = this.#host.table();
    const facts = {
      serverName: hello?.serverName ?? '',
      alpnProtocols: hello?.alpnProtocols ?? [],
      clientAddress: this.#client.address,
    };
    const route = table.chooser.choose(facts, hello !== undefined && table.chooser.needsFirstBytes);
    if (!route) {
      if (hello && !opened.isPostgres) this.#socket.write(unrecognizedNameAlert);
      return refused('no_route', hello ? `no route for SNI ${JSON.stringify(facts.serverName)}` : undefined);
    }
    const state = table.stateOf(route);
    return this.#admit(state) ?? (await this.#connect(state, opened));
  }

  /** Who the client is, and its first bytes where the table needs them. */
  async #readOpening(): Promise<HelloFound | Refusal> {
    const { entryPoint, trustsProxy } = this.#host;
    const timeoutMs = entryPoint.openingTimeoutMs ?? defaultOpeningTimeoutMs;
    const silenceMs = timeoutMs / 10;
    let bytes: Buffer = Buffer.alloc(0);
    if (trustsProxy(this.#client.address)) {
      const proxied = await readProxyOpening(this.#socket, { timeoutMs, silenceMs });
      if (proxied.kind === 'refused') return proxied;
      bytes = proxied.rest;
      if (proxied.addresses) {
        this.#client = proxied.addresses.source;
        this.#proxiedDestination = proxied.addresses.destination;
      }
    }
    const refusal = this.#countForClient();
    if (refusal) return refusal;
    const { chooser } = this.#host.table();
    if (!chooser.needsFirstBytes) return { kind: 'hello', bytes, isPostgres: false };
    const limits = { timeoutMs, ...(chooser.hasPlainRoutes ? { silenceMs } : {}) };
    return readHelloOpening(this.#socket, bytes, limits);
  }

  #countForClient(): Refusal | undefined {
    const { entryPoint, clients } = this.#host;
    const cap = entryPoint.maxConnectionsPerClient ?? Number.POSITIVE_INFINITY;
    if (clients.of(this.#client.address) >= cap) return refused('client_cap');
    clients.add(this.#client.address);
    this.#isCountedForClient = true;
    return undefined;
  }

  #admit(state: RouteState): Refusal | undefined {
    const { route } = state;
    this.#routeName = route.name;
    if (!state.allows(this.#client.address)) return refused('source_denied');
    const { maxConnectionsPerClient = Number.POSITIVE_INFINITY } = route;
    if (state.inFlight.of(this.#client.address) >= maxConnectionsPerClient) return refused('in_flight_limit');
    state.inFlight.add(this.#client.address);
    this.#heldRoute = state;
    if (route.refusal) return refused(route.refusal.reason, route.refusal.detail);
    const service = state.balancer.refused(this.#client.address);
    return service?.refusal && refused(service.refusal, `the share of ${service.name} is refused`);
  }

  async #connect(state: RouteState, opened: HelloFound): Promise<Refusal | undefined> {
    const { tls } = state.route;
    if (tls?.mode !== 'terminate' || !opened.hello) {
      const isPostgres = opened.isPostgres && tls?.mode === 'passthrough';
      return this.#reachEndpoint(state, opened.bytes, isPostgres);
    }
    const refusal = await this.#endTls(state, opened.hello, opened.bytes);
    return refusal ?? (await this.#reachEndpoint(state, Buffer.alloc(0), false));
  }

  async #endTls({ route }: RouteState, hello: ClientHello, bytes: Buffer): Promise<Refusal | undefined> {
    if (route.tls?.mode !== 'terminate') throw new Error(`route ${route.name} does not end TLS`);
    const context = this.#host.certificates().contextFor(route.tls, hello.serverName ?? '');
    if (!context) {
      this.#socket.write(unrecognizedNameAlert);
      return refused('tls_handshake', 'no certificate for the name the client asks for');
    }
    const timeoutMs = this.#host.entryPoint.openingTimeoutMs ?? defaultOpeningTimeoutMs;
    const { options } = route.tls;
    const secure = await acceptTls({ socket: this.#socket, bytes, context, options, timeoutMs });
    if ('reason' in secure) return secure;
    this.#stream = secure;
    return undefined;
  }

  /** Tries endpoints until one takes the connection. */
  async #reachEndpoint(state: RouteState, bytes: Buffer, isPostgres: boolean): Promise<Refusal | undefined> {
    const { resting, tally } = this.#host;
    const tried = new Set<string>();
    let problem = 'no endpoint is ready';
    for (let attempt = 0; attempt < maxConnectAttempts; attempt++) {
      if (this.#isOver) return undefined;
      if (this.#stream.destroyed) return refused('client_gone');
      const choose = (avoid: ReadonlySet<string>) => state.balancer.choose(this.#client.address, avoid);
      const choice = choose(resting.with(tried)) ?? choose(tried);
      if (!choice) break;
      if (attempt > 0) tally.connectRetries++;
      const endpoint = await this.#link(choice, isPostgres);
      if (endpoint instanceof Socket) {
        this.#relayTo(choice, endpoint, bytes);
        return undefined;
      }
      problem = `${choice.service.name} ${formatSocketAddress(choice.endpoint)}: ${endpoint.message}`;
      tried.add(endpointKey(choice.endpoint));
    }
    return refused(tried.size === 0 ? 'no_endpoints' : 'endpoint_unreachable', problem);
  }

  async #link(choice: Choice, isPostgres: boolean): Promise<Socket | Error> {
    const { resting } = this.#host;
    const key = endpointKey(choice.endpoint);
    const addresses = () => ({ source: this.#client, destination: this.#destination() });
    try {
      const link = await linkEndpoint({ ...choice, addresses, isPostgres, highWaterMark: maxWaitingBytes });
      resting.forgive(key);
      return link;
    } catch (error) {
      resting.rest(key);
      return error as Error;
    }
  }

  /** Asked for only where an endpoint is told: it costs a system call. */
  #destination(): SocketAddress {
    const { localAddress = '', localPort = 0 } = this.#socket;
    return this.#proxiedDestination ?? { address: plainAddress(localAddress), port: localPort };
  }

  #relayTo(choice: Choice, endpoint: Socket, bytes: Buffer): void {
    if (this.#isOver) {
      endpoint.destroy();
      return;
    }
    const { entryPoint, tally } = this.#host;
    this.#choice = choice;
    tally.forward();
    this.#relay = new Relay({
      client: this.#stream,
      endpoint,
      idleTimeoutMs: entryPoint.idleTimeoutMs ?? 0,
      halfClosedIdleMs:
        choice.service.terminationDelayMs ?? entryPoint.halfClosedIdleMs ?? defaultHalfClosedIdleMs,
      onBytesIn: (count) => {
        this.#bytesIn += count;
        tally.bytesIn += count;
      },
      onBytesOut: (count) => {
        this.#bytesOut += count;
        tally.bytesOut += count;
      },
      onEnd: (reason) => this.#end(reason),
    });
    this.#relay.start(bytes);
  }

  #refuse(refusal: Refusal): void {
    if (this.#isOver) return;
    const { reason, detail } = refusal;
    this.#host.tally.refuse(reason);
    this.#over({ kind: 'refused', reason, ...(detail === undefined ? {} : { detail }) });
    // What has been written (an alert) is delivered first; a reset would overtake it.
    if (this.#stream === this.#socket && this.#socket.bytesWritten > 0) this.#socket.destroySoon();
    else resetSocket(this.#stream);
  }

  #end(reason: TcpEndReason): void {
    if (this.#isOver) return;
    this.#host.tally.end(reason);
    this.#over({ kind: 'ended', reason });
  }

  #over(outcome: TcpConnectionRecord['outcome']): void {
    this.#isOver = true;
    if (this.#isCountedForClient) this.#host.clients.remove(this.#client.address);
    this.#heldRoute?.inFlight.remove(this.#client.address);
    this.#host.onOver(this, this.#record(outcome));
  }

  #record(outcome: TcpConnectionRecord['outcome']): TcpConnectionRecord {
    const choice = this.#choice;
    return {
      entryPoint: this.#host.entryPoint.name,
      client: formatSocketAddress(this.#client),
      ...(this.#serverName === undefined ? {} : { serverName: this.#serverName }),
      ...(this.#routeName === undefined ? {} : { route: this.#routeName }),
      ...(choice ? { service: choice.service.name, endpoint: formatSocketAddress(choice.endpoint) } : {}),
      outcome,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      durationMs: this.#host.nowMs() - this.#acceptedAtMs,
    };
  }
}

function refused(reason: TcpRefusalReason, detail?: string): Refusal {
  return { kind: 'refused', reason, ...(detail === undefined ? {} : { detail }) };
}
