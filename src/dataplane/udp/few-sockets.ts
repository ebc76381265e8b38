import type { UdpEntryPoint } from '../udp-engine.ts';
import { defaultMaxSessions } from './core/entry-point-core.ts';
import type { EngineLog } from './engine-log.ts';

/** Says at the start that an entry point's sessions are held to fewer than it may have, as each takes a socket. */
export function tellOfFewSockets(
  { name, maxSessions }: UdpEntryPoint,
  sockets: number,
  log: EngineLog,
): void {
  const wanted = maxSessions ?? defaultMaxSessions;
  if (sockets >= wanted) return;
  const cure = 'raise it (ulimit -n), or lower the limit on sessions';
  log(
    'info',
    `entry point ${name}: ${sockets} of ${wanted} sessions at most, for want of open files: ${cure}`,
  );
}
