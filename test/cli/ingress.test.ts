import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createStore } from '../../src/cluster/index.ts';
import {
  endpointSlices,
  ingressRouteUdps,
  type KubeObject,
  namespaces,
  type ResourceType,
  services,
} from '../../src/kubernetes/index.ts';
import { serveStore } from '../ingress/store-over-http.ts';

const root = resolve(import.meta.dirname, '../..');
const sluice = join(root, 'bin/sluice.js');

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-ingress-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const run = (...words: string[]) =>
  spawnSync(process.execPath, [sluice, 'ingress', ...words], { cwd: root, encoding: 'utf8' });

async function cluster() {
  const echo = createSocket('udp4');
  echo.on('message', (datagram, { port, address }) => echo.send(datagram, port, address));
  echo.bind(0, '127.0.0.1');
  await once(echo, 'listening');
  onTestFinished(() => void echo.close());
  const store = createStore();
  onTestFinished(() => store.close());
  const metadata = { name: 'echo', namespace: 'backend' };
  const create = (type: ResourceType<never>, object: object) =>
    store.create(type as ResourceType, object as KubeObject);
  await create(namespaces as ResourceType<never>, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'backend' },
  });
  await create(services as ResourceType<never>, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { clusterIP: 'None', ports: [{ name: 'udp', port: 4444, protocol: 'UDP' }] },
  });
  await create(endpointSlices as ResourceType<never>, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'echo' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    ports: [{ name: 'udp', port: echo.address().port, protocol: 'UDP' }],
  });
  await create(ingressRouteUdps as ResourceType<never>, {
    apiVersion: 'traefik.io/v1alpha1',
    kind: 'IngressRouteUDP',
    metadata,
    spec: { entryPoints: ['myudp'], routes: [{ services: [{ name: 'echo', port: 4444 }] }] },
  });
  const server = await serveStore(store);
  const kubeconfig = join(directory(), 'config');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      'current-context': 'x',
      clusters: [{ name: 'x', cluster: { server: server.url } }],
      contexts: [{ name: 'x', context: { cluster: 'x' } }],
    }),
  );
  return { store, kubeconfig };
}

interface Running {
  readonly child: ChildProcess;
  /** Resolves with the first line, past or to come, that matches. */
  readonly line: (pattern: RegExp) => Promise<string>;
  readonly exit: Promise<number | null>;
}

function start(...words: string[]): Running {
  const child = spawn(process.execPath, [sluice, 'ingress', ...words], { cwd: root });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  const checks = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const check of checks) check();
    });
  }
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    exit,
    line: (pattern) =>
      new Promise((found, failed) => {
        const check = () => {
          const line = output.split('\n').find((one) => pattern.test(one));
          if (line !== undefined) found(line);
        };
        checks.add(check);
        check();
        void exit.then(() => failed(new Error(`it ended without ${pattern}:\n${output}`)));
      }),
  };
}

async function ask(port: number, text: string): Promise<string> {
  const socket = createSocket('udp4');
  const answered = once(socket, 'message') as Promise<[Buffer]>;
  const again = setInterval(() => socket.send(text, port, '127.0.0.1'), 200);
  socket.send(text, port, '127.0.0.1');
  const [answer] = await answered;
  clearInterval(again);
  socket.close();
  return answer.toString();
}

const portIn = (line: string) => Number(/:(\d+)\/udp/.exec(line)?.[1]);

