/** Ports and descriptors that run out, in a network namespace of the test's own and a process with few descriptors. */

import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { engines } from './engines.ts';

const dataplane = new URL('../../../dist/dataplane/index.js', import.meta.url);

/**
 * 300 clients, one after the other, each of an address of its own and asking once; client 0 also before each of them. All of
 * it on ports outside the range that the kernel gives out, but for the engine's sockets.
 */
const program = `
  import { createSocket } from 'node:dgram';
  import { once } from 'node:events';
  import { writeFileSync } from 'node:fs';
  const { createUdpEngine } = await import(${JSON.stringify(dataplane.href)});
  const [engine, ports, taken] = process.argv.slice(1);
  if (ports > 0) {
    const { execFileSync } = await import('node:child_process');
    execFileSync('ip', ['link', 'set', 'lo', 'up']);
    writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', '40000 ' + (39999 + Number(ports)));
  }
  const bound = async (address, port) => {
    const socket = createSocket('udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    return socket;
  };
  const said = [];
  const seen = new Set();
  const backend = await bound('127.0.0.1', ports > 0 ? 2000 : 0);
  backend.on('message', (datagram, from) => {
    if (datagram.toString().startsWith('client 0 ')) seen.add(from.port);
    backend.send(datagram, from.port, from.address);
  });
  const others = [];
  for (let port = 40000; taken && port < 40000 + Number(ports); port++) others.push(await bound('127.0.0.1', port));
  const made = await createUdpEngine({ engine, workers: 1, log: (_, message) => said.push(message) });
  const endpoints = [{ address: '127.0.0.1', port: backend.address().port, state: 'ready' }];
  const route = { name: 'r', balance: 'session', services: [{ name: 's', weight: 1, endpoints }] };
  await made.apply({ generation: 1, udp: [{ kind: 'forward', entryPoint: 'e', route }] });
  const listen = { kind: 'address', address: '127.0.0.1', port: ports > 0 ? 2001 : 0 };
  const [place] = await made.open({ name: 'e', idleTimeoutMs: 600_000 }, [listen]);
  const counters = () => made.counters()[0];
  const ask = async (client, text) => {
    const answer = once(client, 'message');
    client.send(text, place.port, place.address);
    return String((await answer)[0]) === text;
  };
  if (taken) {
    const client = await bound('127.0.0.2', 3000);
    while (counters().drops.no_socket === 0) {
      client.send('x', place.port, place.address);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const other of others) other.close();
    const answered = once(client, 'message').then(() => true);
    let isAnswered = false;
    answered.then(() => { isAnswered = true; });
    while (!isAnswered) {
      client.send('y', place.port, place.address);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } else {
    const first = await bound('127.0.0.2', ports > 0 ? 3000 : 0);
    let right = 0;
    for (let client = 1; client <= 300; client++) {
      if (await ask(first, 'client 0 ' + client)) right++;
      const socket = await bound('127.0.' + (1 + (client >> 8)) + '.' + (client & 255), ports > 0 ? 3000 : 0);
      if (await ask(socket, 'client ' + client)) right++;
      socket.close();
    }
    const { sessions, sessionsEvicted, datagramsIn, datagramsForwarded, drops } = counters();
    console.log(JSON.stringify({
      right, sessions, sessionsEvicted, datagramsIn, datagramsForwarded,
      noSocket: drops.no_socket, portsOfFirst: seen.size, told: said.filter((text) => text.includes(' sessions at most')),
    }));
  }
  process.exit();
`;

function hasNamespaces(): boolean {
  try {
    execFileSync('unshare', ['-Urn', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
    return existsSync(dataplane);
  } catch {
    return false;
  }
}

async function run(command: readonly string[], values: readonly string[]): Promise<string> {
  const [file = '', ...args] = [
    ...command,
    process.execPath,
    '--input-type=module',
    '-e',
    program,
    ...values,
  ];
  return (await promisify(execFile)(file, args, { timeout: 60_000 })).stdout;
}

const answeredAll = { right: 600, datagramsIn: 600, datagramsForwarded: 600, noSocket: 0, portsOfFirst: 1 };

describe.skipIf(!hasNamespaces())('local ports that run out (needs unshare and ip)', () => {
  it.each(engines)(
    'cost those clients their sessions that asked once, longest ago ($engine)',
    async ({ engine }) => {
      const { told, ...result } = JSON.parse(await run(['unshare', '-Urn'], [engine, '64']));
      expect(result).toEqual({ ...answeredAll, sessions: 64, sessionsEvicted: 237 });
      expect(told).toEqual([
        expect.stringMatching(/^entry point e: 64 of 65536 sessions at most, for want of local ports/),
      ]);
    },
  );

  it.each(engines)(
    'are counted where others have them all, and used once these let go ($engine)',
    async ({ engine }) => {
      await expect(run(['unshare', '-Urn'], [engine, '8', 'taken'])).resolves.toBe('');
    },
  );
});

describe('descriptors that run out', () => {
  it.each(engines)(
    'cost those clients their sessions that asked once, longest ago ($engine)',
    async ({ engine }) => {
      const limited = ['sh', '-c', 'ulimit -n 340; exec "$0" "$@"'];
      const { told, sessions, sessionsEvicted, ...rest } = JSON.parse(await run(limited, [engine, '0']));
      expect(rest).toEqual(answeredAll);
      expect(sessions + sessionsEvicted).toBe(301);
      expect(sessionsEvicted).toBeGreaterThan(0);
      const [, sockets] = / (\d+) of 65536 sessions at most, for want of open files/.exec(told[0]) ?? [];
      expect(sessions).toBe(Number(sockets));
    },
  );
});
