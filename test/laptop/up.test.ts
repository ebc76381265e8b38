import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hasProgram } from '../support/programs.ts';
import {
  base,
  type Client,
  commandOf,
  connectClient,
  copyTree,
  descendants,
  isGone,
  overlay,
  podProcesses,
  type Run,
  type RunOptions,
  runUp,
  stopRun,
  type TreeCopy,
} from './sluice-up.ts';

const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const launcher = new URL('../../bin/sluice.js', import.meta.url).pathname;
const canBecomeNobody = spawnSync('setpriv', [...asNobody.slice(1), 'test', '-r', launcher]).status === 0;

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function newTree(): TreeCopy {
  const tree = copyTree();
  endings.push(() => tree.remove());
  return tree;
}

function start(tree: TreeCopy, options: RunOptions = {}): Run {
  const run = runUp(tree.root, options);
  endings.push(() => {
    run.child.kill('SIGKILL');
    return run.exited;
  });
  return run;
}

async function ready(tree = newTree(), options: RunOptions = {}) {
  const run = start(tree, options);
  await run.line(/ready in \d+ ms/);
  return { tree, run };
}

async function client(run: Run): Promise<Client> {
  const made = await connectClient(run.address);
  endings.push(() => made.close());
  return made;
}

/** What a shell prints for a command line. */
async function shell(command: string): Promise<string> {
  const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  await once(child, 'close');
  return printed;
}

/** Lines of the pods' own logs that fit, by log file. */
function podLogCounts(tree: TreeCopy, pattern: RegExp): number[] {
  const directory = join(tree.root, '.sluice/pods');
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.log'))
    .map(
      (name) =>
        readFileSync(join(directory, name), 'utf8')
          .split('\n')
          .filter((line) => pattern.test(line)).length,
    )
    .filter((count) => count > 0);
}

