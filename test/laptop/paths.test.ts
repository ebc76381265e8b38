import { describe, expect, it } from 'vitest';
import { compileUdpRoutes, type EntryPoint } from '../../src/ingress/index.ts';
import type { EndpointSlice, IngressRouteUDP, Pod, Service } from '../../src/kubernetes/index.ts';
import { brokenHop, tracePaths } from '../../src/laptop/paths.ts';
import { echoRoute, echoSlice, entryPoint } from '../ingress/fixtures.ts';

const ingressService: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'traefik', namespace: 'traefik' },
  spec: {
    type: 'NodePort',
    ports: [{ name: 'myudp', port: 9998, targetPort: 'myudp', protocol: 'UDP', nodePort: 30998 }],
  },
};

const echoService: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'echo', namespace: 'backend' },
  spec: { ports: [{ name: 'udp', port: 4444, protocol: 'UDP' }], selector: { app: 'echo' } },
};

const pod = (name: string, labels: Record<string, string>, isReady: boolean): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'backend', labels },
  spec: { containers: [{ name: 'main', image: 'demo' }] },
  status: {
    phase: isReady ? 'Running' : 'Pending',
    conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
    containerStatuses: [
      {
        name: 'main',
        image: 'demo',
        ready: isReady,
        restartCount: 0,
        state: isReady
          ? { running: { startedAt: '' } }
          : { waiting: { reason: 'ImagePullBackOff', message: 'no program' } },
      },
    ],
  },
});

const route = (spec: Partial<IngressRouteUDP['spec']> = {}, name = 'echo-route'): IngressRouteUDP => {
  const echo = echoRoute(name);
  return { ...echo, spec: { ...echo.spec, ...spec } };
};

interface World {
  entryPoints?: EntryPoint[];
  routes?: IngressRouteUDP[];
  services?: Service[];
  endpointSlices?: EndpointSlice[];
  pods?: Pod[];
}

function trace(world: World = {}) {
  const entryPoints = world.entryPoints ?? [entryPoint('myudp')];
  const routes = world.routes ?? [route()];
  const services = world.services ?? [ingressService, echoService];
  const endpointSlices = world.endpointSlices ?? [echoSlice('10.244.0.2')];
  const pods = world.pods ?? [pod('echo-1', { app: 'echo' }, true)];
  const routing = compileUdpRoutes({ entryPoints, routes, services, endpointSlices }, 1);
  return tracePaths({ entryPoints, routes, services, pods, routing, ingressService: 'traefik/traefik' });
}

function brokenAt(world: World) {
  const [path] = trace(world);
  const broken = path && brokenHop(path);
  return broken && { hop: broken.name, detail: broken.detail, last: path?.hops.at(-1) === broken };
}

describe('a UDP path', () => {
  it('that is whole shows every hop from the entry point to the endpoints', () => {
    expect(trace()).toEqual([
      {
        route: 'backend/echo-route',
        entryPoint: 'myudp',
        nodePort: 30998,
        services: ['backend/echo'],
        servicePorts: [4444],
        readyPods: 1,
        totalPods: 1,
        hops: [
          { name: 'entry point', isWhole: true, detail: 'myudp :9998/udp' },
          { name: 'node port', isWhole: true, detail: '30998/UDP' },
          { name: 'route', isWhole: true, detail: 'backend-echo-route-0' },
          { name: 'service', isWhole: true, detail: 'backend/echo' },
          { name: 'endpoints', isWhole: true, detail: '10.244.0.2:4444' },
        ],
      },
    ]);
  });

  it('is one per entry point, and one on each where the route names none', () => {
    const entryPoints = [
      entryPoint('myudp'),
      entryPoint('dns', 'udp', { port: 53 }),
      entryPoint('mytcp', 'tcp', { port: 9999 }),
    ];
    expect(
      trace({ entryPoints, routes: [route({ entryPoints: [] })] }).map((path) => path.entryPoint),
    ).toEqual(['myudp', 'dns']);
  });

  it('breaks at an entry point that does not exist', () => {
    expect(brokenAt({ routes: [route({ entryPoints: ['myupd'] })] })).toEqual({
      hop: 'entry point',
      detail: 'entry point "myupd" doesn\'t exist; there are: myudp',
      last: true,
    });
  });

  it('breaks at an entry point that is a TCP one', () => {
    expect(brokenAt({ entryPoints: [entryPoint('myudp', 'tcp')] })?.detail).toBe(
      'entry point "myudp" is a TCP entry point: declare its address with /udp',
    );
  });

  it('breaks at the node port when the chart exposes none for the entry point', () => {
    const bare = { ...ingressService, spec: { ...ingressService.spec, ports: [] } };
    expect(brokenAt({ services: [bare, echoService] })).toMatchObject({ hop: 'node port', last: true });
  });

  it('breaks at the route when an older one holds the entry point', () => {
    const routes = [route({}, 'b-route'), route({}, 'a-route')];
    const [shadowed, holder] = trace({ routes });
    expect(holder && brokenHop(holder)).toBeUndefined();
    expect(shadowed && brokenHop(shadowed)).toMatchObject({ name: 'route', isWhole: false });
  });

  it('breaks at a Service that does not exist', () => {
    const routes = [route({ routes: [{ services: [{ name: 'ecko', port: 4444 }] }] })];
    expect(brokenAt({ routes })).toMatchObject({ hop: 'service', detail: 'Service backend/ecko not found' });
  });

  it('breaks at a route that names no service', () => {
    expect(brokenAt({ routes: [route({ routes: [{}] })] })).toMatchObject({
      hop: 'service',
      detail: 'the route names no service',
    });
  });

  it('breaks at the endpoints when the selector matches no pod, and shows the labels that are there', () => {
    const misspelt = { ...echoService, spec: { ...echoService.spec, selector: { app: 'ecko' } } };
    expect(brokenAt({ services: [ingressService, misspelt], endpointSlices: [] })).toMatchObject({
      hop: 'endpoints',
      detail: expect.stringContaining(
        'its selector app=ecko matches no pod; the pods there carry app=echo',
      ) as string,
    });
  });

  it('breaks at the endpoints when no pod is ready, and says why the pods are not', () => {
    expect(brokenAt({ endpointSlices: [], pods: [pod('echo-1', { app: 'echo' }, false)] })).toMatchObject({
      hop: 'endpoints',
      detail: expect.stringContaining(
        '1 pods match and none is ready (echo-1: ImagePullBackOff: no program)',
      ) as string,
    });
  });

  it('breaks at the endpoints when the target port is no UDP port of ready pods', () => {
    expect(brokenAt({ endpointSlices: [] })?.detail).toContain(
      'its targetPort names no UDP port of the pods',
    );
  });
});
