/** The addresses of the cluster's network, and who holds which. Pure. */

/** Pods and their gateway. */
export const clusterCidr = '10.244.0.0/16';
export const prefixLength = 16;
/** The cluster process, as pods see it. */
export const gatewayAddress = '10.244.0.1';
/** Service addresses (cluster IPs): local to the cluster process, which may bind any of them. */
export const serviceCidr = '10.96.0.0/12';

/** Host numbers of a /16 that pods may have: its first addresses are the gateway's and spares. */
const firstHost = 2;
const lastHost = 0xfffe;

/** Every address is held. */
export class AddressesExhaustedError extends Error {
  constructor(network: string) {
    super(`no addresses left in ${network}`);
    this.name = 'AddressesExhaustedError';
  }
}

/**
 * Gives each address of a /16 once before any is given again, so that what is still sent to a pod that is gone does not
 * reach a new one.
 */
export class AddressPool {
  private readonly network: string;
  private readonly held = new Set<string>();
  private next = firstHost;

  /** `network` is the first two numbers of the addresses, as `10.244`. */
  constructor(network: string) {
    this.network = network;
  }

  /** Throws `AddressesExhaustedError`. */
  take(): string {
    for (let tried = firstHost; tried <= lastHost; tried++) {
      const host = this.next;
      this.next = host === lastHost ? firstHost : host + 1;
      const address = `${this.network}.${host >> 8}.${host & 0xff}`;
      // x.y.z.0 and x.y.z.255 are addresses like others in a /16, but programs and people take them for special.
      const looksSpecial = (host & 0xff) === 0 || (host & 0xff) === 0xff;
      if (looksSpecial || this.held.has(address)) continue;
      this.held.add(address);
      return address;
    }
    throw new AddressesExhaustedError(`${this.network}.0.0/16`);
  }

  release(address: string): void {
    this.held.delete(address);
  }
}
