/**
 * The native engine as the arm64 build of Node runs it, under an emulator of the processor: the system calls, their
 * structures and their control messages are those of arm64, the kernel is this machine's.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually, startBackend, startClient } from '../../dataplane/udp/support.ts';
import { hasProgram } from '../../support/programs.ts';

const emulator = 'qemu-aarch64-static';
const sysroot = '/usr/aarch64-linux-gnu';
/** Has `bin/node` and `node_modules/@koromix/koffi-linux-arm64`. */
const directory = process.env.ARM64_NODE_DIR ?? '';
const isPresent = directory !== '' && hasProgram(emulator) && existsSync(`${sysroot}/lib`);
const launcher = join(import.meta.dirname, '../../../bin/sluice.js');
/** Emulation takes some ten times as long. */
const patienceMs = 120_000;

interface EmulatedProxy {
  readonly stdout: readonly string[];
  readonly port: number;
  end(): Promise<number>;
}

async function startProxy(listen: string, ...endpoints: string[]): Promise<EmulatedProxy> {
  const program = [launcher, 'proxy', 'udp', listen, ...endpoints, '--engine', 'native', '--workers', '1'];
  const child = spawn(emulator, ['-L', sysroot, join(directory, 'bin/node'), ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_PATH: join(directory, 'node_modules') },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const stdout: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => stdout.push(line));
  const exitCode = once(child, 'close').then(([code]) => Number(code));
  await eventually(() => stdout.some((line) => line.startsWith('listening on')));
  expect(stdout[0]).toContain('(native engine)');
  const end = () => {
    child.kill('SIGTERM');
    return exitCode;
  };
  return { stdout, port: Number(/:(\d+)\/udp/.exec(stdout[0] ?? '')?.[1]), end };
}

describe.skipIf(!isPresent)(`sluice proxy udp on arm64 (needs ${emulator} and ARM64_NODE_DIR)`, () => {
  it.each(['127.0.0.1', '::1'])(
    'carries datagrams of every length both ways, alone and joined, over %s',
    async (address) => {
      const backend = await startBackend({ address });
      const host = address.includes(':') ? `[${address}]` : address;
      const proxy = await startProxy(`${host}:0`, `${host}:${backend.port}`);
      const client = await startClient({ address, port: proxy.port }, address);
      for (const length of [0, 1, 1_400, 9_000, 65_507, 3]) {
        const payload = Buffer.alloc(length, `of ${length} bytes;`);
        expect((await client.ask(payload)).equals(payload)).toBe(true);
      }
      const before = client.replies.length;
      // Equal sizes in one batch are joined on their way, where the kernel has that.
      for (let number = 0; number < 100; number++) client.send(`burst ${String(number).padStart(3, '0')}`);
      await client.received(before + 100);
      const burst = client.replies.slice(before).map(({ payload }) => String(payload));
      expect(burst).toEqual(
        Array.from({ length: 100 }, (_, number) => `burst ${String(number).padStart(3, '0')}`),
      );
      expect(new Set(client.replies.map(({ from }) => from.port))).toEqual(new Set([proxy.port]));
      expect(await proxy.end()).toBe(0);
      expect(proxy.stdout).toContain('udp datagramsIn 106');
      expect(proxy.stdout).toContain('udp datagramsOut 106');
    },
    patienceMs,
  );

  it(
    'learns from the kernel that nobody is there, and takes the other endpoint',
    async () => {
      const backend = await startBackend();
      const gone = await startBackend();
      await gone.stop();
      const proxy = await startProxy('127.0.0.1:0', `127.0.0.1:${gone.port}`, `127.0.0.1:${backend.port}`);
      const client = await startClient({ address: '127.0.0.1', port: proxy.port });
      for (let number = 0; number < 6; number++)
        expect(String(await client.ask(`ask ${number}`))).toBe(`ask ${number}`);
      expect(await proxy.end()).toBe(0);
      expect(proxy.stdout.some((line) => /^udp datagramsBounced [1-9]/.test(line))).toBe(true);
    },
    patienceMs,
  );
});
