import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../../src/dataplane/udp/core/address.ts';
import {
  emptyProxyHeader,
  hasSimpleHeader,
  readProxyHeader,
  writeProxyHeader,
  writeSimpleHeader,
} from '../../../../src/dataplane/udp/core/proxy-header.ts';

function place(address: string, port: number): Uint32Array {
  const words = new Uint32Array(5);
  parseAddress(address, words);
  words[4] = port;
  return words;
}

const client4 = place('192.0.2.1', 56324);
const local4 = place('198.51.100.2', 443);
const client6 = place('2001:db8::1', 1);
const local6 = place('2001:db8::2', 65535);

describe('the PROXY protocol header', () => {
  it('is, byte for byte, what the specification says', () => {
    const bytes = Buffer.alloc(64);
    const length = writeProxyHeader(bytes, 2, client4, local4);
    const expected =
      '0d0a0d0a000d0a515549540a' + '21' + '12' + '000c' + 'c0000201' + 'c6336402' + 'dc04' + '01bb';
    expect(bytes.subarray(2, 2 + length).toString('hex')).toBe(expected);
  });

  it('comes back as the client that was written, with either family', () => {
    for (const [client, local, length] of [
      [client4, local4, 28],
      [client6, local6, 52],
      [client4, local6, 52],
    ] as const) {
      const bytes = new Uint8Array(60);
      expect(writeProxyHeader(bytes, 1, client, local)).toBe(length);
      const found = emptyProxyHeader();
      expect(readProxyHeader(bytes, 1, 59, found)).toBe(true);
      expect(found).toEqual({ bytes: length, namesClient: true, client });
    }
  });

  it('is absent from a datagram without its signature', () => {
    const found = emptyProxyHeader();
    expect(readProxyHeader(Buffer.from('hello'), 0, 5, found)).toBe(true);
    expect(found.bytes).toBe(0);
  });

  it('is refused when it is cut off, of another version, or of a stream', () => {
    const header = Buffer.alloc(28);
    writeProxyHeader(header, 0, client4, local4);
    const changed = (at: number, value: number) => {
      const copy = Buffer.from(header);
      copy[at] = value;
      return copy;
    };
    const isValid = (bytes: Buffer) => readProxyHeader(bytes, 0, bytes.length, emptyProxyHeader());
    for (let length = 12; length < 28; length++) expect(isValid(header.subarray(0, length))).toBe(false);
    expect(isValid(changed(12, 0x11))).toBe(false);
    expect(isValid(changed(12, 0x2f))).toBe(false);
    expect(isValid(changed(13, 0x11))).toBe(false);
    expect(isValid(changed(15, 11))).toBe(false);
    expect(isValid(changed(14, 1))).toBe(false);
  });

  it('may name nobody, and carry more than addresses', () => {
    const bytes = Buffer.alloc(40);
    writeProxyHeader(bytes, 0, client4, local4);
    bytes[15] = 20;
    const found = emptyProxyHeader();
    expect(readProxyHeader(bytes, 0, 40, found)).toBe(true);
    expect(found).toMatchObject({ bytes: 36, namesClient: true });
    bytes[12] = 0x20;
    expect(readProxyHeader(bytes, 0, 40, found)).toBe(true);
    expect(found).toMatchObject({ bytes: 36, namesClient: false });
  });

  it('never reads past what it is given', () => {
    const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (tail, isSigned) => {
        const bytes = Uint8Array.from(isSigned ? [...signature, ...tail] : tail);
        const found = emptyProxyHeader();
        if (readProxyHeader(bytes, 0, bytes.length, found)) {
          expect(found.bytes).toBeLessThanOrEqual(bytes.length);
        }
      }),
    );
  });
});

describe('the simple proxy header', () => {
  it('is 38 bytes that name the client and the address it sent to', () => {
    const bytes = new Uint8Array(50);
    expect(writeSimpleHeader(bytes, 3, client4, local4)).toBe(38);
    const hex = Buffer.from(bytes.subarray(3, 41)).toString('hex');
    expect(hex).toBe(`56ec${'00'.repeat(10)}ffffc0000201${'00'.repeat(10)}ffffc6336402dc0401bb`);
    expect(hasSimpleHeader(bytes, 3, 38, client4)).toBe(true);
    expect(hasSimpleHeader(bytes, 3, 37, client4)).toBe(false);
    expect(hasSimpleHeader(bytes, 3, 38, client6)).toBe(false);
    expect(hasSimpleHeader(bytes, 2, 38, client4)).toBe(false);
  });
});
