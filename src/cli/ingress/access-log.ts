/** One line for each TCP connection and each UDP session that is over. */

import { createWriteStream } from 'node:fs';
import type { TcpConnectionRecord, UdpSessionRecord } from '../../dataplane/index.ts';
import type { StaticConfiguration } from '../../ingress/index.ts';

export interface AccessLog {
  connection(record: TcpConnectionRecord): void;
  session(record: UdpSessionRecord): void;
}

/** To stdout or a file, as `accesslog.*` says; undefined when it is off. */
export function createAccessLog(settings: StaticConfiguration['accessLog']): AccessLog | undefined {
  if (!settings) return undefined;
  const target = settings.filePath ? createWriteStream(settings.filePath, { flags: 'a' }) : process.stdout;
  const isJson = settings.format === 'json';
  const write = (json: object, text: (time: string) => string) => {
    const time = new Date().toISOString();
    target.write(`${isJson ? JSON.stringify({ time, ...json }) : text(time)}\n`);
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
