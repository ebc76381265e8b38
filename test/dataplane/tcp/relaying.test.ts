import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  accounted,
  client,
  endpoint,
  exchange,
  nextData,
  readAll,
  route,
  service,
  startBackend,
  startEcho,
  startEngine,
  table,
  tableTo,
} from './helpers.ts';

describe('carrying a connection', () => {
  it('carries bytes both ways and counts them', async () => {
    const echo = await startEcho();
    const { port, over, counters, records } = await startEngine(tableTo(echo.port));
    const payload = randomBytes(3_000_000);
    const socket = await client(port);
    const answer = readAll(socket);
    socket.end(payload);
    expect(((await answer) as Buffer).equals(payload)).toBe(true);
    await over(1);
    expect(counters()).toMatchObject({ accepted: 1, forwarded: 1, open: 0, bytesIn: 3e6, bytesOut: 3e6 });
    expect(counters().ended.finished).toBe(1);
    expect(records[0]).toMatchObject({
      entryPoint: 'mytcp',
      client: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      route: 'backend-echo',
      service: 'backend/echo',
      endpoint: `127.0.0.1:${echo.port}`,
      outcome: { kind: 'ended', reason: 'finished' },
    });
  });

  it('lets the server speak first, without a byte from the client', async () => {
    const greeter = await startBackend((socket) => socket.write('220 ready\r\n'));
    const { port } = await startEngine(tableTo(greeter.port));
    const socket = await client(port);
    expect((await nextData(socket)).toString()).toBe('220 ready\r\n');
  });

  it('passes the end of one direction on and keeps the other open', async () => {
    const late = await startBackend((socket) => {
      socket.resume();
      socket.on('end', () => setTimeout(() => socket.end('the answer, long after'), 300));
    });
    const { port, over, counters } = await startEngine(tableTo(late.port));
    expect(await exchange(port, 'the question')).toBe('the answer, long after');
    await over(1);
    expect(counters().ended.finished).toBe(1);
  });

  it('passes the end of the endpoint on while the client goes on sending', async () => {
    let received = '';
    const deaf = await startBackend((socket) => {
      socket.end('goodbye');
      socket.on('data', (chunk) => {
        received += chunk.toString();
      });
    });
    const { port, over } = await startEngine(tableTo(deaf.port));
    const socket = await client(port);
    expect((await readAll(socket)).toString()).toBe('goodbye');
    const heardAll = once(await deaf.socket(0), 'end');
    socket.end('one more thing');
    await Promise.all([over(1), heardAll]);
    expect(received).toBe('one more thing');
  });

  it('makes a fast writer wait for a slow reader, and keeps little in between', async () => {
    const slow = await startBackend((socket) => socket.pause());
    const { port, counters } = await startEngine(tableTo(slow.port));
    const socket = await client(port);
    const total = 64 * 1024 * 1024;
    socket.end(Buffer.alloc(total, 'x'));
    const reader = await slow.socket(0);
    // What the engine takes stands still once the kernel's buffers and its own are full.
    let before = -1;
    while (counters().bytesIn !== before || before <= 0) {
      before = counters().bytesIn;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(before).toBeLessThan(total / 2);
    let read = 0;
    reader.on('data', (chunk) => {
      read += chunk.length;
    });
    reader.resume();
    await once(reader, 'end');
    expect(read).toBe(total);
  });

  it('passes a reset of the endpoint on as a reset', async () => {
    const breaking = await startBackend((socket) => {
      socket.write('half an ans');
      socket.once('data', () => socket.resetAndDestroy());
    });
    const { port, over, counters } = await startEngine(tableTo(breaking.port));
    const socket = await client(port);
    await nextData(socket);
    const rest = readAll(socket);
    socket.write('more');
    expect(await rest).toBe('reset');
    await over(1);
    expect(counters().ended.endpoint_reset).toBe(1);
  });

  it('does not take a reset that follows data for an end', async () => {
    const listening = await startBackend((socket) => socket.resume());
    const { port, over, counters } = await startEngine(tableTo(listening.port));
    for (let index = 0; index < 20; index++) {
      const socket = await client(port);
      // Data and the reset right behind it: both are there when the engine reads next.
      socket.write(Buffer.alloc(100_000, 'x'));
      socket.resetAndDestroy();
    }
    await over(20);
    const { ended, refused } = counters();
    expect(ended.finished).toBe(0);
    expect(ended.client_reset + refused.client_gone).toBe(20);
  });

  it('passes a reset of the client on as a reset', async () => {
    const echo = await startEcho();
    const { port, over, counters } = await startEngine(tableTo(echo.port));
    const socket = await client(port);
    socket.write('hello');
    await nextData(socket);
    const peer = await echo.socket(0);
    const failure = once(peer, 'error');
    socket.resetAndDestroy();
    const [error] = (await failure) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    await over(1);
    expect(counters().ended.client_reset).toBe(1);
  });

  it('does not let an endpoint that had ended before it broke spoil what it said', async () => {
    const answer = randomBytes(300_000);
    const hasty = await startBackend((socket) => socket.end(answer));
    const { port, over, counters } = await startEngine(tableTo(hasty.port));
    const socket = await client(port);
    const problems: Error[] = [];
    socket.on('error', (error) => problems.push(error));
    expect(((await readAll(socket)) as Buffer).equals(answer)).toBe(true);
    (await hasty.socket(0)).resetAndDestroy();
    socket.end('too late');
    await over(1);
    expect(problems).toEqual([]);
    expect(counters().ended.finished).toBe(1);
  });

  it('delivers all that a client sent before it left, to an endpoint that answers into the void', async () => {
    const payload = randomBytes(2_000_000);
    const received: Buffer[] = [];
    let ended: () => void = () => {};
    const isEnded = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const chatty = await startBackend((socket) => {
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
        socket.write('ok');
      });
      socket.on('end', ended);
    });
    const { port, counters } = await startEngine(tableTo(chatty.port));
    const socket = await client(port);
    socket.pause();
    socket.end(payload);
    while (counters().bytesIn < payload.length) await new Promise(setImmediate);
    socket.destroy();
    await isEnded;
    expect(Buffer.concat(received).equals(payload)).toBe(true);
  });

  it('keeps three hundred connections at a time apart', async () => {
    const echo = await startEcho();
    const { port, over, counters } = await startEngine(tableTo(echo.port));
    const payloads = Array.from({ length: 300 }, (_, index) => `connection ${index} `.repeat(50 + index));
    const answers = await Promise.all(payloads.map((payload) => exchange(port, payload)));
    expect(answers).toEqual(payloads);
    await over(300);
    expect(accounted(counters())).toBe(true);
    expect(counters().ended.finished).toBe(300);
  });
});

