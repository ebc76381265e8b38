/**
 * Which descriptors a worker holds, as one bit each in shared memory: when the worker is gone without having closed them,
 * the engine does.
 */

import type { Libc } from '../../native/index.ts';

/** Descriptors are below this: the kernel's own limit (fs.nr_open) unless someone has raised it. */
export const ledgerFiles = 1_048_576;

export class FileLedger {
  readonly #libc: Libc;
  readonly #bits: Int32Array;

  constructor(libc: Libc, shared: SharedArrayBuffer) {
    this.#libc = libc;
    this.#bits = new Int32Array(shared);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(ledgerFiles / 8);
  }

  add(fd: number): void {
    this.#bits[fd >> 5] = (this.#bits[fd >> 5] as number) | (1 << (fd & 31));
  }

  close(fd: number): void {
    // The bit first: a number that is free may be someone else's at once.
    this.#bits[fd >> 5] = (this.#bits[fd >> 5] as number) & ~(1 << (fd & 31));
    this.#libc.close(fd);
  }

  closeAll(): void {
    for (const [word, bits] of this.#bits.entries()) {
      if (bits === 0) continue;
      for (let bit = 0; bit < 32; bit++) {
        if ((bits & (1 << bit)) !== 0) this.close(word * 32 + bit);
      }
    }
  }
}
