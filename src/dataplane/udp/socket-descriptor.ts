import type { Socket } from 'node:dgram';

/** The descriptor of a socket. Node keeps it in a field without a public name; the older name warns. */
export function descriptorOf(socket: Socket): number {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    const state: unknown = Reflect.get(socket, symbol);
    if (typeof state !== 'object' || state === null || !('handle' in state)) continue;
    const handle = state.handle as { readonly fd?: unknown } | null;
    if (typeof handle?.fd === 'number' && handle.fd >= 0) return handle.fd;
  }
  throw new Error('the socket has no descriptor: it is closed, or not bound');
}
