/** The proxies that are compared, each started the way its users would, with one worker unless told otherwise. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ProxySetup {
  /** `address:port`. */
  readonly listen: string;
  readonly endpoint: string;
  readonly workers: number;
  readonly idleTimeoutSeconds: number;
}

export interface Contender {
  readonly name: string;
  /** Why it cannot take part; absent when it can. */
  readonly missing?: string;
  readonly hasWorkers: boolean;
  command(setup: ProxySetup): readonly string[];
}

const root = process.cwd();
/** nginx's configuration and the C program. */
const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-udp-'));
process.once('exit', () => rmSync(directory, { recursive: true }));

/** All that `names` asks for, present or not. Throws `Error` for an unknown name. */
export function contendersNamed(names: readonly string[]): Contender[] {
  return names.map((name) => {
    const make = makers[name];
    if (!make) throw new Error(`no proxy is called ${name}: ${Object.keys(makers).join(', ')}`);
    return make();
  });
}

const makers: Readonly<Record<string, () => Contender>> = {
  'sluice-native': () => sluice('native'),
  'sluice-dgram': () => sluice('dgram'),
  nginx,
  c: cProxy,
};

function sluice(engine: 'native' | 'dgram'): Contender {
  const program = join(root, 'bin/sluice.js');
  return {
    name: `sluice ${engine}`,
    hasWorkers: engine === 'native',
    command: ({ listen, endpoint, workers, idleTimeoutSeconds }) => {
      const command = ['proxy', 'udp', listen, endpoint, '--engine', engine];
      const limits = ['--timeout', `${idleTimeoutSeconds}s`, '--max-sessions', '131072'];
      return [process.execPath, program, ...command, '--workers', String(workers), ...limits];
    },
  };
}

const streamModules = [
  '/usr/lib/nginx/modules/ngx_stream_module.so',
  '/usr/lib64/nginx/modules/ngx_stream_module.so',
];

function nginx(): Contender {
  const module = streamModules.find((path) => existsSync(path));
  const common = { name: 'nginx', hasWorkers: true } as const;
  if (spawnSync('nginx', ['-v']).status !== 0) return { ...common, missing: 'nginx', command: () => [] };
  if (!module) return { ...common, missing: 'libnginx-mod-stream', command: () => [] };
  return {
    ...common,
    command(setup) {
      const path = join(directory, 'nginx.conf');
      writeFileSync(path, nginxConfig(module, setup));
      return ['nginx', '-c', path];
    },
  };
}

/** The socket buffers are as large as sluice's, so that they are not what is compared. */
function nginxConfig(module: string, { listen, endpoint, workers, idleTimeoutSeconds }: ProxySetup): string {
  const reuseport = workers > 1 ? ' reuseport' : '';
  return `load_module ${module};
worker_processes ${workers};
worker_rlimit_nofile 262144;
daemon off;
pid ${join(directory, 'nginx.pid')};
error_log ${join(directory, 'nginx.log')} crit;
events { worker_connections 131072; }
stream {
  access_log off;
  proxy_timeout ${idleTimeoutSeconds}s;
  upstream endpoint { server ${endpoint}; }
  server { listen ${listen} udp${reuseport} rcvbuf=4m sndbuf=4m; proxy_pass endpoint; }
}
`;
}

function cProxy(): Contender {
  const program = join(directory, 'proxy');
  const source = join(root, 'bench/udp/proxy.c');
  const built = spawnSync('gcc', ['-O2', '-o', program, source], { stdio: ['ignore', 'ignore', 'inherit'] });
  return {
    name: 'C',
    hasWorkers: false,
    ...(built.status === 0 ? {} : { missing: 'gcc' }),
    command: ({ listen, endpoint, idleTimeoutSeconds }) => [
      program,
      listen,
      endpoint,
      `idle-ms=${idleTimeoutSeconds * 1_000}`,
    ],
  };
}
