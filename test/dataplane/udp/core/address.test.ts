import { BlockList, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../../../src/dataplane/udp/core/address.ts';
import {
  AddressList,
  AddressRanges,
  isAddressRange,
} from '../../../../src/dataplane/udp/core/address-list.ts';

function wordsOf(text: string): Uint32Array {
  const words = new Uint32Array(4);
  expect(parseAddress(text, words)).toBe(true);
  return words;
}

const roundTrip = (text: string) => formatAddress(wordsOf(text));

describe('addresses', () => {
  it('come back as the text they were', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(roundTrip(text)).toBe(text);
      }),
    );
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        // The platform's own normal form of both.
        const normal = (address: string) => new URL(`http://[${address}]`).hostname.slice(1, -1);
        const back = roundTrip(text);
        expect(normal(isIPv4(back) ? `::ffff:${back}` : back)).toBe(normal(text));
      }),
    );
  });

  it('are the same for IPv4 and its mapped form, and without a scope', () => {
    expect(roundTrip('::ffff:10.1.2.3')).toBe('10.1.2.3');
    expect(roundTrip('fe80::1%eth0')).toBe('fe80::1');
    expect(roundTrip('2001:db8:0:0:1:0:0:1')).toBe('2001:db8::1:0:0:1');
    expect(roundTrip('::')).toBe('::');
  });

  it('are refused when they are none', () => {
    for (const text of ['', 'localhost', '1.2.3', '1.2.3.4/8', ':::']) {
      expect(parseAddress(text, new Uint32Array(4))).toBe(false);
    }
  });
});

describe('address ranges', () => {
  it('hold what the platform says they hold', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 1, max: 32 }), (network, address, bits) => {
        const oracle = new BlockList();
        oracle.addSubnet(network, bits);
        const near = `${network.split('.').slice(0, 2).join('.')}.${address.split('.').slice(2).join('.')}`;
        for (const text of [address, near]) {
          expect(new AddressRanges([`${network}/${bits}`]).has(wordsOf(text), 0)).toBe(oracle.check(text));
        }
      }),
    );
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV6(), fc.integer({ min: 1, max: 128 }), (network, address, bits) => {
        const oracle = new BlockList();
        oracle.addSubnet(network, bits, 'ipv6');
        const expected = oracle.check(address, 'ipv6');
        expect(new AddressRanges([`${network}/${bits}`]).has(wordsOf(address), 0)).toBe(expected);
      }),
    );
  });

  it('may be a single address or everything', () => {
    expect(new AddressRanges(['10.0.0.1']).has(wordsOf('10.0.0.1'), 0)).toBe(true);
    expect(new AddressRanges(['10.0.0.1']).has(wordsOf('10.0.0.2'), 0)).toBe(false);
    expect(new AddressRanges(['0.0.0.0/0']).has(wordsOf('10.0.0.2'), 0)).toBe(true);
    expect(new AddressRanges(['0.0.0.0/0']).has(wordsOf('::1'), 0)).toBe(false);
    expect(new AddressRanges(['::/0']).has(wordsOf('::1'), 0)).toBe(true);
  });

  it('of IPv6 hold no IPv4, however wide they are, but where they say so', () => {
    for (const [range, text, isIn] of [
      ['::/0', '10.0.0.1', false],
      ['::/64', '10.0.0.1', false],
      ['::/0', 'fd00::1', true],
      ['::ffff:0:0/96', '10.0.0.1', true],
      ['::ffff:10.0.0.0/104', '10.0.0.1', true],
      ['::ffff:10.0.0.0/104', '11.0.0.1', false],
      ['::ffff:10.0.0.0/8', '10.0.0.1', false],
    ] as const) {
      expect([range, text, new AddressRanges([range]).has(wordsOf(text), 0)]).toEqual([range, text, isIn]);
    }
  });

  it('are told from what is none', () => {
    expect(['10.0.0.0/8', '::1', 'fd00::/8'].every(isAddressRange)).toBe(true);
    expect(['10.0.0.0/33', '10.0.0.0/', 'x/8', '::/129', '1.2.3.4/8/8', ''].some(isAddressRange)).toBe(false);
    expect(() => new AddressRanges(['x'])).toThrow('x');
  });

  it('deny before they allow', () => {
    const list = AddressList.from(['10.0.0.0/8'], ['10.1.0.0/16']);
    const admits = (text: string) => list?.admits(wordsOf(text), 0);
    expect([admits('10.2.0.1'), admits('10.1.0.1'), admits('11.0.0.1')]).toEqual([true, false, false]);
    expect(AddressList.from(undefined, ['10.1.0.0/16'])?.admits(wordsOf('1.1.1.1'), 0)).toBe(true);
    expect(AddressList.from()).toBeUndefined();
  });
});
