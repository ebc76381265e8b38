/** Header blocks: one zlib stream in each direction for the whole connection. */

import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';
import { headerDictionary } from './dictionary.ts';

export type Headers = Readonly<Record<string, string>>;

/** A block of more is refused: it is not from kubectl. */
const maxBlockBytes = 64 * 2 ** 10;

/** Blocks have to be given in the order in which they came. */
export class HeaderCodec {
  readonly #inflate: Inflate = createInflate({
    dictionary: headerDictionary,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  readonly #deflate: Deflate = createDeflate({ dictionary: headerDictionary, level: 1 });
  #inflated: Buffer[] = [];
  #deflated: Buffer[] = [];

  constructor() {
    this.#inflate.on('data', (chunk: Buffer) => this.#inflated.push(chunk));
    this.#deflate.on('data', (chunk: Buffer) => this.#deflated.push(chunk));
    // Told of through the callbacks below.
    this.#inflate.on('error', () => undefined);
  }

  decode(block: Buffer): Promise<Headers> {
    return new Promise((resolve, reject) => {
      this.#inflate.once('error', reject);
      this.#inflate.write(block, () => {
        this.#inflate.removeListener('error', reject);
        const bytes = Buffer.concat(this.#inflated);
        this.#inflated = [];
        if (bytes.length > maxBlockBytes) reject(new Error('the header block is too large'));
        else resolve(readHeaders(bytes));
      });
    });
  }

  encode(headers: Headers): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#deflate.write(writeHeaders(headers));
      this.#deflate.flush(constants.Z_SYNC_FLUSH, () => {
        const block = Buffer.concat(this.#deflated);
        this.#deflated = [];
        resolve(block);
      });
    });
  }

  close(): void {
    this.#inflate.destroy();
    this.#deflate.destroy();
  }
}

function readHeaders(bytes: Buffer): Headers {
  let at = 4;
  const text = () => {
    const length = bytes.readUInt32BE(at);
    at += 4 + length;
    return bytes.toString('utf8', at - length, at);
  };
  const headers: Record<string, string> = {};
  const count = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0;
  for (let index = 0; index < count && at + 8 <= bytes.length; index++) {
    const name = text().toLowerCase();
    headers[name] = text();
  }
  return headers;
}

function writeHeaders(headers: Headers): Buffer {
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const entries = Object.entries(headers);
  const text = (value: string) => [number(Buffer.byteLength(value)), Buffer.from(value)];
  return Buffer.concat([
    number(entries.length),
    ...entries.flatMap(([name, value]) => [...text(name), ...text(value)]),
  ]);
}
