/** Where the small system programs are that make namespaces. */

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Ordinary users often have no sbin in their PATH, and `ip` lives there on some systems. */
const systemDirectories = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];

/** The program's absolute path, or undefined where this machine has none. */
export function findProgram(name: string, path = process.env.PATH ?? ''): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? name : undefined;
  for (const directory of [...path.split(delimiter).filter(Boolean), ...systemDirectories]) {
    const candidate = join(directory, name);
    if (isExecutable(candidate)) return candidate;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
