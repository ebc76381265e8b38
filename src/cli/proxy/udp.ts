/** `sluice proxy udp LISTEN ENDPOINT…`: one UDP entry point, and where its datagrams go. */

import { type Command, InvalidArgumentError } from 'commander';
import { choice, durationOption, range, wholeNumber } from '../option-values.ts';
import type { UdpProxyOptions } from './udp-options.ts';

const explanation = `
LISTEN is ADDRESS:PORT, or :PORT for every address of this machine.
ENDPOINT is HOST:PORT, or HOST:PORT=WEIGHT; 1 is the weight of one that names none, and 0 gets nothing.

Counters are printed at the end (Ctrl-C) and whenever the process gets SIGUSR1.

Examples:
  sluice proxy udp :5353 10.0.0.53:53 10.0.0.54:53 --responses 1
  sluice proxy udp :9998 10.244.1.10:4444=3 10.244.1.11:4444 --balance session --timeout 30s`;

export function registerProxyUdp(proxy: Command): void {
  proxy
    .command('udp')
    .description('forward UDP datagrams to endpoints, and their answers back')
    .argument('<listen>', 'where to listen')
    .argument('<endpoints...>', 'where to forward to')
    .addOption(
      choice('--balance <how>', 'what stays together', ['datagram', 'session', 'source'], 'datagram'),
    )
    .addOption(choice('--engine <engine>', 'how to move bytes', ['auto', 'native', 'dgram'], 'auto'))
    .option('--workers <count>', 'threads of the native engine (default: one per core)', wholeNumber)
    .addOption(
      durationOption('--timeout <duration>', 'forget a client after this long without a datagram', '3s'),
    )
    .option('--max-sessions <count>', 'clients remembered at a time', wholeNumber, 65_536)
    .option('--max-sessions-per-client <count>', 'of one client address', wholeNumber)
    .option('--allow <cidr>', 'source addresses that may send; repeatable', range, [])
    .option('--deny <cidr>', 'source addresses that may not; repeatable', range, [])
    .option('--rate <n[:burst]>', 'datagrams per second, all clients together', rate)
    .option('--rate-per-client <n[:burst]>', 'datagrams per second of one client address', rate)
    .option('--max-datagram <bytes>', 'drop larger datagrams', wholeNumber)
    .option('--max-amplification <factor>', 'most bytes answered per byte received', positive)
    .option('--responses <count>', 'end a session after so many answers to each datagram', wholeNumber)
    .addOption(
      choice('--client-address <how>', "how endpoints learn the client's address", [
        'proxy-v2',
        'proxy-v2-first',
        'simple-proxy-protocol',
        'transparent',
      ]),
    )
    .option('--proxy-protocol-from <cidr>', 'peers that send PROXY protocol v2; repeatable', range, [])
    .addHelpText('after', explanation)
    .action(async (listen: string, endpoints: string[], options: UdpProxyOptions) => {
      const { runUdpProxy } = await import('./udp-run.ts');
      await runUdpProxy(listen, endpoints, options);
    });
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

function rate(text: string): { datagramsPerSecond: number; burst?: number } {
  const [, perSecond, burst] = /^(\d+(?:\.\d+)?)(?::(\d+))?$/.exec(text) ?? [];
  const datagramsPerSecond = Number(perSecond);
  if (!(datagramsPerSecond > 0)) {
    throw new InvalidArgumentError('It must be datagrams per second, or datagrams per second:burst.');
  }
  return { datagramsPerSecond, ...(burst === undefined ? {} : { burst: Number(burst) }) };
}
