import type { Socket } from 'node:dgram';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  errno,
  isAvailable,
  type Libc,
  linux,
  loadLibc,
  localAddress,
  NativeMemory,
} from '../../../../src/dataplane/native/index.ts';
import { counter, firstDropCounter } from '../../../../src/dataplane/udp/core/counter-slots.ts';
import { dropCode } from '../../../../src/dataplane/udp/core/verdicts.ts';
import { forwardTo, type Place, startBackend } from '../support.ts';
import { type OneEntryPoint, oneEntryPoint } from './one-entry-point.ts';

const loaded = loadLibc();

describe.skipIf(!isAvailable(loaded))('a native entry point without sockets to spare (needs koffi)', () => {
  if (!isAvailable(loaded)) return;
  const libc: Libc = loaded;

  /** Real sockets, which are counted when they are opened. */
  function entryPointWith(limits: { sockets: number; sessions: number }, endpoints: readonly Place[]) {
    let opened = 0;
    const counting: Libc = {
      ...libc,
      socket: (...values) => {
        opened++;
        return libc.socket(...values);
      },
    };
    const made = oneEntryPoint(counting, limits);
    const ready = endpoints.map(({ address, port }) => ({ address, port, state: 'ready' as const }));
    made.entryPoint.apply(forwardTo(ready, { balance: 'session' }).udp[0]);
    onTestFinished(() => made.entryPoint.core.endAllSessions());
    return { ...made, opened: () => opened };
  }

  /** Resolves when the kernel has it, which on loopback is when it is in the receiver's queue. */
  const sent = (from: Socket, text: string, port: number): Promise<unknown> =>
    promisify(from.send.bind(from) as (...values: [string, number, string, () => void]) => void)(
      text,
      port,
      '127.0.0.1',
    );

  const portOf = ({ channels }: OneEntryPoint, channel: number) =>
    localAddress(libc, channels.fd[channel] as number).port;

  it('gives new clients the sockets of the longest idle, without opening any', async () => {
    const backend = await startBackend();
    const made = entryPointWith({ sockets: 4, sessions: 100 }, [backend]);
    const channels = [1, 2, 3, 4].map((client) => made.reach(client));
    const ports = channels.map((channel) => portOf(made, channel));

    const later = Array.from({ length: 40 }, (_, index) => made.reach(100 + index));
    expect(later).toEqual(Array.from({ length: 10 }, () => channels).flat());
    expect(later.slice(0, 4).map((channel) => portOf(made, channel))).toEqual(ports);
    expect(made.opened()).toBe(4);
    expect(made.channels.count).toBe(4);
    expect(made.entryPoint.core.sessions.size).toBe(4);
    expect(made.counters[counter.sessionsEvicted]).toBe(40);
  });

  it('gives a new client a socket to the endpoint that is its turn', async () => {
    const backends = [await startBackend(), await startBackend()];
    const made = entryPointWith({ sockets: 4, sessions: 100 }, backends);
    const { core } = made.entryPoint;
    const ports = Array.from({ length: 40 }, (_, client) => {
      const channel = made.reach(client);
      return core.slots.ports[made.channels.peer[channel] as number];
    });
    for (const [index, port] of ports.entries()) expect(port).toBe(ports[index % 2]);
    expect(new Set(ports)).toEqual(new Set(backends.map((backend) => backend.port)));
    expect(made.opened()).toBe(4);
  });

  it('leaves clients that go on their sockets', async () => {
    const backend = await startBackend();
    const made = entryPointWith({ sockets: 3, sessions: 100 }, [backend]);
    const own = made.reach(1);
    for (let client = 100; client < 150; client++) {
      expect(made.reach(1)).toBe(own);
      expect(made.reach(client)).not.toBe(own);
    }
    expect(made.counters[counter.sessionsEvicted]).toBe(48);
  });

  it('throws away what an inherited socket had received for the client before', async () => {
    const backend = await startBackend();
    const made = entryPointWith({ sockets: 1, sessions: 100 }, [backend]);
    const channel = made.reach(1);
    const port = portOf(made, channel);
    for (const text of ['late', '', 'later']) await sent(backend.socket, text, port);

    expect(made.reach(2)).toBe(channel);
    const memory = new NativeMemory(libc, 64);
    const fd = made.channels.fd[channel] as number;
    expect(libc.recv(fd, memory.address, 64, linux.MSG_DONTWAIT)).toBe(-1);
    expect(libc.errno()).toBe(errno.EAGAIN);
    expect(made.counters[firstDropCounter + dropCode.reply_unexpected_source]).toBe(3);
    expect(made.counters[counter.repliesIn]).toBe(3);
  });
});
