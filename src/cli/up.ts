/** `sluice up`: the tree, running on this machine. */

import type { Command } from 'commander';
import { wholeNumber } from './option-values.ts';

interface UpFlags {
  hostAddress: string;
  once?: boolean;
  network: string;
  timeout: number;
  state?: string;
}

export function registerUp(program: Command): void {
  program
    .command('up')
    .summary('run the tree on this machine: no cluster, no Docker, no root')
    .description(
      'Brings up what a GitOps tree describes on this machine: reads the Applications under argocd-bootstrap/ (or one ' +
        'kustomization directory), runs the pods as processes, and routes datagrams to them from the node ports. ' +
        'Follows every edit of the files until Ctrl-C.',
    )
    .argument('[path...]', 'directories that hold argocd-bootstrap/, or kustomization directories', ['.'])
    .option(
      '--host-address <address>',
      'the address of this machine that the node ports listen on',
      '127.0.0.1',
    )
    .option('--once', 'start, send a datagram through every UDP path, stop; exit 1 when one fails')
    .option('--network <mode>', 'auto, namespaces (an address per pod) or loopback', 'auto')
    .option('--state <directory>', 'keep the objects there across runs; without it they are in memory only')
    .option('--timeout <seconds>', 'how long to wait for the pods to get ready', wholeNumber, 60)
    .action(async (paths: string[], flags: UpFlags) => {
      const { runUp } = await import('./up/run.ts');
      process.exitCode = await runUp(paths, flags);
    });
}
