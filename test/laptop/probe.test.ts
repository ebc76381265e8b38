import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { probePayload, probeUdp } from '../../src/laptop/probe.ts';

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});

async function service(answer: (payload: Buffer, count: number) => Buffer | undefined): Promise<number> {
  const socket = createSocket('udp4');
  open.push(socket);
  let count = 0;
  socket.on('message', (payload, sender) => {
    const reply = answer(payload, ++count);
    if (reply) socket.send(reply, sender.port, sender.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

const address = '127.0.0.1';

describe('a probe', () => {
  it('tells an echo from another answer', async () => {
    const echo = await service((payload) => payload);
    expect(await probeUdp({ address, port: echo })).toMatchObject({ kind: 'replied', isEcho: true });
    const other = await service(() => Buffer.from('hello'));
    expect(await probeUdp({ address, port: other })).toMatchObject({ kind: 'replied', isEcho: false });
  });

  it('tries again when the first datagram is not answered', async () => {
    const port = await service((payload, count) => (count > 1 ? payload : undefined));
    expect(await probeUdp({ address, port, timeoutsMs: [20, 5000] })).toMatchObject({ kind: 'replied' });
  });

  it('says after how many attempts nobody answered', async () => {
    const port = await service(() => undefined);
    expect(await probeUdp({ address, port, timeoutsMs: [5, 5] })).toEqual({ kind: 'silent', attempts: 2 });
  });

  it('says that the port is closed, where the host tells so', async () => {
    const port = await service(() => undefined);
    const [socket] = open.splice(0);
    const closed = socket && once(socket, 'close');
    socket?.close();
    await closed;
    expect(await probeUdp({ address, port })).toEqual({ kind: 'refused' });
  });

  it('asks a name server a question that it understands', () => {
    const query = probePayload([53]);
    // RFC 1035, section 4.1.1: one question, no answers; then the name, type A, class IN.
    expect([...query.subarray(2, 12)]).toEqual([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    expect(query.subarray(12).toString('latin1')).toBe('\x0csluice-probe\x07invalid\0\0\x01\0\x01');
    expect(probePayload(['dns-udp'])).toHaveLength(query.length);
    expect(String(probePayload([4444]))).toMatch(/^sluice probe [0-9a-f]{8}$/);
  });
});
