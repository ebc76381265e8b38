import { describe, expect, it } from 'vitest';
import { AddressesExhaustedError, AddressPool } from '../../../src/cluster/network/addresses.ts';

describe('a pool of addresses', () => {
  it('begins after the gateway and passes over what looks special', () => {
    const pool = new AddressPool('10.244');
    const first = Array.from({ length: 255 }, () => pool.take());
    expect(first[0]).toBe('10.244.0.2');
    expect(first.slice(252)).toEqual(['10.244.0.254', '10.244.1.1', '10.244.1.2'].slice(0, 3));
  });

  it('gives every address before it gives one again, and none that is held', () => {
    const pool = new AddressPool('10.244');
    const kept = pool.take();
    const seen = new Set([kept]);
    for (;;) {
      const address = pool.take();
      if (seen.has(address)) {
        expect(address).toBe('10.244.0.3');
        break;
      }
      seen.add(address);
      pool.release(address);
    }
    expect(seen.size).toBe(256 * 254 - 1);
  });

  it('refuses when every address is held', () => {
    const pool = new AddressPool('10.244');
    expect(() => {
      for (;;) pool.take();
    }).toThrow(AddressesExhaustedError);
  });
});
