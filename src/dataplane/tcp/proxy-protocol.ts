/**
 * The PROXY protocol, versions 1 and 2: who the client is, told by a proxy in front of us, and by us to an endpoint.
 * Pure. Source: HAProxy's proxy-protocol.txt (sections 2.1, 2.2).
 */

import { isIP, isIPv4, isIPv6 } from 'node:net';
import { plainAddress, type SocketAddress } from './address.ts';

export interface ProxiedAddresses {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
}

export type ProxyHeaderReading =
  /** What there is could still be the start of a header. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'invalid'; readonly detail: string }
  /** `addresses` is absent where the header names none (LOCAL, UNKNOWN, UNSPEC): the connection's own hold. */
  | { readonly kind: 'header'; readonly length: number; readonly addresses?: ProxiedAddresses };

const v1Start = Buffer.from('PROXY ');
const v2Signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** "The maximum line lengths the receiver must support", CRLF included. */
const maxV1Bytes = 107;
const v2HeaderBytes = 16;
/** The length field allows 64 KiB; addresses and the known TLVs (a TLS certificate name among them) need far less. */
const maxV2BodyBytes = 4096;

/** Reads what a client has sent so far. Never throws. */
export function readProxyHeader(bytes: Buffer): ProxyHeaderReading {
  if (startsLike(bytes, v2Signature)) {
    return bytes.length < v2HeaderBytes ? { kind: 'incomplete' } : readV2(bytes);
  }
  if (startsLike(bytes, v1Start)) {
    return bytes.length < v1Start.length ? { kind: 'incomplete' } : readV1(bytes);
  }
  return { kind: 'absent' };
}

/** Whether the bytes are the start of the word, or the word the start of the bytes. */
function startsLike(bytes: Buffer, word: Buffer): boolean {
  const length = Math.min(bytes.length, word.length);
  return bytes.subarray(0, length).equals(word.subarray(0, length));
}

function readV1(bytes: Buffer): ProxyHeaderReading {
  const end = bytes.subarray(0, maxV1Bytes).indexOf('\r\n');
  if (end < 0) return bytes.length < maxV1Bytes ? { kind: 'incomplete' } : invalid('a v1 line without end');
  const length = end + 2;
  const words = bytes.toString('latin1', v1Start.length, end).split(' ');
  // "UNKNOWN": whatever follows up to the CRLF is to be ignored.
  if (words[0] === 'UNKNOWN') return { kind: 'header', length };
  const [protocol, source = '', destination = '', sourcePort = '', destinationPort = ''] = words;
  const family = protocol === 'TCP4' ? 4 : protocol === 'TCP6' ? 6 : 0;
  if (family === 0 || words.length !== 5) return invalid('a v1 line that is not "PROXY TCP4|TCP6 a b p q"');
  if (isIP(source) !== family || isIP(destination) !== family) return invalid('a v1 line with a bad address');
  if (!isPort(sourcePort) || !isPort(destinationPort)) return invalid('a v1 line with a bad port');
  return {
    kind: 'header',
    length,
    addresses: {
      source: { address: plainAddress(source), port: Number(sourcePort) },
      destination: { address: plainAddress(destination), port: Number(destinationPort) },
    },
  };
}

/** "No leading zeroes." */
function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

const local = 0;
const proxy = 1;

function readV2(bytes: Buffer): ProxyHeaderReading {
  const versionAndCommand = bytes[12]!;
  const bodyBytes = bytes.readUInt16BE(14);
  const length = v2HeaderBytes + bodyBytes;
  if (versionAndCommand >> 4 !== 2) return invalid(`a v2 header of version ${versionAndCommand >> 4}`);
  if (bodyBytes > maxV2BodyBytes) return invalid(`a v2 header of ${bodyBytes} bytes`);
  if (bytes.length < length) return { kind: 'incomplete' };
  const command = versionAndCommand & 15;
  if (command === local) return { kind: 'header', length };
  if (command !== proxy) return invalid(`a v2 header with command ${command}`);
  const family = bytes[13]! >> 4;
  const addressBytes = family === 1 ? 4 : family === 2 ? 16 : 0;
  // UNSPEC and AF_UNIX: "the receiver should use the real connection endpoints".
  if (addressBytes === 0)
    return family === 0 || family === 3 ? { kind: 'header', length } : invalid('a v2 family');
  if (bodyBytes < addressBytes * 2 + 4) return invalid('a v2 header too short for its addresses');
  return { kind: 'header', length, addresses: readAddresses(bytes, addressBytes) };
}

