/**
 * What the kernel threw away because a socket's receive buffer was full. `node:dgram` does not tell; Linux does, in its
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
const [lineEnd, space, zero] = [10, 32, 48];

/** What a table says of a socket that has dropped any. */
export interface SocketDrops {
  readonly inode: string;
  readonly port: number;
  /** Since it was made. */
  readonly drops: number;
}

export interface WatchedSocket {
  /** Since it was bound, as far as is known. Stays 0 where the system does not tell. */
  drops: number;
}

interface Watched extends WatchedSocket {
  readonly inode: string;
}

export class KernelDrops {
  readonly #watched = new Set<Watched>();
  readonly #onOthers: (dropsByPort: ReadonlyMap<number, number>) => void;
  /** By inode, as the tables had them last. */
  #known: ReadonlyMap<string, number> = new Map();
  #isReading = false;
  #nextMs = 0;

  /** `onOthers` is told of sockets, by their port, that are not watched and have dropped more. They may be anybody's. */
  constructor(onOthers: (dropsByPort: ReadonlyMap<number, number>) => void) {
    this.#onOthers = onOthers;
  }

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
    const found: SocketDrops[] = [];
    for (const path of tables) {
      // One of them may not be there, nor both where this is not Linux.
      found.push(...socketDrops(await readFile(path).catch(() => Buffer.alloc(0))));
    }
    const byInode = new Map(found.map(({ inode, drops }) => [inode, drops]));
    for (const watched of this.#watched) watched.drops = byInode.get(watched.inode) ?? watched.drops;
    const own = new Set([...this.#watched].map(({ inode }) => inode));
    const others = found.filter(({ inode, drops }) => !own.has(inode) && drops !== this.#known.get(inode));
    if (others.length > 0) this.#onOthers(new Map(others.map(({ port, drops }) => [port, drops])));
    this.#known = byInode;
  }
}

/** The sockets of a table that have dropped any. */
export function socketDrops(table: Buffer): SocketDrops[] {
  const found: SocketDrops[] = [];
  // Below the heading, where there is a table at all.
  let start = table.indexOf(lineEnd) + 1;
  for (let end = table.indexOf(lineEnd, start); end >= 0; end = table.indexOf(lineEnd, start)) {
    if (!endsInZero(table, end)) found.push(readLine(table.toString('latin1', start, end)));
    start = end + 1;
  }
  return found;
}

/** Of nearly every line, and all that is looked at of those. Lines are filled up with spaces. */
function endsInZero(table: Buffer, end: number): boolean {
  let at = end - 1;
  while (table[at] === space) at--;
  return table[at] === zero && table[at - 1] === space;
}

function readLine(line: string): SocketDrops {
  const columns = line.trim().split(/\s+/);
  return {
    inode: columns[inodeColumn] ?? '',
    port: Number.parseInt(columns[1]?.split(':')[1] ?? '', 16),
    // The kernel prints its unsigned counter as a signed one.
    drops: Number(columns.at(-1)) >>> 0,
  };
}

/** What names the socket in the tables; empty where there are none. */
function inodeOf(socket: Socket): string {
  try {
    return /\d+/.exec(readlinkSync(`/proc/self/fd/${descriptorOf(socket)}`))?.[0] ?? '';
  } catch {
    return '';
  }
}
