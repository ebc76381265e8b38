/**
 * The text of the log: one record a line, `CRC32 JSON`, the sum in eight hexadecimal digits over the JSON's bytes. A
 * process that is killed while it writes leaves a last line without its end or with the wrong sum.
 */

import { crc32 } from 'node:zlib';
import type { KubeObject } from '../../../kubernetes/index.ts';
import type { StateRecord } from './state.ts';

interface Header {
  readonly format: 1;
  readonly version: number;
}

const sumLength = 8;
const lineEnd = 0x0a;

/** `json` is the object's text, so that it need not be made twice. */
export function encodeRecord(record: StateRecord, json: string | undefined): string {
  const { version, resource, namespace, name } = record;
  const place = JSON.stringify({ version, resource, namespace, name });
  return encodeLine(json === undefined ? place : `${place.slice(0, -1)},"object":${json}}`);
}

export function encodeHeader(version: number): string {
  return encodeLine(JSON.stringify({ format: 1, version } satisfies Header));
}

function encodeLine(json: string): string {
  return `${crc32(json).toString(16).padStart(sumLength, '0')} ${json}\n`;
}

export interface DecodedLog {
  readonly header: Header | undefined;
  readonly records: readonly StateRecord[];
  /** Bytes up to the end of the last whole record. */
  readonly goodBytes: number;
  /** The first line that is no record, counted from 1; undefined where all are. */
  readonly badLine: number | undefined;
  /** Whether something follows the bad line: then it was not torn by a crash. */
  readonly hasMoreAfterBadLine: boolean;
}

export function decodeLog(bytes: Buffer): DecodedLog {
  const records: StateRecord[] = [];
  let header: Header | undefined;
  let start = 0;
  for (let line = 1; start < bytes.length; line++) {
    const end = bytes.indexOf(lineEnd, start);
    const value = end < 0 ? undefined : decodeLine(bytes.subarray(start, end));
    if (value === undefined) {
      const hasMoreAfterBadLine = end >= 0 && end + 1 < bytes.length;
      return { header, records, goodBytes: start, badLine: line, hasMoreAfterBadLine };
    }
    if ('format' in value) header = value as unknown as Header;
    else records.push(toRecord(value));
    start = end + 1;
  }
  return { header, records, goodBytes: start, badLine: undefined, hasMoreAfterBadLine: false };
}

function decodeLine(line: Buffer): Record<string, unknown> | undefined {
  const sum = line.toString('latin1', 0, sumLength);
  const json = line.subarray(sumLength + 1);
  if (line.length <= sumLength + 1 || crc32(json).toString(16).padStart(sumLength, '0') !== sum)
    return undefined;
  try {
    const value: unknown = JSON.parse(json.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function toRecord(value: Record<string, unknown>): StateRecord {
  return {
    version: Number(value.version),
    resource: String(value.resource),
    namespace: String(value.namespace),
    name: String(value.name),
    object: value.object as KubeObject | undefined,
  };
}
