import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { closeLater, deadPort, isInstalled, type StartedEngine, startEngine, tableTo } from './helpers.ts';

const hasRedis = isInstalled('redis-server', ['--version']) && isInstalled('redis-cli', ['--version']);

/** A real Redis behind an entry point, on a port that was free a moment ago; another where somebody was faster. */
async function startRedis(attemptsLeft = 5): Promise<StartedEngine> {
  const port = await deadPort();
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--protected-mode', 'no'];
  const child = spawn('redis-server', args);
  closeLater(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (!line.includes('Ready to accept')) continue;
    child.stdout.resume();
    return startEngine(tableTo(port));
  }
  if (attemptsLeft > 1) return startRedis(attemptsLeft - 1);
  throw new Error(`redis-server did not start: ${lines.join('; ')}`);
}

/** redis-cli must run beside the engine, which lives in this process. */
async function redisCli(port: number, args: readonly string[], input: string | Buffer = ''): Promise<Buffer> {
  const child = spawn('redis-cli', ['-p', String(port), ...args]);
  closeLater(() => child.kill('SIGKILL'));
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdin.end(input);
  await once(child, 'close');
  return Buffer.concat(chunks);
}

describe.skipIf(!hasRedis)('Redis through the engine (needs redis-server and redis-cli)', () => {
  it('answers single commands', async () => {
    const { port } = await startRedis();
    expect((await redisCli(port, ['ping'])).toString()).toBe('PONG\n');
    expect((await redisCli(port, ['set', 'key', 'value'])).toString()).toBe('OK\n');
    expect((await redisCli(port, ['get', 'key'])).toString()).toBe('value\n');
  });

  it('answers 100,000 commands in one pipeline', async () => {
    const { port } = await startRedis();
    const commands = Array.from({ length: 100_000 }, (_, index) => `SET key:${index} ${index}\r\n`).join('');
    expect((await redisCli(port, ['--pipe'], commands)).toString()).toContain('errors: 0, replies: 100000');
    expect((await redisCli(port, ['dbsize'])).toString()).toBe('100000\n');
  });

  it('carries a value of 100 MB there and back', async () => {
    const { port, counters } = await startRedis();
    const size = 100_000_000;
    const value = Buffer.alloc(size, 'The same line again and again, as a value may be.\n');
    expect((await redisCli(port, ['-x', 'set', 'big'], value)).toString()).toBe('OK\n');
    const answer = await redisCli(port, ['get', 'big']);
    expect(answer.subarray(0, size).equals(value)).toBe(true);
    expect(counters().bytesOut).toBeGreaterThan(size);
  });

  it('passes messages on to a subscriber that only listens', async () => {
    const { port } = await startRedis();
    const subscriber = spawn('redis-cli', ['-p', String(port), 'subscribe', 'news']);
    closeLater(() => subscriber.kill('SIGKILL'));
    const lines = createInterface({ input: subscriber.stdout });
    const seen: string[] = [];
    for await (const line of lines) {
      seen.push(line);
      if (line.includes('1')) {
        execFileAside(port, 'publish', 'news', 'extra');
      }
      if (line === 'extra') break;
    }
    expect(seen.at(-1)).toBe('extra');
  });
});

function execFileAside(port: number, ...args: string[]): void {
  const child = spawn('redis-cli', ['-p', String(port), ...args], { stdio: 'ignore' });
  closeLater(() => child.kill('SIGKILL'));
}
