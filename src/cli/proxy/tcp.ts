/** `sluice proxy tcp LISTEN ENDPOINT…`: one TCP entry point, and where its connections go. */

import type { Command } from 'commander';
import { choice, duration, durationOption, range, wholeNumber } from '../option-values.ts';
import type { TcpProxyOptions } from './tcp-options.ts';

const explanation = `
LISTEN is ADDRESS:PORT, or :PORT for every address of this machine.
ENDPOINT is HOST:PORT, or HOST:PORT=WEIGHT; 1 is the weight of one that names none, and 0 gets nothing.

Counters are printed at the end (Ctrl-C) and whenever the process gets SIGUSR1. When it is stopped it takes no new
connection and waits for those there are, for --grace at most.

Examples:
  sluice proxy tcp :6379 10.244.1.10:6379
  sluice proxy tcp :9999 10.244.1.10:5555=3 10.244.1.11:5555 --timeout 5m --proxy-protocol 2`;

export function registerProxyTcp(proxy: Command): void {
  proxy
    .command('tcp')
    .description('carry TCP connections to endpoints')
    .argument('<listen>', 'where to listen')
    .argument('<endpoints...>', 'where to carry them to')
    .addOption(choice('--balance <how>', 'what stays together', ['connection', 'source'], 'connection'))
    .option(
      '--timeout <duration>',
      'close a connection that is silent for this long (default: never)',
      duration,
    )
    .addOption(
      durationOption('--connect-timeout <duration>', 'how long an endpoint may take to answer', '5s'),
    )
    .option('--max-connections <count>', 'connections at a time', wholeNumber, 20_000)
    .option('--max-connections-per-client <count>', 'of one client address', wholeNumber)
    .option('--allow <cidr>', 'source addresses that may connect; repeatable', range, [])
    .addOption(choice('--proxy-protocol <version>', "tell endpoints the client's address", ['1', '2']))
    .option('--proxy-protocol-from <cidr>', 'peers that send PROXY protocol v1 or v2; repeatable', range, [])
    .addOption(
      durationOption('--grace <duration>', 'how long to wait for open connections at the end', '10s'),
    )
    .option('--log', 'print a line of JSON for each connection that is over')
    .addHelpText('after', explanation)
    .action(async (listen: string, endpoints: string[], options: TcpProxyOptions) => {
      const { runTcpProxy } = await import('./tcp-run.ts');
      await runTcpProxy(listen, endpoints, options);
    });
}