describe('sluice up on the guide’s tree', () => {
  it('answers through the node port, prints the table and the commands to try, and stops on Ctrl-C', async () => {
    const { run } = await ready();
    expect(run.stdout()).toMatch(/^SERVICE +ENTRY POINT +NODE PORT +PROTOCOL +PODS +ADDRESS/m);
    expect(run.stdout()).toMatch(
      new RegExp(`^backend/udp-echo-service +myudp +30998 +UDP +1/1 +${run.address}:30998 `, 'm'),
    );
    expect(run.stdout()).toContain(`echo "hello udp" | nc -u -w1 ${run.address} 30998`);
    expect(run.stdout()).toContain(`echo "hello udp" | socat - UDP:${run.address}:30998`);
    expect(await (await client(run)).ask('hello udp')).toBe('hello udp');
    expect(await stopRun(run)).toBe(0);
    expect(run.output()).toMatch(/myudp: \d+ in, \d+ forwarded, \d+ answered, dropped: 0/);
  });

  it.skipIf(!hasProgram('nc'))('answers the guide’s nc command (needs nc)', async () => {
    const { run } = await ready();
    expect(await shell(`echo "hello udp" | nc -u -w1 ${run.address} 30998`)).toBe('hello udp\n');
  });

  it.skipIf(!hasProgram('socat'))('answers the guide’s socat command (needs socat)', async () => {
    const { run } = await ready();
    expect(await shell(`echo "hello udp" | socat - UDP:${run.address}:30998`)).toBe('hello udp\n');
  });

  it.each([0, 65_507])('carries a datagram of %i bytes both ways', async (length) => {
    const { run } = await ready();
    const { socket } = await client(run);
    const answer = once(socket, 'message');
    const payload = Buffer.alloc(length, 'sluice');
    socket.send(payload);
    expect(((await answer) as [Buffer])[0].equals(payload)).toBe(true);
  });

  it('spreads one client’s datagrams over three pods after an edit, and loses none on the way back to one', async () => {
    const { tree, run } = await ready();
    const { askMany } = await client(run);
    tree.edit(`${overlay}/patch-resources.yaml`, 'replicas: 1', 'replicas: 3');
    while (podLogCounts(tree, / warm /).length < 3) await askMany(3, 'warm');
    await askMany(3000, 'counted');
    await until(() => sum(podLogCounts(tree, / counted /)) === 3000);
    const counts = podLogCounts(tree, / counted /);
    expect(counts).toHaveLength(3);
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(100);
    tree.edit(`${overlay}/patch-resources.yaml`, 'replicas: 3', 'replicas: 1');
    while (podProcesses(run).length > 1) await askMany(10, 'shrinking');
  });

  it('answers from the other pods at once when one is killed, and brings it back', async () => {
    const tree = newTree();
    tree.edit(`${overlay}/patch-resources.yaml`, 'replicas: 1', 'replicas: 3');
    const { run } = await ready(tree);
    const { askMany } = await client(run);
    const [victim = 0] = podProcesses(run);
    // What was handed to the dying pod is lost with it; from the new table on, nothing is.
    const withoutIt = run.nextLine(/entry point myudp: route \S+ -> \S+ \([\d.:]+, [\d.:]+\)$/);
    process.kill(victim, 'SIGKILL');
    await withoutIt;
    await askMany(100, 'after');
    while (podProcesses(run).length < 3) await askMany(10, 'waiting');
  });

  it('stops the traffic at once when the route is deleted, and says which decision drops it', async () => {
    const { tree, run } = await ready();
    const { socket, ask } = await client(run);
    await ask('before');
    const dropped = run.nextLine(/dropped \d+ datagrams? \(no_route\)/);
    const pruned = run.nextLine(/pruned IngressRouteUDP backend\/udp-echo-route/);
    const refused = run.nextLine(/entry point myudp: drop \(no_route\)/);
    tree.edit(`${base}/kustomization.yaml`, '  - ingress-route-udp.yaml\n', '');
    tree.edit(
      `${overlay}/kustomization.yaml`,
      / {2}- path: ingress-traefik-patch.yaml[\s\S]*?(?=\nimages)/,
      '',
    );
    await pruned;
    await refused;
    const heard: string[] = [];
    socket.on('message', (payload) => heard.push(String(payload)));
    socket.send('into the void');
    expect(await dropped).toContain('no IngressRouteUDP is bound to entry point myudp');
    expect(heard).toEqual([]);
    await stopRun(run);
    expect(run.output()).toMatch(/myudp: .* dropped: [1-9]\d* no_route/);
  });

  it('stops the traffic at once when the route names another service, and serves again when it is mended', async () => {
    const { tree, run } = await ready();
    const { socket, ask } = await client(run);
    const broken = run.nextLine(
      /× backend\/udp-echo-route on myudp: broken at service: Service backend\/ecko not found/,
    );
    const refused = run.nextLine(/entry point myudp: drop \(no_service\)/);
    const dropped = run.nextLine(/dropped \d+ datagrams? \(no_service\).*backend\/ecko/);
    tree.edit(`${base}/ingress-route-udp.yaml`, 'name: udp-echo-service', 'name: ecko');
    await broken;
    await refused;
    socket.send('into the void');
    await dropped;
    const whole = run.nextLine(/√ backend\/udp-echo-route on myudp: whole/);
    const served = run.nextLine(/entry point myudp: route \S+ -> /);
    tree.edit(`${base}/ingress-route-udp.yaml`, 'name: ecko', 'name: udp-echo-service');
    await whole;
    await served;
    expect(await ask('again')).toBe('again');
  });

  it('tells a broken edit with its place, and the last good state goes on serving', async () => {
    const { tree, run } = await ready();
    const { ask } = await client(run);
    const told = run.nextLine(/^apps\/backend\/udp-demo\/base\/service\.yaml:\d+:\d+: error SL1002:/);
    const kept = run.nextLine(/not applied: the last good state goes on serving/);
    tree.edit(`${base}/service.yaml`, 'ports:', 'ports: [');
    await told;
    await kept;
    expect(await ask('still here')).toBe('still here');
    const mended = run.nextLine(/configured Deployment/);
    tree.edit(`${overlay}/patch-resources.yaml`, 'replicas: 1', 'replicas: 2');
    tree.edit(`${base}/service.yaml`, 'ports: [', 'ports:');
    await mended;
  });

  it('leaves no process behind when it is killed with SIGKILL', async () => {
    const { run } = await ready();
    const before = descendants(run.child.pid ?? 0);
    expect(before.some((pid) => commandOf(pid).includes('udp-demo/app/dist/main.js'))).toBe(true);
    run.child.kill('SIGKILL');
    await run.exited;
    for (const pid of before) await untilGone(pid);
  });

  it('leaves no process behind when it is stopped', async () => {
    const { run } = await ready();
    const before = descendants(run.child.pid ?? 0);
    await stopRun(run);
    for (const pid of before) await untilGone(pid);
  });

  it('says which process holds the port when it is started a second time, and exits with 2 (SL4001)', async () => {
    const { run } = await ready();
    const second = start(newTree(), { address: run.address });
    expect(await second.exited).toBe(2);
    expect(second.output()).toMatch(
      new RegExp(`error SL4001: ${run.address}:\\d+/(?:udp|tcp) is held by process ${run.child.pid} `),
    );
  });

  it.skipIf(!canBecomeNobody)('works for an ordinary user (needs root to become one)', async () => {
    const tree = newTree();
    execFileSync('chown', ['-R', '65534:65534', tree.root]);
    const { run } = await ready(tree, { before: asNobody });
    expect(run.output()).toMatch(/√ network +each pod has its own network namespace/);
    expect(await (await client(run)).ask('hello')).toBe('hello');
    const before = descendants(run.child.pid ?? 0);
    expect(await stopRun(run)).toBe(0);
    for (const pid of before) await untilGone(pid);
  });

  it.skipIf(!canBecomeNobody)(
    'serves an ordinary user without namespaces, but for the ports of root, and says so (needs root to become one)',
    async () => {
      const tree = newTree();
      execFileSync('chown', ['-R', '65534:65534', tree.root]);
      const { run } = await ready(tree, { before: asNobody, args: ['--network', 'loopback'] });
      expect(run.output()).toMatch(/√ network .*ports below 1024 need root then: without dns/);
      expect(await (await client(run)).ask('hello')).toBe('hello');
    },
  );

  it.skipIf(!hasProgram('unshare') || !hasProgram('setpriv'))(
    'exits with 2 and says why when namespaces are asked for and not to be had (needs unshare and setpriv)',
    async () => {
      const script = 'echo 0 >/proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all "$@"';
      const before = ['unshare', '--user', '--map-root-user', 'sh', '-c', script, 'sh'];
      const run = start(newTree(), { before, args: ['--network', 'namespaces'] });
      expect(await run.exited).toBe(2);
      expect(run.output()).toMatch(/^error: user namespaces are not allowed here/m);
    },
  );

  it('serves without namespaces too, one loopback address for each pod', async () => {
    const tree = newTree();
    tree.edit(`${overlay}/patch-resources.yaml`, 'replicas: 1', 'replicas: 2');
    const { run } = await ready(tree, { args: ['--network', 'loopback'] });
    expect(run.output()).toMatch(/√ network +.*loopback address/);
    expect(await (await client(run)).ask('hello')).toBe('hello');
    expect(podProcesses(run)).toHaveLength(2);
    const before = descendants(run.child.pid ?? 0);
    await stopRun(run);
    for (const pid of before) await untilGone(pid);
  });
});

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** Looks again and again; the test's own timeout is the limit. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Resolves when there is no such process any more. */
const untilGone = (pid: number) => until(() => isGone(pid));
