/** `sluice kubectl`: the kubectl of this machine, on the cluster that `sluice up` runs here. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { DiagnosticError } from '../diagnostics/index.ts';

export const kubeconfigFile = join('.sluice', 'kubeconfig');

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
      process.exitCode = await runKubectl(words);
    });
}

async function runKubectl(words: readonly string[]): Promise<number> {
  const kubeconfig = findKubeconfig(process.cwd());
  if (!kubeconfig) {
    const message = `no ${kubeconfigFile} in this directory or above it`;
    throw new DiagnosticError([
      { code: 'SL4050', severity: 'error', message, hint: 'start the cluster first: sluice up' },
    ]);
  }
  const environment = { ...process.env, KUBECONFIG: kubeconfig };
  const child = spawn('kubectl', [...words], { stdio: 'inherit', env: environment });
  // Ctrl-C reaches kubectl too: it decides when to end.
  const ignore = () => undefined;
  process.on('SIGINT', ignore);
  try {
    return await new Promise<number>((done, fail) => {
      child.once('error', fail);
      child.once('close', (code) => done(code ?? 1));
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const hint = 'see https://kubernetes.io/docs/tasks/tools/ or your system’s packages';
    throw new DiagnosticError([
      { code: 'SL4051', severity: 'error', message: 'there is no kubectl on PATH', hint },
    ]);
  } finally {
    process.off('SIGINT', ignore);
  }
}

/** The nearest one upwards. */
export function findKubeconfig(directory: string): string | undefined {
  for (let at = resolve(directory); ; at = dirname(at)) {
    const file = join(at, kubeconfigFile);
    if (existsSync(file)) return file;
    if (dirname(at) === at) return undefined;
  }
}
