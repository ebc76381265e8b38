/**
 * What became of each session, told when it is over: a row of a bounded ring. One writer, one reader, perhaps on different
 * threads. The writer never waits: what the reader has not fetched in time is overwritten, and counted by the reader as
 * missed.
 */

import { type UdpSessionRecord, udpSessionEnds } from '../../udp-engine.ts';
import { addressWords, formatAddress, formatHostPort } from './address.ts';
import { grown } from './key-table.ts';

const column = {
  client: 0,
  clientPort: 4,
  endpoint: 5,
  endpointPort: 9,
  datagramsIn: 10,
  bytesIn: 11,
  datagramsOut: 12,
  bytesOut: 13,
  durationMs: 14,
  reason: 15,
} as const;
const columns = 16;
const headerBytes = 8;

/** Of one entry point in one thread, for as long as the reader is away. */
const records = 2_048;

export function allocateSessionLog(): SharedArrayBuffer {
  return new SharedArrayBuffer(headerBytes + records * columns * 8);
}

/** What is counted of the sessions that are open, beside what the session table holds, and where it goes. */
export class SessionAccounts {
  datagramsIn = new Float64Array(0);
  datagramsOut = new Float64Array(0);
  startedMs = new Float64Array(0);
  /** The slot that has answered last, or -1. */
  answeredBy = new Int32Array(0);
  readonly #written: Int32Array;
  readonly #rows: Float64Array;
  #count = 0;

  constructor(shared: SharedArrayBuffer) {
    this.#written = new Int32Array(shared, 0, 1);
    this.#rows = new Float64Array(shared, headerBytes);
    this.#count = Atomics.load(this.#written, 0);
  }

  grow(capacity: number): void {
    this.datagramsIn = grown(this.datagramsIn, new Float64Array(capacity));
    this.datagramsOut = grown(this.datagramsOut, new Float64Array(capacity));
    this.startedMs = grown(this.startedMs, new Float64Array(capacity));
    this.answeredBy = grown(this.answeredBy, new Int32Array(capacity));
  }

  start(session: number, nowMs: number): void {
    this.datagramsIn[session] = 0;
    this.datagramsOut[session] = 0;
    this.startedMs[session] = nowMs;
    this.answeredBy[session] = -1;
  }

  /** Those slots may be others' from now on. */
  forgetSlots(gone: readonly number[]): void {
    const { answeredBy } = this;
    for (let session = 0; session < answeredBy.length; session++) {
      if (gone.includes(answeredBy[session] as number)) answeredBy[session] = -1;
    }
  }

  /** `client` and `endpoints` with where the addresses are in them; an `endpointPort` below 0: no endpoint is known. */
  end(
    session: number,
    client: Uint32Array,
    clientAt: number,
    clientPort: number,
    endpoints: Uint32Array,
    endpointAt: number,
    endpointPort: number,
    bytesIn: number,
    bytesOut: number,
    lastActiveMs: number,
    reason: number,
  ): void {
    const rows = this.#rows;
    const row = (this.#count % records) * columns;
    for (let word = 0; word < addressWords; word++) {
      rows[row + column.client + word] = client[clientAt + word] as number;
      rows[row + column.endpoint + word] = endpointPort < 0 ? 0 : (endpoints[endpointAt + word] as number);
    }
    rows[row + column.clientPort] = clientPort;
    rows[row + column.endpointPort] = endpointPort;
    rows[row + column.datagramsIn] = this.datagramsIn[session] as number;
    rows[row + column.bytesIn] = bytesIn;
    rows[row + column.datagramsOut] = this.datagramsOut[session] as number;
    rows[row + column.bytesOut] = bytesOut;
    rows[row + column.durationMs] = lastActiveMs - (this.startedMs[session] as number);
    rows[row + column.reason] = reason;
    this.#count = (this.#count + 1) % 0x4000_0000;
    Atomics.store(this.#written, 0, this.#count);
  }
}

export class SessionLogReader {
  /** Records that were overwritten before they were read. */
  missed = 0;
  readonly #entryPoint: string;
  readonly #written: Int32Array;
  readonly #rows: Float64Array;
  #read = 0;

  constructor(entryPoint: string, shared: SharedArrayBuffer) {
    this.#entryPoint = entryPoint;
    this.#written = new Int32Array(shared, 0, 1);
    this.#rows = new Float64Array(shared, headerBytes);
  }

  /** What ended since the last call, oldest first. `route`: the one in force. */
  read(route: string | undefined): UdpSessionRecord[] {
    const end = Atomics.load(this.#written, 0);
    // The count begins again long before it is too large.
    if (end < this.#read) this.#read = 0;
    const first = Math.max(this.#read, end - records);
    const found: UdpSessionRecord[] = [];
    for (let at = first; at < end; at++) found.push(this.#record((at % records) * columns, route));
    // What was overwritten while it was being read is no record of anything.
    const overwritten = Math.max(0, Atomics.load(this.#written, 0) - records - first);
    this.missed += first - this.#read + Math.min(overwritten, found.length);
    this.#read = end;
    return found.slice(overwritten);
  }

  #record(row: number, route: string | undefined): UdpSessionRecord {
    const value = (at: number) => this.#rows[row + at] as number;
    const placeAt = (address: number, port: number) => {
      const words = Uint32Array.from([0, 1, 2, 3], (word) => value(address + word));
      return formatHostPort(formatAddress(words), value(port));
    };
    return {
      entryPoint: this.#entryPoint,
      client: placeAt(column.client, column.clientPort),
      ...(route === undefined ? {} : { route }),
      ...(value(column.endpointPort) < 0 ? {} : { endpoint: placeAt(column.endpoint, column.endpointPort) }),
      reason: udpSessionEnds[value(column.reason)] ?? 'shut',
      datagramsIn: value(column.datagramsIn),
      bytesIn: value(column.bytesIn),
      datagramsOut: value(column.datagramsOut),
      bytesOut: value(column.bytesOut),
      durationMs: value(column.durationMs),
    };
  }
}
