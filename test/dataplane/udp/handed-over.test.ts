/** A socket of one process (and network namespace) as the listener of an engine in another. Needs the built files. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { engines } from './engines.ts';
import { boundSocket, startClient } from './support.ts';

const dataplane = new URL('../../../dist/dataplane/index.js', import.meta.url);

/** Takes the parent's socket, forwards to an echo backend of its own namespace, and counts when it is asked. */
const program = `
  import { createSocket } from 'node:dgram';
  import { once } from 'node:events';
  import { execFileSync } from 'node:child_process';
  const { createUdpEngine } = await import(${JSON.stringify(dataplane.href)});
  if (process.argv[2] === 'own') execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const backend = createSocket('udp4');
  backend.on('message', (datagram, from) => backend.send(datagram, from.port, from.address));
  backend.bind(0, '127.0.0.1');
  await once(backend, 'listening');
  const engine = await createUdpEngine({ engine: process.argv[1], workers: 2 });
  const endpoint = { address: '127.0.0.1', port: backend.address().port, state: 'ready' };
  const services = [{ name: 's', weight: 1, endpoints: [endpoint] }];
  await engine.apply({ generation: 1, udp: [{ kind: 'forward', entryPoint: 'e', route: { name: 'r', services } }] });
  process.on('message', async (_, socket) => {
    await engine.open({ name: 'e' }, [{ kind: 'socket', socket }]);
    process.send('open');
  });
  process.once('disconnect', async () => { await engine.close(); process.exit(); });
  process.send('ready');
`;

function hasNamespaces(): boolean {
  try {
    execFileSync('unshare', ['-Urn', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function startChild(engine: string, namespace: 'same' | 'own'): ChildProcess {
  const node = [process.execPath, '--input-type=module', '-e', program, engine, namespace];
  const command = namespace === 'own' ? ['unshare', '-Urn', ...node] : node;
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  onTestFinished(() => {
    if (child.connected) child.disconnect();
  });
  return child;
}

async function answersThrough(engine: string, namespace: 'same' | 'own'): Promise<void> {
  const child = startChild(engine, namespace);
  await once(child, 'message');
  const socket = await boundSocket();
  const place = { address: '127.0.0.1', port: socket.address().port };
  child.send('socket', socket);
  await once(child, 'message');
  socket.close();
  const client = await startClient(place);
  expect(String(await client.ask('hello'))).toBe('hello');
  expect(client.replies[0]?.from).toEqual(place);
}

describe.skipIf(!existsSync(dataplane))('a listener from another process (needs npm run build)', () => {
  it.each(engines)('serves the $engine engine', async ({ engine }) => {
    await answersThrough(engine, 'same');
  });

  it.skipIf(!hasNamespaces()).each(engines)(
    'serves the $engine engine in another network namespace (needs unshare and ip)',
    async ({ engine }) => {
      await answersThrough(engine, 'own');
    },
  );
});
