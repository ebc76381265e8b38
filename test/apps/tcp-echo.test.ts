import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';

const program = new URL('../../apps/backend/tcp-demo/app/dist/main.js', import.meta.url).pathname;
const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

async function startEcho(port = 0) {
  const child = spawn(process.execPath, [program], { env: { HOST: '127.0.0.1', PORT: String(port) } });
  open.push(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const [first] = (await once(reader, 'line')) as [string];
  return { child, reader, lines, port: Number(/:(\d+)$/.exec(first)?.[1]) };
}

async function client(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  open.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('the TCP echo application', () => {
  it.each([0, 1, 4096, 5_000_000])('sends %i bytes back and then ends the connection', async (length) => {
    const { port } = await startEcho();
    const payload = randomBytes(length);
    const socket = await client(port);
    socket.end(payload);
    expect((await readAll(socket)).equals(payload)).toBe(true);
  });

  it('logs who connects, with what it says first, and how much it said', async () => {
    const { port, reader, lines } = await startEcho();
    const socket = await client(port);
    const name = `127.0.0.1:${socket.localPort}`;
    const logged = once(reader, 'line');
    socket.write('hello tcp\n');
    await logged;
    const over = once(reader, 'line');
    socket.end('and more');
    await readAll(socket);
    await over;
    expect(lines.slice(1)).toEqual([
      `Connection from ${name} starts with: hello tcp`,
      `Connection from ${name} is over after 18 bytes`,
    ]);
  });

  it('takes no new connection on SIGTERM, lets the open one come to its end, and exits with 0', async () => {
    const { child, port, reader, lines } = await startEcho();
    const socket = await client(port);
    socket.write('before ');
    await once(socket, 'data');
    child.kill('SIGTERM');
    while (!lines.some((line) => line.startsWith('SIGTERM'))) await once(reader, 'line');
    await expect(client(port)).rejects.toThrow('ECONNREFUSED');
    const exit = once(child, 'exit');
    socket.end('after');
    expect((await readAll(socket)).toString()).toBe('after');
    expect(await exit).toEqual([0, null]);
  });

  it('exits with 1 and names the address when the port is taken', async () => {
    const { port } = await startEcho();
    const second = spawn(process.execPath, [program], { env: { HOST: '127.0.0.1', PORT: String(port) } });
    let errors = '';
    second.stderr.on('data', (text) => {
      errors += text;
    });
    const [code] = (await once(second, 'close')) as [number];
    expect(code).toBe(1);
    expect(errors).toContain(`127.0.0.1:${port}`);
  });
});
