import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { isAvailable, type Libc, loadLibc, type Poller } from '../../../../src/dataplane/native/index.ts';
import { counterCount } from '../../../../src/dataplane/udp/core/counter-slots.ts';
import { Channels } from '../../../../src/dataplane/udp/native/channels.ts';
import { FileLedger } from '../../../../src/dataplane/udp/native/file-ledger.ts';
import { errorCounters, NativeEntryPoint } from '../../../../src/dataplane/udp/native/native-entry-point.ts';
import { forwardTo } from '../support.ts';

const loaded = loadLibc();
const sessions = 100_000;

/** Bytes outside V8's heap, where all of a session is, once what is not in use has been freed. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().arrayBuffers;
}

describe.skipIf(!isAvailable(loaded))('a session of the native engine (needs Linux and koffi)', () => {
  if (!isAvailable(loaded)) return;

  it('takes at most 1 KiB when there are 100,000', () => {
    // The sockets are the kernel's memory, and more than a process may usually have: they are left out.
    let lastFd = 1_000;
    const libc: Libc = { ...loaded, socket: () => ++lastFd, connect: () => 0, setsockopt: () => 0 };
    const channels = new Channels(libc, new FileLedger(libc, FileLedger.allocate()), sessions);
    const before = bytesInUse();
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
      counters: new Float64Array(counterCount),
      errors: new Float64Array(errorCounters),
      allocateCounters: (values) => new Float64Array(values),
      beforeSessionEnds: () => {},
      drainChannel: () => {},
    });
    entryPoint.apply(forwardTo([{ address: '127.0.0.1', port: 9, state: 'ready' }]).udp[0]);
    const client = new Int32Array(8);
    for (let number = 0; number < sessions; number++) {
      client[1] = number;
      entryPoint.writeKey(0, client, 0);
      const session = entryPoint.core.admit(100, 0);
      entryPoint.channels.reach(session, entryPoint.core.chooseSlot(session, 0, -1));
    }
    expect(channels.count).toBe(sessions);
    expect(entryPoint.core.sessions.size).toBe(sessions);

    expect((bytesInUse() - before) / sessions).toBeLessThanOrEqual(1_024);
  });
});
