/** An entry point of the native engine without its worker: sessions are opened by hand, and `libc` may be watched. */

import type { Libc, Poller } from '../../../../src/dataplane/native/index.ts';
import { counterCount } from '../../../../src/dataplane/udp/core/counter-slots.ts';
import { Channels } from '../../../../src/dataplane/udp/native/channels.ts';
import { FileLedger } from '../../../../src/dataplane/udp/native/file-ledger.ts';
import { errorCounters, NativeEntryPoint } from '../../../../src/dataplane/udp/native/native-entry-point.ts';

export interface OneEntryPoint {
  readonly channels: Channels;
  readonly entryPoint: NativeEntryPoint;
  readonly counters: Float64Array;
  /** A datagram of the client with that number: gives its session's channel, or the negative errno. */
  readonly reach: (client: number, nowMs?: number) => number;
}

export function oneEntryPoint(libc: Libc, { sockets, sessions = sockets }: Limits): OneEntryPoint {
  const channels = new Channels(libc, new FileLedger(libc, FileLedger.allocate()), sockets);
  const counters = new Float64Array(counterCount);
  const entryPoint = new NativeEntryPoint({
    libc,
    channels,
    poller: { tryAdd: () => 0 } as unknown as Poller,
    serial: 1,
    number: 0,
    entryPoint: { name: 'test', maxSessions: sessions },
    listeners: [{ fd: 0, address: '127.0.0.1', port: 53, isIPv6: false, isWildcard: false }],
    seed: 1,
    worker: 0,
    share: 1,
    counters,
    errors: new Float64Array(errorCounters),
    allocateCounters: (values) => new Float64Array(values),
    beforeSessionEnds: () => {},
    drainChannel: () => {},
  });
  const address = new Int32Array(8);
  return {
    channels,
    entryPoint,
    counters,
    reach(client, nowMs = 0) {
      address[1] = client;
      entryPoint.writeKey(0, address, 0);
      const session = entryPoint.core.admit(100, nowMs);
      return entryPoint.channels.reach(session, entryPoint.core.chooseSlot(session, nowMs, -1));
    },
  };
}

interface Limits {
  readonly sockets: number;
  readonly sessions?: number;
}
