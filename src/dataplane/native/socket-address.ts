/** Addresses as the kernel has them (`sockaddr_in`, `sockaddr_in6`) and as people write them. */

import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { linux } from './constants.ts';
import { structLayouts } from './layout.ts';

/** An IPv4 or IPv6 address (with `%zone` where it has one) and a port. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** Room for either kind, in whole words of eight bytes. */
export const socketAddressBytes = 32;

const v4 = structLayouts.x64.sockaddr_in;
const v6 = structLayouts.x64.sockaddr_in6;

/**
 * Writes `address` at `offset` and gives its length in bytes (16 or 28). With `mapped`, an IPv4 address is written as
 * `::ffff:a.b.c.d`, as a dual-stack socket needs it. Throws `RangeError` for what is no address or port.
 */
export function writeSocketAddress(
  bytes: Uint8Array,
  offset: number,
  { address, port }: SocketAddress,
  mapped = false,
): number {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`${port} is no port`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, socketAddressBytes);
  new Uint8Array(view.buffer, view.byteOffset, socketAddressBytes).fill(0);
  if (isIPv4(address) && !mapped) {
    view.setUint16(v4.sin_family, linux.AF_INET, true);
    view.setUint16(v4.sin_port, port);
    writeIPv4(view, v4.sin_addr, address);
    return v4.size;
  }
  view.setUint16(v6.sin6_family, linux.AF_INET6, true);
  view.setUint16(v6.sin6_port, port);
  writeIPv6(view, address);
  return v6.size;
}

/** The address at `offset`. `undefined` when it is of another family, or none. */
export function readSocketAddress(bytes: Uint8Array, offset: number): SocketAddress | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const family = view.getUint16(0, true);
  if (family === linux.AF_INET) {
    return { address: readIPv4(view, v4.sin_addr), port: view.getUint16(v4.sin_port) };
  }
  if (family !== linux.AF_INET6) return undefined;
  const scope = view.getUint32(v6.sin6_scope_id, true);
  const zone = scope === 0 ? '' : `%${interfaceName(scope)}`;
  return { address: readIPv6(view, v6.sin6_addr) + zone, port: view.getUint16(v6.sin6_port) };
}

const readIPv4 = (view: DataView, offset: number): string =>
  [0, 1, 2, 3].map((index) => view.getUint8(offset + index)).join('.');

/** The text form of RFC 5952: lower case, the longest run of zero groups as `::`, mapped IPv4 dotted. */
function readIPv6(view: DataView, offset: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(offset + index * 2));
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (isMapped) return `::ffff:${readIPv4(view, offset + 12)}`;
  const run = longestZeroRun(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) return hex(groups);
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  groups.forEach((group, index) => {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  });
  return best;
}

function writeIPv4(view: DataView, offset: number, address: string): void {
  address.split('.').forEach((part, index) => {
    view.setUint8(offset + index, Number(part));
  });
}

function writeIPv6(view: DataView, text: string): void {
  if (isIPv4(text)) {
    view.setUint16(v6.sin6_addr + 10, 0xffff);
    writeIPv4(view, v6.sin6_addr + 12, text);
    return;
  }
  if (!isIPv6(text)) throw new RangeError(`${text} is no IP address`);
  const [address = '', zone] = text.split('%');
  if (zone !== undefined) view.setUint32(v6.sin6_scope_id, interfaceIndex(zone), true);
  groupsOf(address).forEach((group, index) => {
    view.setUint16(v6.sin6_addr + index * 2, group);
  });
}

/** The eight groups of an address that `isIPv6` accepts. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const left = halfGroups(head);
  if (tail === undefined) return left;
  const right = halfGroups(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function halfGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** The interfaces with a link-local address: Node knows an interface's index only as the zone of these. */
export function linkInterfaces(): [name: string, index: number][] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).flatMap((address): [string, number][] =>
      address.family === 'IPv6' && address.scopeid > 0 ? [[name, address.scopeid]] : [],
    ),
  );
}

function interfaceIndex(zone: string): number {
  if (/^\d+$/.test(zone)) return Number(zone);
  const found = linkInterfaces().find(([name]) => name === zone);
  if (!found) throw new RangeError(`there is no interface ${zone} with a link-local address`);
  return found[1];
}

const interfaceName = (index: number): string =>
  linkInterfaces().find(([, scope]) => scope === index)?.[0] ?? String(index);
