/**
 * Addresses as numbers. An address is four 32-bit words holding its 16 bytes as they stand in memory and on the wire
 * (so that a word read from a kernel's sockaddr needs no swapping); an IPv4 address is held as `::ffff:a.b.c.d`.
 */

import { isIPv4, isIPv6 } from 'node:net';

/** Words of one address. */
export const addressWords = 4;

const bytes = new Uint8Array(16);
const words = new Uint32Array(bytes.buffer);

/** Third word of every IPv4 address: the bytes 00 00 ff ff. */
export const mappedMarker = (() => {
  bytes.set([0, 0, 0xff, 0xff], 8);
  return words[2] ?? 0;
})();

/** Writes the address's words at `offset`. False, with nothing written, when the text is no address. A scope is ignored. */
export function parseAddress(text: string, into: Uint32Array, offset = 0): boolean {
  const percent = text.indexOf('%');
  const bare = percent < 0 ? text : text.slice(0, percent);
  if (isIPv4(bare)) writeIPv4(bare);
  else if (isIPv6(bare)) writeIPv6(bare);
  else return false;
  into.set(words, offset);
  return true;
}

/** The text of the address at `offset`: dotted when it is an IPv4 one, shortened as RFC 5952 asks when it is not. */
export function formatAddress(from: Uint32Array, offset = 0): string {
  for (let index = 0; index < addressWords; index++) words[index] = from[offset + index] ?? 0;
  if (words[0] === 0 && words[1] === 0 && words[2] === mappedMarker) return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return shorten(groups);
}

/** `address:port`, with brackets where IPv6 needs them. */
export function formatHostPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function writeIPv4(text: string): void {
  words[0] = 0;
  words[1] = 0;
  words[2] = mappedMarker;
  let part = 0;
  let at = 12;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 46) {
      bytes[at++] = part;
      part = 0;
    } else part = part * 10 + code - 48;
  }
  bytes[at] = part;
}

function writeIPv6(text: string): void {
  const [head, tail] = text.split('::') as [string, string?];
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  words.fill(0);
  for (const [index, group] of left.entries()) writeGroup(index, group);
  for (const [index, group] of right.entries()) writeGroup(8 - right.length + index, group);
}

function writeGroup(index: number, group: number): void {
  bytes[2 * index] = group >>> 8;
  bytes[2 * index + 1] = group & 0xff;
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

function shorten(groups: readonly string[]): string {
  let best = { start: -1, length: 1 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}
