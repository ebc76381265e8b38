/** `sluice kubectl`: the kubectl of this machine, on the cluster that `sluice up` runs here. */

import type { Command } from 'commander';

export function registerKubectl(program: Command): void {
  program
    .command('kubectl')
    .summary('run kubectl on the cluster of `sluice up`')
    .description(
      'Runs the kubectl on PATH with the kubeconfig that `sluice up` wrote to .sluice/kubeconfig, which is looked for in ' +
        'this directory and those above it. All arguments are kubectl’s own.',
    )
    .argument('[arguments...]', 'what kubectl is to do')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      const { runKubectl } = await import('./kubectl/run.ts');
      process.exitCode = await runKubectl(words);
    });
}
