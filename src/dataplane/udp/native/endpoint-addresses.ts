/** The endpoints' socket addresses in memory that the kernel may be given: per slot as they are, and as IPv6 ones. */

import { type Libc, NativeMemory, socketAddressBytes, writeSocketAddress } from '../../native/index.ts';
import type { UdpDecision } from '../../route-table.ts';
import type { EndpointSlots } from '../core/endpoint-slots.ts';

export const addressLength4 = 16;
export const addressLength6 = 28;

const scratch = new Uint8Array(socketAddressBytes);

/** Throws `RangeError` where an endpoint is behind an interface that is not there: what the kernel may be given has its number. */
export function checkInterfaces(decision: UdpDecision | undefined): void {
  const services = decision?.kind === 'forward' ? decision.route.services : [];
  for (const { endpoints } of services) {
    for (const endpoint of endpoints) {
      if (endpoint.address.includes('%')) writeSocketAddress(scratch, 0, endpoint);
    }
  }
}

export class EndpointAddresses {
  /** Whether any endpoint is reached by IPv6 only. */
  hasIPv6 = false;
  readonly #libc: Libc;
  #memory: NativeMemory;
  #isIPv6 = new Uint8Array(0);

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#memory = new NativeMemory(libc, socketAddressBytes);
  }

  /** Where the endpoint's address is, for a socket of that family. */
  at(slot: number, isIPv6: boolean): number {
    return this.#memory.address + (2 * slot + (isIPv6 ? 1 : 0)) * socketAddressBytes;
  }

  isIPv6(slot: number): boolean {
    return this.#isIPv6[slot] === 1;
  }

  /** Takes over the endpoints that are there now. */
  write(slots: EndpointSlots): void {
    const bytes = slots.capacity * 2 * socketAddressBytes;
    if (bytes > this.#memory.bytes.length) this.#memory = new NativeMemory(this.#libc, bytes);
    if (slots.capacity > this.#isIPv6.length) this.#isIPv6 = new Uint8Array(slots.capacity);
    this.hasIPv6 = false;
    for (const [slot, description] of slots.descriptions.entries()) {
      if (!description) continue;
      const at = 2 * slot * socketAddressBytes;
      const length = writeSocketAddress(this.#memory.bytes, at, description);
      writeSocketAddress(this.#memory.bytes, at + socketAddressBytes, description, true);
      this.#isIPv6[slot] = length === addressLength6 ? 1 : 0;
      if (length === addressLength6) this.hasIPv6 = true;
    }
  }
}
