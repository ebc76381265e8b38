import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';

const program = new URL('../../apps/backend/udp-demo/app/dist/main.js', import.meta.url).pathname;
const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

async function startEcho() {
  const child = spawn(process.execPath, [program], { env: { HOST: '127.0.0.1', PORT: '0' } });
  open.push(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const [first] = (await once(reader, 'line')) as [string];
  return { child, reader, lines, port: Number(/:(\d+)$/.exec(first)?.[1]) };
}

async function client(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  open.push(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

async function ask(socket: Socket, port: number, payload: Buffer): Promise<Buffer> {
  const answer = once(socket, 'message');
  socket.send(payload, port, '127.0.0.1');
  return ((await answer) as [Buffer])[0];
}

describe('the UDP echo application', () => {
  it.each([0, 1, 1024, 1025, 9000, 65_507])('answers a datagram of %i bytes with itself', async (length) => {
    const { port } = await startEcho();
    const payload = randomBytes(length);
    expect((await ask(await client(), port, payload)).equals(payload)).toBe(true);
  });

  it('logs one line per datagram, with its length, sender and text', async () => {
    const { port, reader, lines } = await startEcho();
    const socket = await client();
    const logged = once(reader, 'line');
    await ask(socket, port, Buffer.from('hello udp\nand more\n'));
    await logged;
    const sender = `127.0.0.1:${socket.address().port}`;
    expect(lines.slice(1)).toEqual([`Received 19 bytes from ${sender}: hello udp\\nand more`]);
  });

  it('keeps a log line short when the datagram is long', async () => {
    const { port, reader, lines } = await startEcho();
    const logged = once(reader, 'line');
    await ask(await client(), port, Buffer.alloc(65_507, 'x'));
    await logged;
    expect(lines[1]?.length).toBeLessThan(300);
    expect(lines[1]).toMatch(/^Received 65507 bytes .*x…$/);
  });

  it('answers what had arrived, then exits with 0, on SIGTERM', async () => {
    const { child, port } = await startEcho();
    const socket = await client();
    await ask(socket, port, Buffer.from('warm'));
    let answers = 0;
    socket.on('message', () => answers++);
    for (let index = 0; index < 50; index++) socket.send(`${index}`, port, '127.0.0.1');
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
    expect(answers).toBe(50);
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
