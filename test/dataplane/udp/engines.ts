/** The engines that can run here: the same suite is for all of them. */

import { isAvailable, loadLibc } from '../../../src/dataplane/native/index.ts';

const hasNative = isAvailable(loadLibc());

export const engines: readonly { readonly engine: 'dgram' | 'native' }[] = [
  { engine: 'dgram' },
  ...(hasNative ? [{ engine: 'native' as const }] : []),
];

/** For `describe.skipIf`. */
export const lacksNative = !hasNative;
