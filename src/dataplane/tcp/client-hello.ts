/**
 * The start of a TLS connection, read without answering it: the name the client asks for and the protocols it offers.
 * Pure. Sources: RFC 8446 (TLS 1.3) 4.1.2 and 5.1, RFC 6066 (server_name) 3, RFC 7301 (ALPN) 3.1.
 */

export interface ClientHello {
  /** In lower case. Absent when the client sent none. */
  readonly serverName?: string;
  readonly alpnProtocols: readonly string[];
}

export type ClientHelloReading =
  /** What there is could still be the start of a ClientHello. With fewer bytes than `atLeast` it stays that. */
  | { readonly kind: 'incomplete'; readonly atLeast: number }
  | { readonly kind: 'not-tls' }
  | { readonly kind: 'invalid'; readonly detail: string }
  | { readonly kind: 'hello'; readonly hello: ClientHello };

/** A ClientHello is about 500 bytes, 1,800 with post-quantum key shares. OpenSSL refuses more than 128 KiB. */
export const maxClientHelloBytes = 64 * 1024;

const handshakeRecord = 22;
const clientHelloMessage = 1;
const recordHeaderBytes = 5;
const messageHeaderBytes = 4;
/** Clients split a ClientHello over a few records, those that dodge censors over some more. */
const maxRecords = 1024;
/** 2^14 of plaintext (RFC 8446 5.1). */
const maxRecordBytes = 16_384;
const serverNameExtension = 0;
const alpnExtension = 16;
const hostNameType = 0;

class Malformed extends Error {}

/** Reads what a client has sent so far. Never throws. */
export function readClientHello(bytes: Uint8Array): ClientHelloReading {
  try {
    const message = gatherMessage(bytes);
    if ('kind' in message) return message;
    return { kind: 'hello', hello: parseHello(new Reader(message)) };
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'invalid', detail: error.message };
    throw error;
  }
}

/** The body of the first handshake message, which may be spread over several records. */
function gatherMessage(
  bytes: Uint8Array,
): Uint8Array | Extract<ClientHelloReading, { kind: 'incomplete' | 'not-tls' }> {
  if (bytes.length === 0) return { kind: 'incomplete', atLeast: 1 };
  if (bytes[0] !== handshakeRecord || (bytes.length > 1 && bytes[1] !== 3)) return { kind: 'not-tls' };
  const message = Buffer.allocUnsafe(bytes.length);
  let gathered = 0;
  let offset = 0;
  for (let record = 0; offset + recordHeaderBytes <= bytes.length; record++) {
    if (record === maxRecords) throw new Malformed(`more than ${maxRecords} records`);
    const start = offset + recordHeaderBytes;
    offset = start + recordLength(bytes, offset);
    const piece = bytes.subarray(start, offset);
    message.set(piece, gathered);
    gathered += piece.length;
    const wanted = messageLength(message.subarray(0, gathered));
    if (wanted !== undefined && gathered >= wanted) return message.subarray(messageHeaderBytes, wanted);
  }
  if (bytes.length >= maxClientHelloBytes) throw new Malformed('the ClientHello is too long');
  // Either the last record's end is still to come, or the next one's header.
  return { kind: 'incomplete', atLeast: offset > bytes.length ? offset : offset + recordHeaderBytes };
}

function recordLength(bytes: Uint8Array, offset: number): number {
  if (bytes[offset] !== handshakeRecord) throw new Malformed('another record interrupts the ClientHello');
  const length = ((bytes[offset + 3] ?? 0) << 8) | (bytes[offset + 4] ?? 0);
  if (length === 0 || length > maxRecordBytes) throw new Malformed(`a record of ${length} bytes`);
  return length;
}

/** Of the whole message with its header; undefined until the header is there. */
function messageLength(message: Uint8Array): number | undefined {
  if (message.length > 0 && message[0] !== clientHelloMessage) throw new Malformed('not a ClientHello');
  if (message.length < messageHeaderBytes) return undefined;
  const length = messageHeaderBytes + (message[1]! << 16) + (message[2]! << 8) + message[3]!;
  if (length > maxClientHelloBytes) throw new Malformed('the ClientHello is too long');
  return length;
}

function parseHello(reader: Reader): ClientHello {
  reader.skip(2 + 32); // legacy_version, random
  reader.vector(1, 0, 32); // legacy_session_id
  reader.vector(2, 2, 65_534); // cipher_suites
  reader.vector(1, 1, 255); // legacy_compression_methods
  // Before TLS 1.3 a hello may end here.
  if (reader.isAtEnd) return { alpnProtocols: [] };
  const extensions = new Reader(reader.vector(2, 0, 65_535));
  if (!reader.isAtEnd) throw new Malformed('bytes after the extensions');
  return parseExtensions(extensions);
}

function parseExtensions(extensions: Reader): ClientHello {
  let serverName: string | undefined;
  let alpnProtocols: string[] = [];
  const seen = new Set<number>();
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const body = new Reader(extensions.vector(2, 0, 65_535));
    if (type !== serverNameExtension && type !== alpnExtension) continue;
    if (seen.has(type)) throw new Malformed(`extension ${type} twice`);
    seen.add(type);
    if (type === serverNameExtension) serverName = parseServerName(body);
    else alpnProtocols = parseAlpn(body);
  }
  return { ...(serverName === undefined ? {} : { serverName }), alpnProtocols };
}

function parseServerName(body: Reader): string | undefined {
  const names = new Reader(body.vector(2, 1, 65_535));
  if (!body.isAtEnd) throw new Malformed('bytes after the server names');
  let found: string | undefined;
  while (!names.isAtEnd) {
    const type = names.number(1);
    const name = names.vector(2, 1, 65_535);
    if (type !== hostNameType) continue;
    if (found !== undefined) throw new Malformed('two host names');
    found = hostName(name);
  }
  return found;
}

/** A name that nobody could have meant is refused here, before it reaches rules, logs and terminals. */
function hostName(bytes: Uint8Array): string {
  const name = Buffer.from(bytes).toString('latin1').toLowerCase().replace(/\.$/, '');
  if (name.length > 255 || !/^[a-z0-9._:-]+$/.test(name))
    throw new Malformed('the server name is no host name');
  return name;
}

function parseAlpn(body: Reader): string[] {
  const list = new Reader(body.vector(2, 2, 65_535));
  if (!body.isAtEnd) throw new Malformed('bytes after the protocol names');
  const protocols: string[] = [];
  while (!list.isAtEnd) protocols.push(Buffer.from(list.vector(1, 1, 255)).toString('latin1'));
  return protocols;
}

/** Reads numbers and length-prefixed vectors (RFC 8446 3.4) one after the other. */
class Reader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  skip(count: number): void {
    this.#take(count);
  }

  number(width: number): number {
    return this.#take(width).reduce((value, byte) => value * 256 + byte, 0);
  }

  vector(lengthWidth: number, shortest: number, longest: number): Uint8Array {
    const length = this.number(lengthWidth);
    if (length < shortest || length > longest) throw new Malformed(`a vector of ${length} bytes`);
    return this.#take(length);
  }

  #take(count: number): Uint8Array {
    if (this.#offset + count > this.#bytes.length) throw new Malformed('it ends early');
    this.#offset += count;
    return this.#bytes.subarray(this.#offset - count, this.#offset);
  }
}
