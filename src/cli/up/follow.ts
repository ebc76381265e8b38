/** What `sluice up` does after it is ready: follows the files, and tells how the paths fare. */

import { isDeepStrictEqual } from 'node:util';
import { hasErrors } from '../../diagnostics/index.ts';
import { brokenHop, type Laptop, type LaptopStatus, type Plan, watchTree } from '../../laptop/index.ts';
import { note, noteDiagnostics, styled } from '../output.ts';
import { refusals } from './refusals.ts';
import type { ProbedPath } from './report.ts';

export interface EditFollower {
  /** Resolves when every edit from now on is noticed, and those made since the first plan are applied. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** Makes a plan once more, after these paths have changed; any may have, where none are named. */
export type Planner = (changed?: readonly string[]) => Plan;

/** Every edit is rendered and applied; a broken one is told and changes nothing. */
export function followEdits(first: Plan, laptop: Laptop, makePlan: Planner): EditFollower {
  let applied = first;
  const applyEdit = async (changed?: readonly string[]) => {
    const plan = makePlan(changed);
    // What a broken plan could not read any more is still what it depends on.
    watch.follow({ root: first.root, filesRead: [...new Set([...applied.filesRead, ...plan.filesRead])] });
    if (hasErrors(plan.diagnostics)) {
      noteDiagnostics(plan.diagnostics);
      note(styled('yellow', 'not applied: the last good state goes on serving'));
      return;
    }
    if (isDeepStrictEqual(essenceOf(plan), essenceOf(applied))) return;
    noteDiagnostics(plan.diagnostics);
    await applyPlan(plan, laptop);
    applied = plan;
  };
  let busy: Promise<void> = Promise.resolve();
  const schedule = (changed?: readonly string[]) => {
    busy = busy.then(() => applyEdit(changed)).catch((error: unknown) => note(styled('red', String(error))));
    return busy;
  };
  const watch = watchTree(first, (changed) => void schedule(changed));
  return {
    ready: watch.ready.then(() => schedule()),
    async close() {
      await watch.close();
      await busy;
    },
  };
}

/** What of a plan makes a difference to the cluster. */
function essenceOf({ objects, entryPoints, images, ingressService }: Plan) {
  return {
    objects: objects.map(({ object }) => object),
    entryPoints: entryPoints.map((entryPoint) => ({ ...entryPoint, position: undefined })),
    images,
    ingressService,
  };
}

async function applyPlan(plan: Plan, laptop: Laptop): Promise<void> {
  const applied = await laptop.apply(plan);
  noteDiagnostics(refusals(applied, plan));
  for (const { object, outcome } of applied) {
    if (outcome !== 'unchanged' && outcome !== 'failed') note(`${outcome} ${object}`);
  }
}

/** A path that breaks or heals while it runs is worth a line. */
export function announcePathChanges(laptop: Laptop, probed: readonly ProbedPath[]): void {
  const known = new Map(probed.map(({ path, broken }) => [keyOf(path), broken?.detail]));
  const announce = (path: LaptopStatus['paths'][number]) => {
    const broken = brokenHop(path);
    if (known.get(keyOf(path)) === broken?.detail) return;
    known.set(keyOf(path), broken?.detail);
    const name = `${path.route} on ${path.entryPoint}`;
    if (broken) note(styled('red', `× ${name}: broken at ${broken.name}: ${broken.detail}`));
    else note(styled('green', `√ ${name}: whole, ${path.readyPods}/${path.totalPods} pods ready`));
  };
  laptop.onStatus(({ paths }) => {
    for (const path of paths) announce(path);
  });
}

const keyOf = ({ route, entryPoint }: { route: string; entryPoint: string }) => `${route} ${entryPoint}`;
