/** For commands that are over before V8's optimizing compiler has earned its cost. */

import { setFlagsFromString } from 'node:v8';

/**
 * Runs the work with the optimizing compiler kept from copying functions into their callers: each function is compiled once and soon,
 * instead of late and in many places, and is thrown away less often when a later part of the work shows it other values. The flag is put
 * back, since it is part of what V8 compares kept bytecode by. Load the code first, for the same reason.
 */
export function shortWork<T>(work: () => T): T {
  setFlagsFromString('--no-turbo-inlining');
  try {
    return work();
  } finally {
    setFlagsFromString('--turbo-inlining');
  }
}
