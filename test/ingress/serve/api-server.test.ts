/** The ingress against the embedded API over HTTP, and what the real kubectl shows of it. */

import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createApiServer, createStore } from '../../../src/cluster/index.ts';
import { createTcpEngine, createUdpEngine } from '../../../src/dataplane/index.ts';
import { createIngressRuntime } from '../../../src/ingress/index.ts';
import { createRemoteApi, findCluster } from '../../../src/kubernetes/index.ts';
import { readArguments } from '../fixtures.ts';

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
const deploy = resolve(import.meta.dirname, '../../../deploy');

async function cluster() {
  const store = createStore();
  const server = createApiServer({ store });
  const { kubeconfig } = await server.listen();
  const directory = mkdtempSync(join(tmpdir(), 'sluice-api-'));
  const file = join(directory, 'config');
  writeFileSync(file, kubeconfig, { mode: 0o600 });
  onTestFinished(async () => {
    await server.close();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const { execFile } = await import('node:child_process');
  const kubectl = (args: string[], input = '') =>
    new Promise<string>((done, failed) => {
      // kubectl keeps what it discovers under HOME.
      const env = { ...process.env, KUBECONFIG: file, HOME: directory };
      const child = execFile('kubectl', args, { env }, (error, stdout, stderr) => {
        if (error) failed(new Error(`kubectl ${args.join(' ')}: ${stderr}`));
        else done(stdout);
      });
      child.stdin?.end(input);
    });
  return { kubectl, file };
}

async function startIngress(kubeconfig: string) {
  const api = createRemoteApi(findCluster({ kubeconfig, env: {} }));
  const words = [
    '--entrypoints.myudp.address=127.0.0.1:0/udp',
    '--entrypoints.mytcp.address=127.0.0.1:0/tcp',
  ];
  const runtime = createIngressRuntime({
    api,
    health: api,
    configuration: readArguments(words),
    udpEngine: await createUdpEngine({ engine: 'dgram' }),
    tcpEngine: createTcpEngine(),
    log: { info() {}, warn() {}, error() {} } as never,
    version: '0.0.0',
  });
  onTestFinished(async () => {
    await runtime.stop();
    api.close();
  });
  await runtime.start();
  return runtime;
}

const objects = (port: number) => `
apiVersion: v1
kind: Namespace
metadata: { name: backend }
---
apiVersion: v1
kind: Service
metadata: { name: echo, namespace: backend }
spec: { clusterIP: None, ports: [{ name: udp, port: 4444, protocol: UDP }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: echo, namespace: backend, labels: { kubernetes.io/service-name: echo } }
addressType: IPv4
endpoints: [{ addresses: [127.0.0.1], conditions: { ready: true } }]
ports: [{ name: udp, port: ${port}, protocol: UDP }]
---
apiVersion: traefik.io/v1alpha1
kind: IngressRouteUDP
metadata: { name: good, namespace: backend }
spec: { entryPoints: [myudp], routes: [{ services: [{ name: echo, port: 4444 }] }] }
---
apiVersion: traefik.io/v1alpha1
kind: IngressRouteUDP
metadata: { name: worse, namespace: backend }
spec: { entryPoints: [typo], routes: [{ services: [{ name: echo, port: 4444 }] }] }
`;

describe.skipIf(!hasKubectl)('the ingress of a cluster that kubectl drives (needs kubectl)', () => {
  it('serves what is applied, and kubectl get and describe show what became of it', async () => {
    const echo = createSocket('udp4');
    echo.on('message', (datagram, { port, address }) => echo.send(datagram, port, address));
    echo.bind(0, '127.0.0.1');
    await once(echo, 'listening');
    onTestFinished(() => void echo.close());
    const { kubectl, file } = await cluster();
    await kubectl(['apply', '-k', join(deploy, 'crds')]);
    const runtime = await startIngress(file);
    await kubectl(['apply', '-f', '-'], objects(echo.address().port));
    await runtime.controller.until(({ udp: [decision] }) => decision?.kind === 'forward');

    const client = createSocket('udp4');
    onTestFinished(() => void client.close());
    const answered = once(client, 'message') as Promise<[Buffer]>;
    client.send('hello udp', runtime.entryPoints.get('myudp')?.bound[0]?.port ?? 0, '127.0.0.1');
    expect((await answered)[0].toString()).toBe('hello udp');

    const state = (name: string) =>
      kubectl(['get', 'ingressrouteudp', name, '-n', 'backend', '-o', 'jsonpath={.status.state}']);
    await expect.poll(() => state('good'), { timeout: 15_000 }).toBe('Programmed');
    await expect.poll(() => state('worse'), { timeout: 15_000 }).toBe('NoEntryPoint');
    const described = await kubectl(['describe', 'ingressrouteudp', 'worse', '-n', 'backend']);
    expect(described).toMatch(/Warning\s+EntryPointNotFound\s+.*SL3101: entry point "typo" doesn't exist/);
    const table = await kubectl(['get', 'ingressrouteudps', '-n', 'backend']);
    expect(table).toMatch(/^NAME\s+ENTRYPOINTS\s+STATE\s+ENDPOINTS\s+AGE/);
    expect(table).toMatch(/^good\s+\S*myudp\S*\s+Programmed\s+1/m);
  });
});
