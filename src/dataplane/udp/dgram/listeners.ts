/**
 * Where an entry point listens. `node:dgram` doesn't tell which of the host's addresses a datagram was sent to, and a
 * wildcard socket's answers leave from whichever one the kernel prefers. So a wildcard listener is one socket for each
 * local address, which the kernel prefers to the wildcard one beside them; that one takes what is left (addresses that
 * came since the last look, broadcasts).
 */

import type { RemoteInfo, Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { UdpListener } from '../../udp-engine.ts';
import { Backlog } from '../core/backlog.ts';
import type { KernelDrops, WatchedSocket } from './kernel-drops.ts';
import { bindListener } from './sockets.ts';

export interface Listener {
  readonly socket: Socket;
  readonly place: { readonly address: string; readonly port: number };
  /** Part of its sessions' keys. */
  readonly number: number;
  readonly watched: WatchedSocket;
  /** Whether the engine has fallen behind with it. */
  isBehind: boolean;
  isClosed: boolean;
}

export type OnDatagram = (listener: Listener, datagram: Buffer, from: RemoteInfo) => void;

/** What libuv takes from a socket between two looks at the others. */
const mostAtOnce = 32;

const wildcards = new Set(['0.0.0.0', '::']);

export class Listeners {
  readonly #onDatagram: OnDatagram;
  readonly #onError: (error: Error) => void;
  readonly #kernelDrops: KernelDrops;
  readonly #listeners: Listener[] = [];
  /** By `address port`, those beside a wildcard listener. */
  readonly #local = new Map<string, Listener>();
  readonly #wildcards: { readonly address: string; readonly port: number }[] = [];
  #nextNumber = 0;
  /** Of listeners that are closed. */
  #dropsBefore = 0;
  #isClosed = false;

  constructor(kernelDrops: KernelDrops, onDatagram: OnDatagram, onError: (error: Error) => void) {
    this.#kernelDrops = kernelDrops;
    this.#onDatagram = onDatagram;
    this.#onError = onError;
  }

  /** Datagrams that found the listeners' receive buffers full. */
  get kernelDrops(): number {
    return this.#listeners.reduce((sum, { watched }) => sum + watched.drops, this.#dropsBefore);
  }

  async open(wanted: UdpListener): Promise<{ address: string; port: number }> {
    if (wanted.kind === 'socket') return placeOf(this.#adopt(wanted.socket).socket);
    if (!wildcards.has(wanted.address)) {
      return placeOf(this.#adopt(await bindListener(wanted.address, wanted.port, false)).socket);
    }
    // Alone first: with SO_REUSEADDR a port that another process holds could seem free.
    const alone = await bindListener(wanted.address, wanted.port, false);
    const { address, port } = placeOf(alone);
    await new Promise<void>((resolve) => alone.close(resolve));
    this.#adopt(await bindListener(address, port, true));
    this.#wildcards.push({ address, port });
    await this.followLocalAddresses();
    return { address, port };
  }

  /** Opens and closes sockets as the host's addresses come and go. */
  async followLocalAddresses(): Promise<void> {
    const present = new Set<string>();
    for (const { address: wildcard, port } of this.#wildcards) {
      for (const address of localAddresses(wildcard === '::')) {
        const key = `${address} ${port}`;
        present.add(key);
        if (this.#local.has(key)) continue;
        // An address may be gone again, or not yet usable: the wildcard socket serves it meanwhile.
        const socket = await bindListener(address, port, true).catch(() => undefined);
        if (!socket) continue;
        if (this.#isClosed) socket.close();
        else this.#local.set(key, this.#adopt(socket));
      }
    }
    for (const [key, listener] of this.#local) {
      if (present.has(key)) continue;
      this.#local.delete(key);
      this.#listeners.splice(this.#listeners.indexOf(listener), 1);
      this.#leave(listener);
      listener.socket.close();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(
      this.#listeners.splice(0).map((listener) => {
        this.#leave(listener);
        return new Promise<void>((resolve) => listener.socket.close(resolve));
      }),
    );
  }

  #leave(listener: Listener): void {
    listener.isClosed = true;
    this.#dropsBefore += listener.watched.drops;
    this.#kernelDrops.forget(listener.watched);
  }

  #adopt(socket: Socket): Listener {
    const number = this.#nextNumber++ & 0xffff;
    const watched = this.#kernelDrops.watch(socket);
    const listener = { socket, place: placeOf(socket), number, watched, isBehind: false, isClosed: false };
    this.#listeners.push(listener);
    const countLook = lookCounter(listener);
    socket.on('message', (datagram, from) => {
      countLook();
      this.#onDatagram(listener, datagram, from);
    });
    socket.on('error', this.#onError);
    return listener;
  }
}

/** To be called for each datagram. Those that come before other sockets have their turn are one look. */
function lookCounter(listener: Listener): () => void {
  const backlog = new Backlog();
  let received = 0;
  let turn = 0;
  let isCounting = false;
  const endTurn = () => {
    const isFull = received >= mostAtOnce;
    listener.isBehind = backlog.note(isFull, turn++, performance.now());
    received = 0;
    // The next turn may find nothing.
    isCounting = isFull;
    if (isFull) setImmediate(endTurn);
  };
  return () => {
    received++;
    if (isCounting) return;
    isCounting = true;
    setImmediate(endTurn);
  };
}

function placeOf(socket: Socket): { address: string; port: number } {
  const { address, port } = socket.address();
  return { address, port };
}

/** Without link-local ones, which only mean something together with an interface. */
function localAddresses(withIPv6: boolean): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, address }) =>
      family === 'IPv4' ? true : withIPv6 && !address.toLowerCase().startsWith('fe80'),
    )
    .map(({ address }) => address);
}
