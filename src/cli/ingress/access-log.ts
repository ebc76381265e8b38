/** One line for each TCP connection that is over. */

import { createWriteStream } from 'node:fs';
import type { TcpConnectionRecord } from '../../dataplane/index.ts';
import type { StaticConfiguration } from '../../ingress/index.ts';

export type AccessLog = (record: TcpConnectionRecord) => void;

/** To stdout or a file, as `accesslog.*` says; undefined when it is off. */
export function createAccessLog(settings: StaticConfiguration['accessLog']): AccessLog | undefined {
  if (!settings) return undefined;
  const target = settings.filePath ? createWriteStream(settings.filePath, { flags: 'a' }) : process.stdout;
  const format = settings.format === 'json' ? jsonLine : textLine;
  return (record) => void target.write(`${format(record, new Date())}\n`);
}

function jsonLine(record: TcpConnectionRecord, now: Date): string {
  return JSON.stringify({ time: now.toISOString(), protocol: 'tcp', ...record });
}

/** `client - - [time] "entry point -> route -> endpoint" outcome bytesIn bytesOut 12ms`. */
function textLine(record: TcpConnectionRecord, now: Date): string {
  const { client, entryPoint, route = '-', endpoint = '-', outcome, bytesIn, bytesOut, durationMs } = record;
  const path = `${entryPoint} -> ${route} -> ${endpoint}`;
  const end = `${outcome.kind}:${outcome.reason}`;
  return `${client} - - [${now.toISOString()}] "${path}" ${end} ${bytesIn} ${bytesOut} ${Math.round(durationMs)}ms`;
}
