import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxClientHelloBytes, readClientHello } from '../../../src/dataplane/tcp/client-hello.ts';
import { clientHello } from './helpers.ts';

const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const vector = (width: 1 | 2, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([width === 1 ? Buffer.from([body.length]) : u16(body.length), body]);
};
const extension = (type: number, ...parts: Buffer[]) => Buffer.concat([u16(type), vector(2, ...parts)]);
const serverName = (name: string | Buffer) =>
  extension(0, vector(2, Buffer.from([0]), vector(2, Buffer.from(name))));
const alpn = (...names: string[]) =>
  extension(16, vector(2, ...names.map((name) => vector(1, Buffer.from(name)))));
const other = extension(43, vector(1, Buffer.from([3, 4])));

function message(extensions: readonly Buffer[] | undefined, rest = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32, 9)),
    vector(2, Buffer.from([0x13, 0x01, 0x13, 0x02])),
    vector(1, Buffer.from([0])),
    ...(extensions ? [vector(2, ...extensions)] : []),
    rest,
  ]);
  return Buffer.concat([
    Buffer.from([1, body.length >> 16, (body.length >> 8) & 255, body.length & 255]),
    body,
  ]);
}

/** In records of at most so many bytes. */
function records(payload: Buffer, size = 16_384): Buffer {
  const all: Buffer[] = [];
  for (let offset = 0; offset < payload.length; offset += size) {
    all.push(Buffer.from([22, 3, 1]), vector(2, payload.subarray(offset, offset + size)));
  }
  return Buffer.concat(all);
}

const hello = (...extensions: Buffer[]) => records(message(extensions));

describe('reading a ClientHello', () => {
  it('finds the name and the protocols in what OpenSSL sends', async () => {
    const bytes = await clientHello({ servername: 'Db.Example.com', ALPNProtocols: ['mqtt', 'h2'] });
    const expected = { serverName: 'db.example.com', alpnProtocols: ['mqtt', 'h2'] };
    expect(readClientHello(bytes)).toEqual({ kind: 'hello', hello: expected });
  });

  it('finds neither where OpenSSL sends neither', async () => {
    expect(readClientHello(await clientHello({}))).toEqual({ kind: 'hello', hello: { alpnProtocols: [] } });
  });

  it.each([1, 2, 5, 100])('reads it from records of %i bytes', (size) => {
    const bytes = records(message([other, serverName('a.test'), alpn('x')]), size);
    expect(readClientHello(bytes)).toEqual({
      kind: 'hello',
      hello: { serverName: 'a.test', alpnProtocols: ['x'] },
    });
  });

  it('reads one without extensions, as before TLS 1.3', () => {
    expect(readClientHello(records(message(undefined)))).toEqual({
      kind: 'hello',
      hello: { alpnProtocols: [] },
    });
  });

  it('asks for more at every length but the whole', () => {
    const bytes = hello(serverName('a.test'), alpn('x'));
    for (let length = 0; length < bytes.length; length++) {
      expect(readClientHello(bytes.subarray(0, length)).kind).toBe('incomplete');
    }
    expect(readClientHello(bytes).kind).toBe('hello');
    expect(readClientHello(Buffer.concat([bytes, Buffer.from('early data')])).kind).toBe('hello');
  });

  it.each(['GET / HTTP/1.1\r\n', 'SSH-2.0-x\r\n', '*1\r\n$4\r\nPING\r\n', '\u0080\u0001'])(
    'knows at once that %j is no TLS',
    (text) => {
      expect(readClientHello(Buffer.from(text, 'latin1')).kind).toBe('not-tls');
      expect(readClientHello(Buffer.from(text, 'latin1').subarray(0, 1)).kind).toBe('not-tls');
    },
  );

  it.each<[string, Buffer]>([
    ['another handshake message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record longer than records may be', Buffer.from([22, 3, 1, 0x40, 1])],
    [
      'an alert in between',
      Buffer.concat([records(message([]).subarray(0, 10)), Buffer.from([21, 3, 1, 0, 2, 2, 40])]),
    ],
    ['a message longer than anyone sends', Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 0])],
    ['extensions longer than the message', records(message(undefined, u16(50)))],
    ['bytes after the extensions', records(message([], Buffer.from([1])))],
    ['two server names', hello(serverName('a.test'), serverName('b.test'))],
    ['two lists of protocols', hello(alpn('a'), alpn('b'))],
    ['an empty server name', hello(serverName(''))],
    ['a server name with a line break', hello(serverName('a\nb'))],
    ['a server name of bytes', hello(serverName(Buffer.from([0xff, 0xfe])))],
    ['a server name that no DNS has', hello(serverName('a'.repeat(300)))],
    ['an empty protocol', hello(alpn(''))],
    ['a name that ends early', hello(extension(0, vector(2, Buffer.from([0, 0, 9, 97]))))],
  ])('refuses %s', (_, bytes) => {
    expect(readClientHello(bytes).kind).toBe('invalid');
  });

  it('says how many bytes it takes before asking again is worth it, and asks seldom', () => {
    const bytes = hello(serverName('a.test'), alpn('x'));
    let asked = 0;
    let length = 0;
    for (;;) {
      asked++;
      const reading = readClientHello(bytes.subarray(0, length));
      if (reading.kind !== 'incomplete') break;
      expect(reading.atLeast).toBeGreaterThan(length);
      length = reading.atLeast;
    }
    expect(length).toBe(bytes.length);
    expect(asked).toBeLessThan(5);
  });

  it('refuses one that is cut into more pieces than anybody needs', () => {
    const bytes = records(message([extension(21, Buffer.alloc(2000)), serverName('a.test')]), 1);
    expect(readClientHello(bytes)).toMatchObject({ kind: 'invalid', detail: 'more than 1024 records' });
  });

  it('takes the dot off the end of a name', () => {
    expect(readClientHello(hello(serverName('a.test.')))).toMatchObject({ hello: { serverName: 'a.test' } });
  });

  it('reads whatever name and protocols were written', () => {
    const name = fc.domain();
    const protocols = fc.array(fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' }), {
      minLength: 1,
      maxLength: 5,
    });
    const property = fc.property(name, protocols, fc.integer({ min: 1, max: 400 }), (host, names, size) => {
      const reading = readClientHello(records(message([alpn(...names), other, serverName(host)]), size));
      expect(reading).toEqual({
        kind: 'hello',
        hello: { serverName: host.toLowerCase(), alpnProtocols: names },
      });
    });
    fc.assert(property);
  });

  it('never throws, whatever the bytes, nor asks for more than its limit', () => {
    const start = hello(serverName('a.test'), alpn('h2'));
    const mutated = fc
      .tuple(
        fc.array(fc.tuple(fc.nat(start.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(start.length),
      )
      .map(([changes, length]) => {
        const bytes = Buffer.from(start);
        for (const [index, value] of changes) bytes[index] = value;
        return bytes.subarray(0, length);
      });
    const bytes = fc.oneof(
      mutated,
      fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array)),
    );
    fc.assert(
      fc.property(bytes, (given) => {
        expect(['incomplete', 'not-tls', 'invalid', 'hello']).toContain(readClientHello(given).kind);
      }),
      { numRuns: 5000 },
    );
    const endless = records(
      Buffer.concat([Buffer.from([1, 0, 255, 0]), Buffer.alloc(maxClientHelloBytes)]),
      1,
    );
    expect(readClientHello(endless.subarray(0, maxClientHelloBytes)).kind).toBe('invalid');
  });
});