describe('sluice ingress', () => {
  it("routes a cluster's datagrams, follows its configuration file, and ends on SIGTERM", async () => {
    const { kubeconfig } = await cluster();
    const file = join(directory(), 'traefik.yml');
    const entryPoints = (extra = '') => `entryPoints:\n  myudp: { address: "127.0.0.1:0/udp" }\n${extra}`;
    writeFileSync(file, entryPoints());
    const { child, line, exit } = start('--kubeconfig', kubeconfig, `--configfile=${file}`);
    const port = portIn(await line(/entrypoint myudp listens/));
    expect(await ask(port, 'hello udp')).toBe('hello udp');

    writeFileSync(file, entryPoints('  late: { address: "127.0.0.1:0/udp" }\n'));
    await line(/entrypoint late listens/);
    writeFileSync(file, 'entryPoints: { a: { address: nonsense } }');
    await line(/cannot be used, what it said before stays/);
    expect(await ask(port, 'still')).toBe('still');

    child.kill('SIGTERM');
    await line(/stopped; connections and sessions cut short: \d+/);
    expect(await exit).toBe(0);
  });

  it('waits for an API that is not there, says so to its probes, and still ends on SIGTERM', async () => {
    const kubeconfig = join(directory(), 'config');
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        'current-context': 'x',
        // Port 1 of the loopback address: nobody listens there.
        clusters: [{ name: 'x', cluster: { server: 'http://127.0.0.1:1' } }],
        contexts: [{ name: 'x', context: { cluster: 'x' } }],
      }),
    );
    const words = [
      '--entrypoints.myudp.address=127.0.0.1:0/udp',
      '--entrypoints.traefik.address=127.0.0.1:0',
      '--ping',
    ];
    const { child, line, exit } = start('--kubeconfig', kubeconfig, ...words);
    const port = /:(\d+)\/tcp/.exec(await line(/entrypoint traefik serves/))?.[1];
    await line(/the API does not answer for services, its last state stays in use: .*ECONNREFUSED/);
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('no route table yet')]);
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });

  it('prints the routes of a cluster and exits', async () => {
    const { kubeconfig, store } = await cluster();
    const words = ['--kubeconfig', kubeconfig, '--dry-run', '--entrypoints.myudp.address=:9998/udp'];
    const child = spawn(process.execPath, [sluice, 'ingress', ...words], { cwd: root });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
    expect(output).toMatch(
      /^entry point myudp :9998\/udp\n {2}route backend-echo-0\n {4}backend\/echo \(weight 1\): 127.0.0.1:\d+\n$/,
    );
    expect(store.counters.writes).toBeGreaterThan(0);
  });

  it("prints the routes of the guide's tree and exits", () => {
    const { stdout, status } = run('--dry-run', '.');
    expect(stdout).toContain('entry point myudp :9998/udp\n  route backend-udp-echo-route-0');
    expect(stdout).toContain('backend/udp-echo-service (weight 1): pods of Deployment udp-echo-demo:4444');
    expect(status).toBe(0);
    const json = JSON.parse(run('--dry-run', '.', '-o', 'json').stdout) as { table: { udp: unknown[] } };
    expect(json.table.udp.length).toBeGreaterThan(0);
  });

  it('says of a tree where each thing that is wrong was written', () => {
    const tree = directory();
    const route = [
      'apiVersion: traefik.io/v1alpha1',
      'kind: IngressRouteUDP',
      'metadata:',
      '  name: r',
      '  annotations:',
      '    sluice.dev/rate: fast',
      'spec:',
      '  entryPoints: [dns]',
      '  routes: [{ services: [{ name: nothing, port: 53 }] }]',
    ];
    writeFileSync(join(tree, 'route.yaml'), route.join('\n'));
    writeFileSync(join(tree, 'kustomization.yaml'), 'namespace: apps\nresources: [route.yaml]\n');
    const { stdout, status } = run('--dry-run', tree, '--entrypoints.dns.address=:53/udp');
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /route\.yaml:6:\d+: error SL3110 IngressRouteUDP apps\/r: sluice\.dev\/rate is "fast"/,
    );
    expect(stdout).toMatch(
      /route\.yaml:9:\d+: error SL3102 IngressRouteUDP apps\/r: Service apps\/nothing not found/,
    );
    const json = run('--dry-run', tree, '--entrypoints.dns.address=:53/udp', '-o', 'json');
    const { findings } = JSON.parse(json.stdout) as { findings: { position: { line: number } }[] };
    expect(findings.map(({ position }) => position.line)).toEqual([6, 9]);
  });

  it.each([
    ['an option that nobody has', ['--entrypoint.a.address=:1/udp'], /SL3002.*\n.*entrypoints/],
    ['a value that cannot be', ['--conflict=newest'], /SL3003.*oldest, traefik/],
    ['a kubeconfig that is not there', ['--kubeconfig=/nowhere', '--dry-run'], /no kubeconfig at \/nowhere/],
  ])('exits with 2 on %s', (_what, words, message) => {
    const { status, stderr } = run(...words);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});
