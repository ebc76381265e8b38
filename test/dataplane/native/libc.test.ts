import { describe, expect, it } from 'vitest';
import { errnoName, isAvailable, loadLibc } from '../../../src/dataplane/native/index.ts';
import { load } from '../../../src/dataplane/native/libc.ts';

describe('loading libc', () => {
  it('says why, without throwing, where koffi is missing', () => {
    const missing = load(() => {
      throw new Error("Cannot find module 'koffi'\nRequire stack: …");
    });
    const reason =
      process.platform === 'linux'
        ? /^koffi could not be loaded: Cannot find module 'koffi'$/
        : /there are no bindings/;
    expect(missing).toEqual({ unavailable: expect.stringMatching(reason) });
    expect(isAvailable(missing)).toBe(false);
  });

  it('says why when koffi loads but cannot be used', () => {
    expect(load(() => ({}))).toEqual({ unavailable: expect.any(String) });
  });

  it('gives the same bindings each time', () => {
    expect(loadLibc()).toBe(loadLibc());
  });
});

const libc = loadLibc();

describe.skipIf(!isAvailable(libc))('libc (needs Linux and koffi)', () => {
  if (!isAvailable(libc)) return;

  it('tells why a call failed', () => {
    expect(libc.close(-1)).toBe(-1);
    expect(errnoName(libc.errno())).toBe('EBADF');
    expect(libc.socket(1_234, 1, 0)).toBe(-1);
    expect(errnoName(libc.errno())).toBe('EAFNOSUPPORT');
  });
});
