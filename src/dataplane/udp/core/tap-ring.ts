/**
 * A bounded ring of what happened to sampled datagrams: who, where to, how large, which verdict; never what was in them.
 * One writer, one reader, perhaps on different threads. The writer never waits: what the reader has not fetched in time is
 * overwritten, and counted by the reader as missed.
 */

import { type UdpDropReason, type UdpTap, type UdpTapRecord, udpDropReasons } from '../../udp-engine.ts';
import { addressWords, formatAddress } from './address.ts';

const column = {
  atMs: 0,
  isReply: 1,
  client: 2,
  clientPort: 6,
  endpoint: 7,
  endpointPort: 11,
  bytes: 12,
  verdict: 13,
} as const;
const columns = 14;
const headerBytes = 8;

/** Forwarded or delivered, where other verdicts are drop codes. */
const passed = -1;

export function allocateTap(records: number): SharedArrayBuffer {
  return new SharedArrayBuffer(headerBytes + records * columns * 8);
}

export class TapWriter {
  readonly #written: Int32Array;
  readonly #rows: Float64Array;
  readonly #records: number;
  readonly #every: number;
  #untilNext = 1;
  #count = 0;

  /** `every`: one of so many datagrams is noted. */
  constructor(shared: SharedArrayBuffer, every: number) {
    this.#written = new Int32Array(shared, 0, 1);
    this.#rows = new Float64Array(shared, headerBytes);
    this.#records = this.#rows.length / columns;
    this.#every = every;
    this.#count = Atomics.load(this.#written, 0);
  }

  /** Whether this datagram is one to be noted. */
  isDue(): boolean {
    if (--this.#untilNext > 0) return false;
    this.#untilNext = this.#every;
    return true;
  }

  /** `endpoints` and `slot`: where its address is, -1 for none. `code`: a drop code, or -1. */
  note(
    nowMs: number,
    isReply: boolean,
    client: Uint32Array,
    clientAt: number,
    clientPort: number,
    endpoints: Uint32Array,
    slot: number,
    endpointPort: number,
    bytes: number,
    code: number,
  ): void {
    const rows = this.#rows;
    const row = (this.#count % this.#records) * columns;
    rows[row + column.atMs] = performance.timeOrigin + nowMs;
    rows[row + column.isReply] = isReply ? 1 : 0;
    for (let word = 0; word < addressWords; word++) {
      rows[row + column.client + word] = client[clientAt + word] as number;
      rows[row + column.endpoint + word] = slot < 0 ? 0 : (endpoints[slot * addressWords + word] as number);
    }
    rows[row + column.clientPort] = clientPort;
    rows[row + column.endpointPort] = slot < 0 ? -1 : endpointPort;
    rows[row + column.bytes] = bytes;
    rows[row + column.verdict] = code;
    this.#count = (this.#count + 1) | 0;
    Atomics.store(this.#written, 0, this.#count);
  }
}

export class TapReader {
  /** Records that were overwritten before they were read. */
  missed = 0;
  readonly #entryPoint: string;
  readonly #written: Int32Array;
  readonly #rows: Float64Array;
  readonly #records: number;
  #read = 0;

  constructor(entryPoint: string, shared: SharedArrayBuffer) {
    this.#entryPoint = entryPoint;
    this.#written = new Int32Array(shared, 0, 1);
    this.#rows = new Float64Array(shared, headerBytes);
    this.#records = this.#rows.length / columns;
  }

  /** What was noted since the last call, oldest first. */
  read(): UdpTapRecord[] {
    const end = Atomics.load(this.#written, 0);
    const first = Math.max(this.#read, end - this.#records);
    const found: UdpTapRecord[] = [];
    for (let at = first; at < end; at++) found.push(this.#record((at % this.#records) * columns));
    // What was overwritten while it was being read is no record of anything.
    const overwritten = Math.max(0, Atomics.load(this.#written, 0) - this.#records - first);
    this.missed += first - this.#read + overwritten;
    this.#read = end;
    return found.slice(overwritten);
  }

  #record(row: number): UdpTapRecord {
    const value = (at: number) => this.#rows[row + at] as number;
    const addressAt = (at: number) =>
      formatAddress(Uint32Array.from([0, 1, 2, 3], (word) => value(at + word)));
    const isReply = value(column.isReply) === 1;
    const code = value(column.verdict);
    const port = value(column.endpointPort);
    return {
      atMs: value(column.atMs),
      entryPoint: this.#entryPoint,
      direction: isReply ? 'reply' : 'request',
      client: { address: addressAt(column.client), port: value(column.clientPort) },
      ...(port < 0 ? {} : { endpoint: { address: addressAt(column.endpoint), port } }),
      bytes: value(column.bytes),
      verdict: code === passed ? 'passed' : (udpDropReasons[code] as UdpDropReason),
    };
  }
}

export const defaultTapRecords = 1_024;

/** What several rings hold, as one. */
export function joinTaps(readers: readonly TapReader[], close: () => void): UdpTap {
  return {
    read: () => readers.flatMap((reader) => reader.read()),
    missed: () => readers.reduce((sum, { missed }) => sum + missed, 0),
    close,
  };
}
