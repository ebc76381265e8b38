/** The counters of one entry point. Every accepted connection is in exactly one place of them. */

import {
  type TcpEndReason,
  type TcpEntryPointCounters,
  type TcpRefusalReason,
  tcpEndReasons,
  tcpRefusalReasons,
} from '../tcp-engine.ts';

export class Tally {
  accepted = 0;
  opening = 0;
  forwarded = 0;
  open = 0;
  bytesIn = 0;
  bytesOut = 0;
  connectRetries = 0;
  readonly refused = zeros(tcpRefusalReasons);
  readonly ended = zeros(tcpEndReasons);

  accept(): void {
    this.accepted++;
    this.opening++;
  }

  refuse(reason: TcpRefusalReason): void {
    this.opening--;
    this.refused[reason]++;
  }

  forward(): void {
    this.opening--;
    this.forwarded++;
    this.open++;
  }

  end(reason: TcpEndReason): void {
    this.open--;
    this.ended[reason]++;
  }

  snapshot(entryPoint: string): TcpEntryPointCounters {
    const { accepted, opening, forwarded, open, bytesIn, bytesOut, connectRetries } = this;
    const sums = { accepted, opening, forwarded, open, bytesIn, bytesOut, connectRetries };
    return { entryPoint, ...sums, refused: { ...this.refused }, ended: { ...this.ended } };
  }
}

function zeros<Key extends string>(keys: readonly Key[]): Record<Key, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>;
}

/** How many of something each key holds; keys that hold none take no room. */
export class CountByKey {
  readonly #counts = new Map<string, number>();

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string): void {
    this.#counts.set(key, this.of(key) + 1);
  }

  remove(key: string): void {
    const left = this.of(key) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}
