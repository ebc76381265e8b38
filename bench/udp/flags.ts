/** What `npm run bench:udp -- …` takes. */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/** How the generator loads: clients, and datagrams each keeps on the way. */
export interface Shape {
  readonly clients: number;
  readonly outstanding: number;
}

export interface Flags {
  readonly proxies: readonly string[];
  readonly shapes: readonly Shape[];
  readonly payloads: readonly number[];
  readonly sessions: readonly number[];
  readonly workers: readonly number[];
  /** Measured seconds of each run. */
  readonly seconds: number;
  /** Runs of each proxy, interleaved with the others'. */
  readonly repetitions: number;
  readonly sections: readonly string[];
  /** Of the latency runs, per second. Absent: half of nginx's highest without loss, which is looked for first. */
  readonly rate?: number;
  /** Proxy, generator and backend go before all other programs (SCHED_RR). Needs root and `chrt`. */
  readonly isRealTime: boolean;
}

export const usage = `npm run bench:udp -- [flags]
  --quick                     one payload, 3 short repetitions, no rates, 10,000 sessions at most
  --proxies=NAME,…            of sluice-native, sluice-dgram, nginx, c
  --shapes=CLIENTSxOUT,…      16x16,256x1,10000x1
  --payloads=BYTES,…          64,512,1400
  --sessions=N,…              1,1000,10000,100000
  --workers=N,…               1 and the number of cores
  --seconds=N --repetitions=N 2 and 5
  --sections=NAME,…           of cpu, rate, memory, workers; clients (see docs/performance.md)
  --rate=N                    latency at this many round trips/s; no search for the highest rate
  --real-time                 everything measured goes before other programs (needs root)`;

const options = {
  quick: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  proxies: { type: 'string', default: 'sluice-native,sluice-dgram,nginx,c' },
  shapes: { type: 'string', default: '16x16,256x1,10000x1' },
  payloads: { type: 'string' },
  sessions: { type: 'string' },
  workers: { type: 'string', default: [...new Set([1, availableParallelism()])].join(',') },
  seconds: { type: 'string' },
  repetitions: { type: 'string' },
  sections: { type: 'string' },
  rate: { type: 'string' },
  'real-time': { type: 'boolean', default: false },
} as const;

/** `undefined` when help was asked for. Throws `TypeError` for what is no flag. */
export function parseFlags(argv: readonly string[]): Flags | undefined {
  const { values } = parseArgs({ args: [...argv], options });
  if (values.help) return undefined;
  const { quick } = values;
  return {
    proxies: values.proxies.split(','),
    shapes: values.shapes.split(',').map(parseShape),
    payloads: numbers(values.payloads ?? (quick ? '64' : '64,512,1400')),
    sessions: numbers(values.sessions ?? (quick ? '1,1000,10000' : '1,1000,10000,100000')),
    workers: numbers(values.workers),
    seconds: Number(values.seconds ?? (quick ? 1 : 2)),
    repetitions: Number(values.repetitions ?? (quick ? 3 : 5)),
    ...(values.rate ? { rate: Number(values.rate) } : {}),
    isRealTime: values['real-time'],
    sections: (values.sections ?? (quick ? 'cpu,memory' : 'cpu,rate,memory,workers')).split(','),
  };
}

const numbers = (text: string): number[] => text.split(',').map(Number);

function parseShape(text: string): Shape {
  const [clients = 0, outstanding = 0] = text.split('x').map(Number);
  return { clients, outstanding };
}
