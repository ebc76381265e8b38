/**
 * The TCP engine against nginx stream and HAProxy, in turns on the same machine:
 *
 *     npm run bench:tcp [-- --seconds 2 --rounds 3 --idle 5000]
 *
 * Wall-clock figures of a shared machine say little; the processor time that a proxy needs for the same work says
 * more, and its ratio to a peer in the same run most.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuSeconds, residentKib } from '../udp/cpu-time.ts';
import { type ComparedProxy, proxies, type RunningProxy } from './proxies.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    idle: { type: 'string', default: '5000' },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const idleConnections = Number(values.idle);

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const load = join(folder, 'load');
const source = new URL('../../../../../bench/tcp/load.c', import.meta.url).pathname;

interface Figures {
  /** Bytes per second of wall clock, and CPU seconds per 10^9 bytes. */
  readonly down: { rate: number; cpu: number };
  readonly up: { rate: number; cpu: number };
  /** Connections per second, and CPU microseconds per connection. */
  readonly connections: { rate: number; cpu: number };
  /** Resident bytes per connection that is open and silent. */
  readonly idleBytes: number;
}

async function main(): Promise<void> {
  execFileSync('gcc', ['-O2', '-Wall', '-o', load, source]);
  const present = proxies.filter(({ name, missing }) => {
    if (missing) console.log(`${name} is left out: ${missing} is not installed`);
    return !missing;
  });
  const all = new Map<ComparedProxy, Figures[]>(present.map((proxy) => [proxy, []]));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const proxy of present) all.get(proxy)?.push(await measure(proxy));
    }
    printTable(all);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(proxy: ComparedProxy): Promise<Figures> {
  // One of its own: ports that the proxy before has just closed are not free again at once.
  const endpoint = spawn(load, ['serve'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(endpoint.stdout, 'data')) as [Buffer];
  const running = await proxy.start(Number(line.toString()), folder);
  try {
    // Warming up: caches, and code that is not compiled until it has run some thousand times.
    await generate(['rate', String(running.port), '32', '5']);
    await generate(['stream', String(running.port), 'S', '4', '1']);
    const down = await stream(running, 'S');
    const up = await stream(running, 'D');
    const connections = await rate(running);
    return { down, up, connections, idleBytes: await idle(running) };
  } catch (error) {
    throw new Error(`${proxy.name}: ${(error as Error).message}`);
  } finally {
    await running.stop();
    endpoint.kill('SIGKILL');
  }
}

async function stream(running: RunningProxy, kind: 'S' | 'D') {
  const before = cpuSeconds(running.pids);
  const output = await generate(['stream', String(running.port), kind, '8', String(seconds)]);
  const bytesPerSecond = Number(output);
  return {
    rate: bytesPerSecond,
    cpu: ((cpuSeconds(running.pids) - before) / (bytesPerSecond * seconds)) * 1e9,
  };
}

async function rate(running: RunningProxy) {
  const before = cpuSeconds(running.pids);
  const [perSecond = 0, done = 0] = (await generate(['rate', String(running.port), '32', String(seconds)]))
    .split(' ')
    .map(Number);
  return { rate: perSecond, cpu: ((cpuSeconds(running.pids) - before) / done) * 1e6 };
}

async function idle(running: RunningProxy): Promise<number> {
  const before = residentKib(running.pids);
  const child = spawn(load, ['idle', String(running.port), String(idleConnections)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const isReady = once(child.stdout, 'data').then(() => true);
  if (!(await Promise.race([isReady, once(child, 'exit').then(() => false)]))) {
    throw new Error(`${idleConnections} connections are more than there can be: see \`ulimit -n\``);
  }
  // What a garbage collector would give back, it gives back when it is asked to do some more work.
  await generate(['rate', String(running.port), '4', '1']);
  const kib = residentKib(running.pids) - before;
  await end(child);
  return (kib * 1024) / idleConnections;
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.stdin?.end();
  await exited;
}

async function generate(words: readonly string[]): Promise<string> {
  const child = spawn(load, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`load ${words.join(' ')} ended with ${code}`);
  return output.trim();
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

interface Column {
  readonly title: string;
  readonly of: (figures: Figures) => number;
  readonly digits: number;
}

const columns: readonly Column[] = [
  { title: 'down MB/s', of: ({ down }) => down.rate / 1e6, digits: 0 },
  { title: 'CPU s/GB', of: ({ down }) => down.cpu, digits: 2 },
  { title: 'up MB/s', of: ({ up }) => up.rate / 1e6, digits: 0 },
  { title: 'CPU s/GB', of: ({ up }) => up.cpu, digits: 2 },
  { title: 'conn/s', of: ({ connections }) => connections.rate, digits: 0 },
  { title: 'CPU µs/conn', of: ({ connections }) => connections.cpu, digits: 0 },
  { title: 'B/idle conn', of: ({ idleBytes }) => idleBytes, digits: 0 },
];

function printTable(all: ReadonlyMap<ComparedProxy, readonly Figures[]>): void {
  console.log(
    `Node ${process.version}, ${cpus()[0]?.model}, ${cpus().length} CPUs; medians of ${rounds} rounds`,
  );
  const widths = columns.map(({ title }) => Math.max(title.length, 9) + 2);
  console.log(''.padEnd(14) + columns.map(({ title }, index) => title.padStart(widths[index] ?? 0)).join(''));
  const first = [...all.values()][0] ?? [];
  for (const [{ name }, figures] of all) {
    const cells = columns.map(({ of, digits }) => median(figures.map(of)).toFixed(digits));
    const ratios = columns.map(({ of }) => (median(first.map(of)) / median(figures.map(of))).toFixed(2));
    const line = (values: readonly string[]) =>
      values.map((value, index) => value.padStart(widths[index] ?? 0)).join('');
    console.log(name.padEnd(14) + line(cells));
    if (figures !== first) console.log('  sluice / it'.padEnd(14) + line(ratios));
  }
}

await main();
