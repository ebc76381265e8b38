/** The proxies that are compared, each on one thread, between a port of this machine and the endpoint. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';

export interface RunningProxy {
  readonly port: number;
  /** Of the processes that do its work. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export interface ComparedProxy {
  readonly name: string;
  /** Undefined: it can run here. Otherwise what is missing. */
  readonly missing: string | undefined;
  start(endpointPort: number, folder: string): Promise<RunningProxy>;
}

const root = new URL('../../../../../', import.meta.url).pathname;
const nginxModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

export const proxies: readonly ComparedProxy[] = [
  {
    name: 'sluice',
    missing: undefined,
    start: (endpointPort) =>
      run(async (port) => {
        const words = ['proxy', 'tcp', `127.0.0.1:${port}`, `127.0.0.1:${endpointPort}`, '--grace', '1ms'];
        const limits = ['--max-connections', '100000'];
        return spawn(process.execPath, [join(root, 'bin/sluice.js'), ...words, ...limits], {
          stdio: 'ignore',
        });
      }),
  },
  {
    name: 'nginx stream',
    missing: program('nginx', '-v'),
    start: (endpointPort, folder) =>
      run(async (port) => {
        const file = join(folder, 'nginx.conf');
        writeFileSync(
          file,
          `load_module ${nginxModule};
          daemon off; master_process off; 
          pid ${join(folder, 'nginx.pid')}; error_log ${join(folder, 'nginx.log')} error;
          events { worker_connections 18000; }
          stream { server { listen 127.0.0.1:${port} backlog=4096; proxy_pass 127.0.0.1:${endpointPort}; } }`,
        );
        return spawn('nginx', ['-c', file, '-p', folder], { stdio: 'ignore' });
      }),
  },
  {
    name: 'HAProxy',
    missing: program('haproxy', '-v'),
    start: (endpointPort, folder) =>
      run(async (port) => {
        const file = join(folder, 'haproxy.cfg');
        const text = `global
  nbthread 1
  maxconn 9000
defaults
  mode tcp
  timeout connect 5s
  timeout client 10m
  timeout server 10m
listen proxy
  bind 127.0.0.1:${port} backlog 4096
  server endpoint 127.0.0.1:${endpointPort}
`;
        writeFileSync(file, text);
        return spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
      }),
  },
];

function program(name: string, flag: string): string | undefined {
  return spawnSync(name, [flag], { stdio: 'ignore' }).error ? name : undefined;
}

async function run(start: (port: number) => Promise<ChildProcess>): Promise<RunningProxy> {
  const port = await freePort();
  const child = await start(port);
  const exited = once(child, 'exit');
  await listening(port, exited);
  return {
    port,
    pids: [child.pid ?? 0],
    stop: async () => {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), 3000);
      await exited;
      clearTimeout(killer);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port: number, exited: Promise<unknown>): Promise<void> {
  let over = false;
  void exited.then(() => {
    over = true;
  });
  for (;;) {
    if (over) throw new Error('the proxy ended before it listened');
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
