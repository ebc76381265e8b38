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
  /** In the place of the one of its name, which is shut once this one is open; else it goes on. */
  replace(entryPoint: EntryPoint): Promise<readonly BoundAddress[]>;
  shut(name: string): Promise<void>;
}

export interface EntryPointFailure {
  readonly entryPoint: EntryPoint;
  readonly error: unknown;
  /** What goes on in its place: the entry point as it was. */
  readonly kept?: OpenEntryPoint;
}

export interface EntryPointSet {
  /**
   * Shuts what is gone, opens what is new, and puts what is changed in the place of what it was. What cannot be opened is
   * given back, and is tried again by the next call; all others are open when it resolves.
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
  readonly onShut?: (shut: OpenEntryPoint) => void;
}

export function createEntryPointSet(options: EntryPointSetOptions): EntryPointSet {
  const entryPoints = new OpenEntryPoints(options);
  let running: Promise<unknown> = Promise.resolve();
  return {
    open: entryPoints.open,
    set(wanted) {
      const next = running.then(() => entryPoints.reconcile(wanted));
      running = next.catch(() => {});
      return next;
    },
  };
}

class OpenEntryPoints {
  readonly open = new Map<string, OpenEntryPoint>();
  private readonly options: EntryPointSetOptions;
  /**
   * Changes that took a port from ourselves in vain, by name. They are tried once: each try interrupts the traffic of what
   * goes on instead.
   */
  private readonly hopeless = new Map<string, EntryPointFailure>();

  constructor(options: EntryPointSetOptions) {
    this.options = options;
  }

  async reconcile(all: readonly EntryPoint[]): Promise<EntryPointFailure[]> {
    const wanted = all.filter(({ protocol }) => this.options.openers[protocol]);
    for (const name of this.open.keys()) {
      if (!wanted.some((one) => one.name === name)) await this.shut(name);
    }
    const hopeless = wanted.filter((one) => this.isHopeless(one)).map(({ name }) => name);
    for (const name of this.hopeless.keys()) if (!hopeless.includes(name)) this.hopeless.delete(name);
    const pending = wanted.filter((one) => !this.isOpen(one) && !hopeless.includes(one.name));
    const failures = await this.openAll(pending);
    const inExchange = onlyInExchange(failures, this.open);
    for (const failure of await this.exchange(inExchange))
      this.hopeless.set(failure.entryPoint.name, failure);
    const others = failures.filter((failure) => !inExchange.includes(failure));
    return [...others, ...wanted.flatMap(({ name }) => this.failureOf(name))];
  }

  /** One that fails may find its port free after another has moved: as long as some move, the others are tried again. */
  private async openAll(entryPoints: readonly EntryPoint[]): Promise<EntryPointFailure[]> {
    const failures: EntryPointFailure[] = [];
    for (const entryPoint of entryPoints) {
      const failure = await this.put(entryPoint);
      if (failure) failures.push(failure);
    }
    const hasMoved = failures.length < entryPoints.length;
    return hasMoved && failures.length > 0
      ? this.openAll(failures.map(({ entryPoint }) => entryPoint))
      : failures;
  }

  /** Shuts them all, then opens them where they are to be; what then cannot be opened is opened again where it was. */
  private async exchange(group: readonly EntryPointFailure[]): Promise<EntryPointFailure[]> {
    const before = new Map(group.map(({ entryPoint: { name } }) => [name, this.open.get(name)]));
    for (const name of before.keys()) await this.shut(name);
    const failures: EntryPointFailure[] = [];
    for (const { entryPoint } of group) {
      const failure = await this.put(entryPoint);
      if (failure) failures.push(failure);
    }
    for (const { entryPoint } of failures) {
      const was = before.get(entryPoint.name)?.entryPoint;
      if (was) await this.put(was);
    }
    return failures;
  }

  private async put(entryPoint: EntryPoint): Promise<EntryPointFailure | undefined> {
    const { openers, onOpen, onShut } = this.options;
    const { name, protocol } = entryPoint;
    const before = this.open.get(name);
    const isReplaced = before?.entryPoint.protocol === protocol;
    // Two sockets on one port would only share its traffic where the kernel allows them at all.
    if (isReplaced && isSamePlace(before.entryPoint, entryPoint)) {
      return { entryPoint, error: new Error('it has the port itself') };
    }
    try {
      const opener = openers[protocol];
      const bound = (await (isReplaced ? opener?.replace(entryPoint) : opener?.open(entryPoint))) ?? [];
      if (before && !isReplaced) await openers[before.entryPoint.protocol]?.shut(name);
      this.open.set(name, { entryPoint, bound });
      onOpen?.({ entryPoint, bound });
      if (before) onShut?.(before);
      return undefined;
    } catch (error) {
      return { entryPoint, error, ...(before ? { kept: before } : {}) };
    }
  }

  private async shut(name: string): Promise<void> {
    const { openers, onShut } = this.options;
    const present = this.open.get(name);
    if (!present) return;
    this.open.delete(name);
    await openers[present.entryPoint.protocol]?.shut(name);
    onShut?.(present);
  }

  private isOpen(entryPoint: EntryPoint): boolean {
    const present = this.open.get(entryPoint.name);
    return present !== undefined && isSame(present.entryPoint, entryPoint);
  }

  private isHopeless(entryPoint: EntryPoint): boolean {
    const tried = this.hopeless.get(entryPoint.name);
    return tried !== undefined && this.open.has(entryPoint.name) && isSame(tried.entryPoint, entryPoint);
  }

  private failureOf(name: string): EntryPointFailure[] {
    const failure = this.hopeless.get(name);
    if (!failure) return [];
    const kept = this.open.get(name);
    return [{ ...failure, ...(kept ? { kept } : {}) }];
  }
}

/**
 * Of entry points that could not be opened those whose port one of ours has that is itself to move, and so on around: all
 * of these can only be had by shutting them first.
 */
function onlyInExchange(
  failures: readonly EntryPointFailure[],
  open: ReadonlyMap<string, OpenEntryPoint>,
): EntryPointFailure[] {
  const holdersOf = (wanted: EntryPoint) =>
    [...open.values()].filter(({ entryPoint }) => isSamePlace(entryPoint, wanted));
  let group = failures.filter(({ entryPoint }) => holdersOf(entryPoint).length > 0);
  for (;;) {
    const names = new Set(group.map(({ entryPoint }) => entryPoint.name));
    const next = group.filter(({ entryPoint }) =>
      holdersOf(entryPoint).every((holder) => names.has(holder.entryPoint.name)),
    );
    if (next.length === group.length) return group;
    group = next;
  }
}

/** Whether one keeps the other from being opened. Port 0 is whichever is free. */
function isSamePlace(left: EntryPoint, right: EntryPoint): boolean {
  const isSamePort = left.protocol === right.protocol && left.port === right.port && left.port !== 0;
  return isSamePort && (left.host === right.host || isEveryAddress(left.host) || isEveryAddress(right.host));
}

const isEveryAddress = (host: string) => host === '' || host === '::' || host === '0.0.0.0';

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

export function udpOpener(engine: Pick<UdpEngine, 'open' | 'replace' | 'shut'>): EntryPointOpener {
  return {
    open: (entryPoint) =>
      onEveryAddress(entryPoint.host, (address) =>
        engine.open(udpEntryPoint(entryPoint), [{ kind: 'address', address, port: entryPoint.port }]),
      ),
    replace: (entryPoint) =>
      onEveryAddress(entryPoint.host, (address) =>
        engine.replace(udpEntryPoint(entryPoint), [{ kind: 'address', address, port: entryPoint.port }]),
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
