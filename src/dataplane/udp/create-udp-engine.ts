/** Chooses the engine. */

import { isAvailable, loadLibc } from '../native/index.ts';
import type { UdpEngine, UdpSessionRecord } from '../udp-engine.ts';
import { DgramUdpEngine } from './dgram/dgram-engine.ts';
import { type EngineLog, silentLog } from './engine-log.ts';
import { NativeUdpEngine } from './native/native-engine.ts';

export interface UdpEngineOptions {
  /** `auto` when absent: `native` where it can be had, else `dgram`. */
  readonly engine?: 'auto' | 'native' | 'dgram';
  readonly log?: EngineLog;
  /** Threads of the native engine, 1 to 64. One per core when absent. */
  readonly workers?: number;
  /** Sockets towards endpoints that may be open at a time. What the limit on open files leaves, when absent. */
  readonly maxSockets?: number;
  /** Called with what became of each session, soon after it is over. */
  readonly onSession?: (record: UdpSessionRecord) => void;
}

/** `load` is for tests. Rejects when `native` is asked for and cannot be had here; the message says why. */
export async function createUdpEngine(
  { engine = 'auto', log = silentLog, workers, maxSockets, onSession }: UdpEngineOptions = {},
  load = loadLibc,
): Promise<UdpEngine> {
  if (engine === 'dgram') return new DgramUdpEngine(log, maxSockets, onSession);
  const libc = load();
  if (isAvailable(libc)) {
    const limits = { ...(workers ? { workers } : {}), ...(maxSockets ? { maxSockets } : {}) };
    return new NativeUdpEngine({ libc, log, ...limits, ...(onSession ? { onSession } : {}) });
  }
  if (engine === 'native') throw new Error(`the native UDP engine cannot run here: ${libc.unavailable}`);
  log('info', `UDP through node:dgram: ${libc.unavailable}`);
  return new DgramUdpEngine(log, maxSockets, onSession);
}
