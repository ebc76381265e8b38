/**
 * The fallback: each pod has an address of 127.0.0.0/8 and shares this machine's network with everything else. Programs
 * must bind that address ($POD_IP, $HOST). Containers are process groups; a watchdog ends them when this process is
 * killed.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { restMarkOf } from './activity.ts';
import { AddressPool } from './addresses.ts';
import { readBoundPorts } from './bound-ports.ts';
import { LoopbackProcess } from './loopback-process.ts';
import type { NetworkedPod, PodNetwork } from './pod-network.ts';
import { PodNetworkError } from './pod-network-error.ts';
import { childrenOf, type PodProcess, type PodProcessOptions } from './pod-process.ts';
import { Watchdog } from './watchdog.ts';

/** A block of 127.0.0.0/8 per cluster: 127.64.0.0/16 to 127.191.0.0/16. */
const firstBlock = 64;
const blockCount = 128;
/** Held on a block's first address for as long as the block is in use. */
const lockPort = 41_244;

interface LoopbackPod {
  readonly pod: NetworkedPod;
  readonly processes: Set<PodProcess>;
}

export class LoopbackNetwork implements PodNetwork {
  readonly mode = 'loopback';
  readonly gatewayAddress = '127.0.0.1';
  private readonly addresses: AddressPool;
  private readonly lock: Server;
  private readonly watchdog: Watchdog;
  private readonly pods = new Map<string, LoopbackPod>();

  private constructor(network: string, lock: Server) {
    this.addresses = new AddressPool(network);
    this.lock = lock;
    this.watchdog = new Watchdog(randomBytes(8).toString('hex'));
  }

  /** Takes a block of addresses that no other cluster of this machine uses. Throws `PodNetworkError`. */
  static async open(): Promise<LoopbackNetwork> {
    const start = process.pid % blockCount;
    for (let offset = 0; offset < blockCount; offset++) {
      const network = `127.${firstBlock + ((start + offset) % blockCount)}`;
      const lock = await lockBlock(`${network}.0.1`);
      if (lock) return new LoopbackNetwork(network, lock);
    }
    throw new PodNetworkError('no block of loopback addresses is free: 128 clusters run on this machine');
  }

  addPod(name: string): Promise<NetworkedPod> {
    if (this.pods.has(name)) return Promise.reject(new PodNetworkError(`pod ${name} has a network already`));
    const pod = { name, address: this.addresses.take() };
    this.pods.set(name, { pod, processes: new Set() });
    return Promise.resolve(pod);
  }

  async removePod(name: string): Promise<void> {
    const held = this.pods.get(name);
    if (!held) return;
    this.pods.delete(name);
    const ended = [...held.processes].map((process) => {
      process.kill();
      return process.exited;
    });
    await Promise.all(ended);
    this.addresses.release(held.pod.address);
  }

  spawn(name: string, command: readonly [string, ...string[]], options: PodProcessOptions): PodProcess {
    const held = this.pods.get(name);
    if (!held) throw new PodNetworkError(`pod ${name} has no network`);
    const { address } = held.pod;
    const env = { ...options.env, POD_IP: address, HOST: options.env.HOST ?? address };
    const process = new LoopbackProcess(this.watchdog, command, { ...options, env });
    held.processes.add(process);
    void process.exited.then(() => held.processes.delete(process));
    return process;
  }

  /** A program that binds every address of the machine is reached at the pod's too, if it is the pod's own. */
  async isBound(name: string, protocol: 'tcp' | 'udp', port: number): Promise<boolean> {
    const held = this.pods.get(name);
    if (!held) return false;
    for (const table of [protocol, `${protocol}6`]) {
      const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '');
      const bound = readBoundPorts(protocol, text).filter((candidate) => candidate.port === port);
      if (bound.some(({ address }) => address === held.pod.address)) return true;
      const everywhere = bound.filter(({ address }) => address === '0.0.0.0').map(({ inode }) => inode);
      if (everywhere.length > 0 && (await ownsAny(held.processes, everywhere))) return true;
    }
    return false;
  }

  async isDrained(name: string): Promise<boolean> {
    const held = this.pods.get(name);
    if (!held) return true;
    const mark = restMarkOf(held.processes);
    if (mark === undefined) return false;
    const { address } = held.pod;
    const text = await readFile('/proc/net/udp', 'utf8').catch(() => '');
    const isRead = readBoundPorts('udp', text).every(
      (bound) => bound.address !== address || bound.queuedBytes === 0,
    );
    return isRead && restMarkOf(held.processes) === mark;
  }

  async close(): Promise<void> {
    await Promise.all([...this.pods.keys()].map((name) => this.removePod(name)));
    await this.watchdog.close();
    this.lock.close();
  }
}

async function ownsAny(processes: Iterable<PodProcess>, inodes: readonly string[]): Promise<boolean> {
  for (const { pid } of processes) {
    if (pid !== undefined && (await holdsSocket(pid, inodes))) return true;
  }
  return false;
}

/** The process or one that it started. */
async function holdsSocket(pid: number, inodes: readonly string[]): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  for (const name of await readdir(directory).catch(() => [])) {
    const target = await readlink(`${directory}/${name}`).catch(() => '');
    if (inodes.some((inode) => target === `socket:[${inode}]`)) return true;
  }
  for (const child of childrenOf(pid)) {
    if (await holdsSocket(child, inodes)) return true;
  }
  return false;
}

/** Undefined when another holds it. Throws `PodNetworkError` where this machine does not have the address. */
async function lockBlock(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen({ host: address, port: lockPort, exclusive: true });
    await once(server, 'listening');
    server.unref();
    return server;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    const advice = 'on macOS, `sudo ifconfig lo0 alias` makes loopback addresses one by one';
    throw new PodNetworkError(`this machine has no address ${address} (${advice})`, { cause });
  }
}
