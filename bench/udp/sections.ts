/** The tables. Each proxy's runs take turns with the others', so that a slow minute of the machine is everyone's. */

import { raiseDescriptorLimit } from '../../src/dataplane/native/index.ts';
import { type BenchResult, runBench } from './bench-run.ts';
import type { Flags, Shape } from './flags.ts';
import type { Contender } from './proxies.ts';
import { requireLibc } from './require-libc.ts';
import { stampedBytes } from './stamps.ts';
import { median, table, whole } from './statistics.ts';

/** Runs `measure` for each proxy in turn, `repetitions` times, each time beginning with another proxy. */
async function interleaved<Result>(
  proxies: readonly Contender[],
  repetitions: number,
  measure: (proxy: Contender) => Promise<Result>,
): Promise<Map<Contender, Result[]>> {
  const results = new Map<Contender, Result[]>(proxies.map((proxy) => [proxy, []]));
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const first = repetition % proxies.length;
    for (const proxy of [...proxies.slice(first), ...proxies.slice(0, first)]) {
      results.get(proxy)?.push(await measure(proxy));
    }
  }
  return results;
}

const perRoundTrip = ({ cpuSeconds, received }: BenchResult): number => (cpuSeconds * 1e6) / received;

/** The median of the ratios within each repetition: what the proxies had in common cancels out. */
function ratio(mine: readonly BenchResult[], theirs: readonly BenchResult[] | undefined): string {
  if (!theirs || mine === theirs) return '';
  return median(
    mine.map((result, index) => perRoundTrip(result) / perRoundTrip(theirs[index] ?? result)),
  ).toFixed(2);
}

export async function cpuSection(proxies: readonly Contender[], flags: Flags): Promise<string> {
  const rows: string[][] = [];
  for (const payloadBytes of flags.payloads) {
    for (const shape of flags.shapes) {
      rows.push(...(await cpuRows(proxies, flags, shape, payloadBytes)));
    }
  }
  const header = [
    'load, payload, proxy',
    'CPU µs per round trip',
    '÷ nginx',
    '÷ C',
    'round trips/s',
    'lost',
    'p50 µs',
    'p99 µs',
  ];
  return table(header, rows);
}

async function cpuRows(
  proxies: readonly Contender[],
  { repetitions, seconds, isRealTime }: Flags,
  { clients, outstanding }: Shape,
  payloadBytes: number,
): Promise<string[][]> {
  const load = { kind: 'closed', clients, outstanding, payloadBytes, warmUpSeconds: 1, seconds } as const;
  const results = await interleaved(proxies, repetitions, (proxy) => runBench(proxy, load, { isRealTime }));
  const named = (name: string): BenchResult[] | undefined =>
    [...results].find(([proxy]) => proxy.name === name)?.[1];
  return [...results].map(([proxy, runs]) => [
    `${whole(clients)} × ${outstanding}, ${payloadBytes} B, ${proxy.name}`,
    median(runs.map(perRoundTrip)).toFixed(2),
    ratio(runs, named('nginx')),
    ratio(runs, named('C')),
    whole(median(runs.map((run) => run.received / run.seconds))),
    whole(runs.reduce((sum, run) => sum + run.lost, 0)),
    whole(median(runs.map((run) => run.latencyUs.p50))),
    whole(median(runs.map((run) => run.latencyUs.p99))),
  ]);
}

const rateClients = 256;

/** The highest rate without loss, then latency: everyone at half of nginx's, so that it compares. */
export async function rateSection(proxies: readonly Contender[], flags: Flags): Promise<string> {
  const rows: string[][] = [];
  for (const payloadBytes of flags.payloads) {
    const best = new Map<Contender, number>();
    for (const proxy of flags.rate === undefined ? proxies : []) {
      best.set(proxy, await losslessRate(proxy, payloadBytes, flags));
    }
    const nginx = proxies.find(({ name }) => name === 'nginx');
    const reference = (nginx && best.get(nginx)) ?? Math.min(...best.values());
    const common = flags.rate ?? Math.floor(reference / 2);
    const results = await interleaved(proxies, flags.repetitions, (proxy) =>
      runBench(proxy, openLoad(payloadBytes, common, flags.seconds), { isRealTime: flags.isRealTime }),
    );
    for (const [proxy, runs] of results) {
      rows.push([
        `${payloadBytes} B, ${proxy.name}`,
        best.has(proxy) ? whole(best.get(proxy) ?? 0) : '',
        whole(common),
        median(runs.map(perRoundTrip)).toFixed(2),
        ...quantileCells(runs, 'latencyUs'),
        ...quantileCells(runs, 'inProxyUs'),
      ]);
    }
  }
  const header = [
    'payload, proxy',
    'lossless round trips/s',
    'latency at',
    'CPU µs',
    'p50 µs',
    'p99 µs',
    'p99.9 µs',
    'in the proxy p50 µs',
    'p99 µs',
    'p99.9 µs',
  ];
  return table(header, rows);
}

