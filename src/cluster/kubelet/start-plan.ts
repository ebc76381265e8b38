/** What it takes to start a container's program, and why that cannot work. */

import { statSync } from 'node:fs';
import { findProgram, type Mount } from '../network/index.ts';
import { commandLine } from './command.ts';
import type { ImageProgram } from './images.ts';
import type { PodContainer } from './pod-spec.ts';

export interface StartPlan {
  readonly command: [string, ...string[]];
  readonly env: Record<string, string>;
  readonly workingDirectory: string;
  readonly mounts: readonly Mount[];
}

export interface StartSources {
  /** Throws `ContainerConfigError`. */
  environment(container: PodContainer, program: ImageProgram): Promise<Record<string, string>>;
  mounts(container: PodContainer): readonly Mount[];
}

/** Throws `ContainerConfigError`. */
export async function planStart(
  sources: StartSources,
  container: PodContainer,
  program: ImageProgram,
): Promise<StartPlan> {
  const env = await sources.environment(container, program);
  const [first = '', ...rest] = commandLine(container, program, env);
  return {
    command: [first, ...rest],
    env,
    mounts: sources.mounts(container),
    workingDirectory: workingDirectory(container, program),
  };
}

/** A directory that is only in the image cannot be entered: then the mapping's, as without one. */
function workingDirectory(container: PodContainer, program: ImageProgram): string {
  const wanted = container.workingDir;
  if (wanted && statSync(wanted, { throwIfNoEntry: false })?.isDirectory()) return wanted;
  return program.workingDir ?? '/';
}

/** Worded as runc words it; undefined where nothing speaks against the start. */
export function whyNotStartable({
  command: [program],
  env,
  workingDirectory: directory,
}: StartPlan): string | undefined {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    return `chdir to cwd ("${directory}") set in config.json failed: no such file or directory`;
  }
  if (program.includes('/')) {
    const path = program.startsWith('/') ? program : `${directory}/${program}`;
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) return `exec: "${program}": stat ${program}: no such file or directory`;
    return findProgram(path) ? undefined : `exec: "${program}": permission denied`;
  }
  return findProgram(program, env.PATH)
    ? undefined
    : `exec: "${program}": executable file not found in $PATH`;
}
