/**
 * Headers that tell an endpoint who the client is. PROXY protocol version 2 (haproxy's doc/proxy-protocol.txt, section
 * 2.2), binary, for datagrams; and Cloudflare's Simple Proxy Protocol for UDP (Spectrum's documentation): 38 bytes on each
 * datagram, both ways.
 */

import { addressWords, mappedMarker } from './address.ts';

/** A client or a listener: four address words, then the port as a number. */
export const placeWords = addressWords + 1;

const signature = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const fixedBytes = 16;
const ipv4Bytes = 12;
const ipv6Bytes = 36;
const command = { local: 0x20, proxy: 0x21 } as const;
/** Address family and transport: datagrams over IPv4, over IPv6, and "unknown". */
const family = { unspecified: 0x00, datagram4: 0x12, datagram6: 0x22 } as const;

export const simpleHeaderBytes = 38;
const simpleMagic = [0x56, 0xec] as const;

/** Room for either header. */
export const largestHeaderBytes = fixedBytes + ipv6Bytes;

/** Writes a PROXY header at `offset`; gives its length. `client` and `local` are places: see `placeWords`. */
export function writeProxyHeader(
  bytes: Uint8Array,
  offset: number,
  client: Uint32Array,
  local: Uint32Array,
): number {
  const isIPv4 = isMapped(client) && isMapped(local);
  const length = isIPv4 ? ipv4Bytes : ipv6Bytes;
  bytes.set(signature, offset);
  bytes[offset + 12] = command.proxy;
  bytes[offset + 13] = isIPv4 ? family.datagram4 : family.datagram6;
  bytes[offset + 14] = 0;
  bytes[offset + 15] = length;
  let at = offset + fixedBytes;
  const first = isIPv4 ? 3 : 0;
  at = writeAddress(bytes, at, client, first);
  at = writeAddress(bytes, at, local, first);
  at = writePort(bytes, at, client);
  return writePort(bytes, at, local) - offset;
}

/** Writes a simple header at `offset`; gives its length. */
export function writeSimpleHeader(
  bytes: Uint8Array,
  offset: number,
  client: Uint32Array,
  local: Uint32Array,
): number {
  bytes[offset] = simpleMagic[0];
  bytes[offset + 1] = simpleMagic[1];
  let at = writeAddress(bytes, offset + 2, client, 0);
  at = writeAddress(bytes, at, local, 0);
  at = writePort(bytes, at, client);
  return writePort(bytes, at, local) - offset;
}

/** Whether a datagram of `length` bytes at `offset` begins with the simple header of that client. */
export function hasSimpleHeader(
  bytes: Uint8Array,
  offset: number,
  length: number,
  client: Uint32Array,
): boolean {
  if (length < simpleHeaderBytes) return false;
  if (bytes[offset] !== simpleMagic[0] || bytes[offset + 1] !== simpleMagic[1]) return false;
  for (let word = 0; word < addressWords; word++) {
    if (readWord(bytes, offset + 2 + 4 * word) !== client[word]) return false;
  }
  return readPort(bytes, offset + 34) === client[addressWords];
}

/** What `readProxyHeader` found. */
export interface ProxyHeader {
  /** Where the payload begins, from the datagram's start. */
  bytes: number;
  /** Whether `client` was filled: a header may be there and name nobody. */
  namesClient: boolean;
  /** A place. */
  readonly client: Uint32Array;
}

export function emptyProxyHeader(): ProxyHeader {
  return { bytes: 0, namesClient: false, client: new Uint32Array(placeWords) };
}

/**
 * Reads the PROXY header that a datagram of `length` bytes at `offset` begins with, into `found`; one without the signature
 * has a header of 0 bytes. False: the signature is there and what follows is not valid.
 */
export function readProxyHeader(
  bytes: Uint8Array,
  offset: number,
  length: number,
  found: ProxyHeader,
): boolean {
  found.bytes = 0;
  found.namesClient = false;
  if (!hasSignature(bytes, offset, length)) return true;
  if (length < fixedBytes) return false;
  const rest = ((bytes[offset + 14] as number) << 8) | (bytes[offset + 15] as number);
  if (fixedBytes + rest > length) return false;
  const what = bytes[offset + 12];
  if (what !== command.local && what !== command.proxy) return false;
  found.bytes = fixedBytes + rest;
  const kind = bytes[offset + 13];
  if (what === command.local || kind === family.unspecified) return true;
  if (kind !== family.datagram4 && kind !== family.datagram6) return false;
  const isIPv4 = kind === family.datagram4;
  if (rest < (isIPv4 ? ipv4Bytes : ipv6Bytes)) return false;
  readClient(bytes, offset + fixedBytes, isIPv4, found.client);
  found.namesClient = true;
  return true;
}

function readClient(bytes: Uint8Array, at: number, isIPv4: boolean, client: Uint32Array): void {
  if (isIPv4) {
    client[0] = 0;
    client[1] = 0;
    client[2] = mappedMarker;
    client[3] = readWord(bytes, at);
    client[addressWords] = readPort(bytes, at + 8);
    return;
  }
  for (let word = 0; word < addressWords; word++) client[word] = readWord(bytes, at + 4 * word);
  client[addressWords] = readPort(bytes, at + 32);
}

function hasSignature(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length < signature.length) return false;
  for (let at = 0; at < signature.length; at++) if (bytes[offset + at] !== signature[at]) return false;
  return true;
}

function isMapped(place: Uint32Array): boolean {
  return place[0] === 0 && place[1] === 0 && place[2] === mappedMarker;
}

/** Words from `first` on, as they stand in memory. */
function writeAddress(bytes: Uint8Array, offset: number, place: Uint32Array, first: number): number {
  let at = offset;
  for (let word = first; word < addressWords; word++) {
    const value = place[word] as number;
    bytes[at++] = value & 0xff;
    bytes[at++] = (value >>> 8) & 0xff;
    bytes[at++] = (value >>> 16) & 0xff;
    bytes[at++] = value >>> 24;
  }
  return at;
}

function writePort(bytes: Uint8Array, offset: number, place: Uint32Array): number {
  const port = place[addressWords] as number;
  bytes[offset] = port >>> 8;
  bytes[offset + 1] = port & 0xff;
  return offset + 2;
}

function readWord(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  return (low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;
}

function readPort(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}
