/** As much of DNS messages (RFC 1035, RFC 2782) as a server of one zone needs. Pure. */

export type RecordType = 'A' | 'AAAA' | 'CNAME' | 'SOA' | 'PTR' | 'SRV' | 'ANY';

const typeNumbers: Readonly<Record<RecordType, number>> = {
  A: 1,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  AAAA: 28,
  SRV: 33,
  ANY: 255,
};
const optType = 41;
const internetClass = 1;

export interface DnsQuestion {
  /** Lower case, without the dot at the end. */
  readonly name: string;
  /** Undefined for a type that no record here has. */
  readonly type: RecordType | undefined;
}

export interface DnsQuery extends DnsQuestion {
  readonly id: number;
  readonly isRecursionDesired: boolean;
  /** The question as it came: an answer repeats it letter by letter. */
  readonly question: Buffer;
  /** The largest answer that the client takes. */
  readonly maxAnswerBytes: number;
}

export type DnsRecord =
  | { readonly type: 'A'; readonly address: string }
  | { readonly type: 'CNAME' | 'PTR'; readonly target: string }
  | { readonly type: 'SRV'; readonly port: number; readonly target: string }
  | { readonly type: 'SOA'; readonly zone: string };

export type DnsOutcome = 'found' | 'format error' | 'no such name' | 'refused';

const responseCodes: Readonly<Record<DnsOutcome, number>> = {
  found: 0,
  'format error': 1,
  'no such name': 3,
  refused: 5,
};

const headerBytes = 12;
/** Without EDNS (RFC 6891) a client takes no more over UDP. */
const plainAnswerBytes = 512;
/** What passes a network of pods in one piece, and no amplifier for the clever. */
const largestAnswerBytes = 4_096;

/** Undefined for what is not a query with one question. */
export function readQuery(message: Buffer): DnsQuery | undefined {
  if (message.length < headerBytes) return undefined;
  const flags = message.readUInt16BE(2);
  const isQuery = (flags & 0xf800) === 0;
  if (!isQuery || message.readUInt16BE(4) !== 1) return undefined;
  const named = readName(message, headerBytes);
  if (!named || named.end + 4 > message.length) return undefined;
  const end = named.end + 4;
  const number = message.readUInt16BE(named.end);
  const type = (Object.keys(typeNumbers) as RecordType[]).find((name) => typeNumbers[name] === number);
  return {
    id: message.readUInt16BE(0),
    isRecursionDesired: (flags & 0x0100) !== 0,
    name: named.name.toLowerCase(),
    type,
    question: message.subarray(headerBytes, end),
    maxAnswerBytes: ednsBytes(message, end),
  };
}

/** A question's name is never compressed. */
function readName(message: Buffer, start: number): { name: string; end: number } | undefined {
  const labels: string[] = [];
  for (let at = start; at < message.length && at - start < 256; ) {
    const length = message[at] ?? 0;
    if (length === 0) return { name: labels.join('.'), end: at + 1 };
    if (length > 63 || at + 1 + length > message.length) return undefined;
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return undefined;
}

/** The OPT record of RFC 6891, where it is the first and only one: its class is a size. */
function ednsBytes(message: Buffer, at: number): number {
  const isOpt = message.length >= at + 11 && message[at] === 0 && message.readUInt16BE(at + 1) === optType;
  if (!isOpt) return plainAnswerBytes;
  return Math.min(Math.max(message.readUInt16BE(at + 3), plainAnswerBytes), largestAnswerBytes);
}

/** As many of the answers as the client takes: any of a service's endpoints will do. */
export function writeAnswer(
  query: DnsQuery,
  outcome: DnsOutcome,
  answers: readonly DnsRecord[],
  authority: readonly DnsRecord[] = [],
): Buffer {
  const header = Buffer.alloc(headerBytes);
  const parts = [header, query.question];
  let left = query.maxAnswerBytes - headerBytes - query.question.length;
  const add = (records: readonly DnsRecord[]) => {
    let count = 0;
    for (const record of records) {
      const bytes = writeRecord(record);
      if (bytes.length > left) break;
      left -= bytes.length;
      parts.push(bytes);
      count++;
    }
    return count;
  };
  header.writeUInt16BE(query.id, 0);
  // A response, with authority; recursion is not offered.
  const flags = 0x8000 | (outcome === 'refused' ? 0 : 0x0400) | (query.isRecursionDesired ? 0x0100 : 0);
  header.writeUInt16BE(flags | responseCodes[outcome], 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(add(answers), 6);
  header.writeUInt16BE(add(authority), 8);
  return Buffer.concat(parts);
}

/** As long as CoreDNS lets its clients remember what it says of services. */
const timeToLiveSeconds = 5;

function writeRecord(record: DnsRecord): Buffer {
  // The question's name, by reference; a zone's own record names the zone.
  const owner = record.type === 'SOA' ? writeName(record.zone) : Buffer.from([0xc0, headerBytes]);
  const data = recordData(record);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(typeNumbers[record.type], 0);
  fixed.writeUInt16BE(internetClass, 2);
  fixed.writeUInt32BE(timeToLiveSeconds, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
}

function recordData(record: DnsRecord): Buffer {
  if (record.type === 'A') return Buffer.from(record.address.split('.').map(Number));
  if (record.type === 'SRV') {
    const fixed = Buffer.alloc(6);
    fixed.writeUInt16BE(100, 2);
    fixed.writeUInt16BE(record.port, 4);
    return Buffer.concat([fixed, writeName(record.target)]);
  }
  if (record.type !== 'SOA') return writeName(record.target);
  const numbers = Buffer.alloc(20);
  // Serial, refresh, retry, expire, and how long "no such name" may be remembered.
  for (const [index, value] of [1, 7200, 1800, 86_400, timeToLiveSeconds].entries()) {
    numbers.writeUInt32BE(value, index * 4);
  }
  return Buffer.concat([writeName(`ns.dns.${record.zone}`), writeName(`hostmaster.${record.zone}`), numbers]);
}

function writeName(name: string): Buffer {
  const labels = name.split('.').filter(Boolean);
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}