function quantileCells(runs: readonly BenchResult[], which: 'latencyUs' | 'inProxyUs'): string[] {
  const names = ['p50', 'p99', 'p999'] as const;
  return names.map((name) => whole(median(runs.map((run) => run[which][name]))));
}

const openLoad = (payloadBytes: number, ratePerSecond: number, seconds: number) =>
  ({
    kind: 'open',
    clients: rateClients,
    payloadBytes,
    ratePerSecond,
    warmUpSeconds: 0.5,
    seconds,
    isStamped: payloadBytes >= stampedBytes,
  }) as const;

const lowestRate = 5_000;
const rateStep = 1.1;

/** A neighbour on the machine may be what loses datagrams: a rate holds when one of so many runs loses none. */
const attempts = 3;

/** Doubles the rate until something is lost or the generator cannot keep up, then closes in to 10 %. */
async function losslessRate(
  proxy: Contender,
  payloadBytes: number,
  { seconds, isRealTime }: Flags,
): Promise<number> {
  const holds = async (rate: number): Promise<boolean> => {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const { sent, lost } = await runBench(proxy, openLoad(payloadBytes, rate, seconds), { isRealTime });
      if (lost === 0 && sent >= rate * seconds * 0.98) return true;
    }
    return false;
  };
  let good = 0;
  let bad = lowestRate;
  while (await holds(bad)) {
    good = bad;
    bad *= 2;
  }
  while (good > 0 && bad / good > rateStep) {
    const middle = Math.round(Math.sqrt(good * bad));
    if (await holds(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/** Memory with that many sessions, each of which has carried a datagram and then waits. */
export async function memorySection(proxies: readonly Contender[], flags: Flags): Promise<string> {
  const rows = proxies.map((proxy) => [proxy.name]);
  for (const clients of flags.sessions) {
    for (const [index, proxy] of proxies.entries()) rows[index]?.push(await memoryCell(proxy, clients));
  }
  return table(['resident KiB at', ...flags.sessions.map((count) => `${whole(count)} sessions`)], rows);
}

/** The generator holds a socket per client, and a proxy one per session, beside a few of its own. */
const otherDescriptors = 200;

async function memoryCell(proxy: Contender, clients: number): Promise<string> {
  const result = await eachOnce(proxy, clients, 10_000);
  return result ? whole(result.residentKib) + unanswered(result) : tooFewDescriptors;
}

const tooFewDescriptors = 'too few descriptors';

const unanswered = ({ lost }: BenchResult): string => (lost > 0 ? ` (${whole(lost)} unanswered)` : '');

/** At a rate that leaves room, in turn: every client sends once or a little more. */
async function eachOnce(
  proxy: Contender,
  clients: number,
  mostPerSecond: number,
): Promise<BenchResult | undefined> {
  const needed = clients + otherDescriptors;
  if (raiseDescriptorLimit(requireLibc(), needed).maximum < needed) return undefined;
  const ratePerSecond = Math.min(mostPerSecond, Math.max(1, clients));
  const seconds = Math.ceil((clients * 1.05) / ratePerSecond);
  const load = { kind: 'open', clients, payloadBytes: 64, ratePerSecond, warmUpSeconds: 0, seconds } as const;
  return runBench(proxy, load, { idleTimeoutSeconds: 600 });
}

/** What a client costs that was not there before, who may find all local ports taken. */
export async function clientsSection(proxies: readonly Contender[], flags: Flags): Promise<string> {
  const rows = proxies.map((proxy) => [proxy.name]);
  for (const clients of flags.sessions) {
    for (const [index, proxy] of proxies.entries()) {
      const result = await eachOnce(proxy, clients, 2_000);
      rows[index]?.push(result ? perSent(result).toFixed(0) + unanswered(result) : tooFewDescriptors);
    }
  }
  const header = ['CPU µs per client with', ...flags.sessions.map((count) => `${whole(count)} clients`)];
  return table(header, rows);
}

const perSent = ({ cpuSeconds, sent }: BenchResult): number => (cpuSeconds * 1e6) / sent;

export async function workersSection(proxies: readonly Contender[], flags: Flags): Promise<string> {
  const scaling = proxies.filter((proxy) => proxy.hasWorkers);
  const rows: string[][] = [];
  for (const workers of flags.workers) {
    const load = {
      kind: 'closed',
      clients: 256,
      outstanding: 1,
      payloadBytes: 64,
      warmUpSeconds: 1,
    } as const;
    const results = await interleaved(scaling, flags.repetitions, (proxy) =>
      runBench(proxy, { ...load, seconds: flags.seconds }, { workers }),
    );
    for (const [proxy, runs] of results) {
      rows.push([
        `${proxy.name}, ${workers}`,
        median(runs.map(perRoundTrip)).toFixed(2),
        whole(median(runs.map((run) => run.received / run.seconds))),
      ]);
    }
  }
  return table(['proxy, workers (not pinned)', 'CPU µs per round trip', 'round trips/s'], rows);
}
