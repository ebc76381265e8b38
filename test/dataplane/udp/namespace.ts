/** Programs that run in a network namespace of their own, where addresses, routes and queues may be set. From the built files. */

import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const dataplane = new URL('../../../dist/dataplane/index.js', import.meta.url);

/** What the programs begin with. */
export const programStart = `
  import { createSocket } from 'node:dgram';
  import { once } from 'node:events';
  import { execFileSync } from 'node:child_process';
  const { createUdpEngine } = await import(${JSON.stringify(dataplane.href)});
  const shell = (script) => execFileSync('sh', ['-ec', script]);
  const turn = () => new Promise(setImmediate);
  const bound = async (address, port = 0) => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.bind(port, address);
    await once(socket, 'listening');
    return socket;
  };
`;

/** Whether the script succeeds in a namespace of its own, and the files are built. */
export function canRunInNamespace(script: string): boolean {
  try {
    execFileSync('unshare', ['-Urn', 'sh', '-ec', script], { stdio: 'ignore' });
    return existsSync(dataplane);
  } catch {
    return false;
  }
}

/** What the program prints, which is JSON. `values`: what it finds from `process.argv[1]` on. */
export async function runInNamespace(program: string, values: readonly string[]): Promise<unknown> {
  const args = ['-Urn', process.execPath, '--input-type=module', '-e', programStart + program, ...values];
  const { stdout } = await promisify(execFile)('unshare', args, { timeout: 30_000 });
  return JSON.parse(stdout);
}
