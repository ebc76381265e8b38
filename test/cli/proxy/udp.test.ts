import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { engines, lacksNative } from '../../dataplane/udp/engines.ts';
import { boundSocket, eventually, startBackend, startClient } from '../../dataplane/udp/support.ts';

const launcher = fileURLToPath(new URL('../../../bin/sluice.js', import.meta.url));

/** Root has them; others do without as they are. */
const withoutCapabilities =
  process.getuid?.() === 0 ? ['setpriv', '--inh-caps', '-all', '--bounding-set', '-all'] : [];

interface Run {
  readonly child: ChildProcess;
  readonly stdout: string[];
  readonly stderr: string[];
  readonly exitCode: Promise<number>;
}

function run(...args: string[]): Run {
  return runUnder([], ...args);
}

/** Asks for the counters until they are so: an answer is counted just after it is there. */
async function saying(proxy: Run, line: string): Promise<void> {
  await eventually(() => {
    proxy.child.kill('SIGUSR1');
    return proxy.stdout.includes(line);
  });
}

/** Below a program that starts it otherwise than usual. */
function runUnder(wrapper: readonly string[], ...args: string[]): Run {
  const [program = '', ...rest] = [...wrapper, process.execPath, launcher, 'proxy', 'udp', ...args];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr]: [string[], string[]] = [[], []];
  createInterface({ input: child.stdout }).on('line', (line) => stdout.push(line));
  createInterface({ input: child.stderr }).on('line', (line) => stderr.push(line));
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return { child, stdout, stderr, exitCode: once(child, 'close').then(([code]) => Number(code)) };
}

async function portOf({ stdout }: Run): Promise<number> {
  await eventually(() => stdout.some((line) => line.startsWith('listening on')));
  return Number(/:(\d+)\/udp/.exec(stdout[0] ?? '')?.[1]);
}

