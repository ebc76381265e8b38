/** Drives pods.mjs, and other modules that answer calls, in a launched cluster process. */

import { spawnSync } from 'node:child_process';
import { launchInNamespaces, type NetworkMode } from '../../../src/cluster/index.ts';

export interface RemoteCluster {
  readonly pid: number;
  call<Value>(name: string, argument?: unknown): Promise<Value>;
  onNotice(listener: (notice: unknown) => void): void;
  kill(): Promise<void>;
}

export async function startCluster(mode: NetworkMode, module = 'pods.mjs'): Promise<RemoteCluster> {
  const modulePath = module.startsWith('/') ? module : new URL(module, import.meta.url).pathname;
  const { child } = await launchInNamespaces({ modulePath, mode, args: [mode] });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  const listeners: ((notice: unknown) => void)[] = [];
  let lastId = 0;
  let errors = '';
  child.stderr?.on('data', (text) => {
    errors += text;
  });
  child.on('message', (message: { id?: number; value?: unknown; error?: Error }) => {
    if (message.id === undefined) for (const listener of listeners) listener(message);
    else if (message.error) waiting.get(message.id)?.reject(new Error(message.error.message));
    else waiting.get(message.id)?.resolve(message.value as never);
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void gone.then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`the cluster process is gone: ${errors}`));
  });
  return {
    pid: child.pid as number,
    call: (name, argument) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        child.send({ id, name, argument });
      }),
    onNotice: (listener) => listeners.push(listener),
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Whether this machine gives namespaces to this user. */
export const hasNamespaces =
  spawnSync('unshare', [
    '--user',
    '--map-root-user',
    '--net',
    '--pid',
    '--mount',
    '--fork',
    '--mount-proc',
    'ip',
    'link',
  ]).status === 0;

export const networkModes: readonly NetworkMode[] = hasNamespaces ? ['namespaces', 'loopback'] : ['loopback'];
