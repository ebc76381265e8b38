/** What a proxy that runs until a signal needs, whichever protocol it carries. */

import { InvalidArgumentError } from 'commander';

/** Resolves on the first SIGINT or SIGTERM. */
export function endingSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

/** Why the proxy could not start, in words for its user. */
export function whyNotStarted(error: unknown, listen: string, protocol: 'udp' | 'tcp'): string {
  if (error instanceof InvalidArgumentError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  const place = `${listen}/${protocol}`;
  if (code === 'EADDRINUSE')
    return `${place} is taken by another process: \`ss -${protocol[0]}lpn\` names it`;
  if (code === 'EACCES') return `${place}: ports below 1024 need root or CAP_NET_BIND_SERVICE`;
  if (code === 'EADDRNOTAVAIL') return `${place}: this machine doesn't have that address`;
  return message;
}

/** `address:port`, IPv6 in brackets. */
export function formatPlace({ address, port }: { address: string; port: number }): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
