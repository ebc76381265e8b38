/** Finds the kubeconfig of `sluice up` and runs kubectl with it. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DiagnosticError } from '../../diagnostics/index.ts';

const kubeconfigFile = join('.sluice', 'kubeconfig');

/** Resolves to kubectl's exit code. Throws `DiagnosticError` where there is no cluster or no kubectl. */
export async function runKubectl(words: readonly string[]): Promise<number> {
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
function findKubeconfig(directory: string): string | undefined {
  for (let at = resolve(directory); ; at = dirname(at)) {
    const file = join(at, kubeconfigFile);
    if (existsSync(file)) return file;
    if (dirname(at) === at) return undefined;
  }
}
