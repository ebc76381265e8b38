/** Node ports, 30000 to 32767. */

import { randomInt } from 'node:crypto';

export const firstNodePort = 30_000;
export const lastNodePort = 32_767;
/** 30000 to 30085 are left to those who ask by number: min(max(16, size/32), 128), as KEP-3668 sets it. */
const staticBand = 86;
const randomTries = 64;

/**
 * One space for all protocols, as in the API server: a port that one Service has for UDP, another cannot have for TCP.
 * Within one Service both may share it.
 */
export class NodePorts {
  readonly #taken = new Set<number>();

  checkFree(port: number): string | undefined {
    if (port < firstNodePort || port > lastNodePort) {
      return `provided port is not in the valid range. The range of valid ports is ${firstNodePort}-${lastNodePort}`;
    }
    return this.#taken.has(port) ? 'provided port is already allocated' : undefined;
  }

  /** A free port outside `besides`, or undefined where all are taken. Nothing is taken. */
  suggest(besides: ReadonlySet<number>): number | undefined {
    const isFree = (port: number) => !this.#taken.has(port) && !besides.has(port);
    const dynamic = firstNodePort + staticBand;
    for (let attempt = 0; attempt < randomTries; attempt++) {
      const port = randomInt(dynamic, lastNodePort + 1);
      if (isFree(port)) return port;
    }
    const size = lastNodePort - firstNodePort + 1;
    for (let step = 0; step < size; step++) {
      const port = firstNodePort + ((staticBand + step) % size);
      if (isFree(port)) return port;
    }
    return undefined;
  }

  take(port: number): void {
    this.#taken.add(port);
  }

  free(port: number): void {
    this.#taken.delete(port);
  }
}
