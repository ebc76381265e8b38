/** The log of `sluice ingress`: a line for a person, or JSON as Traefik's `--log.format=json`. */

import pino, { type DestinationStream, type Logger } from 'pino';
import type { StaticConfiguration } from '../../ingress/index.ts';

/** Traefik says only errors unless told otherwise; here what was opened and routed is said as well. */
const defaultLevel = 'info';

/** Lines go to stdout, where Traefik's go and `kubectl logs` looks. */
export function createIngressLog({ level = defaultLevel, format }: StaticConfiguration['log']): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const stdout = pino.destination({ dest: 1, sync: true });
  return pino(options, format === 'json' ? stdout : readable(stdout));
}

/** `2026-01-01T00:00:00.000Z INF message`. */
function readable(stdout: DestinationStream): DestinationStream {
  return {
    write(record: string) {
      const { time, level, msg } = JSON.parse(record) as { time: string; level: string; msg: string };
      stdout.write(`${time} ${level.slice(0, 3).toUpperCase()} ${msg}\n`);
    },
  };
}
