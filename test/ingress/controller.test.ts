import { describe, expect, it, onTestFinished } from 'vitest';
import { createStore } from '../../src/cluster/index.ts';
import type { RouteTable } from '../../src/dataplane/index.ts';
import { createIngressController, type IngressControllerOptions } from '../../src/ingress/index.ts';
import {
  ApiError,
  endpointSlices,
  type IngressRouteTCP,
  ingressRouteTcps,
  ingressRouteUdps,
  type KubeObject,
  namespaces,
  type ObjectApi,
  type ResourceType,
  secrets,
  services,
} from '../../src/kubernetes/index.ts';
import { echoRoute, echoService, echoSlice, entryPoint } from './fixtures.ts';

const entryPoints = [entryPoint('myudp', 'udp'), entryPoint('mytcp', 'tcp')];

const udpRoute = echoRoute('echo', { labels: { team: 'a' } });
const tlsRoute: IngressRouteTCP = {
  apiVersion: 'traefik.io/v1alpha1',
  kind: 'IngressRouteTCP',
  metadata: { name: 'tls', namespace: 'backend' },
  spec: {
    entryPoints: ['mytcp'],
    routes: [{ match: 'HostSNI(`*`)', services: [{ name: 'echo', port: 4444 }] }],
    tls: { secretName: 'missing' },
  },
};

