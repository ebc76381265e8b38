import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { networkModes, type RemoteCluster, startCluster } from './cluster.ts';

const open: RemoteCluster[] = [];
const directories: string[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((cluster) => cluster.kill()));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

async function start(mode: 'namespaces' | 'loopback') {
  const cluster = await startCluster(mode);
  open.push(cluster);
  return cluster;
}

interface Pod {
  name: string;
  address: string;
}
interface Ended {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Answers each datagram with its own address and what came. Binds all addresses, or the pod's in loopback mode. */
const echo = `
  const socket = require('dgram').createSocket('udp4');
  socket.on('message', (text, from) => socket.send(process.env.NAME + ' ' + text, from.port, from.address));
  socket.bind(4444, process.env.HOST);`;

async function startEcho(cluster: RemoteCluster, { name }: Pod) {
  const options = { env: { NAME: name } };
  const index = await cluster.call<number>('spawn', {
    name,
    command: [process.execPath, '-e', echo],
    options,
  });
  await cluster.call('bound', { name, protocol: 'udp', port: 4444 });
  return index;
}

async function run(
  cluster: RemoteCluster,
  name: string,
  script: string,
  options: object = {},
): Promise<Ended> {
  const index = await cluster.call('spawn', { name, command: ['/bin/sh', '-c', script], options });
  return cluster.call('exited', { index });
}

describe.each(networkModes)('pods in mode %s', (mode) => {
  it('have addresses of their own, at which programs on the same port answer side by side', async () => {
    const cluster = await start(mode);
    const pods = await Promise.all(
      ['one', 'two', 'three'].map((name) => cluster.call<Pod>('addPod', { name })),
    );
    expect(new Set(pods.map(({ address }) => address)).size).toBe(3);
    await Promise.all(pods.map((pod) => startEcho(cluster, pod)));
    for (const { name, address } of pods) {
      expect(await cluster.call('ask', { address, port: 4444, text: 'hello' })).toEqual({
        text: `${name} hello`,
        from: address,
      });
    }
  });

  it('take each address once before any is given again', async () => {
    const cluster = await start(mode);
    const first = await cluster.call<Pod>('addPod', { name: 'one' });
    await cluster.call('removePod', { name: 'one' });
    const second = await cluster.call<Pod>('addPod', { name: 'one' });
    expect(second.address).not.toBe(first.address);
  });

  it('tell when a port is bound, and when it is no longer', async () => {
    const cluster = await start(mode);
    const pod = await cluster.call<Pod>('addPod', { name: 'one' });
    expect(await cluster.call('isBound', { name: 'one', protocol: 'udp', port: 4444 })).toBe(false);
    const index = await startEcho(cluster, pod);
    expect(await cluster.call('isBound', { name: 'one', protocol: 'tcp', port: 4444 })).toBe(false);
    await cluster.call('kill', { index });
    await cluster.call('exited', { index });
    expect(await cluster.call('isBound', { name: 'one', protocol: 'udp', port: 4444 })).toBe(false);
  });

  it.each([
    ['exit 0', 0],
    ['exit 3', 3],
    ['kill -TERM $$', 143],
    ['kill -9 $$', 137],
  ])('give the exit code of `%s`', async (script, exitCode) => {
    const cluster = await start(mode);
    await cluster.call('addPod', { name: 'one' });
    // A first process of a PID namespace cannot kill itself: its child stands in for the program.
    const command = `sh -c '${script}'; exit $?`;
    expect(await run(cluster, 'one', command)).toMatchObject({ exitCode });
  });

  it('give 137 and no other output for a program that was killed', async () => {
    const cluster = await start(mode);
    await cluster.call('addPod', { name: 'one' });
    const command = ['/bin/sh', '-c', 'echo up; while :; do sleep 100; done'];
    const index = await cluster.call<number>('spawn', { name: 'one', command });
    await cluster.call('output', { index, until: 'up' });
    process.kill(await hostPid(cluster, index, mode), 'SIGKILL');
    expect(await cluster.call('exited', { index })).toEqual({ exitCode: 137, stdout: 'up\n', stderr: '' });
  });

  it('pass signals to the program', async () => {
    const cluster = await start(mode);
    await cluster.call('addPod', { name: 'one' });
    const command = [
      '/bin/sh',
      '-c',
      'trap "echo asked; exit 7" TERM; echo up; while :; do sleep 0.01; done',
    ];
    const index = await cluster.call<number>('spawn', { name: 'one', command });
    await cluster.call('output', { index, until: 'up' });
    await cluster.call('signal', { index, signal: 'SIGTERM' });
    expect(await cluster.call('exited', { index })).toMatchObject({ exitCode: 7, stdout: 'up\nasked\n' });
  });

  it('end what a program left behind when it ends, so that its ports are free', async () => {
    const cluster = await start(mode);
    await cluster.call('addPod', { name: 'one' });
    const script = `setsid node -e "${echo.replaceAll('\n', ' ')}" & while [ ! -e "$DONE" ]; do sleep 0.01; done`;
    const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    directories.push(directory);
    const options = { env: { PATH: process.env.PATH, DONE: join(directory, 'done') } };
    const index = await cluster.call('spawn', { name: 'one', command: ['/bin/sh', '-c', script], options });
    await cluster.call('bound', { name: 'one', protocol: 'udp', port: 4444 });
    writeFileSync(join(directory, 'done'), '');
    expect(await cluster.call('exited', { index })).toMatchObject({ exitCode: 0 });
    await vi.waitFor(async () =>
      expect(await cluster.call('isBound', { name: 'one', protocol: 'udp', port: 4444 })).toBe(false),
    );
  });

  it('have the environment they are given and no other', async () => {
    const cluster = await start(mode);
    await cluster.call('addPod', { name: 'one' });
    const { stdout } = await run(cluster, 'one', 'env', {
      env: { GREETING: 'hello', PATH: process.env.PATH },
    });
    expect(stdout).toMatch(/^GREETING=hello$/m);
    expect(stdout).not.toMatch(/^HOME=/m);
  });

  it('are refused under a name that is taken', async () => {
    const cluster = await start(mode);
    await cluster.call('addPod', { name: 'one' });
    await expect(cluster.call('addPod', { name: 'one' })).rejects.toThrow('pod one has a network already');
  });

  it('leave nothing after close', async () => {
    const cluster = await start(mode);
    const pod = await cluster.call<Pod>('addPod', { name: 'one' });
    const index = await startEcho(cluster, pod);
    const pid = await hostPid(cluster, index, mode);
    await cluster.call('close');
    expect(() => readFileSync(`/proc/${pid}/cmdline`)).toThrow();
    await vi.waitFor(async () => expect(await cluster.call('links')).not.toMatch(/\bpod\d+:/));
  });
});

/** A program's process id as this test sees it. */
async function hostPid(cluster: RemoteCluster, index: number, mode: string): Promise<number> {
  const pid = await cluster.call<number>('pid', { index });
  if (mode === 'loopback') return pid;
  // NSpid lists the ids from the outermost namespace to the innermost (proc(5)); ours is the first.
  const found = processIds().find((candidate) => {
    const ids = namespaceIds(candidate);
    return ids.at(-2) === pid && ids.at(-1) === 1 && isBelow(candidate, cluster.pid);
  });
  if (found === undefined) throw new Error(`no process ${pid} in the cluster's namespace`);
  return found;
}

function processIds(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function statusLine(pid: number, key: string): string {
  try {
    return new RegExp(`^${key}:\\s+(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

function namespaceIds(pid: number): number[] {
  return statusLine(pid, 'NSpid').split(/\s+/).map(Number);
}

function isBelow(pid: number, ancestor: number): boolean {
  for (let current = pid; current > 1; current = Number(statusLine(current, 'PPid'))) {
    if (current === ancestor) return true;
  }
  return false;
}

describe.skipIf(!networkModes.includes('namespaces'))(
  'a pod with a network namespace (needs unshare and ip)',
  () => {
    it('is the first process of its PID namespace, on a machine that bears its name', async () => {
      const cluster = await start('namespaces');
      await cluster.call('addPod', { name: 'backend_one', options: { hostname: 'one' } });
      expect(await run(cluster, 'backend_one', 'echo $$ $(uname -n)')).toMatchObject({ stdout: '1 one\n' });
    });

    it('sees the processes beside it only', async () => {
      const cluster = await start('namespaces');
      await cluster.call('addPod', { name: 'one' });
      const { stdout } = await run(cluster, 'one', 'ls -d /proc/[0-9]*; true');
      expect(stdout.trim().split('\n').length).toBeLessThanOrEqual(2);
    });

    it('reaches other pods and the gateway, and its own addresses', async () => {
      const cluster = await start('namespaces');
      const [one, two] = await Promise.all(
        ['one', 'two'].map((name) => cluster.call<Pod>('addPod', { name })),
      );
      await startEcho(cluster, two as Pod);
      await startEcho(cluster, one as Pod);
      const ask = (address: string) =>
        `"${process.execPath}" -e "require('dgram').createSocket('udp4').once('message', (text) => { console.log(String(text)); process.exit(); }).send('hi', 4444, '${address}')"`;
      expect(await run(cluster, 'one', ask(two!.address))).toMatchObject({ stdout: 'two hi\n' });
      expect(await run(cluster, 'one', ask(one!.address))).toMatchObject({ stdout: 'one hi\n' });
      expect(await run(cluster, 'one', ask('127.0.0.1'))).toMatchObject({ stdout: 'one hi\n' });
    });

    it('loses nothing of what it sends to the gateway while other pods come and go', async () => {
      const cluster = await start('namespaces');
      const namesOf = (group: string) => Array.from({ length: 10 }, (_, number) => `${group}-${number}`);
      const add = (names: string[]) => Promise.all(names.map((name) => cluster.call('addPod', { name })));
      const remove = (names: string[]) =>
        Promise.all(names.map((name) => cluster.call('removePod', { name })));
      await add(namesOf('early'));
      await cluster.call('addPod', { name: 'sender' });
      const port = await cluster.call<number>('listen');
      const address = await cluster.call<string>('gateway');
      // Nothing comes back, so nobody tells the sender of a new link address.
      const sender = `
        const socket = require('dgram').createSocket('udp4');
        let sent = 0;
        const timer = setInterval(() => socket.send(String(sent++), ${port}, '${address}'), 1);
        process.on('SIGTERM', () => {
          clearInterval(timer);
          console.log('sent ' + sent + '.');
        });`;
      const index = await cluster.call('spawn', {
        name: 'sender',
        command: [process.execPath, '-e', sender],
      });
      const heard = () => cluster.call<string[]>('heard');
      await vi.waitFor(async () => expect(await heard()).toContain('0'));
      // A bridge without an address of its own bears the lowest of its links': that one comes or goes here.
      await add(namesOf('late'));
      await remove(namesOf('early'));
      await remove(namesOf('late'));
      await cluster.call('signal', { index, signal: 'SIGTERM' });
      const { stdout } = await cluster.call<Ended>('output', { index, until: '.' });
      const sent = Number(/sent (\d+)/.exec(stdout)?.[1]);
      const numbers = Array.from({ length: sent }, (_, number) => String(number));
      await vi.waitFor(async () => expect(await heard()).toEqual(numbers));
    });

    it('sees files mounted at their targets, read-only where asked, and nobody else does', async () => {
      const cluster = await start('namespaces');
      await cluster.call('addPod', { name: 'one' });
      const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
      directories.push(directory);
      const [source, target] = [join(directory, 'source'), join(directory, 'target')];
      writeFileSync(source, 'mounted');
      writeFileSync(target, 'beneath');
      const mounts = [{ source, target, readOnly: true }];
      const result = await run(cluster, 'one', `cat ${target}; echo x >${target}`, { mounts });
      expect(result.stdout).toBe('mounted');
      expect(result.stderr).toMatch(/read-only/i);
      expect(readFileSync(target, 'utf8')).toBe('beneath');
    });

    it('lets a second program in beside the first', async () => {
      const cluster = await start('namespaces');
      await cluster.call('addPod', { name: 'one' });
      const command = ['/bin/sh', '-c', 'echo up; while :; do sleep 100; done'];
      const index = await cluster.call('spawn', { name: 'one', command });
      await cluster.call('output', { index, until: 'up' });
      const beside = await cluster.call('spawnBeside', {
        name: 'one',
        index,
        command: ['/bin/sh', '-c', 'cat /proc/1/comm; uname -n; exit 4'],
      });
      expect(await cluster.call('exited', { index: beside })).toMatchObject({
        exitCode: 4,
        stdout: 'sh\none\n',
      });
    });

    it('leaves no zombies in the cluster when processes lose their parents', async () => {
      const cluster = await start('namespaces');
      await cluster.call('addPod', { name: 'one' });
      const { stdout } = await run(cluster, 'one', '(sleep 0.01 &) ; (sleep 0.01 &) ; echo done');
      expect(stdout).toBe('done\n');
      await vi.waitFor(async () => expect(await cluster.call('zombies')).toBe(0));
    });
  },
);
