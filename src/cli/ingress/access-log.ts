/** One line for each TCP connection and each UDP session that is over. */

import { createWriteStream } from 'node:fs';
import type { TcpConnectionRecord, UdpSessionRecord } from '../../dataplane/index.ts';
import type { StaticConfiguration } from '../../ingress/index.ts';

export interface AccessLog {
  connection(record: TcpConnectionRecord): void;
  session(record: UdpSessionRecord): void;
}

interface Timed {
  readonly durationMs: number;
}

/** To stdout or a file, as `accesslog.*` says; undefined when it is off. */
export function createAccessLog(settings: StaticConfiguration['accessLog']): AccessLog | undefined {
  if (!settings) return undefined;
  const target = settings.filePath ? createWriteStream(settings.filePath, { flags: 'a' }) : process.stdout;
  const isJson = settings.format === 'json';
  const write = <Record extends Timed>(record: Record, text: (time: string) => string) => {
    const time = new Date().toISOString();
    const json = () => JSON.stringify({ time, ...record, durationMs: toMicroseconds(record.durationMs) });
    target.write(`${isJson ? json() : text(time)}\n`);
  };
  return {
    connection: (record) =>
      write({ protocol: 'tcp', ...record }, (time) => {
        const { outcome, bytesIn, bytesOut } = record;
        return textLine(record, time, `${outcome.kind}:${outcome.reason}`, `${bytesIn} ${bytesOut}`);
      }),
    session: (record) =>
      write({ protocol: 'udp', ...record }, (time) => {
        const { reason, datagramsIn, bytesIn, datagramsOut, bytesOut } = record;
        const amounts = `${bytesIn}/${datagramsIn} ${bytesOut}/${datagramsOut}`;
        return textLine(record, time, `ended:${reason}`, amounts);
      }),
  };
}

/** Beyond that are only the traces of computing with fractions. */
const toMicroseconds = (ms: number): number => Math.round(ms * 1_000) / 1_000;

/**
 * `client - - [time] "entry point -> route -> endpoint" outcome bytesIn bytesOut 12ms`; of UDP with the datagrams:
 * `bytesIn/datagramsIn`.
 */
function textLine(
  record: TcpConnectionRecord | UdpSessionRecord,
  time: string,
  outcome: string,
  amounts: string,
): string {
  const { client, entryPoint, route = '-', endpoint = '-', durationMs } = record;
  const path = `${entryPoint} -> ${route} -> ${endpoint}`;
  return `${client} - - [${time}] "${path}" ${outcome} ${amounts} ${Math.round(durationMs)}ms`;
}
