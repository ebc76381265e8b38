/** Which process holds a UDP or TCP port, from /proc. Linux; elsewhere the answer is always undefined. */

import { readdir, readFile, readlink } from 'node:fs/promises';
import { isIPv4 } from 'node:net';

export interface PortHolder {
  readonly pid: number;
  /** Its command line, as one string. */
  readonly command: string;
}

/** Undefined where nobody holds it, or somebody whose files this user may not read. */
export async function findPortHolder(
  protocol: 'udp' | 'tcp',
  address: string,
  port: number,
): Promise<PortHolder | undefined> {
  const inodes = await socketInodes(protocol, address, port);
  if (inodes.size === 0) return undefined;
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (!(await holdsAny(pid, inodes))) continue;
    return launcherOf({ pid: Number(pid), command: await commandLine(pid) });
  }
  return undefined;
}

/** Column 2 is `address:port` in hexadecimal, column 10 the inode (proc(5)). */
async function socketInodes(protocol: string, address: string, port: number): Promise<Set<string>> {
  const wantedPort = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of [`/proc/net/${protocol}`, `/proc/net/${protocol}6`]) {
    const text = await readFile(table, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      const [holding = '', heldPort] = (columns[1] ?? '').split(':');
      if (heldPort === wantedPort && isInTheWay(holding, address) && columns[9]) inodes.add(columns[9]);
    }
  }
  return inodes;
}

/** Whether a socket at this address, as /proc writes it, keeps the wanted one from being bound. */
function isInTheWay(holding: string, wanted: string): boolean {
  const isWildcard = /^0+$/.test(holding);
  if (isWildcard || !isIPv4(wanted) || wanted === '0.0.0.0') return true;
  const bytes = wanted.split('.').map((part) => Number(part).toString(16).toUpperCase().padStart(2, '0'));
  // Little-endian; after it, in the IPv6 table, the prefix of a mapped address.
  return holding.endsWith(bytes.reverse().join(''));
}

async function holdsAny(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const name of names) {
    const target = await readlink(`/proc/${pid}/fd/${name}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

async function commandLine(pid: string | number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0').join(' ').trim();
}

/** The port of a running `sluice up` is held by its cluster process: the user knows the process above it. */
async function launcherOf(holder: PortHolder): Promise<PortHolder> {
  let current = holder;
  while (current.command.includes('cluster-process')) {
    const status = await readFile(`/proc/${current.pid}/status`, 'utf8').catch(() => '');
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1] ?? 0);
    if (parent <= 1) return current;
    current = { pid: parent, command: await commandLine(parent) };
  }
  return current;
}
