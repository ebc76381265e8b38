import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createStore, type Store } from '../../../src/cluster/index.ts';
import { createTcpEngine, createUdpEngine } from '../../../src/dataplane/index.ts';
import { gatewayTypes } from '../../../src/ingress/gateway/objects.ts';
import { createIngressRuntime, type IngressRuntimeOptions } from '../../../src/ingress/index.ts';
import {
  createRemoteApi,
  endpointSlices,
  events,
  ingressRouteTcps,
  ingressRouteUdps,
  type KubeObject,
  namespaces,
  type ResourceType,
  readKubeconfig,
  services,
} from '../../../src/kubernetes/index.ts';
import { freePort } from '../../support/ports.ts';
import { readArguments } from '../fixtures.ts';
import { ManualClock } from '../manual-clock.ts';
import { serveStore } from '../store-over-http.ts';

const configure = (...texts: string[]) => {
  const configuration = readArguments(texts);
  expect(configuration.diagnostics).toEqual([]);
  return configuration;
};
const guideArguments = [
  '--entrypoints.myudp.address=127.0.0.1:0/udp',
  '--entrypoints.mytcp.address=127.0.0.1:0/tcp',
  '--entrypoints.traefik.address=127.0.0.1:0',
  '--ping',
  '--metrics.prometheus',
  '--api.insecure',
];

async function udpEcho(prefix: string) {
  const socket = createSocket('udp4');
  socket.on('message', (datagram, { port, address }) =>
    socket.send(`${prefix}${datagram.toString()}`, port, address),
  );
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return socket.address().port;
}

async function tcpEcho() {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const objectsFor = (protocol: 'UDP' | 'TCP', port: number): [ResourceType, KubeObject][] => {
  const name = `echo-${protocol.toLowerCase()}`;
  const metadata = { name, namespace: 'backend' };
  const service = { name, port: 4444 };
  const route =
    protocol === 'UDP'
      ? { kind: 'IngressRouteUDP', spec: { entryPoints: ['myudp'], routes: [{ services: [service] }] } }
      : {
          kind: 'IngressRouteTCP',
          spec: { entryPoints: ['mytcp'], routes: [{ match: 'HostSNI(`*`)', services: [service] }] },
        };
  return [
    [
      services as ResourceType,
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata,
        spec: { clusterIP: 'None', ports: [{ name: 'main', port: 4444, protocol }] },
      },
    ],
    [endpointSlices as ResourceType, sliceFor(protocol, port)],
    [
      (protocol === 'UDP' ? ingressRouteUdps : ingressRouteTcps) as ResourceType,
      { apiVersion: 'traefik.io/v1alpha1', metadata, ...route } as KubeObject,
    ],
  ];
};

function sliceFor(protocol: 'UDP' | 'TCP', port: number): KubeObject {
  const name = `echo-${protocol.toLowerCase()}`;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'backend', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    ports: [{ name: 'main', port, protocol }],
  };
}

async function backend(): Promise<Store> {
  const store = createStore();
  onTestFinished(() => store.close());
  await store.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'backend' } });
  const objects = [...objectsFor('UDP', await udpEcho('a:')), ...objectsFor('TCP', await tcpEcho())];
  for (const [type, object] of objects) await store.create(type, object);
  return store;
}

