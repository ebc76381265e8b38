/**
 * One sluice for one state directory. A socket rather than a file with a process id: the kernel closes it with the
 * process, and it tells processes apart that each count from 1 in a namespace of their own.
 */

import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Lock {
  release(): Promise<void>;
}

/** What sockaddr_un holds on every platform we run on, less the terminating zero. */
const maxSocketPathBytes = 100;

/** Undefined where another process holds it. */
export async function acquireLock(directory: string): Promise<Lock | undefined> {
  const path = socketPath(directory);
  for (let attempt = 0; attempt < 2; attempt++) {
    const server = await listen(path);
    if (server) return { release: () => close(server, path) };
    if (await answers(path)) return undefined;
    // Left behind by a process that was killed.
    await rm(path, { force: true });
  }
  return undefined;
}

function socketPath(directory: string): string {
  const inside = join(directory, 'lock');
  if (Buffer.byteLength(inside) <= maxSocketPathBytes) return inside;
  const digest = createHash('sha256').update(directory).digest('hex').slice(0, 24);
  return join(tmpdir(), `sluice-${digest}.lock`);
}

function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function close(server: Server, path: string): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
  await rm(path, { force: true });
}
