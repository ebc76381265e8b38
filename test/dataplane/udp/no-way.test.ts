/** Endpoints to which the kernel knows no way. In a network namespace of its own, which has no routes. Needs the built files. */

import { describe, expect, it } from 'vitest';
import type { UdpBalance } from '../../../src/dataplane/index.ts';
import { engines } from './engines.ts';
import { canRunInNamespace, runInNamespace } from './namespace.ts';

/** Eight clients send two datagrams each. Says how many were answered, and what was dropped for which reason. */
const program = `
  const { engine: kind, balance, addresses } = JSON.parse(process.argv[1]);
  shell('ip link set lo up');
  const backend = await bound('127.0.0.1');
  backend.on('message', (datagram, from) => backend.send(datagram, from.port, from.address));
  const { port } = backend.address();
  const endpoints = addresses.map((address) => ({ address, port, state: 'ready' }));
  const engine = await createUdpEngine({ engine: kind, workers: 1 });
  const route = { name: 'r', services: [{ name: 's', weight: 1, endpoints }] };
  await engine.apply({ generation: 1, udp: [{ kind: 'forward', entryPoint: 'e', route }] });
  const [place] = await engine.open({ name: 'e', balance }, [{ kind: 'address', address: '127.0.0.1', port: 0 }]);
  const counters = () => engine.counters()[0];
  const drops = () => Object.entries(counters().drops).filter(([, count]) => count > 0);
  let answered = 0;
  let sent = 0;
  for (let number = 0; number < 8; number++) {
    const client = await bound('127.0.0.1');
    client.on('message', () => answered++);
    for (const text of ['one', 'two']) {
      client.send(text, place.port, place.address);
      sent++;
      while (answered + drops().reduce((sum, [, count]) => sum + count, 0) < sent) await turn();
    }
  }
  console.log(JSON.stringify({ answered, drops: Object.fromEntries(drops()), sendErrors: counters().sendErrors }));
  process.exit();
`;

/** A client's address is gone by the time the endpoint answers. Says what became of the answer. */
const programWithoutWayBack = `
  shell('ip link set lo up; ip address add 10.50.0.1/32 dev lo');
  const backend = await bound('127.0.0.1');
  const endpoints = [{ address: '127.0.0.1', port: backend.address().port, state: 'ready' }];
  const engine = await createUdpEngine({ engine: process.argv[1], workers: 1 });
  const route = { name: 'r', services: [{ name: 's', weight: 1, endpoints }] };
  await engine.apply({ generation: 1, udp: [{ kind: 'forward', entryPoint: 'e', route }] });
  const [place] = await engine.open({ name: 'e' }, [{ kind: 'address', address: '0.0.0.0', port: 0 }]);
  const client = await bound('10.50.0.1');
  client.send('x', place.port, '10.50.0.1');
  const [, from] = await once(backend, 'message');
  client.close();
  shell('ip address del 10.50.0.1/32 dev lo');
  backend.send('y', from.port, from.address);
  const counters = () => engine.counters()[0];
  while (counters().repliesIn === 0) await turn();
  const { datagramsOut, drops } = counters();
  console.log(JSON.stringify({ datagramsOut, dropped: drops.reply_send_error }));
  process.exit();
`;

interface Outcome {
  readonly answered: number;
  readonly drops: Readonly<Record<string, number>>;
  readonly sendErrors: Readonly<Record<string, number>>;
}

async function outcomeOf(
  engine: string,
  balance: UdpBalance,
  addresses: readonly string[],
): Promise<Outcome> {
  return (await runInNamespace(program, [JSON.stringify({ engine, balance, addresses })])) as Outcome;
}

const balances: readonly UdpBalance[] = ['datagram', 'session', 'source'];
const nowhere = ['10.50.0.1', '10.50.0.2', 'fd50::1'];

describe.skipIf(!canRunInNamespace('ip link set lo up')).each(engines)(
  'the $engine engine, of endpoints to which there is no way (needs unshare and ip)',
  ({ engine }) => {
    it.each(balances)('gives their datagrams to another one when it balances by %s', async (balance) => {
      const { answered, drops } = await outcomeOf(engine, balance, ['10.50.0.1', '127.0.0.1', '10.50.0.2']);
      expect({ answered, drops }).toEqual({ answered: 16, drops: {} });
    });

    it.each(balances)(
      'drops them as unreachable when there are no others and it balances by %s',
      async (balance) => {
        const { answered, drops } = await outcomeOf(engine, balance, nowhere);
        expect({ answered, drops }).toEqual({ answered: 0, drops: { upstream_unreachable: 16 } });
      },
    );

    it('names the error when it is another one', async () => {
      // Broadcasts are not allowed.
      const { drops, sendErrors } = await outcomeOf(engine, 'session', ['127.255.255.255']);
      expect({ drops, sendErrors }).toEqual({ drops: { send_error: 16 }, sendErrors: { EACCES: 16 } });
    });

    it('counts an answer that the kernel does not deliver', async () => {
      expect(await runInNamespace(programWithoutWayBack, [engine])).toEqual({ datagramsOut: 0, dropped: 1 });
    });
  },
);
