/** Fewer local ports than clients. In a network namespace of its own, where the range may be set. Needs the built files. */

import { describe, expect, it } from 'vitest';
import type { UdpBalance } from '../../../src/dataplane/index.ts';
import { engines } from './engines.ts';
import { canRunInNamespace, runInNamespace } from './namespace.ts';

const setPorts = 'ip link set lo up && echo "40000 40019" > /proc/sys/net/ipv4/ip_local_port_range';

/** Sixty clients, each with a port outside of the range, ask once. */
const program = `
  shell(${JSON.stringify(setPorts)});
  const [engineKind, balance, taken] = process.argv.slice(1);
  const endpoints = [];
  for (const port of [5001, 5002]) {
    const backend = await bound('127.0.0.1', port);
    backend.on('message', (datagram, from) => backend.send(datagram, from.port, from.address));
    endpoints.push({ address: '127.0.0.1', port, state: 'ready' });
  }
  for (let number = 0; number < Number(taken); number++) await bound('127.0.0.1', 40_000 + number);
  const engine = await createUdpEngine({ engine: engineKind, workers: 1 });
  const route = { name: 'r', services: [{ name: 's', weight: 1, endpoints }] };
  await engine.apply({ generation: 1, udp: [{ kind: 'forward', entryPoint: 'e', route }] });
  const entryPoint = { name: 'e', balance, idleTimeoutMs: 3600_000 };
  await engine.open(entryPoint, [{ kind: 'address', address: '127.0.0.1', port: 5000 }]);
  const counters = () => engine.counters()[0];
  let answered = 0;
  for (let number = 0; number < 60; number++) {
    const client = await bound('127.0.0.1', 10_000 + number);
    client.on('message', () => answered++);
    client.send('x', 5000, '127.0.0.1');
    while (answered + counters().drops.no_socket <= number) await turn();
  }
  const { sessionsEvicted, drops } = counters();
  console.log(JSON.stringify({ answered, sessionsEvicted, dropped: drops.no_socket }));
  process.exit();
`;

describe.skipIf(!canRunInNamespace(setPorts)).each(engines)(
  'the $engine engine, with twenty local ports (needs unshare and ip)',
  ({ engine }) => {
    const run = (balance: UdpBalance, taken: number) =>
      runInNamespace(program, [engine, balance, `${taken}`]);

    it.each<UdpBalance>(['session', 'datagram'])(
      'serves each new client in the place of the one that was idle longest, when it balances by %s',
      async (balance) => {
        expect(await run(balance, 0)).toEqual({ answered: 60, sessionsEvicted: 40, dropped: 0 });
      },
    );

    it.each<UdpBalance>(['session', 'datagram'])(
      'says that there was no socket when others hold all ports, and it balances by %s',
      async (balance) => {
        expect(await run(balance, 20)).toMatchObject({ answered: 0, dropped: 60 });
      },
    );
  },
);
