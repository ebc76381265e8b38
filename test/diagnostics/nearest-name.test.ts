import { describe, expect, it } from 'vitest';
import { nearestName } from '../../src/diagnostics/index.ts';

describe('nearestName', () => {
  it.each([
    ['resource', 'resources'],
    ['udp-echo-servic', 'udp-echo-service'],
    ['MyUDP', 'myudp'],
    ['entrypiont', 'entrypoint'],
  ])('finds what %s was meant to be', (written, meant) => {
    expect(nearestName(written, ['patches', 'resources', 'udp-echo-service', 'myudp', 'entrypoint'])).toBe(
      meant,
    );
  });

  it('says nothing when no candidate is close', () => {
    expect(nearestName('dns', ['myudp', 'websecure'])).toBeUndefined();
    expect(nearestName('dns', [])).toBeUndefined();
  });
});
