/** Addresses and ranges of them, as rules, allow lists and PROXY headers carry them. */

import { BlockList, isIP } from 'node:net';

/** An address and its port. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

export interface AddressRange {
  readonly address: string;
  readonly prefixBits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** `192.0.2.0/24`, `2001:db8::/32` or a bare address. Undefined when it is none of them. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [address = '', prefixText, ...rest] = text.trim().split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return undefined;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const widest = version === 4 ? 32 : 128;
  if (prefixText === undefined) return { address, prefixBits: widest, family };
  if (!/^\d{1,3}$/.test(prefixText) || Number(prefixText) > widest) return undefined;
  return { address, prefixBits: Number(prefixText), family };
}

/** Says of an address, as `plainAddress` gives it, whether one of the ranges holds it. Bad ranges hold nothing. */
export function addressMatcher(ranges: readonly string[]): (address: string) => boolean {
  // One list each: a BlockList on its own takes IPv4 for a part of IPv6, so that ::/0 would hold all of both.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const text of ranges) {
    const range = parseAddressRange(text);
    if (range) lists[range.family].addSubnet(range.address, range.prefixBits, range.family);
  }
  return (address) => {
    const version = isIP(address);
    const family = version === 4 ? 'ipv4' : 'ipv6';
    return version !== 0 && lists[family].check(address, family);
  };
}

/** An IPv4 client of a dual-stack socket shows as `::ffff:192.0.2.1`; it is 192.0.2.1. A zone (`%eth0`) is no part of it. */
export function plainAddress(address: string): string {
  const withoutZone = address.split('%', 1)[0] ?? address;
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(withoutZone) ? withoutZone.slice(7) : withoutZone;
}

/** `address:port`, IPv6 in brackets. */
export function formatSocketAddress({ address, port }: SocketAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
