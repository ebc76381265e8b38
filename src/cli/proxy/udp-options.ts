/** The command line in, an entry point and a route table out. */

import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { InvalidArgumentError } from 'commander';
import {
  type Endpoint,
  isAddressRange,
  linkInterfaces,
  type RouteTable,
  type UdpBalance,
  type UdpClientAddress,
  type UdpEntryPoint,
  type UdpRate,
  type UdpRoute,
  type WeightedService,
} from '../../dataplane/index.ts';

export interface UdpProxyOptions {
  readonly balance: UdpBalance;
  readonly engine: 'auto' | 'native' | 'dgram';
  readonly workers?: number;
  /** Milliseconds. */
  readonly timeout: number;
  readonly maxSessions: number;
  readonly maxSessionsPerClient?: number;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly rate?: UdpRate;
  readonly ratePerClient?: UdpRate;
  readonly maxDatagram?: number;
  readonly maxAmplification?: number;
  readonly responses?: number;
  readonly clientAddress?: UdpClientAddress;
  readonly proxyProtocolFrom: readonly string[];
}

export const entryPointName = 'udp';

export interface Place {
  readonly address: string;
  readonly port: number;
}

/** `:9998` is every address of this machine. Throws `InvalidArgumentError`. */
export function parseListen(text: string): Place {
  const { host, port } = splitHostPort(text);
  const address = host === '' ? '::' : host;
  if (isIP(address) === 0) {
    throw new InvalidArgumentError(`cannot listen on ${text}: "${host}" is not an address of a machine`);
  }
  const problem = linkProblem(address);
  if (problem) throw new InvalidArgumentError(`cannot listen on ${text}: ${problem}`);
  return { address, port };
}

/** Throws `InvalidArgumentError`, also for a name that cannot be looked up. */
export async function parseEndpoint(text: string): Promise<WeightedService> {
  const [place = '', weight = '1', ...rest] = text.split('=');
  if (rest.length > 0 || !/^\d+$/.test(weight)) {
    throw new InvalidArgumentError(
      `endpoint ${text}: the weight must be a whole number, as in 10.0.0.1:53=3`,
    );
  }
  const { host, port } = splitHostPort(place);
  if (host === '' || port === 0) throw new InvalidArgumentError(`endpoint ${text} must be HOST:PORT`);
  const problem = linkProblem(host);
  if (problem) throw new InvalidArgumentError(`endpoint ${text}: ${problem}`);
  const addresses = isIP(host) ? [host] : await addressesOf(host, text);
  const endpoints = addresses.map((address): Endpoint => ({ address, port, state: 'ready' }));
  return { name: place, weight: Number(weight), endpoints };
}

async function addressesOf(host: string, endpoint: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOTFOUND' ? 'there is no such host' : `its name cannot be looked up now (${code})`;
    throw new InvalidArgumentError(`endpoint ${endpoint}: ${why}`);
  }
}

/** Throws `InvalidArgumentError` for what is no address range. */
export function entryPointOf(options: UdpProxyOptions): UdpEntryPoint {
  for (const text of [...options.allow, ...options.deny, ...options.proxyProtocolFrom]) {
    if (!isAddressRange(text)) {
      throw new InvalidArgumentError(`"${text}" is not an address or a range, such as 10.0.0.0/8`);
    }
  }
  const { allow, deny, proxyProtocolFrom, maxSessionsPerClient, rate, ratePerClient } = options;
  const { maxDatagram, maxAmplification } = options;
  return {
    name: entryPointName,
    balance: options.balance,
    idleTimeoutMs: options.timeout,
    maxSessions: options.maxSessions,
    ...(allow.length > 0 ? { allow } : {}),
    ...(deny.length > 0 ? { deny } : {}),
    ...(proxyProtocolFrom.length > 0 ? { proxyProtocolFrom } : {}),
    ...(maxSessionsPerClient === undefined ? {} : { maxSessionsPerClient }),
    ...(rate ? { rate } : {}),
    ...(ratePerClient ? { ratePerClient } : {}),
    ...(maxDatagram === undefined ? {} : { maxDatagramBytes: maxDatagram }),
    ...(maxAmplification === undefined ? {} : { maxAmplification }),
  };
}

export function tableOf(services: readonly WeightedService[], options: UdpProxyOptions): RouteTable {
  const { responses, clientAddress } = options;
  const route: UdpRoute = {
    name: 'command line',
    services,
    ...(responses === undefined ? {} : { responses }),
    ...(clientAddress ? { clientAddress } : {}),
  };
  return { generation: 1, udp: [{ kind: 'forward', entryPoint: entryPointName, route }] };
}

/** What is wrong with an address that is good on one link only (fe80::/10), which has to be named; undefined for others. */
function linkProblem(host: string): string | undefined {
  if (!isIPv6(host)) return undefined;
  const [address = '', zone] = host.split('%');
  if (zone === undefined) {
    if (!/^fe[89ab]/i.test(address)) return undefined;
    return `a link-local address needs its interface, as in ${address}%eth0`;
  }
  const isThere = linkInterfaces().some(([name, index]) => name === zone || `${index}` === zone);
  return isThere ? undefined : `there is no interface "${zone}" with a link-local address`;
}

function splitHostPort(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    const hint = text.split(':').length > 2 ? ', an IPv6 address in brackets: [::1]:53' : '';
    throw new InvalidArgumentError(`"${text}" must be ADDRESS:PORT${hint}`);
  }
  return { host: match[1] ?? match[2] ?? '', port };
}
