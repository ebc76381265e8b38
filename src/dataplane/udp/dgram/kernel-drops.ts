/**
 * What the kernel threw away because a listener's receive buffer was full. `node:dgram` does not tell; Linux does, in its
 * tables of sockets. A table is as long as the whole network namespace has sockets, so it is read now and then, aside.
 */

import type { Socket } from 'node:dgram';
import { readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { descriptorOf } from '../socket-descriptor.ts';

/** Of IPv4 and of IPv6 sockets. */
const tables = ['/proc/self/net/udp', '/proc/self/net/udp6'];
const everyMs = 500;
/** Reading takes at most this part of the time. */
const share = 1 / 50;
const inodeColumn = 9;
const lineEnd = 10;

export interface WatchedSocket {
  /** Since it was bound, as far as is known. Stays 0 where the system does not tell. */
  drops: number;
}

interface Watched extends WatchedSocket {
  readonly inode: string;
}

export class KernelDrops {
  readonly #watched = new Set<Watched>();
  #isReading = false;
  #nextMs = 0;

  watch(socket: Socket): WatchedSocket {
    const watched = { drops: 0, inode: inodeOf(socket) };
    if (watched.inode !== '') this.#watched.add(watched);
    return watched;
  }

  forget(socket: WatchedSocket): void {
    this.#watched.delete(socket as Watched);
  }

  /** Looks again where it is time to. What it finds is there in a moment. */
  tick(nowMs: number): void {
    if (this.#isReading || nowMs < this.#nextMs || this.#watched.size === 0) return;
    this.#isReading = true;
    void this.#read().then(() => {
      this.#isReading = false;
      this.#nextMs = nowMs + Math.max(everyMs, (performance.now() - nowMs) / share);
    });
  }

  async #read(): Promise<void> {
    for (const path of tables) {
      // One of them may not be there, nor both where this is not Linux.
      const table = await readFile(path).catch(() => Buffer.alloc(0));
      for (const watched of this.#watched) watched.drops = dropsOf(table, watched.inode) ?? watched.drops;
    }
  }
}

/** The drops of the socket with that inode, which a table tells; undefined when it does not know it. */
export function dropsOf(table: Buffer, inode: string): number | undefined {
  const sought = ` ${inode} `;
  for (let at = table.indexOf(sought); at >= 0; at = table.indexOf(sought, at + 1)) {
    const line = table.subarray(table.lastIndexOf(lineEnd, at) + 1, table.indexOf(lineEnd, at));
    const columns = line.toString('latin1').trim().split(/\s+/);
    // The kernel prints its unsigned counter as a signed one.
    if (columns[inodeColumn] === inode) return Number(columns.at(-1)) >>> 0;
  }
  return undefined;
}

/** What names the socket in the tables; empty where there are none. */
function inodeOf(socket: Socket): string {
  try {
    return /\d+/.exec(readlinkSync(`/proc/self/fd/${descriptorOf(socket)}`))?.[0] ?? '';
  } catch {
    return '';
  }
}
