/** One run of `sluice up`, from reading the tree to Ctrl-C. */

import { relative, resolve } from 'node:path';
import { DiagnosticError, hasErrors } from '../../diagnostics/index.ts';
import { diskFileSystem } from '../../files/index.ts';
import { createRenderer } from '../../kustomize/index.ts';
import {
  type AppliedObject,
  findProgram,
  type Laptop,
  launchCluster,
  makePlan,
  NamespacesUnavailableError,
  type Plan,
  settingsFile,
  startLaptop,
} from '../../laptop/index.ts';
import { note, noteDiagnostics, styled } from '../output.ts';
import { announcePathChanges, followEdits, type Planner } from './follow.ts';
import { openLog, type RunLog } from './log.ts';
import { refusals } from './refusals.ts';
import { printCounters, printReady, printTryIt, probePaths } from './report.ts';
import { waitUntilSettled } from './settle.ts';
import { type Stages, startStages } from './stages.ts';

export interface UpOptions {
  hostAddress: string;
  once?: boolean;
  network: string;
  timeout: number;
  state?: string;
}

export async function runUp(paths: readonly string[], options: UpOptions): Promise<number> {
  const launched = launchCluster(networkMode(options.network));
  try {
    return await upOn(launched, paths, options);
  } catch (error) {
    if (!(error instanceof NamespacesUnavailableError)) throw error;
    note(`error: ${error.message}`);
    return 2;
  } finally {
    // Whatever ended the run, nothing of it is left.
    void launched.then(
      ({ child }) => child.kill('SIGKILL'),
      () => undefined,
    );
  }
}

async function upOn(
  launched: ReturnType<typeof launchCluster>,
  paths: readonly string[],
  options: UpOptions,
): Promise<number> {
  const stages = startStages();
  const makePlanAgain = plannerFor(paths);
  const plan = makePlanAgain();
  noteDiagnostics(plan.diagnostics);
  if (hasErrors(plan.diagnostics)) return 2;
  stages.done('render', describePlan(plan));

  const log = openLog(plan.root);
  const laptop = await startLaptop({
    plan,
    hostAddress: options.hostAddress,
    stateDirectory: log.stateDirectory,
    settingsFile: relative(process.cwd(), `${plan.root}/${settingsFile}`),
    launched,
    ...(options.state === undefined ? {} : { objectState: resolve(options.state) }),
  });
  laptop.onLog((record) => log.record(record));
  const interrupted = untilInterrupted(laptop);
  let isStopping = false;
  try {
    stages.done('network', laptop.networkReason);
    return await Promise.race([
      serve(plan, makePlanAgain, { laptop, log, options, stages, interrupted }),
      interrupted.then(() => 0),
      laptop.gone.then((reason) => (isStopping ? 0 : clusterGone(reason))),
    ]);
  } finally {
    isStopping = true;
    if (!options.once) note('stopping');
    await printCounters(laptop);
    await laptop.stop();
    log.close();
  }
}

/** The renderer stays: after an edit only what has changed is read anew, and kustomizations share what they have in common. */
function plannerFor(paths: readonly string[]): Planner {
  const renderer = createRenderer(diskFileSystem);
  return (changed) => {
    renderer.forget(changed);
    return makePlan({
      paths: paths.map((path) => resolve(path)),
      files: diskFileSystem,
      workingDirectory: process.cwd(),
      render: (directory) => renderer.render(directory),
      // A path within the tree is the tree's own business.
      hasProgram: (program) => /^[^/].*\//.test(program) || findProgram(program) !== undefined,
    });
  };
}

function networkMode(text: string): 'auto' | 'namespaces' | 'loopback' {
  if (text === 'auto' || text === 'namespaces' || text === 'loopback') return text;
  const message = `--network is ${JSON.stringify(text)}; it may be auto, namespaces or loopback`;
  throw new DiagnosticError([{ code: 'SL4004', severity: 'error', message }]);
}

function describePlan({ objects, entryPoints, filesRead }: Plan): string {
  const names = entryPoints.filter(({ protocol }) => protocol === 'udp').map(({ name }) => name);
  return `${objects.length} objects from ${filesRead.length} files; UDP entry points: ${names.join(', ') || 'none'}`;
}

/** Resolves on the first Ctrl-C or SIGTERM; the second ends everything at once. */
function untilInterrupted(laptop: Laptop): Promise<void> {
  return new Promise((resolve) => {
    let isSecond = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (isSecond) {
          laptop.kill();
          process.exit(130);
        }
        isSecond = true;
        resolve();
      });
    }
  });
}

function clusterGone(reason: string): number {
  note(styled('red', `the cluster process ended by itself (${reason}); its log is in .sluice/sluice.log`));
  return 1;
}

interface Running {
  readonly laptop: Laptop;
  readonly log: RunLog;
  readonly options: UpOptions;
  readonly stages: Stages;
  readonly interrupted: Promise<void>;
}

async function serve(
  plan: Plan,
  makePlanAgain: Planner,
  { laptop, log, options, stages, interrupted }: Running,
): Promise<number> {
  const applied = await laptop.apply(plan);
  const refused = refusals(applied, plan);
  noteDiagnostics(refused);
  if (hasErrors(refused)) return 2;
  stages.done('apply', countOutcomes(applied));

  const status = await waitUntilSettled(laptop, options.timeout * 1000, stages);
  const probed = await probePaths(status, options.hostAddress, stages);
  const isWhole = printReady(status, probed, options.hostAddress);
  if (options.once) return isWhole && status.blocked.length === 0 ? 0 : 1;

  log.show();
  announcePathChanges(laptop, probed);
  const edits = followEdits(plan, laptop, makePlanAgain);
  await edits.ready;
  printTryIt(probed, options.hostAddress, log.stateDirectory);
  stages.finish(isWhole);
  await interrupted;
  await edits.close();
  return 0;
}

function countOutcomes(applied: readonly AppliedObject[]): string {
  const counts = new Map<string, number>();
  for (const { outcome } of applied) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ') || 'nothing to do';
}
