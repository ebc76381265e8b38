/** Which source addresses may pass: a list that allows, and one that denies and wins. */

import { addressWords, mappedMarker, parseAddress } from './address.ts';

const rangeWords = 2 * addressWords;

/** A list of address ranges. Looked through in order: made for the tens of ranges that people write. */
export class AddressRanges {
  /** Network then mask, four words each. */
  readonly #ranges: Uint32Array;

  /** Of CIDR ranges or single addresses. Throws `RangeError` for what is neither: see `isAddressRange`. */
  constructor(texts: readonly string[]) {
    this.#ranges = new Uint32Array(texts.length * rangeWords);
    for (const [index, text] of texts.entries()) {
      if (!writeRange(text, this.#ranges, index * rangeWords)) {
        throw new RangeError(`not an address or CIDR range: ${text}`);
      }
    }
  }

  /** Whether the address whose words are at `offset` lies in one of them. `::/0` holds no IPv4, as in Go. */
  has(words: Uint32Array, offset: number): boolean {
    const ranges = this.#ranges;
    const isIPv4 = isMapped(words, offset);
    for (let at = 0; at < ranges.length; at += rangeWords) {
      if (isIPv4 && !isMapped(ranges, at)) continue;
      let differs = 0;
      for (let word = 0; word < addressWords; word++) {
        const masked = (words[offset + word] as number) & (ranges[at + addressWords + word] as number);
        differs |= masked ^ (ranges[at + word] as number);
      }
      if (differs === 0) return true;
    }
    return false;
  }
}

export class AddressList {
  readonly #allow: AddressRanges | undefined;
  readonly #deny: AddressRanges | undefined;

  private constructor(allow: readonly string[] | undefined, deny: readonly string[] | undefined) {
    this.#allow = allow ? new AddressRanges(allow) : undefined;
    this.#deny = deny ? new AddressRanges(deny) : undefined;
  }

  /** Undefined where neither list is there, so that everything passes unasked. */
  static from(allow?: readonly string[], deny?: readonly string[]): AddressList | undefined {
    return allow || deny ? new AddressList(allow, deny) : undefined;
  }

  admits(words: Uint32Array, offset: number): boolean {
    if (this.#deny?.has(words, offset)) return false;
    return this.#allow === undefined || this.#allow.has(words, offset);
  }
}

/** Whether the text is an address or a CIDR range that `AddressRanges` takes. */
export function isAddressRange(text: string): boolean {
  return writeRange(text, new Uint32Array(rangeWords), 0);
}

/** Whether the four words are an IPv4 address, or a network of such. */
function isMapped(words: Uint32Array, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === mappedMarker;
}

function writeRange(text: string, into: Uint32Array, at: number): boolean {
  const [address = '', length, ...rest] = text.split('/');
  if (rest.length > 0 || !parseAddress(address, into, at)) return false;
  const bits = length === undefined ? 128 : Number(length) + (address.includes(':') ? 0 : 96);
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return false;
  if (bits > 128) return false;
  const mask = new Uint8Array(16);
  for (let index = 0; index < 16; index++) {
    const ones = Math.max(0, Math.min(8, bits - 8 * index));
    mask[index] = (0xff00 >>> ones) & 0xff;
  }
  into.set(new Uint32Array(mask.buffer), at + addressWords);
  for (let word = 0; word < addressWords; word++) {
    into[at + word] = ((into[at + word] as number) & (into[at + addressWords + word] as number)) >>> 0;
  }
  return true;
}
