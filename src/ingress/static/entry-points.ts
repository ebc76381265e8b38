/** Entry points from their options. */

import { isAddressRange, type UdpBalance } from '../../dataplane/index.ts';
import type { Diagnostic, SourcePosition } from '../../diagnostics/index.ts';
import { parseEntryPointAddress } from './address.ts';
import { parseDurationMs } from './duration.ts';
import type { OptionReader } from './option-reader.ts';

export interface EntryPoint {
  readonly name: string;
  /** '' listens on every address. */
  readonly host: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** How long a UDP session lives without a datagram. */
  readonly udpTimeoutMs: number;
  /** Where the address was written. */
  readonly position: SourcePosition;
  /** Several processes may listen on the address. */
  readonly reusePort?: boolean;
  /** TCP routes without entry points use the default ones, where there are any. */
  readonly asDefault?: boolean;
  /** On shutdown: how long new clients are still accepted. 0 when absent. */
  readonly acceptGraceMs?: number;
  /** On shutdown: how long connections and sessions may go on. 10,000 when absent, as Traefik's. */
  readonly graceTimeoutMs?: number;
  /** TCP: how long the first bytes of a client may take. */
  readonly readTimeoutMs?: number;
  /** TCP: who may name the client in a PROXY protocol header. */
  readonly proxyProtocol?: { readonly trustedSources: readonly string[] } | { readonly trustAll: true };
  /** What only sluice has. */
  readonly limits?: EntryPointLimits;
}

/** The options `entrypoints.NAME.sluice.*`. Absent: no limit, or the engine's own. */
export interface EntryPointLimits {
  readonly balance?: UdpBalance;
  readonly maxSessions?: number;
  readonly maxSessionsPerClient?: number;
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  /** Datagrams a second. */
  readonly rate?: number;
  /** Datagrams a second of one client address. */
  readonly ratePerClient?: number;
  readonly maxDatagramBytes?: number;
  readonly maxAmplification?: number;
  readonly maxConnections?: number;
  readonly maxConnectionsPerClient?: number;
  readonly idleTimeoutMs?: number;
  readonly removedEndpointGraceMs?: number;
}

/** Traefik's `DefaultUDPTimeout`. */
const defaultUdpTimeoutMs = 3000;
const balances: readonly UdpBalance[] = ['datagram', 'session', 'source'];

/** One entry point, or none and a diagnostic. */
export function readEntryPoint(name: string, options: OptionReader, diagnostics: Diagnostic[]): EntryPoint[] {
  const address = options.text('address');
  const position = options.position('address') ?? options.first?.position;
  if (!position) return [];
  const parsed = address === undefined ? 'has no address' : parseEntryPointAddress(address);
  if (typeof parsed === 'string') {
    const message =
      address === undefined ? `entry point ${name} ${parsed}` : `entry point ${name}: ${parsed}`;
    const hint = `Write it as \`--entrypoints.${name}.address=:9998/udp\`: [host]:port[/tcp|/udp].`;
    diagnostics.push({ code: 'SL3001', severity: 'error', message, position, hint });
    return [];
  }
  const timeout = options.text('udp.timeout');
  const udpTimeoutMs = timeout === undefined ? defaultUdpTimeoutMs : parseDurationMs(timeout);
  if (!udpTimeoutMs) {
    const message = `entry point ${name}: udp.timeout ${JSON.stringify(timeout)} is not a duration above zero`;
    const place = options.position('udp.timeout') ?? position;
    diagnostics.push({ code: 'SL3001', severity: 'error', message, position: place });
    return [];
  }
  const limits = readLimits(options);
  return [
    {
      name,
      ...parsed,
      udpTimeoutMs,
      position,
      ...present({
        reusePort: options.flag('reuseport') || undefined,
        asDefault: options.flag('asdefault') || undefined,
        acceptGraceMs: options.durationMs('transport.lifecycle.requestacceptgracetimeout'),
        graceTimeoutMs: options.durationMs('transport.lifecycle.gracetimeout'),
        readTimeoutMs: options.durationMs('transport.respondingtimeouts.readtimeout'),
        proxyProtocol: readProxyProtocol(options),
        limits: Object.keys(limits).length > 0 ? limits : undefined,
      }),
    },
  ];
}

function readProxyProtocol(options: OptionReader): EntryPoint['proxyProtocol'] {
  if (options.flag('proxyprotocol.insecure')) return { trustAll: true };
  const trustedSources = addresses(options, 'proxyprotocol.trustedips');
  return trustedSources && { trustedSources };
}

function readLimits(options: OptionReader): EntryPointLimits {
  return present({
    balance: options.choice('sluice.balance', balances),
    maxSessions: options.number('sluice.maxsessions'),
    maxSessionsPerClient: options.number('sluice.maxsessionsperclient'),
    allow: addresses(options, 'sluice.allow'),
    deny: addresses(options, 'sluice.deny'),
    rate: options.number('sluice.rate'),
    ratePerClient: options.number('sluice.rateperclient'),
    maxDatagramBytes: options.number('sluice.maxdatagrambytes'),
    maxAmplification: options.number('sluice.maxamplification'),
    maxConnections: options.number('sluice.maxconnections'),
    maxConnectionsPerClient: options.number('sluice.maxconnectionsperclient'),
    idleTimeoutMs: options.durationMs('sluice.idletimeout'),
    removedEndpointGraceMs: options.durationMs('sluice.removedendpointgrace'),
  });
}

function addresses(options: OptionReader, path: string): string[] | undefined {
  const list = options.list(path);
  const wrong = list?.find((item) => !isAddressRange(item));
  if (wrong === undefined) return list;
  return options.refuse(path, `not a list of addresses and CIDR ranges (${wrong})`);
}

type Present<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** Without the fields that are undefined. */
export function present<Fields extends object>(fields: Fields): Present<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Present<Fields>;
}
