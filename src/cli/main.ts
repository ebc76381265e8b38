/** The command line: which commands there are. Each command's own file loads what it needs when it runs. */

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { DiagnosticError } from '../diagnostics/index.ts';
import { registerBuild } from './build.ts';
import { registerIngress } from './ingress.ts';
import { registerKubectl } from './kubectl.ts';
import { note, noteDiagnostics } from './output.ts';
import { registerProxy } from './proxy.ts';
import { registerUp } from './up.ts';

/** Exit codes: 0 fine, 1 findings or a failed proof, 2 the input or the command line could not be used. */
export async function main(args: readonly string[]): Promise<number> {
  const program = new Command('sluice')
    .description('Carries UDP and TCP services from a GitOps tree to answered datagrams.')
    .version(packageVersion(), '--version')
    .exitOverride()
    .showHelpAfterError('(see sluice --help)');
  registerUp(program);
  registerBuild(program);
  registerIngress(program);
  registerProxy(program);
  registerKubectl(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  // --help and --version end this way too, with exit code 0; commander has printed the rest itself.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof DiagnosticError) {
    noteDiagnostics(error.diagnostics);
    return 2;
  }
  note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 2;
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
