/** For commands that are over before V8's optimizing compiler has earned its cost. */

import { setFlagsFromString } from 'node:v8';

/**
 * Flags of V8 and what puts them back.
 *
 * Without inlining each function is compiled once and soon, instead of late and in many places, and is thrown away less often when a
 * later part of the work shows it other values.
 *
 * Marking in small steps is for programs that must answer meanwhile: it makes every write to an object dearer.
 */
const flags: [flag: string, usual: string][] = [
  ['--no-turbo-inlining', '--turbo-inlining'],
  ['--no-incremental-marking', '--incremental-marking'],
];

// Where there is no compiler between the quick one and the optimizing one, many functions are optimized that are hardly used again.
if (process.versions.v8.startsWith('11.3.')) {
  flags.push(['--interrupt-budget=150000', '--interrupt-budget=67584']);
}

/**
 * Runs the work with flags that suit it. They are put back, since they are part of what V8 compares kept bytecode by. Load the code
 * first, for the same reason.
 */
export function shortWork<T>(work: () => T): T {
  for (const [flag] of flags) setFlagsFromString(flag);
  try {
    return work();
  } finally {
    for (const [, usual] of flags) setFlagsFromString(usual);
  }
}
