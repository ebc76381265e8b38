import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { isAvailable, type Libc, loadLibc } from '../../../../src/dataplane/native/index.ts';
import { forwardTo } from '../support.ts';
import { oneEntryPoint } from './one-entry-point.ts';

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
    const before = bytesInUse();
    const { channels, entryPoint, reach } = oneEntryPoint(libc, { sockets: sessions });
    entryPoint.apply(forwardTo([{ address: '127.0.0.1', port: 9, state: 'ready' }]).udp[0]);
    for (let client = 0; client < sessions; client++) reach(client);
    expect(channels.count).toBe(sessions);
    expect(entryPoint.core.sessions.size).toBe(sessions);

    expect((bytesInUse() - before) / sessions).toBeLessThanOrEqual(1_024);
  });
});