describe('sluice proxy udp', () => {
  it('forwards by weight, and prints its counters on SIGUSR1 and at the end', async () => {
    const [often, seldom] = await Promise.all([startBackend(), startBackend()]);
    const endpoints = [`127.0.0.1:${often.port}=3`, `127.0.0.1:${seldom.port}`];
    const proxy = run('127.0.0.1:0', ...endpoints, '--engine', 'dgram');
    const client = await startClient({ address: '127.0.0.1', port: await portOf(proxy) });
    for (let count = 0; count < 8; count++) await client.ask('hello');
    expect([often.received.length, seldom.received.length]).toEqual([6, 2]);
    await saying(proxy, 'udp datagramsOut 8');
    expect(proxy.stdout).toContain('udp datagramsIn 8');
    expect(proxy.stdout).toContain(`udp endpoint 127.0.0.1:${often.port} datagrams 6 replies 6`);
    await client.ask('one more');
    proxy.child.kill('SIGTERM');
    expect(await proxy.exitCode).toBe(0);
    expect(proxy.stdout).toContain('udp datagramsIn 9');
  });

  it('goes on when nobody reads what it prints any more', async () => {
    const backend = await startBackend();
    const proxy = run('127.0.0.1:0', `127.0.0.1:${backend.port}`);
    const client = await startClient({ address: '127.0.0.1', port: await portOf(proxy) });
    proxy.child.stdout?.destroy();
    for (const text of ['one', 'two', 'three']) {
      proxy.child.kill('SIGUSR1');
      expect(String(await client.ask(text))).toBe(text);
    }
    proxy.child.kill('SIGTERM');
    expect(await proxy.exitCode).toBe(0);
    expect(proxy.stderr.join('\n')).not.toContain('EPIPE');
  });

  it.each(engines)(
    'serves within few open files, and says at the start how many sessions that is ($engine)',
    async ({ engine }) => {
      const backend = await startBackend();
      const few = ['sh', '-c', 'ulimit -n 100; exec "$@"', 'sh'];
      const proxy = runUnder(few, '127.0.0.1:0', `127.0.0.1:${backend.port}`, '--engine', engine);
      const place = { address: '127.0.0.1', port: await portOf(proxy) };
      for (let count = 0; count < 100; count++) {
        expect(String(await (await startClient(place)).ask('hello'))).toBe('hello');
      }
      expect(proxy.stderr.join('\n')).toMatch(
        /info: entry point udp: \d+ of 65536 sessions at most, for want of open files/,
      );
      await saying(proxy, 'udp datagramsOut 100');
      proxy.child.kill('SIGTERM');
      expect(await proxy.exitCode).toBe(0);
    },
  );

  it.skipIf(lacksNative)(
    'says why it cannot be transparent, and counts what it drops for that (needs koffi, setpriv)',
    async () => {
      const backend = await startBackend();
      const places = ['127.0.0.1:0', `127.0.0.1:${backend.port}`];
      const proxy = runUnder(
        withoutCapabilities,
        ...places,
        '--client-address',
        'transparent',
        '--engine',
        'native',
      );
      const client = await startClient({ address: '127.0.0.1', port: await portOf(proxy) });
      client.send('hello');
      await saying(proxy, 'udp dropped send_error 1');
      expect(proxy.stdout).toContain('udp sendErrors EPERM 1');
      expect(proxy.stderr).toContain(
        'error: route command line: this process may not be transparent (it needs CAP_NET_ADMIN); its datagrams are dropped',
      );
    },
  );

  it('keeps to its limits', async () => {
    const backend = await startBackend();
    const proxy = run(
      '127.0.0.1:0',
      `127.0.0.1:${backend.port}`,
      '--deny',
      '127.0.0.2',
      '--max-datagram',
      '10',
      // One takes them in the order in which they came.
      '--workers',
      '1',
    );
    const place = { address: '127.0.0.1', port: await portOf(proxy) };
    (await startClient(place, '127.0.0.2')).send('denied');
    const client = await startClient(place);
    client.send('more than ten bytes');
    await client.ask('few bytes');
    proxy.child.kill('SIGINT');
    expect(await proxy.exitCode).toBe(0);
    expect(proxy.stdout).toEqual(expect.arrayContaining(['udp dropped denied 1', 'udp dropped too_large 1']));
  });

  it.each([
    [['127.0.0.1:x', '127.0.0.1:1'], '"127.0.0.1:x" must be ADDRESS:PORT'],
    [['localhost:1', '127.0.0.1:1'], 'is not an address of a machine'],
    [['127.0.0.1:0', '127.0.0.1:1=x'], 'the weight must be a whole number'],
    [['127.0.0.1:0', '127.0.0.1:1', '--allow', '10.0.0.0/40'], '"10.0.0.0/40" is not an address or a range'],
    [['127.0.0.1:0', '127.0.0.1:1', '--timeout', 'soon'], 'It must be a duration'],
    [['127.0.0.1:0', '127.0.0.1:1', '--balance', 'luck'], 'datagram, session, source'],
    [['127.0.0.1:0', '::1:53'], '"::1:53" must be ADDRESS:PORT, an IPv6 address in brackets: [::1]:53'],
    [
      ['[fe80::1%nozone]:5', '127.0.0.1:1'],
      'error: cannot listen on [fe80::1%nozone]:5: there is no interface "nozone" with a link-local address',
    ],
    [
      ['127.0.0.1:0', '[fe80::1%nozone]:5'],
      'error: endpoint [fe80::1%nozone]:5: there is no interface "nozone" with a link-local address',
    ],
    [
      ['127.0.0.1:0', '[fe80::1]:5'],
      'error: endpoint [fe80::1]:5: a link-local address needs its interface, as in fe80::1%eth0',
    ],
    [['127.0.0.1:0', 'no-such-host.invalid:53'], 'endpoint no-such-host.invalid:53: '],
    [['127.0.0.1:0'], "missing required argument 'endpoints'"],
    [['203.0.113.1:0', '127.0.0.1:1'], "doesn't have that address"],
  ])('refuses %j', async (args, message) => {
    const refused = run(...args);
    expect(await refused.exitCode).toBe(2);
    expect(refused.stderr.join('\n')).toContain(message);
  });

  it('shows its default timeout as it would be written', async () => {
    const help = run('--help');
    expect(await help.exitCode).toBe(0);
    expect(help.stdout.join(' ')).toMatch(/--timeout .*\(default: 3s\)/);
  });

  it('says when the port is taken', async () => {
    const { port } = (await boundSocket()).address();
    const refused = run(`127.0.0.1:${port}`, '127.0.0.1:1');
    expect(await refused.exitCode).toBe(2);
    expect(refused.stderr.join('\n')).toContain('is taken by another process');
  });
});
