/** A way on which next to nothing gets through: the kernel's queues fill, and sends find no room. */

import { describe, expect, it } from 'vitest';
import { engines } from './engines.ts';
import { canRunInNamespace, runInNamespace } from './namespace.ts';

/** 10.60.0.2 is behind a device that lets a byte a second pass, after the first two datagrams. */
const slowWay = `
  ip link set lo up
  ip link add name slow0 type veth peer name slow1
  ip link set slow0 up
  ip link set slow1 up
  ip address add 10.60.0.1/24 dev slow0
  ip neigh add 10.60.0.2 lladdr 02:00:00:00:00:02 dev slow0 nud permanent
  tc qdisc add dev slow0 root tbf rate 8bit burst 2000 limit 100mb`;

const program = `
  const [kind, scenario, most] = process.argv.slice(1);
  const mostWaiting = Number(most);
  shell(${JSON.stringify(slowWay)});
  const engine = await createUdpEngine({ engine: kind, workers: 1 });
  const counters = () => engine.counters()[0];
  const start = async (endpoints) => {
    const route = { name: 'r', balance: 'session', services: [{ name: 's', weight: 1, endpoints }] };
    await engine.apply({ generation: 1, udp: [{ kind: 'forward', entryPoint: 'e', route }] });
    const listen = { kind: 'address', address: '10.60.0.1', port: 0 };
    return (await engine.open({ name: 'e', idleTimeoutMs: 600_000 }, [listen]))[0];
  };
  const endpointOf = (socket) => ({ ...socket.address(), state: 'ready' });
  const payload = Buffer.alloc(1_000);
  const send = (from, to) => new Promise((resolve) => from.send(payload, to.port, to.address, resolve));
  const until = async (isTrue) => {
    while (!isTrue()) await turn();
  };
  // No faster than they are taken, or they would be lost in the buffer before the engine.
  const sendUntilDropped = async (from, to, reason, taken) => {
    let sent = 0;
    while (counters().drops[reason] === 0) {
      await send(from, to);
      sent++;
      await until(() => counters()[taken] >= sent - mostWaiting);
      await turn();
    }
    return sent;
  };
  const free = () => shell('tc qdisc del dev slow0 root');
  const slow = { address: '10.60.0.2', port: 9, state: 'ready' };
  const echo = await bound('127.0.0.1');
  echo.on('message', (datagram, from) => echo.send(datagram, from.port, from.address));

  const scenarios = {
    async requests() {
      const place = await start([slow, endpointOf(echo)]);
      const client = await bound('127.0.0.1');
      const sent = await sendUntilDropped(client, place, 'send_queue_full', 'datagramsIn');
      await until(() => counters().datagramsIn >= sent - mostWaiting);
      const waiting = sent - counters().datagramsIn;
      const other = await bound('127.0.0.1');
      const answered = once(other, 'message');
      await send(other, place);
      const answer = (await answered)[0].length;
      free();
      await send(client, place);
      await until(() => counters().datagramsIn === sent + 2);
      const { datagramsIn, datagramsForwarded, drops, sendErrors } = counters();
      const gone = datagramsIn - datagramsForwarded;
      return { answer, waiting, gone, dropped: drops.send_queue_full, sendErrors };
    },
    async clients() {
      const place = await start([slow]);
      let sent = 0;
      for (let number = 0; number < 10; number++) {
        const client = await bound('127.0.0.1');
        for (let count = 0; count < 300; count++, sent++) {
          await send(client, place);
          await until(() => counters().datagramsIn > sent - mostWaiting);
          await turn();
        }
      }
      await until(() => counters().datagramsIn >= sent - mostWaiting);
      const waiting = sent - counters().datagramsIn;
      free();
      await until(() => counters().datagramsIn === sent);
      const { datagramsForwarded, drops } = counters();
      return { waiting, gone: sent - datagramsForwarded, dropped: drops.send_queue_full };
    },
    async replies() {
      // The client's address is this host's when it asks, and behind the slow way when it is answered.
      shell('ip address add 10.60.0.2/32 dev lo');
      const silent = await bound('127.0.0.1');
      const place = await start([endpointOf(silent)]);
      const client = await bound('10.60.0.2');
      await send(client, place);
      const [, session] = await once(silent, 'message');
      client.close();
      shell('ip address del 10.60.0.2/32 dev lo');
      const sent = await sendUntilDropped(silent, session, 'reply_send_error', 'repliesIn');
      await until(() => counters().repliesIn >= sent - mostWaiting);
      const waiting = sent - counters().repliesIn;
      const reached = once(silent, 'message');
      await send(await bound('127.0.0.1'), place);
      const forwarded = (await reached)[0].length;
      free();
      await until(() => counters().repliesIn === sent);
      const { datagramsOut, drops, sendErrors } = counters();
      return { forwarded, waiting, gone: sent - datagramsOut, dropped: drops.reply_send_error, sendErrors };
    },
  };
  console.log(JSON.stringify(await scenarios[scenario]()));
  process.exit();
`;

interface Outcome {
  /** Of those that the kernel had not taken: what the engine kept. */
  readonly waiting: number;
  /** Neither forwarded nor delivered in the end. */
  readonly gone: number;
  /** Of those, counted for the reason in question. */
  readonly dropped: number;
}

describe.skipIf(!canRunInNamespace(slowWay)).each(engines)(
  'the $engine engine, on a way that is too slow (needs unshare, ip and tc)',
  ({ engine }) => {
    /** `most`: what the portable engine keeps until the kernel takes it. The other one keeps nothing. */
    async function expectLosses(scenario: string, most: number, further: object = {}): Promise<void> {
      const waiting = engine === 'dgram' ? most : 0;
      const outcome = (await runInNamespace(program, [engine, scenario, `${waiting}`])) as Outcome;
      const { gone } = outcome;
      expect(gone).toBeGreaterThan(0);
      const sendErrors = engine === 'dgram' ? {} : { EAGAIN: gone };
      expect({ sendErrors, ...outcome }).toEqual({ waiting, gone, dropped: gone, sendErrors, ...further });
    }

    it('drops datagrams for which there is no room, serves other endpoints, and goes on when there is', async () => {
      await expectLosses('requests', 128, { answer: 1_000 });
    });

    it('keeps no more for all clients together than its limit', async () => {
      await expectLosses('clients', 1_024);
    });

    it('drops answers for which there is no room, and goes on forwarding', async () => {
      await expectLosses('replies', 1_024, { forwarded: 1_000 });
    });
  },
);
