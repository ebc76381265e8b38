import { brokenHop, type Laptop, type LaptopStatus } from '../../laptop/index.ts';
import type { Stages } from './stages.ts';

/** What is still not whole after the cluster has been quiet this long stays so. */
const quietMs = 500;

/**
 * Waits until every Deployment is rolled out and every path whole, or until waiting is of no more use: a pod that
 * cannot get ready, a path that stays broken, or the time limit. Gives the last status.
 */
export async function waitUntilSettled(
  laptop: Laptop,
  limitMs: number,
  stages: Stages,
): Promise<LaptopStatus> {
  const status = await lastStatus(laptop, limitMs, (current) => stages.progress('pods', podCount(current)));
  if (isRolledOut(status)) stages.done('pods', podCount(status));
  else stages.failed('pods', podCount(status));
  for (const { pod, reason } of status.blocked) stages.failed('pod', `${pod}: ${reason}`);
  return status;
}

function lastStatus(
  laptop: Laptop,
  limitMs: number,
  onProgress: (status: LaptopStatus) => void,
): Promise<LaptopStatus> {
  return new Promise((resolve) => {
    let last: LaptopStatus = laptop.status ?? { deployments: [], blocked: [], paths: [] };
    let quiet: NodeJS.Timeout | undefined;
    const finish = () => {
      clearTimeout(quiet);
      clearTimeout(limit);
      endListening();
      resolve(last);
    };
    const look = (status: LaptopStatus) => {
      last = status;
      clearTimeout(quiet);
      if (isRolledOut(status) && status.paths.every((path) => !brokenHop(path))) {
        finish();
        return;
      }
      onProgress(status);
      if (isRolledOut(status) || status.blocked.length > 0) quiet = setTimeout(finish, quietMs);
    };
    const limit = setTimeout(finish, limitMs);
    const endListening = laptop.onStatus(look);
    if (laptop.status) look(laptop.status);
  });
}

function isRolledOut({ deployments }: LaptopStatus): boolean {
  return deployments.every((one) => one.isRolledOut);
}

function podCount({ deployments }: LaptopStatus): string {
  const ready = deployments.reduce((total, one) => total + one.readyReplicas, 0);
  const wanted = deployments.reduce((total, one) => total + one.wantedReplicas, 0);
  return `${ready}/${wanted} ready`;
}
