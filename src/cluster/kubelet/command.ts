/** What a container runs. Pure. */

import type { ImageProgram } from './images.ts';
import type { PodContainer } from './pod-spec.ts';

/**
 * The mapping's command is what the image's ENTRYPOINT is: `command` replaces it, `args` follow it.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
 */
export function commandLine(
  container: PodContainer,
  program: ImageProgram,
  env: Readonly<Record<string, string>>,
): string[] {
  const expand = (text: string) => expandVariables(text, env);
  const command = container.command?.length ? container.command.map(expand) : program.command;
  return [...command, ...(container.args ?? []).map(expand)];
}

/** `$(NAME)` becomes the variable's value where there is one and stays where there is none; `$$` is a dollar. */
export function expandVariables(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(?:\$|\(([^()]*)\))/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$';
    return Object.hasOwn(env, name) ? (env[name] ?? '') : whole;
  });
}
