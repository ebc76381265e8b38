import { execFile, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createServiceDns, createStore } from '../../../src/cluster/index.ts';
import { readQuery } from '../../../src/cluster/network/dns/message.ts';
import { type EndpointSlice, endpointSlices, type Service, services } from '../../../src/kubernetes/index.ts';

function service(name: string, spec: Service['spec']): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec };
}

function slice(name: string, count: number): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [
      ...Array.from({ length: count }, (_, index) => ({
        addresses: [`10.244.0.${index + 2}`],
        conditions: { ready: true },
      })),
      { addresses: ['10.244.9.9'], conditions: { ready: false } },
    ],
    ports: [],
  };
}

async function start() {
  const store = createStore();
  const dns = createServiceDns({
    api: store,
    address: '127.0.0.1',
    port: 0,
    onError: (error) => {
      throw error;
    },
  });
  const port = await dns.start();
  onTestFinished(() => dns.stop());
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  return { store, port, resolver };
}

const ports = [{ name: 'echo', port: 4444, protocol: 'UDP' as const }];

describe("the cluster's name server", () => {
  it("gives a Service's address", async () => {
    const { store, resolver } = await start();
    const { spec } = await store.create(services, service('echo', { ports }));
    expect(await resolver.resolve4('echo.default.svc.cluster.local')).toEqual([spec.clusterIP]);
    expect(await resolver.resolve4('ECHO.Default.svc.cluster.local')).toEqual([spec.clusterIP]);
  });

  it('gives the ready endpoints of a headless Service, each first in its turn', async () => {
    const { store, resolver } = await start();
    await store.create(services, service('echo', { clusterIP: 'None', ports }));
    await store.create(endpointSlices, slice('echo', 3));
    const answers = [];
    for (let index = 0; index < 3; index++)
      answers.push(await resolver.resolve4('echo.default.svc.cluster.local'));
    for (const answer of answers)
      expect([...answer].sort()).toEqual(['10.244.0.2', '10.244.0.3', '10.244.0.4']);
    expect(new Set(answers.map(([first]) => first)).size).toBe(3);
  });

  it('gives as many as fit where there are more than a plain answer holds', async () => {
    const { store, port } = await start();
    await store.create(services, service('echo', { clusterIP: 'None', ports }));
    await store.create(endpointSlices, slice('echo', 100));
    const socket = createSocket('udp4');
    onTestFinished(() => {
      socket.close();
    });
    const answer = once(socket, 'message');
    socket.send(query('echo.default.svc.cluster.local', 1), port, '127.0.0.1');
    const [message] = (await answer) as [Buffer];
    expect(message.length).toBeLessThanOrEqual(512);
    expect(message.readUInt16BE(6)).toBeGreaterThan(20);
  });

  it('gives ports by name, other names by name, and pods by address', async () => {
    const { store, resolver } = await start();
    await store.create(services, service('echo', { ports }));
    await store.create(services, service('elsewhere', { type: 'ExternalName', externalName: 'example.com' }));
    expect(await resolver.resolveSrv('_echo._udp.echo.default.svc.cluster.local')).toMatchObject([
      { name: 'echo.default.svc.cluster.local', port: 4444, priority: 0, weight: 100 },
    ]);
    expect(await resolver.resolveCname('elsewhere.default.svc.cluster.local')).toEqual(['example.com']);
    expect(await resolver.resolve4('10-244-0-2.default.pod.cluster.local')).toEqual(['10.244.0.2']);
  });

  it('follows what is created and deleted', async () => {
    const { store, resolver } = await start();
    const name = 'echo.default.svc.cluster.local';
    await expect(resolver.resolve4(name)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await store.create(services, service('echo', { ports }));
    await expect.poll(() => resolver.resolve4(name).catch(() => [])).toHaveLength(1);
    await store.delete(services, 'default', 'echo');
    await expect.poll(() => resolver.resolve4(name).catch(({ code }) => code)).toBe('ENOTFOUND');
  });

  it('tells a name without such a record from a name that is not there, and refuses names of others', async () => {
    const { store, resolver } = await start();
    await store.create(services, service('echo', { ports }));
    await expect(resolver.resolve6('echo.default.svc.cluster.local')).rejects.toMatchObject({
      code: 'ENODATA',
    });
    await expect(resolver.resolve4('svc.cluster.local')).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(resolver.resolve4('_x._udp.echo.default.svc.cluster.local')).rejects.toMatchObject({
      code: 'ENOTFOUND',
    });
    await expect(resolver.resolve4('example.com')).rejects.toMatchObject({ code: 'EREFUSED' });
  });

  it('does not answer what is no question', async () => {
    const { store, port, resolver } = await start();
    await store.create(services, service('echo', { ports }));
    const socket = createSocket('udp4');
    onTestFinished(() => {
      socket.close();
    });
    let answers = 0;
    socket.on('message', () => answers++);
    const response = query('echo.default.svc.cluster.local', 1);
    response.writeUInt16BE(0x8000, 2);
    for (const message of [Buffer.alloc(0), Buffer.alloc(11), response])
      socket.send(message, port, '127.0.0.1');
    await resolver.resolve4('echo.default.svc.cluster.local');
    expect(answers).toBe(0);
  });
});

describe('reading a query', () => {
  it('never throws, whatever came', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        readQuery(Buffer.from(bytes));
      }),
    );
  });

  it('never throws where the beginning is right', () => {
    const start = query('echo.default.svc.cluster.local', 1).subarray(0, 12);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        readQuery(Buffer.concat([start, Buffer.from(bytes)]));
      }),
    );
  });
});

const hasDig = spawnSync('dig', ['-v']).error === undefined;

describe.skipIf(!hasDig)('asked by dig (needs dig)', () => {
  it('is understood, and says how long a missing name may be remembered', async () => {
    const { store, port } = await start();
    const { spec } = await store.create(services, service('echo', { ports }));
    const dig = async (name: string) => {
      const { stdout } = await promisify(execFile)('dig', [
        '@127.0.0.1',
        '-p',
        String(port),
        '+noall',
        '+answer',
        '+authority',
        '+comments',
        name,
      ]);
      return stdout;
    };
    expect(await dig('echo.default.svc.cluster.local')).toMatch(
      new RegExp(`IN\\s+A\\s+${spec.clusterIP}\\s*$`),
    );
    const missing = await dig('absent.default.svc.cluster.local');
    expect(missing).toContain('status: NXDOMAIN');
    expect(missing).toMatch(/cluster\.local\.\s+5\s+IN\s+SOA\s+ns\.dns\.cluster\.local\./);
    expect(missing).not.toContain('malformed');
  });
});

/** A query for one name, as a plain client sends it. */
function query(name: string, type: number): Buffer {
  const labels = name
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const header = Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, type, 0, 1])]);
}
