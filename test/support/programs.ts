import { spawnSync } from 'node:child_process';

/** Whether a program is on this machine. A test that needs one that is not is skipped, and names it. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}