async function startRuntime(
  store: Store,
  words = guideArguments,
  overHttp = false,
  election?: IngressRuntimeOptions['election'],
) {
  const logged: string[] = [];
  const write = (_fields: unknown, text?: string) => void logged.push(text ?? '');
  const server = overHttp ? await serveStore(store) : undefined;
  const kubeconfig = JSON.stringify({
    'current-context': 'x',
    clusters: [{ name: 'x', cluster: { server: server?.url } }],
    contexts: [{ name: 'x', context: { cluster: 'x' } }],
  });
  const remote = server
    ? createRemoteApi(readKubeconfig({ paths: ['c'], readFile: () => kubeconfig, env: {} }), {
        retry: { firstMs: 1, lastMs: 20, resetMs: 60_000 },
      })
    : undefined;
  const runtime = createIngressRuntime({
    api: remote ?? store,
    ...(remote ? { health: remote } : {}),
    configuration: configure(...words),
    udpEngine: await createUdpEngine({ engine: 'dgram' }),
    tcpEngine: createTcpEngine(),
    log: { info: write, warn: write, error: write } as never,
    ...(election ? { election } : {}),
    version: '0.0.0',
  });
  onTestFinished(async () => {
    await runtime.stop();
    remote?.close();
  });
  await runtime.start();
  const portOf = (name: string) => runtime.entryPoints.get(name)?.bound[0]?.port ?? 0;
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${runtime.admin.get('traefik')?.port}${path}`);
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  };
  return { runtime, logged, portOf, get, server, remote };
}

async function ask(port: number, text: string): Promise<string> {
  const socket = createSocket('udp4');
  onTestFinished(() => {
    try {
      socket.close();
    } catch {}
  });
  const answered = once(socket, 'message') as Promise<[Buffer]>;
  // What is lost is sent again: it is UDP.
  const again = setInterval(() => socket.send(text, port, '127.0.0.1'), 200);
  socket.send(text, port, '127.0.0.1');
  const [answer] = await answered;
  clearInterval(again);
  return answer.toString();
}

async function askTcp(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}

describe('the ingress of one process', () => {
  it('carries datagrams and connections, and says what it listens on where grep entrypoint finds it', async () => {
    const { portOf, logged } = await startRuntime(await backend());
    expect(await ask(portOf('myudp'), 'hello')).toBe('a:hello');
    expect(await askTcp(portOf('mytcp'), 'hello')).toBe('hello');
    const lines = logged.filter((text) => text.includes('entrypoint'));
    expect(lines).toEqual([
      expect.stringMatching(/^entrypoint traefik serves ping, metrics or API on 127.0.0.1:\d+\/tcp$/),
      expect.stringMatching(/^entrypoint myudp listens on 127.0.0.1:\d+\/udp$/),
      expect.stringMatching(/^entrypoint mytcp listens on 127.0.0.1:\d+\/tcp$/),
    ]);
  });

  it('answers ping, readiness, metrics and the API as Traefik shapes them', async () => {
    const { portOf, get } = await startRuntime(await backend());
    await ask(portOf('myudp'), 'hello');
    expect(await get('/ping')).toMatchObject({ status: 200, text: 'OK' });
    expect(await get('/readyz')).toMatchObject({ status: 200, text: 'ok\n' });
    const metrics = (await get('/metrics')).text;
    expect(metrics).toMatch(/^sluice_udp_datagrams_forwarded_total\{entrypoint="myudp"\} \d+$/m);
    expect(metrics).toMatch(/^sluice_ready 1$/m);
    expect(metrics).toMatch(/^traefik_open_connections\{entrypoint="mytcp",protocol="TCP"\} \d+$/m);
    expect(metrics).toMatch(/^# TYPE sluice_udp_drops_total counter$/m);

    const json = async (path: string) => JSON.parse((await get(path)).text) as unknown;
    expect(await json('/api/udp/routers')).toEqual([
      {
        entryPoints: ['myudp'],
        service: 'backend-echo-udp-0@kubernetescrd',
        status: 'enabled',
        using: ['myudp'],
        name: 'backend-echo-udp-0@kubernetescrd',
        provider: 'kubernetescrd',
      },
    ]);
    expect(await json('/api/udp/services/backend-echo-udp-0@kubernetescrd')).toMatchObject({
      loadBalancer: { servers: [{ address: expect.stringMatching(/^127.0.0.1:\d+$/) as string }] },
      status: 'enabled',
      usedBy: ['backend-echo-udp-0@kubernetescrd'],
      type: 'loadbalancer',
    });
    expect(await json('/api/tcp/routers')).toMatchObject([{ rule: 'HostSNI(`*`)', priority: -1 }]);
    expect(await json('/api/overview')).toMatchObject({
      udp: { routers: { total: 1, warnings: 0, errors: 0 }, services: { total: 1 } },
      tcp: { routers: { total: 1 } },
      features: { metrics: 'Prometheus', accessLog: false },
      providers: ['KubernetesCRD'],
    });
    expect(await json('/api/entrypoints/myudp')).toMatchObject({ udp: { timeout: '3s' }, name: 'myudp' });
    expect(Object.keys((await json('/api/rawdata')) as object)).toEqual([
      'tcpRouters',
      'tcpServices',
      'udpRouters',
      'udpServices',
    ]);
    expect(await get('/api/udp/routers/none')).toMatchObject({
      status: 404,
      text: '{"message":"router not found: none"}',
    });
    expect((await get('/api/udp/routers?page=7')).status).toBe(400);
    expect((await get('/api/udp/routers?per_page=1')).headers.get('x-next-page')).toBe('1');
    expect((await get('/api/udp/middlewares')).status).toBe(404);
    expect(await json('/api/udp/routers?search=nothing')).toEqual([]);
  });

  it('opens and shuts entry points one by one, and leaves the others alone', async () => {
    const { runtime, portOf } = await startRuntime(await backend());
    const port = portOf('myudp');
    const more = ['--entrypoints.extra.address=127.0.0.1:0/udp', ...guideArguments];
    await runtime.reload(configure(...more));
    expect(portOf('myudp')).toBe(port);
    expect(portOf('extra')).toBeGreaterThan(0);
    expect(await ask(port, 'still')).toBe('a:still');
    await runtime.reload(configure(...guideArguments.filter((text) => !text.includes('mytcp'))));
    expect([...runtime.entryPoints.keys()]).toEqual(['myudp']);
    expect(await ask(port, 'still')).toBe('a:still');
  });

  it('goes on where it listens while the new address is taken, says so, and stays ready', async () => {
    const { runtime, portOf, get, logged } = await startRuntime(await backend());
    const port = portOf('myudp');
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const wanted = taken.address().port;
    const moved = guideArguments.map((text) =>
      text.startsWith('--entrypoints.myudp.') ? `--entrypoints.myudp.address=127.0.0.1:${wanted}/udp` : text,
    );
    await runtime.reload(configure(...moved));
    const told = `entrypoint myudp cannot listen on 127.0.0.1:${wanted}/udp: the port is in use; it goes on at 127.0.0.1:${port}/udp`;
    expect(logged).toContain(told);
    expect(await ask(port, 'still')).toBe('a:still');
    expect(await get('/readyz')).toMatchObject({ status: 200, text: `ok\n${told}\n` });
  });

  it('refuses to start when a port is taken, and says which', async () => {
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const words = [`--entrypoints.a.address=127.0.0.1:${taken.address().port}/udp`];
    await expect(startRuntime(await backend(), words)).rejects.toThrow(
      /entrypoint a cannot listen .* in use/,
    );
  });

  it('on stop says so to its probes, lets connections end, and then is gone', async () => {
    const words = [...guideArguments, '--entrypoints.mytcp.transport.lifecycle.gracetimeout=20s'];
    const { runtime, portOf, get, logged } = await startRuntime(await backend(), words);
    const socket = connect(portOf('mytcp'), '127.0.0.1');
    socket.write('x');
    await once(socket, 'data');
    const stopped = runtime.stop();
    expect(await get('/ping')).toMatchObject({ status: 503 });
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      text: expect.stringContaining('terminating') as string,
    });
    socket.write('y');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toBe('y');
    socket.end();
    await stopped;
    expect(logged.at(-1)).toBe('stopped; connections and sessions cut short: 0');
    await expect(get('/ping')).rejects.toThrow();
  });

  it('goes on with the last known endpoints while the API is gone, says so, and follows when it is back', async () => {
    const store = await backend();
    const { runtime, portOf, get, server, remote } = await startRuntime(store, guideArguments, true);
    expect(await ask(portOf('myudp'), 'before')).toBe('a:before');
    await server?.kill();
    await expect.poll(() => remote?.stale.length ?? 0).toBeGreaterThan(0);
    expect(await ask(portOf('myudp'), 'without')).toBe('a:without');
    const ready = await get('/readyz');
    expect(ready.status).toBe(200);
    expect(ready.text).toMatch(/stale: \w+ since .*ECONNREFUSED/);
    expect((await get('/metrics')).text).toMatch(/^sluice_api_stale_seconds\{resource="\w+"\} /m);

    const other = await udpEcho('b:');
    await store.modify(endpointSlices as ResourceType, 'backend', 'echo-udp', (slice) => ({
      ...slice,
      ports: sliceFor('UDP', other).ports,
    }));
    await server?.revive();
    await runtime.controller.until(
      ({ udp: [decision] }) =>
        decision?.kind === 'forward' && decision.route.services[0]?.endpoints[0]?.port === other,
    );
    expect(await ask(portOf('myudp'), 'after')).toBe('b:after');
    await expect.poll(() => get('/readyz').then(({ text }) => text)).toBe('ok\n');
  });

  it('opens the listener of a Gateway when it comes, says so in its status, and shuts it when it goes', async () => {
    const store = await backend();
    for (const type of gatewayTypes) store.types.add(type);
    const { portOf } = await startRuntime(store, [...guideArguments, '--providers.kubernetesgateway']);
    const apiVersion = 'gateway.networking.k8s.io/v1';
    const create = (type: (typeof gatewayTypes)[number] | undefined, object: object) =>
      type && store.create(type, { apiVersion, ...object } as KubeObject);
    const [classes, gateways, udpRoutes] = gatewayTypes;
    const metadata = { name: 'gw', namespace: 'backend' };
    await create(classes, {
      kind: 'GatewayClass',
      metadata: { name: 'sluice' },
      spec: { controllerName: 'sluice.dev/gateway-controller' },
    });
    await create(gateways, {
      kind: 'Gateway',
      metadata,
      spec: {
        gatewayClassName: 'sluice',
        listeners: [{ name: 'u', port: await freePort(), protocol: 'UDP' }],
      },
    });
    await create(udpRoutes, {
      kind: 'UDPRoute',
      metadata,
      spec: { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs: [{ name: 'echo-udp', port: 4444 }] }] },
    });
    await expect.poll(() => portOf('gateway-backend-gw-u'), { timeout: 10_000 }).toBeGreaterThan(0);
    expect(await ask(portOf('gateway-backend-gw-u'), 'gateway')).toBe('a:gateway');
    const programmed = async () => {
      const status = (await store.get(gateways as ResourceType, 'backend', 'gw')).status as
        | { conditions: { type: string; status: string }[] }
        | undefined;
      return status?.conditions.find(({ type }) => type === 'Programmed')?.status;
    };
    await expect.poll(programmed, { timeout: 10_000 }).toBe('True');
    await store.delete(gateways as ResourceType, 'backend', 'gw');
    await expect.poll(() => portOf('gateway-backend-gw-u'), { timeout: 10_000 }).toBe(0);
    expect(await ask(portOf('myudp'), 'still')).toBe('a:still');
  });

  it('follows an API that comes back without its state, and again when it fills', async () => {
    const store = await backend();
    const { runtime, portOf, server } = await startRuntime(store, guideArguments, true);
    const isForwarded = () => runtime.controller.routing.table.udp[0]?.kind === 'forward';
    await server?.kill();
    expect(await ask(portOf('myudp'), 'without')).toBe('a:without');
    const other = createStore();
    onTestFinished(() => other.close());
    await server?.revive(other);
    await expect.poll(isForwarded, { timeout: 20_000 }).toBe(false);
    await other.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'backend' } });
    for (const [type, object] of objectsFor('UDP', await udpEcho('c:'))) await other.create(type, object);
    await expect.poll(isForwarded, { timeout: 20_000 }).toBe(true);
    expect(await ask(portOf('myudp'), 'hello')).toBe('c:hello');
  });

  it('misses nothing when every watch is cut again and again', async () => {
    const store = await backend();
    const { runtime, server } = await startRuntime(store, guideArguments, true);
    for (let port = 5001; port <= 5010; port++) {
      await store.modify(endpointSlices as ResourceType, 'backend', 'echo-udp', (slice) => ({
        ...slice,
        ports: sliceFor('UDP', port).ports,
      }));
      server?.cut();
      await runtime.controller.until(
        ({ udp: [decision] }) =>
          decision?.kind === 'forward' && decision.route.services[0]?.endpoints[0]?.port === port,
      );
    }
    expect(runtime.controller.routing.findings).toEqual([]);
  });

  it('writes statuses and Events in one of two replicas, while both route, and in the other when that one goes', async () => {
    const store = await backend();
    await store.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'sluice' } });
    const clock = new ManualClock();
    const start = (identity: string) =>
      startRuntime(store, guideArguments, true, { namespace: 'sluice', identity, clock });
    const one = await start('one');
    const leads = async ({ get }: typeof one) => (await get('/metrics')).text.includes('\nsluice_leader 1\n');
    while (!(await leads(one))) await clock.advance(2_500);
    const two = await start('two');
    const follows = ({ logged }: typeof one) =>
      logged.some((text) => text.endsWith(': one writes statuses and Events'));
    while (!follows(two)) await clock.advance(2_500);
    const stateOf = async () => {
      const { status } = await store.get(ingressRouteUdps, 'backend', 'echo-udp');
      return (status as { state?: string } | undefined)?.state;
    };
    while ((await stateOf()) !== 'Programmed') await pause();
    expect([await leads(one), await leads(two)]).toEqual([true, false]);
    expect([await ask(one.portOf('myudp'), 'x'), await ask(two.portOf('myudp'), 'x')]).toEqual([
      'a:x',
      'a:x',
    ]);
    const told = (await store.list(events)).items.map(({ count, reason }) => `${reason} ${count}`);
    expect(told).toEqual(['Programmed 1', 'Programmed 1']);

    await one.runtime.stop();
    while (!(await leads(two))) await clock.advance(2_500);
    await store.delete(endpointSlices, 'backend', 'echo-udp');
    while ((await stateOf()) !== 'NoEndpoints') await pause();
    // What the first one had said is not said again.
    const reasons = (await store.list(events)).items.map(({ count, reason }) => `${reason} ${count}`);
    expect(reasons.toSorted()).toEqual(['NoEndpoints 1', 'Programmed 1', 'Programmed 1']);
  });

  it('says that it writes whoever else does, where there is no pod to hold a Lease for', async () => {
    const { logged, get } = await startRuntime(await backend());
    expect(logged).toContain('statuses and Events are written, whether or not other replicas write them');
    expect((await get('/metrics')).text).toMatch(/^sluice_leader 1$/m);
  });
});

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
