/** One proxy, one backend, one load: started, measured and ended. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { processTree, residentKib } from './cpu-time.ts';
import type { LoadPlan, LoadResult } from './load-plan.ts';
import type { Contender } from './proxies.ts';

const listen = '127.0.0.1:17001';
const endpoint = '127.0.0.1:17000';

/** The proxy has the first core to itself, the generator and the backend share the others. */
function pinned(
  command: readonly string[],
  who: 'proxy' | 'generator' | 'backend',
  { workers = 1, isRealTime = false }: BenchOptions,
): string[] {
  const before = isRealTime ? ['chrt', '-r', '1'] : [];
  const cores = availableParallelism();
  if (cores < 2 || workers > 1) return [...before, ...command];
  const core = { proxy: 0, generator: 1, backend: cores > 2 ? 2 : 1 }[who];
  return [...before, 'taskset', '-c', String(core), ...command];
}

function start(command: readonly string[]): ChildProcess {
  const [program = '', ...parameters] = command;
  return spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What a process prints until it ends, both ways; to be read when it has failed, or is done. */
function collect(child: ChildProcess): { output: string; errors: string } {
  const collected = { output: '', errors: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    collected.output += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    collected.errors = (collected.errors + text).slice(-4_000);
  });
  return collected;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(patience);
}

export interface BenchOptions {
  readonly workers?: number;
  readonly idleTimeoutSeconds?: number;
  readonly isRealTime?: boolean;
}

type PlanWithoutPlace<Plan> = Plan extends LoadPlan ? Omit<Plan, 'target' | 'watchedPids'> : never;
export type Load = PlanWithoutPlace<LoadPlan>;

export interface BenchResult extends LoadResult {
  /** After the load, while its sessions are still there. */
  readonly residentKib: number;
}

/** Runs `load` through `proxy`. Throws `Error` when the proxy does not come up or does not hold out. */
export async function runBench(
  proxy: Contender,
  load: Load,
  options: BenchOptions = {},
): Promise<BenchResult> {
  const { workers = 1, idleTimeoutSeconds = 3 } = options;
  const children: ChildProcess[] = [];
  try {
    const stamps = load.kind === 'open' && load.isStamped ? ['stamps'] : [];
    const backend = start(
      pinned([process.execPath, script('echo.js'), endpoint, ...stamps], 'backend', options),
    );
    children.push(backend);
    if (backend.stdout) await once(backend.stdout, 'data');
    const command = proxy.command({ listen, endpoint, workers, idleTimeoutSeconds });
    const front = start(pinned(command, 'proxy', options));
    children.push(front);
    const said = collect(front);
    await answered(front).catch((error: Error) => {
      throw new Error(`${proxy.name}: ${error.message}\n${said.errors}`);
    });
    const watchedPids = processTree(front.pid ?? 0);
    const result = await generate({ ...load, target: listen, watchedPids } as LoadPlan, options, children);
    return { ...result, residentKib: residentKib(watchedPids) };
  } finally {
    await Promise.all(children.map(stop));
  }
}

const script = (name: string): string => join(import.meta.dirname, name);

async function generate(
  plan: LoadPlan,
  options: BenchOptions,
  children: ChildProcess[],
): Promise<LoadResult> {
  const command = [process.execPath, script('load.js'), JSON.stringify(plan)];
  const generator = start(pinned(command, 'generator', options));
  children.push(generator);
  const said = collect(generator);
  const [code] = (await once(generator, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the load generator ended with ${code}\n${said.errors}`);
  return JSON.parse(said.output) as LoadResult;
}

/** Resolves when a datagram sent to the proxy has come back from the backend. */
async function answered(proxy: ChildProcess): Promise<void> {
  const socket = createSocket('udp4');
  const [address = '', port] = listen.split(':');
  const deadline = Date.now() + 10_000;
  const answer = once(socket, 'message').then(() => true);
  try {
    for (;;) {
      if (proxy.exitCode !== null) throw new Error(`the proxy ended with ${proxy.exitCode}`);
      if (Date.now() > deadline) throw new Error('the proxy does not answer');
      socket.send('ready?', Number(port), address);
      if (await Promise.race([answer, pause(50)])) return;
    }
  } finally {
    socket.close();
  }
}

const pause = (ms: number): Promise<false> => new Promise((resolve) => setTimeout(() => resolve(false), ms));
