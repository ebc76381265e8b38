import { describe, expect, it } from 'vitest';
import {
  deployments,
  ingressRouteUdps,
  mergeApplied,
  type Service,
  services,
} from '../../../src/kubernetes/index.ts';

const service = (spec: Service['spec'], more: object = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'echo', namespace: 'backend' },
  spec,
  ...more,
});

describe('mergeApplied', () => {
  const previous = service({
    ports: [{ port: 4444, protocol: 'UDP' }, { port: 80 }],
    selector: { app: 'echo' },
  });
  const live = service(
    {
      clusterIP: '10.96.0.7',
      ports: [
        { port: 4444, protocol: 'UDP', nodePort: 30444 },
        { port: 80, protocol: 'TCP', nodePort: 30080 },
        { port: 9, protocol: 'TCP' },
      ],
      selector: { app: 'echo' },
    },
    { status: { loadBalancer: {} } },
  );

  it('keeps what the cluster allocated and what others added, and removes what is wanted no longer', () => {
    const wanted = service({
      ports: [{ port: 4444, protocol: 'UDP', name: 'udp' }],
      selector: { app: 'other' },
    });
    expect(mergeApplied({ previous, live, wanted, type: services })).toEqual(
      service(
        {
          clusterIP: '10.96.0.7',
          ports: [
            { port: 4444, protocol: 'UDP', nodePort: 30444, name: 'udp' },
            { port: 9, protocol: 'TCP' },
          ],
          selector: { app: 'other' },
        },
        { status: { loadBalancer: {} } },
      ),
    );
  });

  it('removes nothing the first time', () => {
    const wanted = service({ selector: { app: 'echo' } });
    expect(mergeApplied({ previous: undefined, live, wanted, type: services })).toEqual(live);
  });

  it('shares nothing with what it was given', () => {
    const merged = mergeApplied({ previous, live, wanted: previous, type: services });
    merged.spec.ports?.forEach((port) => {
      port.port = 1;
    });
    expect([live.spec.ports?.[0]?.port, previous.spec.ports?.[0]?.port]).toEqual([4444, 4444]);
  });

  it('drops the parameters of a strategy that is replaced by another', () => {
    const base = { apiVersion: 'apps/v1', kind: 'Deployment' as const, metadata: { name: 'echo' } };
    const spec = { selector: {}, template: { spec: { containers: [] } } };
    const merged = mergeApplied({
      previous: undefined,
      live: {
        ...base,
        spec: { ...spec, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
      },
      wanted: { ...base, spec: { ...spec, strategy: { type: 'Recreate' } } },
      type: deployments,
    });
    expect(merged.spec.strategy).toEqual({ type: 'Recreate' });
  });

  it("replaces a custom resource's lists whole", () => {
    const route = (services: { name: string; port: number }[]) => ({
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'IngressRouteUDP' as const,
      metadata: { name: 'echo' },
      spec: { routes: [{ services }] },
    });
    const merged = mergeApplied({
      previous: undefined,
      live: route([{ name: 'a', port: 1 }]),
      wanted: route([{ name: 'b', port: 2 }]),
      type: ingressRouteUdps,
    });
    expect(merged).toEqual(route([{ name: 'b', port: 2 }]));
  });
});