async function world(objects: readonly [ResourceType, KubeObject][] = []) {
  const store = createStore();
  onTestFinished(() => store.close());
  for (const name of ['backend', 'other']) {
    await store.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  for (const [type, object] of objects) await store.create(type, structuredClone(object));
  return store;
}

const guide: [ResourceType, KubeObject][] = [
  [services as ResourceType, echoService],
  [endpointSlices as ResourceType, echoSlice('10.0.0.1')],
  [ingressRouteUdps as ResourceType, udpRoute],
];

function control(api: ObjectApi, over: Partial<IngressControllerOptions> = {}) {
  const applied: RouteTable[] = [];
  const logged: string[] = [];
  const write = (_fields: unknown, text?: string) => void logged.push(text ?? '');
  const engine = {
    apply(table: RouteTable) {
      applied.push(table);
      return Promise.resolve();
    },
  };
  const log = { info: write, warn: write, error: write };
  const controller = createIngressController({
    api,
    engine,
    log,
    entryPoints,
    ...over,
  } as IngressControllerOptions);
  onTestFinished(() => controller.stop());
  const addresses = ({ udp }: RouteTable) =>
    udp.flatMap((decision) =>
      decision.kind === 'forward'
        ? decision.route.services.flatMap(({ endpoints }) => endpoints.map(({ address }) => address))
        : [],
    );
  return { controller, applied, logged, engine, addresses };
}

describe('the ingress controller', () => {
  it('puts the table of the present objects into force, then follows each change', async () => {
    const store = await world(guide);
    const { controller, addresses, logged } = control(store);
    await controller.start();
    expect(addresses(controller.routing.table)).toEqual(['10.0.0.1']);
    expect(controller.isReady).toBe(true);
    await store.modify(endpointSlices, 'backend', 'echo-1', (current) => ({
      ...current,
      endpoints: echoSlice('10.0.0.7').endpoints,
    }));
    await controller.until((table) => addresses(table)[0] === '10.0.0.7');
    await store.delete(ingressRouteUdps as ResourceType, 'backend', 'echo');
    await controller.until(({ udp }) => udp[0]?.kind === 'drop' && udp[0].reason === 'no_route');
    expect(logged.at(-1)).toContain('drop (no_route)');
  });

  it('makes one table of changes that come together, and none of those that change nothing', async () => {
    const store = await world(guide);
    const { controller, applied, addresses } = control(store);
    await controller.start();
    const before = applied.length;
    for (let number = 2; number < 9; number++) {
      void store.modify(endpointSlices, 'backend', 'echo-1', (current) => ({
        ...current,
        endpoints: echoSlice(`10.0.0.${number}`).endpoints,
      }));
    }
    await controller.until((table) => addresses(table)[0] === '10.0.0.8');
    expect(applied.length).toBe(before + 1);
    await store.modify(services, 'backend', 'echo', (current) => ({
      ...current,
      metadata: { ...current.metadata, annotations: { a: 'b' } },
    }));
    await store.modify(endpointSlices, 'backend', 'echo-1', (current) => ({
      ...current,
      endpoints: echoSlice('10.0.0.9').endpoints,
    }));
    await controller.until((table) => addresses(table)[0] === '10.0.0.9');
    expect(applied.length).toBe(before + 2);
  });

  it('leaves out routes of another class, another namespace or without the label', async () => {
    const cases: [Partial<IngressControllerOptions>, number][] = [
      [{ routing: { ingressClass: 'other' } }, 0],
      [{ routing: { ingressClass: '' } }, 1],
      [{ namespaces: ['other'] }, 0],
      [{ namespaces: ['other', 'backend'] }, 1],
      [{ labelSelector: { matchLabels: { team: 'b' } } }, 0],
      [{ labelSelector: { matchLabels: { team: 'a' } } }, 1],
    ];
    const store = await world(guide);
    for (const [over, expected] of cases) {
      const { controller, addresses } = control(store, over);
      await controller.start();
      expect(addresses(controller.routing.table)).toHaveLength(expected);
    }
  });

  it('reads no Secret until a TLS route needs one, and makes no table before it has', async () => {
    const store = await world(guide);
    const watched: string[] = [];
    const api = new Proxy(store, {
      get(target, name, receiver) {
        if (name !== 'list') return Reflect.get(target, name, receiver) as unknown;
        return (type: ResourceType, ...rest: []) => {
          watched.push(type.plural);
          return target.list(type, ...rest);
        };
      },
    });
    const { controller, applied, engine } = control(api, { tcpEngine: { apply: () => Promise.resolve() } });
    await controller.start();
    expect(watched.sort()).toEqual(['endpointslices', 'ingressroutetcps', 'ingressrouteudps', 'services']);
    const count = applied.length;
    expect(engine).toBeDefined();
    await store.create(ingressRouteTcps, structuredClone(tlsRoute));
    await controller.until(({ tcp }) => tcp?.[0]?.routes.length === 1);
    expect(watched).toContain('secrets');
    expect(applied.length).toBe(count + 1);
    expect(controller.routing.findings.map(({ message }) => message)).toContain(
      'Secret backend/missing not found',
    );
    expect(secrets.plural).toBe('secrets');
  });

  it('goes on where it may not read Secrets: only the route that needs one is refused', async () => {
    const store = await world([...guide, [ingressRouteTcps as ResourceType, tlsRoute]]);
    const api = new Proxy(store, {
      get(target, name, receiver) {
        if (name !== 'list') return Reflect.get(target, name, receiver) as unknown;
        return (type: ResourceType, ...rest: []) =>
          type.plural === 'secrets'
            ? Promise.reject(new ApiError('Forbidden', 'secrets is forbidden'))
            : target.list(type, ...rest);
      },
    });
    const { controller, addresses, logged } = control(api, { tcpEngine: { apply: () => Promise.resolve() } });
    await controller.start();
    expect(addresses(controller.routing.table)).toEqual(['10.0.0.1']);
    expect(controller.routing.table.tcp?.[0]?.routes[0]?.refusal?.reason).toBe('route_invalid');
    expect(logged).toContainEqual(expect.stringContaining('secrets is forbidden'));
  });

  it('goes on without a kind that the API does not serve', async () => {
    const store = await world(guide);
    store.types.remove(ingressRouteTcps as ResourceType);
    const { controller, addresses } = control(store, { tcpEngine: { apply: () => Promise.resolve() } });
    await controller.start();
    expect(addresses(controller.routing.table)).toEqual(['10.0.0.1']);
  });

  it('keeps the table in force when an engine refuses the next, and offers it again', async () => {
    const store = await world(guide);
    let refuse = false;
    const applied: RouteTable[] = [];
    const engine = {
      apply(table: RouteTable) {
        if (refuse) return Promise.reject(new Error('no memory'));
        applied.push(table);
        return Promise.resolve();
      },
    };
    const { controller, logged, addresses } = control(store, { engine });
    await controller.start();
    refuse = true;
    const change = (address: string) =>
      store.modify(endpointSlices, 'backend', 'echo-1', (current) => ({
        ...current,
        endpoints: echoSlice(address).endpoints,
      }));
    await change('10.0.0.2');
    await expect.poll(() => logged.some((text) => text.includes('route table refused'))).toBe(true);
    refuse = false;
    await controller.until((table) => addresses(table)[0] === '10.0.0.2');
    expect(applied.map((table) => addresses(table)[0])).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  it('says where datagrams go once they do, not before', async () => {
    const store = await world(guide);
    const logged: string[] = [];
    const loggedAtApply: string[][] = [];
    const write = (_fields: unknown, text?: string) => void logged.push(text ?? '');
    const engine = {
      async apply() {
        await new Promise(setImmediate);
        loggedAtApply.push([...logged]);
      },
    };
    const { controller } = control(store, { engine, log: { info: write, warn: write, error: write } });
    await controller.start();
    expect(loggedAtApply).toEqual([[]]);
    expect(logged).toEqual([expect.stringContaining('entry point myudp: route backend-echo-0 -> ')]);
  });

  it('takes new entry points into the table', async () => {
    const store = await world(guide);
    const { controller } = control(store);
    await controller.start();
    controller.setEntryPoints([...entryPoints, entryPoint('extra', 'udp')]);
    await controller.until(({ udp }) => udp.some((decision) => decision.entryPoint === 'extra'));
  });
});
