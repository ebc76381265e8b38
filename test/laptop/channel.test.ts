import { fork } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { openChannel, RemoteError } from '../../src/laptop/channel.ts';

/** The other side: it echoes, fails as told, lends a socket, and answers each datagram that reaches a lent one. */
const peer = new URL('./fixtures/channel-peer.js', import.meta.url).pathname;

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

function connect(handlers = {}) {
  const child = fork(peer);
  open.push(() => child.kill('SIGKILL'));
  return { child, channel: openChannel(child, handlers) };
}

async function boundSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

describe('the channel between two processes', () => {
  it('carries a call and its answer', async () => {
    const { channel } = connect();
    expect(await channel.call('echo', { pods: 3 })).toEqual({ value: { pods: 3 } });
  });

  it('carries a failure with its name, message and code', async () => {
    const { channel } = connect();
    const failure: unknown = await channel.call('fail').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RemoteError);
    expect(failure).toMatchObject({ name: 'Error', message: 'port taken', code: 'EADDRINUSE' });
  });

  it('refuses a method that the other side does not have', async () => {
    const { channel } = connect();
    await expect(channel.call('nothing')).rejects.toThrow('no handler for nothing');
  });

  it('hands a bound socket over, and keeps no copy that would take datagrams away', async () => {
    const socket = await boundSocket();
    const { port } = socket.address();
    const { channel } = connect({ lend: () => ({ socket }) });
    await channel.call('borrow');
    const client = await boundSocket();
    open.push(() => client.close());
    for (let index = 0; index < 20; index++) {
      const answer = once(client, 'message');
      client.send(`${index}`, port, '127.0.0.1');
      expect(String(((await answer) as [Buffer])[0])).toBe(`peer ${index}`);
    }
  });

  it('delivers notices until their listener is ended', async () => {
    const { channel } = connect();
    const heard: string[] = [];
    const end = channel.onNotice('tick', (value: string) => heard.push(value));
    await channel.call('notify', 'first');
    end();
    await channel.call('notify', 'second');
    expect(heard).toEqual(['first']);
  });

  it('rejects what is under way when the other side dies, and says that it is gone afterwards', async () => {
    const { channel, child } = connect();
    const never = channel.call('hang');
    child.kill('SIGKILL');
    await expect(never).rejects.toThrow('the other process is gone');
    await channel.closed;
    await expect(channel.call('echo')).rejects.toThrow('the other process is gone');
  });
});
