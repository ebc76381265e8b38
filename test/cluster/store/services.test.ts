import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStore, type Store } from '../../../src/cluster/index.ts';
import { type Service, type ServicePort, services } from '../../../src/kubernetes/index.ts';
import { service } from '../objects.ts';

const nodePortService = (name: string, ports: ServicePort[]) => service(name, { type: 'NodePort', ports });

async function change(store: Store, name: string, spec: Partial<Service['spec']>): Promise<Service> {
  return store.modify(services, 'default', name, (current) => ({
    ...current,
    spec: { ...current.spec, ...spec },
  }));
}

describe('a Service', () => {
  it('is stored with the defaults of a real cluster', async () => {
    const store = createStore();
    const bare = service('echo', { ports: [{ port: 4444 }] });
    const { spec, status } = await store.create(services, bare);
    expect(spec).toEqual({
      clusterIP: expect.stringMatching(/^10\.(9[6-9]|10\d|11[01])\.\d+\.\d+$/),
      clusterIPs: [spec.clusterIP],
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ port: 4444, protocol: 'TCP', targetPort: 4444 }],
      selector: { app: 'echo' },
      sessionAffinity: 'None',
      type: 'ClusterIP',
    });
    expect(status).toEqual({ loadBalancer: {} });
    const sticky = await store.create(
      services,
      service('sticky', { sessionAffinity: 'ClientIP', type: 'NodePort' }),
    );
    expect(sticky.spec).toMatchObject({
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
      externalTrafficPolicy: 'Cluster',
    });
    const headless = await store.create(services, service('headless', { clusterIP: 'None', ports: [] }));
    expect(headless.spec).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'] });
    const external = await store.create(
      services,
      service('external', { type: 'ExternalName', externalName: 'example.com', ports: [] }),
    );
    expect(external.spec).not.toHaveProperty('clusterIP');
  });

  it('keeps its address and node ports when an update leaves them out', async () => {
    const store = createStore();
    const created = await store.create(services, nodePortService('echo', [{ port: 1, protocol: 'UDP' }]));
    const updated = await store.update(services, nodePortService('echo', [{ port: 1, protocol: 'UDP' }]));
    expect(updated.spec).toEqual(created.spec);
    expect(updated.spec.ports?.[0]?.nodePort).toBeGreaterThanOrEqual(30_086);
  });

  it('frees its node port when it is deleted or becomes a ClusterIP', async () => {
    const store = createStore();
    const wanted = [{ port: 1, nodePort: 30_998 }];
    await store.create(services, nodePortService('first', wanted));
    const narrowed = await change(store, 'first', { type: 'ClusterIP' });
    expect(narrowed.spec.ports).toEqual([{ port: 1, protocol: 'TCP', targetPort: 1 }]);
    await store.create(services, nodePortService('second', wanted));
    await store.delete(services, 'default', 'second');
    await store.create(services, nodePortService('third', wanted));
  });

  it('shares a node port between the protocols of one port, with nobody else', async () => {
    const store = createStore();
    const dns = await store.create(
      services,
      nodePortService('dns', [
        { name: 'udp', port: 53, protocol: 'UDP' },
        { name: 'tcp', port: 53, protocol: 'TCP' },
      ]),
    );
    const [udp, tcp] = dns.spec.ports ?? [];
    expect(udp?.nodePort).toBe(tcp?.nodePort);
    const other = nodePortService('other', [{ port: 9, protocol: 'SCTP', nodePort: udp?.nodePort ?? 0 }]);
    await expect(store.create(services, other)).rejects.toThrow('provided port is already allocated');
  });

  it.each<[string, Partial<Service['spec']>, string]>([
    [
      'a node port out of range',
      { type: 'NodePort', ports: [{ port: 1, nodePort: 80 }] },
      'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    ],
    [
      'a node port on a ClusterIP',
      { ports: [{ port: 1, nodePort: 30_998 }] },
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    [
      'a protocol in small letters',
      { ports: [{ port: 1, protocol: 'udp' as 'UDP' }] },
      'spec.ports[0].protocol: Unsupported value: "udp": supported values: "SCTP", "TCP", "UDP"',
    ],
    [
      'several ports without names',
      { ports: [{ port: 1 }, { port: 2 }] },
      '[spec.ports[0].name: Required value, spec.ports[1].name: Required value]',
    ],
    [
      'the same port twice',
      {
        ports: [
          { name: 'a', port: 53, protocol: 'UDP' },
          { name: 'b', port: 53, protocol: 'UDP' },
        ],
      },
      'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"UDP","AppProtocol":null,"Port":53,"TargetPort":0,"NodePort":0}',
    ],
    ['no ports', { ports: [] }, 'spec.ports: Required value'],
    [
      'a port of 0',
      { ports: [{ port: 0, targetPort: 1 }] },
      'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    ],
    [
      'a target name too long',
      { ports: [{ port: 1, targetPort: 'a-name-far-too-long' }] },
      'spec.ports[0].targetPort: Invalid value: "a-name-far-too-long": must be no more than 15 characters',
    ],
    [
      'an address outside the range',
      { clusterIP: '192.168.1.1' },
      'spec.clusterIPs: Invalid value: ["192.168.1.1"]: failed to allocate IP 192.168.1.1: the provided IP (192.168.1.1) is not in the valid range. The range of valid IPs is 10.96.0.0/12',
    ],
    ['an ExternalName without a name', { type: 'ExternalName' }, 'spec.externalName: Required value'],
  ])('is refused with %s', async (_, spec, message) => {
    const attempt = createStore().create(services, service('echo', spec));
    await expect(attempt).rejects.toMatchObject({
      reason: 'Invalid',
      code: 422,
      message: `Service "echo" is invalid: ${message}`,
    });
  });

  it('may not change its address, nor take another one’s', async () => {
    const store = createStore();
    await store.create(services, service('echo', { clusterIP: '10.96.0.10' }));
    await expect(store.create(services, service('other', { clusterIP: '10.96.0.10' }))).rejects.toThrow(
      'spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    );
    await expect(change(store, 'echo', { clusterIP: '10.96.0.11' })).rejects.toThrow(
      'spec.clusterIPs[0]: Invalid value: ["10.96.0.11"]: may not change once set',
    );
  });

  it('tells each wrong field apart for the API server', async () => {
    const attempt = createStore().create(
      services,
      service('echo', { ports: [{ port: 0, protocol: 'x' as 'UDP' }] }),
    );
    await expect(attempt).rejects.toMatchObject({
      details: {
        name: 'echo',
        kind: 'Service',
        causes: [
          { reason: 'FieldValueInvalid', field: 'spec.ports[0].port' },
          { reason: 'FieldValueNotSupported', field: 'spec.ports[0].protocol' },
          { reason: 'FieldValueInvalid', field: 'spec.ports[0].targetPort' },
        ],
      },
    });
  });
});

describe('node ports', () => {
  it('are never given twice, and all can be given', async () => {
    const store = createStore();
    const ports = Array.from({ length: 100 }, (_, index) => ({ name: `p-${index}`, port: index + 1 }));
    const given = new Set<number>();
    for (let count = 0; count < 27; count++) {
      const { spec } = await store.create(services, nodePortService(`s-${count}`, ports));
      for (const { nodePort } of spec.ports ?? []) given.add(nodePort ?? 0);
    }
    await store.create(services, nodePortService('last', ports.slice(0, 68)));
    expect(given.size).toBe(2700);
    await expect(store.create(services, nodePortService('one-more', [{ port: 1 }]))).rejects.toThrow(
      'failed to allocate a nodePort: range is full',
    );
  });

  it('stay unique through every history of creates, changes and deletions', async () => {
    const nodePort = fc.option(fc.integer({ min: 30_000, max: 30_004 }), { nil: undefined });
    const steps = fc.array(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c'),
        act: fc.constantFrom('put', 'put', 'delete'),
        type: fc.constantFrom('NodePort' as const, 'LoadBalancer' as const, 'ClusterIP' as const),
        nodePorts: fc.array(nodePort, { minLength: 1, maxLength: 3 }),
      }),
      { maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const store = createStore();
        for (const { name, act, type, nodePorts } of history) {
          const ports = nodePorts.map((number, index) => ({
            name: `p-${index}`,
            port: index + 1,
            ...(number === undefined ? {} : { nodePort: number }),
          }));
          const write = async () => {
            if (act === 'delete') await store.delete(services, 'default', name);
            else if (store.peek(services, 'default', name))
              await store.update(services, service(name, { type, ports }));
            else await store.create(services, service(name, { type, ports }));
          };
          await write().catch(() => undefined);
          const all = store.page(services).items;
          const given = all.flatMap(({ spec }) => spec.ports ?? []).flatMap((port) => port.nodePort ?? []);
          expect(new Set(given).size).toBe(given.length);
          const withPorts = all.filter(({ spec }) => spec.type !== 'ClusterIP');
          for (const { spec } of withPorts) expect(spec.ports?.every((port) => port.nodePort)).toBe(true);
          expect(new Set(all.map(({ spec }) => spec.clusterIP)).size).toBe(all.length);
        }
        // Nothing leaked: once all are gone every port is free again.
        for (const { metadata } of store.page(services).items)
          await store.delete(services, 'default', metadata.name);
        for (const number of [30_000, 30_001, 30_002, 30_003, 30_004]) {
          await store.create(services, nodePortService(`probe-${number}`, [{ port: 1, nodePort: number }]));
        }
      }),
      { numRuns: 100 },
    );
  });
});
