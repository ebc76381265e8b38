/** How many sessions the machine has sockets for, which is not asked until the last one is gone. */

import { readFileSync } from 'node:fs';
import type { EngineLog } from './engine-log.ts';

/** Says it where an entry point may have more sessions than the process may have `sockets`, or the host has ports. */
export function tellCapacity(log: EngineLog, entryPoint: string, sessions: number, sockets: number): void {
  const ports = localPorts();
  if (Math.min(ports, sockets) >= sessions) return;
  log(
    'info',
    `entry point ${entryPoint}: room for ${sessions} sessions, but ${sockets} sockets by the limit on open files and ${ports} ` +
      'local ports (net.ipv4.ip_local_port_range): beyond that the longest idle session makes way',
  );
}

/** Ports that the kernel gives to sockets without one, of both families; reserved ones among them are not known here. */
function localPorts(): number {
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const [first = 0, last = 0] = text.trim().split(/\s+/).map(Number);
    return last - first + 1;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
