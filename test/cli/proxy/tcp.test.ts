import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import {
  client,
  closeLater,
  exchange,
  nextData,
  startEcho,
  startNamed,
} from '../../dataplane/tcp/helpers.ts';

const program = new URL('../../../bin/sluice.js', import.meta.url).pathname;

function run(...args: string[]) {
  const child = spawn(process.execPath, [program, 'proxy', 'tcp', ...args]);
  closeLater(() => child.kill('SIGKILL'));
  const [output, errors]: [string[], string[]] = [[], []];
  const lines = (stream: NodeJS.ReadableStream, into: string[]) => {
    const reader = createInterface({ input: stream });
    reader.on('line', (line) => into.push(line));
    return reader;
  };
  return { child, output, errors, stdout: lines(child.stdout, output), stderr: lines(child.stderr, errors) };
}

async function start(...args: string[]) {
  const started = run(...args);
  while (!started.output[0]) await once(started.stdout, 'line');
  return { ...started, port: Number(/:(\d+)\/tcp$/.exec(started.output[0])?.[1]) };
}

describe('sluice proxy tcp', () => {
  it('carries connections to its endpoints by weight', async () => {
    const [a, b] = [await startNamed('a'), await startNamed('b')];
    const { port } = await start('127.0.0.1:0', `127.0.0.1:${a.port}=2`, `127.0.0.1:${b.port}`);
    const answers: string[] = [];
    for (let index = 0; index < 6; index++) answers.push(await exchange(port, ''));
    expect(answers.sort().join('')).toBe('aaaabb');
  });

  it('says who the client is with --proxy-protocol', async () => {
    const echo = await startEcho();
    const { port } = await start('127.0.0.1:0', `127.0.0.1:${echo.port}`, '--proxy-protocol', '1');
    expect(await exchange(port, 'x')).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nx$/);
  });

  it('lets in only whom --allow names', async () => {
    const echo = await startEcho();
    const { port } = await start('127.0.0.1:0', `127.0.0.1:${echo.port}`, '--allow', '127.0.0.2,127.0.0.3');
    expect(await exchange(port, 'x')).toBe('reset');
    expect(await exchange(port, 'x', '127.0.0.3')).toBe('x');
  });

  it('prints a line of JSON per connection with --log, and its counters on SIGUSR1 and at the end', async () => {
    const echo = await startEcho();
    const { port, child, stdout, output } = await start('127.0.0.1:0', `127.0.0.1:${echo.port}`, '--log');
    await exchange(port, 'hello');
    while (!output[1]) await once(stdout, 'line');
    expect(JSON.parse(output[1])).toMatchObject({
      outcome: { kind: 'ended', reason: 'finished' },
      bytesIn: 5,
      bytesOut: 5,
    });
    const counters = ['accepted 1', 'forwarded 1', 'open 0', 'bytesIn 5', 'bytesOut 5', 'ended finished 1'];
    const expected = counters.map((line) => `tcp ${line}`);
    child.kill('SIGUSR1');
    while (output.length < 8) await once(stdout, 'line');
    expect(output.slice(2)).toEqual(expected);
    child.kill('SIGTERM');
    expect((await once(child, 'close'))[0]).toBe(0);
    expect(output.slice(8)).toEqual(expected);
  });

  it('waits for open connections on SIGTERM, then exits with 0', async () => {
    const echo = await startEcho();
    const { port, child, stderr, errors } = await start('127.0.0.1:0', `127.0.0.1:${echo.port}`);
    const socket = await client(port);
    socket.write('one');
    await nextData(socket);
    child.kill('SIGTERM');
    while (!errors[0]) await once(stderr, 'line');
    await expect(client(port)).rejects.toThrow('ECONNREFUSED');
    socket.write('two');
    expect((await nextData(socket)).toString()).toBe('two');
    const exit = once(child, 'exit');
    socket.end();
    expect(await exit).toEqual([0, null]);
  });

  it('resets what is left after the grace, and says so', async () => {
    const echo = await startEcho();
    const { port, child, errors } = await start('127.0.0.1:0', `127.0.0.1:${echo.port}`, '--grace', '100ms');
    const socket = await client(port);
    socket.write('one');
    await nextData(socket);
    child.kill('SIGTERM');
    expect((await once(child, 'close'))[0]).toBe(0);
    expect(errors.at(-1)).toContain('1 connections were still open');
  });

  it.each([
    [['nonsense', '127.0.0.1:1'], 'ADDRESS:PORT'],
    [[':0', '127.0.0.1'], 'ADDRESS:PORT'],
    [[':0', '127.0.0.1:1=x'], 'a whole number'],
    [['[fe80::1%nozone]:0', '127.0.0.1:1'], 'there is no interface "nozone" with a link-local address'],
    [[':0', '127.0.0.1:1', '--timeout', 'soon'], 'It must be a duration'],
    [[':0', '127.0.0.1:1', '--timeout', '0'], 'above 0'],
    [[':0', '127.0.0.1:1', '--balance', 'random'], 'Allowed choices'],
    [[':0', '127.0.0.1:1', '--allow', '10.0.0.0/40'], 'not an address or a range'],
    [[':0'], 'missing required argument'],
  ])('exits with 2 for %j', async (args, message) => {
    const { child, errors } = run(...args);
    expect((await once(child, 'close'))[0]).toBe(2);
    expect(errors.join('\n')).toContain(message);
  });

  it('exits with 2 and names the port when it is taken', async () => {
    const echo = await startEcho();
    const { child, errors } = run(`127.0.0.1:${echo.port}`, '127.0.0.1:1');
    expect((await once(child, 'close'))[0]).toBe(2);
    expect(errors.join('\n')).toContain(`127.0.0.1:${echo.port}/tcp is taken`);
  });
});
