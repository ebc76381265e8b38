import { describe, expect, it } from 'vitest';
import { proxiedPorts, proxyTable } from '../../../src/cluster/service-proxy/service-ports.ts';
import type { EndpointSlice, Service } from '../../../src/kubernetes/index.ts';

const service = (spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'echo', namespace: 'backend' },
  spec: { clusterIP: '10.96.1.2', ...spec },
});

const udp = { name: 'udp', port: 4444, protocol: 'UDP' as const };
const tcp = { name: 'tcp', port: 4444, protocol: 'TCP' as const, nodePort: 30444 };

const slice = (isReady: boolean): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'echo-1', namespace: 'backend', labels: { 'kubernetes.io/service-name': 'echo' } },
  addressType: 'IPv4',
  ports: [
    { name: 'udp', port: 5555, protocol: 'UDP' },
    { name: 'tcp', port: 6666, protocol: 'TCP' },
  ],
  endpoints: [{ addresses: ['10.244.0.2'], conditions: { ready: isReady } }],
});

describe('the ports that a node answers at', () => {
  it('are one per Service port and protocol, with the endpoints of that port', () => {
    const ports = proxiedPorts([service({ ports: [udp, tcp] })], [slice(true)], true);
    expect(ports).toEqual([
      {
        name: 'backend/echo:4444/UDP',
        service: 'backend/echo',
        protocol: 'UDP',
        clusterIp: '10.96.1.2',
        port: 4444,
        hasClientAffinity: false,
        endpoints: [{ address: '10.244.0.2', port: 5555, state: 'ready' }],
      },
      {
        name: 'backend/echo:4444/TCP',
        service: 'backend/echo',
        protocol: 'TCP',
        clusterIp: '10.96.1.2',
        port: 4444,
        nodePort: 30444,
        hasClientAffinity: false,
        endpoints: [{ address: '10.244.0.2', port: 6666, state: 'ready' }],
      },
    ]);
  });

  it('leave out ExternalName Services, headless ones and SCTP', () => {
    const none = [
      service({ type: 'ExternalName', externalName: 'example.com', ports: [udp] }),
      service({ clusterIP: 'None', ports: [udp] }),
      service({ ports: [{ port: 1, protocol: 'SCTP' }] }),
    ];
    expect(proxiedPorts(none, [], true)).toEqual([]);
  });

  it('are the node ports alone where cluster IPs cannot be listened on', () => {
    const ports = proxiedPorts([service({ ports: [udp, tcp] })], [], false);
    expect(ports).toMatchObject([{ protocol: 'TCP', nodePort: 30444 }]);
    expect(ports[0]).not.toHaveProperty('clusterIp');
  });

  it('keep a flow with its endpoint, or a client where the Service asks for it', () => {
    const affine = service({ sessionAffinity: 'ClientIP', ports: [udp, tcp] });
    const of = (one: Service) => proxyTable(proxiedPorts([one], [slice(true)], true), 1);
    expect(of(service({ ports: [udp, tcp] }))).toMatchObject({
      udp: [{ kind: 'forward', route: { balance: 'session' } }],
      tcp: [{ routes: [{ balance: 'connection' }] }],
    });
    expect(of(affine)).toMatchObject({
      udp: [{ kind: 'forward', route: { balance: 'source' } }],
      tcp: [{ routes: [{ balance: 'source' }] }],
    });
  });

  it('drop and refuse by name where no endpoint is ready', () => {
    const table = proxyTable(proxiedPorts([service({ ports: [udp, tcp] })], [slice(false)], true), 1);
    expect(table.udp).toMatchObject([{ kind: 'drop', reason: 'no_endpoints' }]);
    expect(table.tcp).toMatchObject([{ routes: [{ refusal: { reason: 'no_endpoints' } }] }]);
  });
});
