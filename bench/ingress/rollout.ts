/**
 * What clients lose while two replicas of the ingress are replaced one after the other, behind something that does as
 * kube-proxy does: it keeps a client with its replica, learns a second late that one goes, and then moves its clients. Run
 * with `npm run bench:ingress-rollout`.
 */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createStore, type Store } from '../../src/cluster/index.ts';
import { createTcpEngine, createUdpEngine } from '../../src/dataplane/index.ts';
import { createIngressRuntime, type IngressRuntime, readStaticArguments } from '../../src/ingress/index.ts';
import {
  endpointSlices,
  ingressRouteUdps,
  type KubeObject,
  namespaces,
  type ResourceType,
  services,
} from '../../src/kubernetes/index.ts';

const clients = 50;
const intervalMs = 50;
const noticeMs = 1000;
const acceptGrace = '3s';

const pause = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));

async function bound(
  onMessage: (socket: Socket, datagram: Buffer, from: { address: string; port: number }) => void,
) {
  const socket = createSocket('udp4');
  socket.on('message', (datagram, from) => onMessage(socket, datagram, from));
  socket.on('error', () => {});
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

async function objectsIn(store: Store, port: number): Promise<void> {
  const metadata = { name: 'echo', namespace: 'bench' };
  const create = (type: unknown, object: object) => store.create(type as ResourceType, object as KubeObject);
  await create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } });
  await create(services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { clusterIP: 'None', ports: [{ name: 'u', port: 1, protocol: 'UDP' }] },
  });
  await create(endpointSlices, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'echo' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    ports: [{ name: 'u', port, protocol: 'UDP' }],
  });
  await create(ingressRouteUdps, {
    apiVersion: 'traefik.io/v1alpha1',
    kind: 'IngressRouteUDP',
    metadata,
    spec: { entryPoints: ['u'], routes: [{ services: [{ name: 'echo', port: 1 }] }] },
  });
}

async function startReplica(store: Store): Promise<{ runtime: IngressRuntime; port: number }> {
  const position = { file: 'bench', line: 1, column: 1 };
  const words = [
    '--entrypoints.u.address=127.0.0.1:0/udp',
    `--entrypoints.u.transport.lifecycle.requestacceptgracetimeout=${acceptGrace}`,
  ];
  const runtime = createIngressRuntime({
    api: store,
    configuration: readStaticArguments(words.map((text) => ({ text, position }))),
    udpEngine: await createUdpEngine({ engine: 'dgram' }),
    tcpEngine: createTcpEngine(),
    log: { info() {}, warn() {}, error() {} },
    reports: false,
    version: 'bench',
  });
  await runtime.start();
  return { runtime, port: runtime.entryPoints.get('u')?.bound[0]?.port ?? 0 };
}

/** Keeps each client with one replica while that is in the set, and moves it when it is not. */
async function startKubeProxy(replicas: Set<number>) {
  const flows = new Map<number, { replica: number; socket: Socket }>();
  let next = 0;
  const choose = () => [...replicas][next++ % replicas.size] ?? 0;
  const front = await bound((socket, datagram, { port: client }) => {
    const known = flows.get(client);
    if (known) {
      if (!replicas.has(known.replica)) known.replica = choose();
      known.socket.send(datagram, known.replica, '127.0.0.1');
      return;
    }
    const flow = { replica: choose(), socket: createSocket('udp4') };
    flow.socket.on('message', (answer) => socket.send(answer, client, '127.0.0.1'));
    flow.socket.on('error', () => {});
    flows.set(client, flow);
    flow.socket.send(datagram, flow.replica, '127.0.0.1');
  });
  return {
    port: front.address().port,
    close() {
      front.close();
      for (const { socket } of flows.values()) socket.close();
    },
  };
}

async function startClient(port: number) {
  const counts = { sent: 0, answered: 0 };
  const socket = await bound(() => {
    counts.answered++;
  });
  const timer = setInterval(() => {
    counts.sent++;
    socket.send(`datagram ${counts.sent}`, port, '127.0.0.1');
  }, intervalMs);
  return { counts, end: () => clearInterval(timer), close: () => socket.close() };
}

const backend = await bound((socket, datagram, { address, port }) => socket.send(datagram, port, address));
const store = createStore();
await objectsIn(store, backend.address().port);
let running = [await startReplica(store), await startReplica(store)];
const inService = new Set(running.map(({ port }) => port));
const proxy = await startKubeProxy(inService);
const all = await Promise.all(Array.from({ length: clients }, () => startClient(proxy.port)));
await pause(2000);
for (const old of running.slice()) {
  const fresh = await startReplica(store);
  inService.add(fresh.port);
  const stopped = old.runtime.stop();
  await pause(noticeMs);
  inService.delete(old.port);
  await stopped;
  running = [...running.filter((one) => one !== old), fresh];
}
await pause(1000);
for (const client of all) client.end();
await pause(500);
const sent = all.reduce((sum, { counts }) => sum + counts.sent, 0);
const answered = all.reduce((sum, { counts }) => sum + counts.answered, 0);
console.log(
  `${clients} clients, ${sent} datagrams, one each ${intervalMs} ms; two replicas replaced, noticed after ${noticeMs} ms: ${sent - answered} lost`,
);
for (const client of all) client.close();
proxy.close();
for (const { runtime } of running) await runtime.stop();
backend.close();
await store.close();
