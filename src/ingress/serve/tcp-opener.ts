import type { TcpEngine, TcpEntryPoint } from '../../dataplane/index.ts';
import { type EntryPoint, present } from '../static/entry-points.ts';
import { type EntryPointOpener, onEveryAddress } from './entry-point-set.ts';

export function tcpOpener(engine: Pick<TcpEngine, 'open' | 'replace' | 'shut'>): EntryPointOpener {
  return {
    open: (entryPoint) =>
      onEveryAddress(entryPoint.host, (address) =>
        engine.open(tcpEntryPoint(entryPoint), [{ kind: 'address', address, port: entryPoint.port }]),
      ),
    replace: (entryPoint) =>
      onEveryAddress(entryPoint.host, (address) =>
        engine.replace(tcpEntryPoint(entryPoint), [{ kind: 'address', address, port: entryPoint.port }]),
      ),
    shut: (name) => engine.shut(name),
  };
}

/** The engine's view of an entry point. */
export function tcpEntryPoint(entryPoint: EntryPoint): TcpEntryPoint {
  const { name, limits = {}, proxyProtocol, readTimeoutMs, reusePort } = entryPoint;
  return {
    name,
    ...present({
      maxConnections: limits.maxConnections,
      maxConnectionsPerClient: limits.maxConnectionsPerClient,
      idleTimeoutMs: limits.idleTimeoutMs,
      removedEndpointGraceMs: limits.removedEndpointGraceMs,
      // 0 means no limit in Traefik: the engine has one all the same.
      openingTimeoutMs: readTimeoutMs || undefined,
      proxyProtocol,
      reusePort,
    }),
  };
}
