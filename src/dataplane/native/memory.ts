/** Memory whose address the kernel may be given. */

import type { Libc } from './libc.ts';

/** Cache lines are 64 bytes on both architectures; a region starts on one. */
const alignment = 64;

/**
 * A zero-filled region that never moves.
 *
 * Why that is safe: V8 keeps the bytes of an `ArrayBuffer` outside its heap, at one address from creation until the
 * buffer is collected or detached (only typed arrays of at most 64 bytes that were created without a buffer live
 * inside, and move). The region's fields keep the buffer referenced, so whoever holds the region keeps its address
 * valid; nobody transfers `buffer`, which would detach it. Every call made with the address returns before JavaScript
 * runs on (none is asynchronous), and the kernel keeps no address past its return.
 */
export class NativeMemory {
  readonly buffer: ArrayBuffer;
  /** All of the region. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The region as 32-bit words. */
  readonly words: Int32Array;
  /** Of the region's first byte. User space ends at 2^47 or 2^48: exact as a number, and cheaper to pass than a bigint. */
  readonly address: number;

  /** `sizeBytes` of at least 1. Rounded up to whole cache lines. */
  constructor(libc: Libc, sizeBytes: number) {
    const size = Math.ceil(sizeBytes / alignment) * alignment;
    this.buffer = new ArrayBuffer(size + alignment);
    const start = libc.addressOf(this.buffer);
    const skip = (alignment - (start % alignment)) % alignment;
    this.address = start + skip;
    this.bytes = new Uint8Array(this.buffer, skip, size);
    this.view = new DataView(this.buffer, skip, size);
    this.words = new Int32Array(this.buffer, skip, size / 4);
  }

  /** Writes a pointer, or any whole number below 2^53, as 64 bits. `offset` is a multiple of four. */
  setUint64(offset: number, value: number): void {
    const word = offset >> 2;
    this.words[word] = value | 0;
    this.words[word + 1] = (value / 0x1_0000_0000) | 0;
  }
}
