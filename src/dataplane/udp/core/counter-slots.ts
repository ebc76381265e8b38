/**
 * The counters of one entry point on one thread: a row of doubles, in shared memory where the thread is a worker. One
 * writer; any reader. A double counts exactly up to 2^53.
 */

import {
  type UdpDropReason,
  type UdpEndpointCounters,
  type UdpEntryPointCounters,
  udpDropReasons,
} from '../../udp-engine.ts';
import { type EndpointSlots, endpointCounterCount, endpointState } from './endpoint-slots.ts';

const names = [
  'datagramsIn',
  'bytesIn',
  'datagramsForwarded',
  'bytesForwarded',
  'repliesIn',
  'datagramsOut',
  'bytesOut',
  'sessions',
  'sessionsOpened',
  'sessionsExpired',
  'sessionsEvicted',
  'sessionsAnswered',
  'sessionsMoved',
  'datagramsBounced',
  'datagramsRetried',
  'kernelDrops',
  'replyKernelDrops',
  'clientsForgotten',
  'socketsGivenUp',
  'endpointsLeftOut',
] as const;

type CounterName = (typeof names)[number];

/** The place of each counter in the row. Drop reasons follow, in the order of `udpDropReasons`. */
export const counter = Object.fromEntries(names.map((name, at) => [name, at])) as Readonly<
  Record<CounterName, number>
>;
/** The place of the first drop reason. */
export const firstDropCounter = names.length;
export const counterCount = names.length + udpDropReasons.length;

/** The sum of the rows of an entry point's threads. */
export function readCounters(
  entryPoint: string,
  rows: readonly Float64Array[],
  endpoints: readonly UdpEndpointCounters[],
  sendErrors: Readonly<Record<string, number>>,
): UdpEntryPointCounters {
  const sum = (at: number) => rows.reduce((total, row) => total + (row[at] ?? 0), 0);
  const largest = (at: number) => Math.max(0, ...rows.map((row) => row[at] ?? 0));
  const values = Object.fromEntries(names.map((name, at) => [name, sum(at)])) as Record<CounterName, number>;
  const drops = Object.fromEntries(
    udpDropReasons.map((reason, code) => [reason, sum(firstDropCounter + code)]),
  ) as Record<UdpDropReason, number>;
  const workers = rows.map((row) => row[counter.datagramsIn] ?? 0);
  // All threads have the same table.
  const endpointsLeftOut = largest(counter.endpointsLeftOut);
  return {
    entryPoint,
    ...values,
    endpointsLeftOut,
    sessionRecordsMissed: 0,
    drops,
    sendErrors,
    endpoints,
    workers,
  };
}

/** The counters of the endpoints that are not gone. */
export function readEndpointCounters(slots: EndpointSlots): UdpEndpointCounters[] {
  const found: UdpEndpointCounters[] = [];
  for (const [slot, description] of slots.descriptions.entries()) {
    if (!description) continue;
    const at = slot * endpointCounterCount;
    const [datagrams = 0, bytes = 0, replies = 0, replyBytes = 0] = slots.counters.subarray(
      at,
      at + endpointCounterCount,
    );
    const state = slots.state[slot] === endpointState.terminating ? 'terminating' : 'ready';
    found.push({ ...description, state, datagrams, bytes, replies, replyBytes });
  }
  return found;
}
