import { afterEach, describe, expect, it } from 'vitest';
import {
  bindSocket,
  clockReader,
  clocks,
  connectSocket,
  descriptorLimit,
  duplicate,
  getSocketOption,
  IntervalTimer,
  isAvailable,
  loadLibc,
  localAddress,
  openUdpSocket,
  Poller,
  pollEvents,
  raiseDescriptorLimit,
  SystemCallError,
  setBufferSizes,
  setNonBlocking,
  setSocketOption,
  setTimerSlack,
  socketOptions,
  WakeEvent,
} from '../../../src/dataplane/native/index.ts';

const libc = loadLibc();

describe.skipIf(!isAvailable(libc))('descriptors (needs Linux and koffi)', () => {
  if (!isAvailable(libc)) return;
  const open: { close(): void }[] = [];
  const closing = (fd: number): number => {
    open.push({ close: () => libc.close(fd) });
    return fd;
  };
  const socket4 = (): number => closing(openUdpSocket(libc, 'IPv4'));
  const socket6 = (): number => closing(openUdpSocket(libc, 'IPv6'));

  afterEach(() => {
    for (const resource of open.splice(0)) resource.close();
  });

  it.each([
    ['IPv4', '127.0.0.1'],
    ['IPv6', '::1'],
  ] as const)('bind %s and tell the port they got', (family, address) => {
    const fd = closing(openUdpSocket(libc, family));
    bindSocket(libc, fd, family, { address, port: 0 });
    const local = localAddress(libc, fd);
    expect(local.address).toBe(address);
    expect(local.port).toBeGreaterThan(0);
  });

  it('name the address that is taken already', () => {
    const [first, second] = [socket4(), socket4()];
    bindSocket(libc, first, 'IPv4', { address: '127.0.0.1', port: 0 });
    const { port } = localAddress(libc, first);
    const attempt = (): void => bindSocket(libc, second, 'IPv4', { address: '127.0.0.1', port });
    expect(attempt).toThrow(SystemCallError);
    expect(attempt).toThrow(`bind EADDRINUSE: 127.0.0.1:${port}`);
  });

  it('share a port where SO_REUSEPORT is set on both', () => {
    const [first, second] = [socket4(), socket4()];
    for (const fd of [first, second])
      expect(setSocketOption(libc, fd, socketOptions.reusePort, 1)).toBe(true);
    bindSocket(libc, first, 'IPv4', { address: '127.0.0.1', port: 0 });
    const { port } = localAddress(libc, first);
    bindSocket(libc, second, 'IPv4', { address: '127.0.0.1', port });
    expect(localAddress(libc, second).port).toBe(port);
  });

  it('reach IPv4 from an IPv6 socket', () => {
    const [server, client] = [socket4(), socket6()];
    bindSocket(libc, server, 'IPv4', { address: '127.0.0.1', port: 0 });
    connectSocket(libc, client, 'IPv6', localAddress(libc, server));
    expect(localAddress(libc, client).address).toBe('::ffff:127.0.0.1');
  });

  it('tell an option’s value, and that the kernel does not know one', () => {
    const fd = socket6();
    expect(setSocketOption(libc, fd, socketOptions.only6, 1)).toBe(true);
    expect(getSocketOption(libc, fd, socketOptions.only6)).toBe(1);
    expect(setSocketOption(libc, fd, socketOptions.only6, 0)).toBe(true);
    expect(getSocketOption(libc, fd, socketOptions.only6)).toBe(0);
    expect(getSocketOption(libc, fd, [1, 9_999])).toBeUndefined();
    expect(setSocketOption(libc, fd, [1, 9_999], 1)).toBe(false);
  });

  it('have the buffers they report', () => {
    const fd = socket4();
    const sizes = setBufferSizes(libc, fd, 65_536);
    // The kernel doubles what it is asked for.
    expect(sizes).toEqual({ receive: 131_072, send: 131_072 });
    expect(getSocketOption(libc, fd, socketOptions.receiveBuffer)).toBe(131_072);
  });

  it('raise the descriptor limit no further than asked, and never lower it', () => {
    const before = descriptorLimit(libc);
    expect(before.current).toBeGreaterThan(0);
    expect(before.maximum).toBeGreaterThanOrEqual(before.current);
    expect(raiseDescriptorLimit(libc, 1)).toEqual(before);
    expect(raiseDescriptorLimit(libc, before.current)).toEqual(before);
  });

  it('are the same socket when duplicated', () => {
    const fd = socket4();
    bindSocket(libc, fd, 'IPv4', { address: '127.0.0.1', port: 0 });
    const copy = closing(duplicate(libc, fd));
    expect(copy).not.toBe(fd);
    expect(localAddress(libc, copy)).toEqual(localAddress(libc, fd));
    expect(() => duplicate(libc, -1)).toThrow('fcntl EBADF');
  });

  it('sleep no shorter than asked', () => {
    setTimerSlack(libc, 1_000);
    const start = process.hrtime.bigint();
    expect(libc.usleep(200)).toBe(0);
    expect(Number(process.hrtime.bigint() - start)).toBeGreaterThanOrEqual(200_000);
    setTimerSlack(libc, 50_000);
  });

  it('tell the time of day and the CPU time of their thread', () => {
    const before = Date.now();
    const now = clockReader(libc, clocks.realTime)() / 1_000;
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThan(Date.now() + 1);
    const cpuUs = clockReader(libc, clocks.threadCpu);
    const start = cpuUs();
    libc.usleep(2_000);
    const afterSleep = cpuUs();
    expect(afterSleep).toBeGreaterThan(start);
    for (let sum = 0; cpuUs() < afterSleep + 2_000; sum += 1) expect(sum).toBeLessThan(1e9);
  });

  it('stop blocking when told so', () => {
    const fd = closing(libc.socket(2, 2, 0));
    expect(libc.fcntl(fd, 3, 0) & 0x800).toBe(0);
    setNonBlocking(libc, fd);
    expect(libc.fcntl(fd, 3, 0) & 0x800).toBe(0x800);
  });

  describe('a poller', () => {
    const poller = (maxEvents = 4): Poller => {
      const made = new Poller(libc, maxEvents);
      open.push(made);
      return made;
    };
    const wake = (fd?: number): WakeEvent => {
      const made = new WakeEvent(libc, fd);
      if (fd === undefined) open.push(made);
      return made;
    };

    it('reports what is ready, with its key', () => {
      const [poll, quiet, loud] = [poller(), wake(), wake()];
      poll.add(quiet.fd, pollEvents.readable, 7);
      poll.add(loud.fd, pollEvents.readable, -8);
      expect(poll.wait(0)).toBe(0);
      loud.signal();
      expect(poll.wait(-1)).toBe(1);
      expect([poll.key(0), poll.events(0)]).toEqual([-8, pollEvents.readable]);
    });

    it('reports a level again and an edge once', () => {
      const [poll, level, edge] = [poller(), wake(), wake()];
      poll.add(level.fd, pollEvents.readable, 1);
      poll.add(edge.fd, pollEvents.readable | pollEvents.edge, 2);
      level.signal();
      edge.signal();
      expect(poll.wait(-1)).toBe(2);
      expect(new Set([poll.key(0), poll.key(1)])).toEqual(new Set([1, 2]));
      expect(poll.wait(0)).toBe(1);
      expect(poll.key(0)).toBe(1);
    });

    it('changes what it waits for, and forgets', () => {
      const [poll, event] = [poller(), wake()];
      poll.add(event.fd, pollEvents.readable, 1);
      poll.modify(event.fd, pollEvents.writable, 3);
      expect(poll.wait(-1)).toBe(1);
      expect([poll.key(0), poll.events(0)]).toEqual([3, pollEvents.writable]);
      poll.remove(event.fd);
      expect(poll.wait(0)).toBe(0);
      expect(() => poll.remove(event.fd)).toThrow('epoll_ctl ENOENT');
    });

    it('reports all in turn when more are ready than it has room for', () => {
      const poll = poller(2);
      const events = [1, 2, 3, 4, 5].map((key) => {
        const event = wake();
        poll.add(event.fd, pollEvents.readable | pollEvents.edge, key);
        event.signal();
        return event;
      });
      const seen: number[] = [];
      for (let count = poll.wait(0); count > 0; count = poll.wait(0)) {
        for (let index = 0; index < count; index += 1) seen.push(poll.key(index));
      }
      expect(seen.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
      expect(events).toHaveLength(5);
    });

    it('is woken by whoever has the event’s descriptor', () => {
      const [poll, event] = [poller(), wake()];
      poll.add(event.fd, pollEvents.readable, 1);
      wake(event.fd).signal();
      wake(event.fd).signal();
      expect(poll.wait(-1)).toBe(1);
      expect(event.drain()).toBe(true);
      expect(event.drain()).toBe(false);
      expect(poll.wait(0)).toBe(0);
    });

    it('is woken by a timer, which counts its turns', () => {
      const [poll, timer] = [poller(), new IntervalTimer(libc, 200)];
      open.push(timer);
      poll.add(timer.fd, pollEvents.readable, 1);
      expect(poll.wait(-1)).toBe(1);
      expect(timer.elapsed()).toBeGreaterThan(0);
      expect(poll.wait(-1)).toBe(1);
    });

    it('may be closed twice', () => {
      const poll = new Poller(libc, 1);
      poll.close();
      poll.close();
      expect(() => poll.wait(0)).toThrow('epoll_wait EBADF');
    });
  });
});
