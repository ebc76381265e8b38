import { isAvailable, type Libc, loadLibc } from '../../src/dataplane/native/index.ts';

/** The generator and the backend are of no use without the fast bindings: they would be what is measured. */
export function requireLibc(): Libc {
  const libc = loadLibc();
  if (!isAvailable(libc)) throw new Error(`the UDP benchmark cannot run: ${libc.unavailable}`);
  return libc;
}

/** `host:port`, the host without brackets. */
export function parseAddress(text: string): { address: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}
