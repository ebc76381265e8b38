/** Addresses of Services, taken from 10.96.0.0/12 as kubeadm sets it up. */

import { randomInt } from 'node:crypto';

const firstAddress = toNumber('10.96.0.0');
const size = 2 ** 20;
/** Left to those who ask for an address by number: min(max(16, size/16), 256), as KEP-3070 sets it. */
const staticBand = 256;
const randomTries = 64;

export const serviceCidr = '10.96.0.0/12';

/** Offsets in the range; 0 and the last are the network's own. */
export class ClusterIps {
  readonly #taken = new Set<number>();

  /** Undefined where the address is free, else the server's complaint. */
  checkFree(address: string): string | undefined {
    const offset = toNumber(address) - firstAddress;
    if (offset <= 0 || offset >= size - 1) {
      return `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is ${serviceCidr}`;
    }
    if (this.#taken.has(offset)) return `failed to allocate IP ${address}: provided IP is already allocated`;
    return undefined;
  }

  /** A free address, or undefined where the range is used up. Nothing is taken. */
  suggest(): string | undefined {
    for (let attempt = 0; attempt < randomTries; attempt++) {
      const offset = randomInt(staticBand + 1, size - 1);
      if (!this.#taken.has(offset)) return toAddress(firstAddress + offset);
    }
    for (let step = 1; step < size - 1; step++) {
      const offset = 1 + ((staticBand + step) % (size - 2));
      if (!this.#taken.has(offset)) return toAddress(firstAddress + offset);
    }
    return undefined;
  }

  take(address: string): void {
    this.#taken.add(toNumber(address) - firstAddress);
  }

  free(address: string): void {
    this.#taken.delete(toNumber(address) - firstAddress);
  }
}

function toNumber(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}
