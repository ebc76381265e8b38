/**
 * The cluster's side of `sluice up`: the process inside the namespaces. It holds the objects, runs the controllers and
 * the pods, and moves the datagrams. Started by launcher.ts; it ends when the channel to the launcher does.
 */

import type { Socket } from 'node:dgram';
import type { Server } from 'node:net';
import type { KubeObject } from '../kubernetes/index.ts';
import { openChannel } from './channel.ts';
import { type Cluster, startCluster } from './cluster.ts';
import type { ClusterSettings, ClusterStart } from './protocol.ts';

let running: Promise<Cluster> | undefined;

const started = (): Promise<Cluster> => running ?? Promise.reject(new Error('the cluster is not started'));

const channel = openChannel(process, {
  async start(options: ClusterStart) {
    running = startCluster(options, {
      notify: (name, value) => channel.notify(name, value),
      bindPort: {
        udp: (port) => borrow<Socket>('bindUdpPort', { port }),
        tcp: (port) => borrow<Server>('bindTcpPort', { port }),
      },
      bindApiPort: () => borrow<Server>('bindApiPort'),
    });
    await running;
    return {};
  },
  apply: async ({ settings, objects }: { settings: ClusterSettings; objects: KubeObject[] }) => ({
    value: await (await started()).apply(settings, objects),
  }),
  counters: async () => ({ value: await (await started()).counters() }),
  stop: async () => {
    await (await started()).stop();
    return {};
  },
});

async function borrow<Kind extends Socket | Server>(method: string, argument?: unknown): Promise<Kind> {
  const { socket } = await channel.call(method, argument);
  if (!socket) throw new Error(`no socket came from ${method}`);
  return socket as Kind;
}

// Ctrl-C reaches every process of the terminal: the launcher decides when this one ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
await channel.closed;
await running?.then((cluster) => cluster.stop()).catch(() => undefined);
process.kill(process.pid, 'SIGKILL');
