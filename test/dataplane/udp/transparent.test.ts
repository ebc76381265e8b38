/** The client's own address towards the endpoint. In a network namespace of its own, where routes may be set. */

import { describe, expect, it } from 'vitest';
import { lacksNative } from './engines.ts';
import { canRunInNamespace, runInNamespace } from './namespace.ts';

/**
 * All on one loopback: the client at 10.1.0.1, the entry point at 10.1.0.2, endpoints at 10.1.0.3 and 10.1.0.4. Answers to
 * 10.1.0.1 find the transparent socket, which is connected, before the client's own, which is not.
 */
const program = `
  shell('ip link set lo up');
  for (const host of [1, 2, 3, 4]) shell('ip address add 10.1.0.' + host + '/32 dev lo');
  const seen = [];
  const endpoints = [];
  for (const address of ['10.1.0.3', '10.1.0.4']) {
    const backend = await bound(address);
    backend.on('message', (datagram, from) => {
      seen.push(from.address + ':' + from.port);
      backend.send(datagram, from.port, from.address);
    });
    endpoints.push({ address, port: backend.address().port, state: 'ready' });
  }
  const engine = await createUdpEngine({ engine: 'native', workers: 1 });
  const services = [{ name: 's', weight: 1, endpoints }];
  const route = { name: 'r', services, clientAddress: 'transparent' };
  await engine.apply({ generation: 1, udp: [{ kind: 'forward', entryPoint: 'e', route }] });
  const [place] = await engine.open({ name: 'e' }, [{ kind: 'address', address: '10.1.0.2', port: 0 }]);
  const client = await bound('10.1.0.1');
  const answers = [];
  for (let count = 0; count < 4; count++) {
    client.send('x' + count, place.port, place.address);
    const [answer, from] = await once(client, 'message');
    answers.push(answer + ' from ' + from.address);
  }
  const own = '10.1.0.1:' + client.address().port;
  console.log(JSON.stringify({ answers, isOwn: seen.map((source) => source === own) }));
  process.exit();
`;

const ownAddress = 'ip link set lo up && ip address add 10.1.0.1/32 dev lo';

describe.skipIf(lacksNative || !canRunInNamespace(ownAddress))(
  'a transparent route (needs koffi, unshare and ip)',
  () => {
    it("shows endpoints the client's own address and port, and brings their answers back", async () => {
      expect(await runInNamespace(program, [])).toEqual({
        answers: ['x0 from 10.1.0.2', 'x1 from 10.1.0.2', 'x2 from 10.1.0.2', 'x3 from 10.1.0.2'],
        isOwn: [true, true, true, true],
      });
    });
  },
);
