/** The command line in, an entry point and a route table out. */

import { InvalidArgumentError } from 'commander';
import {
  isAddressRange,
  type RouteTable,
  type TcpBalance,
  type TcpEntryPoint,
  type TcpService,
  type WeightedService,
} from '../../dataplane/index.ts';

export interface TcpProxyOptions {
  readonly balance: TcpBalance;
  /** Milliseconds, as all durations. */
  readonly timeout?: number;
  readonly connectTimeout: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerClient?: number;
  readonly allow: readonly string[];
  readonly proxyProtocol?: '1' | '2';
  readonly proxyProtocolFrom: readonly string[];
  readonly grace: number;
  readonly log?: boolean;
}

export const entryPointName = 'tcp';

/** Throws `InvalidArgumentError` for what is no address range. */
export function entryPointOf(options: TcpProxyOptions): TcpEntryPoint {
  const { timeout, maxConnections, maxConnectionsPerClient, allow, proxyProtocolFrom } = options;
  for (const text of [...allow, ...proxyProtocolFrom]) {
    if (!isAddressRange(text)) {
      throw new InvalidArgumentError(`"${text}" is not an address or a range, such as 10.0.0.0/8`);
    }
  }
  return {
    name: entryPointName,
    maxConnections,
    ...(timeout === undefined ? {} : { idleTimeoutMs: timeout }),
    ...(maxConnectionsPerClient === undefined ? {} : { maxConnectionsPerClient }),
    ...(proxyProtocolFrom.length > 0 ? { proxyProtocol: { trustedSources: proxyProtocolFrom } } : {}),
  };
}

export function tableOf(services: readonly WeightedService[], options: TcpProxyOptions): RouteTable {
  const { allow, balance, connectTimeout, proxyProtocol } = options;
  const reached = services.map(
    (service): TcpService => ({
      ...service,
      connectTimeoutMs: connectTimeout,
      ...(proxyProtocol ? { proxyProtocol: proxyProtocol === '1' ? 1 : 2 } : {}),
    }),
  );
  const route = {
    name: 'command line',
    priority: 0,
    rule: { kind: 'hostSni', host: '*' } as const,
    balance,
    services: reached,
    ...(allow.length > 0 ? { allowedSources: [allow] } : {}),
  };
  return { generation: 1, udp: [], tcp: [{ entryPoint: entryPointName, routes: [route] }] };
}
