import { readFileSync } from 'node:fs';
import type { UdpEntryPoint } from '../udp-engine.ts';
import { defaultMaxSessions } from './core/entry-point-core.ts';
import type { EngineLog } from './engine-log.ts';

/** Says at the start that an entry point's sessions are held to fewer than it may have, as each takes a socket and its port. */
export function tellOfFewSockets(
  { name, maxSessions }: UdpEntryPoint,
  sockets: number,
  log: EngineLog,
): void {
  const wanted = maxSessions ?? defaultMaxSessions;
  const ports = localPorts();
  const most = Math.min(sockets, ports);
  if (most >= wanted) return;
  const [what, cure] =
    sockets <= ports
      ? ['open files', 'raise their limit (ulimit -n)']
      : ['local ports', 'widen net.ipv4.ip_local_port_range'];
  log(
    'info',
    `entry point ${name}: ${most} of ${wanted} sessions at most, for want of ${what}: ${cure}, or lower the limit on sessions`,
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
