/** How many sockets towards endpoints this process may hold, by its limit on open files. */

import { readdirSync, readFileSync } from 'node:fs';

/** Kept for everything else that the process opens. */
const reservedFiles = 64;
const assumedLimit = 1024;

export class SocketBudget {
  readonly limit: number;
  #held = 0;

  constructor(limit = availableFiles()) {
    this.limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  take(): boolean {
    if (this.#held >= this.limit) return false;
    this.#held++;
    return true;
  }

  giveBack(): void {
    this.#held--;
  }
}

/** Node has raised the soft limit to the hard one at its start. */
function availableFiles(): number {
  try {
    const [, soft = ''] = /Max open files\s+(\S+)/.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    const limit = soft === 'unlimited' ? 1_048_576 : Number(soft);
    return Math.max(1, limit - readdirSync('/proc/self/fd').length - reservedFiles);
  } catch {
    return assumedLimit - reservedFiles;
  }
}
