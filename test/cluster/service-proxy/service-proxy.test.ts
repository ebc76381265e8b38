import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createServiceProxy, createStore } from '../../../src/cluster/index.ts';
import { createTcpEngine, createUdpEngine } from '../../../src/dataplane/index.ts';
import { type EndpointSlice, endpointSlices, type Service, services } from '../../../src/kubernetes/index.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function udpServer(name: string): Promise<number> {
  const socket = createSocket('udp4');
  endings.push(() => socket.close());
  socket.on('message', (payload, sender) =>
    socket.send(`${name}: ${String(payload)}`, sender.port, sender.address),
  );
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

async function tcpServer(): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  endings.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const service = (nodePort?: number): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'echo', namespace: 'default' },
  spec: {
    type: 'NodePort',
    ports: [
      { name: 'udp', port: 4444, protocol: 'UDP', ...(nodePort === undefined ? {} : { nodePort }) },
      { name: 'tcp', port: 4444, protocol: 'TCP' },
    ],
  },
});

const slice = (udpPort: number, tcpPort: number): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'echo-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'echo' } },
  addressType: 'IPv4',
  ports: [
    { name: 'udp', port: udpPort, protocol: 'UDP' },
    { name: 'tcp', port: tcpPort, protocol: 'TCP' },
  ],
  endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
});

/** The node ports are asked for by number and given on free ports of this machine. */
async function start() {
  const store = createStore();
  const given = { udp: new Map<number, Socket>(), tcp: new Map<number, Server>() };
  const errors: string[] = [];
  const refused = new Set<number>();
  const udpEngine = await createUdpEngine({ engine: 'dgram' });
  const tcpEngine = createTcpEngine();
  const proxy = createServiceProxy({
    api: store,
    udpEngine,
    tcpEngine,
    hasClusterAddresses: false,
    log: { error: (_, message) => errors.push(message) },
    bindNodePort: {
      async udp(port) {
        if (refused.has(port)) throw new Error('the port is taken');
        const socket = createSocket('udp4');
        socket.bind(0, '127.0.0.1');
        await once(socket, 'listening');
        given.udp.set(port, socket);
        return socket;
      },
      async tcp(port) {
        const server = createServer({ pauseOnConnect: true });
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        given.tcp.set(port, server);
        return server;
      },
    },
  });
  await proxy.start();
  endings.push(async () => {
    await proxy.stop();
    await Promise.all([udpEngine.close(), tcpEngine.close()]);
    await store.close();
  });
  return { store, proxy, given, errors, refused };
}

async function ask(port: number, text: string): Promise<string> {
  const client = createSocket('udp4');
  endings.push(() => client.close());
  client.connect(port, '127.0.0.1');
  await once(client, 'connect');
  const answer = once(client, 'message');
  client.send(text);
  return String(((await answer) as [Buffer])[0]);
}

describe('the service proxy', () => {
  it('answers at the node ports of a Service, UDP and TCP', async () => {
    const { store, proxy, given } = await start();
    await store.create(services, service());
    await store.create(endpointSlices, slice(await udpServer('one'), await tcpServer()));
    await proxy.settled();
    const [udpSocket] = given.udp.values();
    expect(await ask(udpSocket?.address().port ?? 0, 'hello')).toBe('one: hello');
    const [tcpListener] = given.tcp.values();
    const place = tcpListener?.address() as AddressInfo | undefined;
    const connection = connect(place?.port ?? 0, '127.0.0.1');
    // The end of the test may reset it.
    connection.on('error', () => undefined);
    endings.push(() => connection.destroy());
    const echoed = once(connection, 'data');
    connection.write('hello');
    expect(String(((await echoed) as [Buffer])[0])).toBe('hello');
  });

  it('follows the endpoints without opening the port anew', async () => {
    const { store, proxy, given } = await start();
    await store.create(services, service());
    const created = await store.create(endpointSlices, slice(await udpServer('one'), 1));
    await proxy.settled();
    const [first] = given.udp.values();
    const port = first?.address().port ?? 0;
    expect(await ask(port, 'a')).toBe('one: a');
    const moved = slice(await udpServer('two'), 1);
    await store.update(endpointSlices, { ...created, ports: moved.ports });
    await proxy.settled();
    expect(await ask(port, 'b')).toBe('two: b');
    expect(given.udp.size).toBe(1);
  });

  it('lets a port go with its Service, and takes another when the Service moves', async () => {
    const { store, proxy, given } = await start();
    const created = await store.create(services, service(30_444));
    await proxy.settled();
    const [tcpPort] = created.spec.ports?.slice(1) ?? [];
    const ports = [
      { name: 'udp', port: 4444, protocol: 'UDP' as const, nodePort: 30_445 },
      ...(tcpPort ? [tcpPort] : []),
    ];
    await store.update(services, { ...created, spec: { ...created.spec, ports } });
    await proxy.settled();
    expect([...given.udp.keys()]).toEqual([30_444, 30_445]);
    expect(() => given.udp.get(30_444)?.address()).toThrow();
    await store.delete(services, 'default', 'echo');
    await proxy.settled();
    expect(() => given.udp.get(30_445)?.address()).toThrow();
  });

  it('says which Service is not answered when a port is taken, and answers the others', async () => {
    const { store, proxy, given, errors, refused } = await start();
    refused.add(30_444);
    await store.create(services, service(30_444));
    await store.create(services, { ...service(30_446), metadata: { name: 'other', namespace: 'default' } });
    await proxy.settled();
    expect(errors.join('\n')).toContain('Service default/echo:4444/UDP is not answered at node port 30444');
    expect([...given.udp.keys()]).toEqual([30_446]);
  });
});
