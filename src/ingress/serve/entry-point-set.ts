/** Which entry points listen: opened and shut one by one, so that a change of one leaves the others' traffic alone. */

import { isDeepStrictEqual } from 'node:util';
import type { UdpEngine, UdpEntryPoint } from '../../dataplane/index.ts';
import type { EntryPoint } from '../static/entry-points.ts';
import { present } from '../static/entry-points.ts';

export interface BoundAddress {
  readonly address: string;
  readonly port: number;
}

/** What opens and shuts the entry points of one protocol. */
export interface EntryPointOpener {
  open(entryPoint: EntryPoint): Promise<readonly BoundAddress[]>;
  shut(name: string): Promise<void>;
}

export interface EntryPointFailure {
  readonly entryPoint: EntryPoint;
  readonly error: unknown;
}

export interface EntryPointSet {
  /**
   * Shuts what is gone or changed, opens what is new. What cannot be opened is given back, and is tried again by the
   * next call; all others are open when it resolves.
   */
  set(wanted: readonly EntryPoint[]): Promise<readonly EntryPointFailure[]>;
  /** By name. */
  readonly open: ReadonlyMap<string, OpenEntryPoint>;
}

export interface OpenEntryPoint {
  readonly entryPoint: EntryPoint;
  readonly bound: readonly BoundAddress[];
}

export interface EntryPointSetOptions {
  /** An entry point of a protocol without an opener is left out. */
  readonly openers: { readonly udp?: EntryPointOpener; readonly tcp?: EntryPointOpener };
  readonly onOpen?: (open: OpenEntryPoint) => void;
  readonly onShut?: (entryPoint: EntryPoint) => void;
}

export function createEntryPointSet({ openers, onOpen, onShut }: EntryPointSetOptions): EntryPointSet {
  const open = new Map<string, OpenEntryPoint>();
  const reconcile = async (wanted: readonly EntryPoint[]): Promise<EntryPointFailure[]> => {
    const served = wanted.filter(({ protocol }) => openers[protocol]);
    for (const { entryPoint } of open.values()) {
      const next = served.find(({ name }) => name === entryPoint.name);
      if (next && isSame(next, entryPoint)) continue;
      open.delete(entryPoint.name);
      await openers[entryPoint.protocol]?.shut(entryPoint.name);
      onShut?.(entryPoint);
    }
    const failures: EntryPointFailure[] = [];
    for (const entryPoint of served) {
      if (open.has(entryPoint.name)) continue;
      try {
        const bound = (await openers[entryPoint.protocol]?.open(entryPoint)) ?? [];
        open.set(entryPoint.name, { entryPoint, bound });
        onOpen?.({ entryPoint, bound });
      } catch (error) {
        failures.push({ entryPoint, error });
      }
    }
    return failures;
  };
  let running: Promise<unknown> = Promise.resolve();
  return {
    open,
    set(wanted) {
      const next = running.then(() => reconcile(wanted));
      running = next.catch(() => {});
      return next;
    },
  };
}

/** Where it was written does not matter. */
function isSame(left: EntryPoint, right: EntryPoint): boolean {
  return isDeepStrictEqual({ ...left, position: undefined }, { ...right, position: undefined });
}

/** Every address of the machine: IPv6 and IPv4 on one socket where it has IPv6. */
export async function onEveryAddress<Result>(
  host: string,
  listen: (address: string) => Promise<Result>,
): Promise<Result> {
  if (host !== '') return listen(host);
  try {
    return await listen('::');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    return listen('0.0.0.0');
  }
}

export function udpOpener(engine: Pick<UdpEngine, 'open' | 'shut'>): EntryPointOpener {
  return {
    open: (entryPoint) =>
      onEveryAddress(entryPoint.host, (address) =>
        engine.open(udpEntryPoint(entryPoint), [{ kind: 'address', address, port: entryPoint.port }]),
      ),
    shut: (name) => engine.shut(name),
  };
}

/** The engine's view of an entry point. */
export function udpEntryPoint({ name, udpTimeoutMs, limits = {}, proxyProtocol }: EntryPoint): UdpEntryPoint {
  const rate = (datagramsPerSecond: number | undefined) =>
    datagramsPerSecond === undefined ? undefined : { datagramsPerSecond };
  return {
    name,
    idleTimeoutMs: udpTimeoutMs,
    ...present({
      balance: limits.balance,
      maxSessions: limits.maxSessions,
      maxSessionsPerClient: limits.maxSessionsPerClient,
      allow: limits.allow,
      deny: limits.deny,
      rate: rate(limits.rate),
      ratePerClient: rate(limits.ratePerClient),
      maxDatagramBytes: limits.maxDatagramBytes,
      maxAmplification: limits.maxAmplification,
      proxyProtocolFrom: trustedSources(proxyProtocol),
    }),
  };
}

function trustedSources(proxyProtocol: EntryPoint['proxyProtocol']): readonly string[] | undefined {
  if (!proxyProtocol) return undefined;
  return 'trustAll' in proxyProtocol ? ['0.0.0.0/0', '::/0'] : proxyProtocol.trustedSources;
}
