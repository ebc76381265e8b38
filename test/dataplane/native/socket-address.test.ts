import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readSocketAddress,
  socketAddressBytes,
  writeSocketAddress,
} from '../../../src/dataplane/native/index.ts';

const roundTrip = (address: string, port = 53): string | undefined => {
  const bytes = new Uint8Array(socketAddressBytes * 2);
  writeSocketAddress(bytes, socketAddressBytes, { address, port });
  return readSocketAddress(bytes, socketAddressBytes)?.address;
};

describe('socket addresses', () => {
  it('keep every IPv4 address and port', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 65_535 }), (address, port) => {
        const bytes = new Uint8Array(socketAddressBytes);
        expect(writeSocketAddress(bytes, 0, { address, port })).toBe(16);
        expect(readSocketAddress(bytes, 0)).toEqual({ address, port });
      }),
    );
  });

  it('keep every IPv6 address, written as URLs write them', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const written = roundTrip(address);
        const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
        expect(new URL(`http://[${written}]/`).hostname.slice(1, -1)).toBe(canonical);
      }),
    );
  });

  it.each([
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:4:0:0:0:8', '1:0:0:4::8'],
    ['fe80::1%7', 'fe80::1%7'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('write %s as %s', (address, expected) => {
    expect(roundTrip(address)).toBe(expected);
  });

  it('map IPv4 into IPv6 when asked, as a dual-stack socket needs it', () => {
    const bytes = new Uint8Array(socketAddressBytes);
    expect(writeSocketAddress(bytes, 0, { address: '192.0.2.9', port: 9 }, true)).toBe(28);
    expect(readSocketAddress(bytes, 0)).toEqual({ address: '::ffff:192.0.2.9', port: 9 });
  });

  it.each([
    ['localhost', 1],
    ['192.0.2.1', 65_536],
    ['192.0.2.1', -1],
    ['192.0.2.1', 1.5],
    ['fe80::1%nosuchinterface', 1],
  ])('refuse %s port %d', (address, port) => {
    expect(() => writeSocketAddress(new Uint8Array(socketAddressBytes), 0, { address, port })).toThrow(
      RangeError,
    );
  });

  it('are undefined where there is none', () => {
    expect(readSocketAddress(new Uint8Array(socketAddressBytes), 0)).toBeUndefined();
  });
});