function readAddresses(bytes: Buffer, width: number): ProxiedAddresses {
  const at = (offset: number) => plainAddress(formatAddress(bytes.subarray(offset, offset + width)));
  const ports = v2HeaderBytes + width * 2;
  return {
    source: { address: at(v2HeaderBytes), port: bytes.readUInt16BE(ports) },
    destination: { address: at(v2HeaderBytes + width), port: bytes.readUInt16BE(ports + 2) },
  };
}

function formatAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  if (groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff') {
    return `::ffff:${bytes.subarray(12).join('.')}`;
  }
  // The longest run of zero groups is written as `::` (RFC 5952 4.2).
  const runs = [...groups.join(':').matchAll(/\b0(?::0)+\b/g)].sort((a, b) => b[0].length - a[0].length);
  const [longest] = runs;
  if (!longest) return groups.join(':');
  const text = groups.join(':');
  const before = text.slice(0, longest.index).replace(/:$/, '');
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}

function invalid(detail: string): ProxyHeaderReading {
  return { kind: 'invalid', detail };
}

/** The header for an endpoint. Addresses of two families are sent as IPv6. */
export function writeProxyHeader(version: 1 | 2, { source, destination }: ProxiedAddresses): Buffer {
  const isV4 = isIPv4(source.address) && isIPv4(destination.address);
  const isKnown = isIP(source.address) !== 0 && isIP(destination.address) !== 0;
  if (version === 1) {
    if (!isKnown) return Buffer.from('PROXY UNKNOWN\r\n');
    const written = isV4 ? 'TCP4' : 'TCP6';
    const [from, to] = isV4 ? [source, destination] : [mapped(source), mapped(destination)];
    return Buffer.from(`PROXY ${written} ${from.address} ${to.address} ${from.port} ${to.port}\r\n`);
  }
  if (!isKnown) return Buffer.concat([v2Signature, Buffer.from([0x20, 0, 0, 0])]);
  const body = Buffer.concat([
    addressBytesOf(source.address, isV4),
    addressBytesOf(destination.address, isV4),
    portBytes(source.port),
    portBytes(destination.port),
  ]);
  const overStream = isV4 ? 0x11 : 0x21;
  return Buffer.concat([v2Signature, Buffer.from([0x21, overStream, 0, body.length]), body]);
}

function mapped({ address, port }: SocketAddress): SocketAddress {
  return { address: isIPv6(address) ? address : `::ffff:${address}`, port };
}

function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 255]);
}

function addressBytesOf(address: string, isV4: boolean): Buffer {
  if (isV4) return Buffer.from(address.split('.').map(Number));
  const bytes = Buffer.alloc(16);
  if (isIPv4(address)) {
    bytes.fill(255, 10, 12);
    Buffer.from(address.split('.').map(Number)).copy(bytes, 12);
    return bytes;
  }
  expandGroups(address).forEach((group, index) => {
    bytes.writeUInt16BE(group, index * 2);
  });
  return bytes;
}

/** The eight numbers of an IPv6 address, whose tail may be written as IPv4. */
function expandGroups(address: string): number[] {
  const v4Tail = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high: number, low: number) => ((high << 8) | low).toString(16);
  const [, a, b, c, d] = (v4Tail ?? []).map(Number);
  const text = v4Tail ? `${address.slice(0, v4Tail.index)}${hex(a!, b!)}:${hex(c!, d!)}` : address;
  const [head = '', tail] = text.split('::');
  const numbers = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  if (tail === undefined) return numbers(head);
  const zeros = 8 - numbers(head).length - numbers(tail).length;
  return [...numbers(head), ...Array.from({ length: zeros }, () => 0), ...numbers(tail)];
}
