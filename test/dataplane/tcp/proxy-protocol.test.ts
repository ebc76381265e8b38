import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readProxyHeader, writeProxyHeader } from '../../../src/dataplane/tcp/proxy-protocol.ts';

const read = (text: string) => readProxyHeader(Buffer.from(text, 'latin1'));
const v2 = (hex: string) =>
  readProxyHeader(Buffer.from(`0d0a0d0a000d0a515549540a${hex.replaceAll(' ', '')}`, 'hex'));

const port = fc.nat(65_535);
const v4 = fc.ipV4();
/** As everybody writes them; how fast-check writes them is another matter, so both sides are compared as numbers. */
const v6 = fc
  .array(fc.nat(65_535), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((g) => g.toString(16)).join(':'));

function expand(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  if (tail === undefined) return groups(head);
  const missing = 8 - groups(head).length - groups(tail).length;
  return [...groups(head), ...Array.from({ length: missing }, () => 0), ...groups(tail)];
}

describe('a PROXY protocol header', () => {
  it('names the client in version 1', () => {
    const text = 'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n';
    expect(read(`${text}GET /`)).toEqual({
      kind: 'header',
      length: text.length,
      addresses: {
        source: { address: '192.168.0.1', port: 56_324 },
        destination: { address: '192.168.0.11', port: 443 },
      },
    });
  });

  it('names it in version 1 over IPv6', () => {
    expect(read('PROXY TCP6 2001:db8::1 ::1 1 2\r\n')).toMatchObject({
      addresses: { source: { address: '2001:db8::1' }, destination: { address: '::1' } },
    });
  });

  it.each(['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff:f...f:ffff 1 2\r\n'])(
    'leaves the client as it is: %j',
    (text) => {
      expect(read(text)).toEqual({ kind: 'header', length: text.length });
    },
  );

  it('names the client in version 2, and skips what else it holds', () => {
    expect(v2('21 11 0010 0a000001 0a000002 1f90 01bb 04000 100'.replace('04000 100', '04000100'))).toEqual({
      kind: 'header',
      length: 32,
      addresses: {
        source: { address: '10.0.0.1', port: 8080 },
        destination: { address: '10.0.0.2', port: 443 },
      },
    });
  });

  it('names an IPv4 client that comes as IPv6 by its IPv4 address', () => {
    const mapped = `${'00'.repeat(10)}ffff`;
    expect(v2(`21 21 0024 ${mapped}0a000001 ${mapped}0a000002 0001 0002`)).toMatchObject({
      addresses: { source: { address: '10.0.0.1' } },
    });
  });

  it.each([
    ['LOCAL', '20 00 0000'],
    ['LOCAL with addresses', '20 11 000c 0a000001 0a000002 1f90 01bb'],
    ['of no family', '21 00 0000'],
    ['of a Unix socket', `21 31 00d8 ${'00'.repeat(216)}`],
  ])('leaves the client as it is: version 2, %s', (_, hex) => {
    expect(v2(hex)).toEqual({ kind: 'header', length: expect.any(Number) });
  });

  it.each([
    'PROXY TCP4 192.168.0.1 192.168.0.11 56324\r\n',
    'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443 9\r\n',
    'PROXY TCP4 192.168.0.256 192.168.0.11 1 2\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n',
    'PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY \r\n',
    `PROXY TCP4 ${'1'.repeat(120)}`,
  ])('is refused: %j', (text) => {
    expect(read(text).kind).toBe('invalid');
  });

  it.each([
    ['version 1 in binary', '11 11 000c'],
    ['a command that there is not', '22 11 000c 0a000001 0a000002 1f90 01bb'],
    ['a family that there is not', '21 41 000c 0a000001 0a000002 1f90 01bb'],
    ['no room for its addresses', '21 11 0008 0a000001 0a000002'],
    ['more than anybody sends', '21 11 ffff'],
  ])('is refused: version 2, %s', (_, hex) => {
    expect(v2(hex).kind).toBe('invalid');
  });

  it.each(['', 'P', 'PROXY', 'PROXY TCP4 1.2', '\r', '\r\n\r\n\0\r\nQUI'])('may still come of %j', (text) => {
    expect(read(text).kind).toBe('incomplete');
  });

  it.each(['PROXX', 'POST / HTTP/1.1', '\r\nhello', 'x'])('is not there in %j', (text) => {
    expect(read(text).kind).toBe('absent');
  });

  it('is read back as it was written, in both versions', () => {
    const addresses = fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6));
    const version = fc.constantFrom(1 as const, 2 as const);
    fc.assert(
      fc.property(addresses, port, port, version, ([from, to], fromPort, toPort, written) => {
        const source = { address: from, port: fromPort };
        const bytes = writeProxyHeader(written, { source, destination: { address: to, port: toPort } });
        const reading = readProxyHeader(Buffer.concat([bytes, Buffer.from('payload')]));
        if (reading.kind !== 'header' || !reading.addresses) throw new Error(`read as ${reading.kind}`);
        expect(reading.length).toBe(bytes.length);
        expect(reading.addresses.source.port).toBe(fromPort);
        expect(reading.addresses.destination.port).toBe(toPort);
        const same = (one: string, two: string) =>
          from.includes('.')
            ? one === two
            : expand(one).join() === expand(two).join() || two.startsWith('0:0:0:0:0:ffff');
        expect(same(reading.addresses.source.address, from)).toBe(true);
        expect(same(reading.addresses.destination.address, to)).toBe(true);
      }),
    );
  });

  it('asks for more at every length but the whole, and never throws', () => {
    const destination = { address: '2001:db8::2', port: 2 };
    for (const version of [1, 2] as const) {
      const bytes = writeProxyHeader(version, { source: { address: '2001:db8::1', port: 1 }, destination });
      for (let length = 0; length < bytes.length; length++) {
        expect(readProxyHeader(bytes.subarray(0, length)).kind).toBe('incomplete');
      }
    }
    fc.assert(
      fc.property(
        fc.constantFrom('PROXY ', '\r\n\r\n\0\r\nQUIT\n'),
        fc.uint8Array({ maxLength: 200 }),
        (start, rest) => {
          const reading = readProxyHeader(Buffer.concat([Buffer.from(start, 'latin1'), rest]));
          expect(['incomplete', 'invalid', 'header']).toContain(reading.kind);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('says UNKNOWN, or LOCAL, where an address is not known', () => {
    const nobody = { address: '', port: 0 };
    const unknown = { source: nobody, destination: nobody };
    expect(writeProxyHeader(1, unknown).toString()).toBe('PROXY UNKNOWN\r\n');
    expect(readProxyHeader(writeProxyHeader(2, unknown))).toEqual({ kind: 'header', length: 16 });
  });

  it('mixes families as IPv6', () => {
    const mixed = { source: { address: '10.0.0.1', port: 1 }, destination: { address: '::1', port: 2 } };
    expect(writeProxyHeader(1, mixed).toString()).toBe('PROXY TCP6 ::ffff:10.0.0.1 ::1 1 2\r\n');
    expect(readProxyHeader(writeProxyHeader(2, mixed))).toMatchObject({ addresses: mixed });
  });
});