/** Whether the kernel's keep-alive timer runs for each socket of this port (column `tr` of /proc/net/tcp). */
function isKeptAlive(port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const open = rows.filter((columns) => columns[1]?.endsWith(local) && columns[3] === '01');
  return open.length > 0 && open.every((columns) => columns[5]?.startsWith('02:'));
}

describe('connections that say nothing', () => {
  it.skipIf(process.platform !== 'linux')(
    'are kept alive by the kernel, both sides (needs /proc)',
    async () => {
      const echo = await startEcho();
      const given = tableTo(echo.port);
      const { port } = await startEngine(given, { keepAliveMs: 1000 });
      const socket = await client(port);
      socket.write('x');
      await nextData(socket);
      const towardsEndpoint = (await echo.socket(0)).remotePort ?? 0;
      const wait = () => new Promise((resolve) => setTimeout(resolve, 20));
      while (!isKeptAlive(port) || !isKeptAlive(towardsEndpoint)) await wait();
      socket.write('still here');
      expect((await nextData(socket)).toString()).toBe('still here');
    },
  );

  it('closes one that was silent for the idle timeout, and not one that was not', async () => {
    const echo = await startEcho();
    const given = tableTo(echo.port);
    const { port, over, counters } = await startEngine(given, { idleTimeoutMs: 400 });
    const busy = await client(port);
    busy.on('data', () => {});
    const chatter = setInterval(() => busy.write('.'), 50);
    const silent = await client(port);
    const closed = once(silent, 'end');
    silent.resume();
    await closed;
    clearInterval(chatter);
    await over(1);
    expect(counters()).toMatchObject({ open: 1, ended: { idle_timeout: 1 } });
  });

  it('gives up a half-closed one after the termination delay of its service', async () => {
    const mute = await startBackend((socket) => socket.resume());
    const services = [service([endpoint(mute.port)], { terminationDelayMs: 200 })];
    const { port, over, counters } = await startEngine(table([route(services)]));
    const socket = await client(port);
    socket.end('that was all');
    await over(1);
    expect(counters().ended.half_closed_timeout).toBe(1);
  });
});
