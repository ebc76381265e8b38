import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createStore, type Store } from '../../../src/cluster/index.ts';
import { createIngressController, RoutingState } from '../../../src/ingress/index.ts';
import { createEventWriter } from '../../../src/ingress/status/event-writer.ts';
import { createRouteReporter } from '../../../src/ingress/status/route-reporter.ts';
import { createStatusWriter } from '../../../src/ingress/status/status-writer.ts';
import {
  ApiError,
  type Condition,
  endpointSlices,
  events,
  type IngressRouteUDP,
  ingressRouteUdps,
  type KubeObject,
  namespaces,
  type ObjectApi,
  type ResourceType,
  services,
  typeOf,
} from '../../../src/kubernetes/index.ts';
import { backend, outcomeOf, tcpRoute } from '../conformance/traefik-world.ts';
import { echoRoute, echoService, echoSlice, entryPoint } from '../fixtures.ts';

function objectsOf(yaml: string): [string, KubeObject][] {
  return parseAllDocuments(yaml).flatMap((document): [string, KubeObject][] => {
    const object = document.toJS() as KubeObject | null;
    const type = object && typeOf(object);
    return object && type ? [[type.plural, object]] : [];
  });
}

async function world(...routes: IngressRouteUDP[]) {
  let clock = Date.parse('2026-01-01T00:00:00Z');
  const now = () => {
    clock += 1000;
    return new Date(clock);
  };
  const store = createStore({ now });
  onTestFinished(() => store.close());
  await store.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'backend' } });
  await store.create(services, structuredClone(echoService));
  await store.create(endpointSlices, structuredClone(echoSlice('10.0.0.1', '10.0.0.2')));
  for (const one of routes) await store.create(ingressRouteUdps, structuredClone(one));
  return store;
}

async function report(store: Store, api: ObjectApi = store) {
  const controller = createIngressController({
    api: store,
    engine: { apply: () => Promise.resolve() },
    log: { info() {}, warn() {}, error() {} },
    entryPoints: [entryPoint('myudp')],
  });
  onTestFinished(() => controller.stop());
  const errors: string[] = [];
  const statuses = createStatusWriter({
    api,
    spreadMs: 0,
    onError: (_type, error) => errors.push(String(error)),
  });
  const recorder = createEventWriter({ api, onError: (error) => errors.push(String(error)) });
  const reporter = createRouteReporter({
    statuses,
    events: recorder,
    now: () => new Date('2026-02-01T00:00:00.5Z'),
  });
  await controller.start();
  const tell = async () => {
    reporter(controller.routing);
    await statuses.flush();
    await recorder.flush();
  };
  const statusOf = async (name: string) =>
    (await store.get(ingressRouteUdps, 'backend', name)).status as {
      conditions: Condition[];
      state: string;
      endpoints: number;
      entryPoints: unknown;
    };
  const eventTexts = async () =>
    (await store.list(events)).items.map(
      ({ type, reason, message, involvedObject, count }) =>
        `${type} ${reason} ${involvedObject.name} ${count}: ${message}`,
    );
  await tell();
  return { controller, tell, statusOf, eventTexts, errors };
}

describe('the status of a route', () => {
  it('says where it is served and by how many endpoints', async () => {
    const { statusOf, eventTexts } = await report(await world(echoRoute('a')));
    const { conditions, ...rest } = await statusOf('a');
    expect(rest).toEqual({
      state: 'Programmed',
      endpoints: 2,
      entryPoints: [{ name: 'myudp', programmed: true }],
    });
    expect(conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`)).toEqual([
      'Accepted=True Accepted',
      'ResolvedRefs=True ResolvedRefs',
      'Programmed=True Programmed',
    ]);
    expect(conditions[0]).toMatchObject({
      lastTransitionTime: '2026-02-01T00:00:00Z',
      observedGeneration: 1,
    });
    expect(await eventTexts()).toEqual(['Normal Programmed a 1: served on entry point myudp']);
  });

  it('names the route that holds the entry point instead', async () => {
    const { statusOf, eventTexts } = await report(await world(echoRoute('a'), echoRoute('b')));
    expect(await statusOf('b')).toMatchObject({
      state: 'Shadowed',
      entryPoints: [{ name: 'myudp', programmed: false, heldBy: 'backend-a-0' }],
    });
    expect(await eventTexts()).toContainEqual(
      expect.stringMatching(/^Warning Shadowed b 1: SL3105: .*backend-a-0/),
    );
  });

  it.each([
    ['a missing Service', echoRoute('a', { to: 'nothing' }), 'ServiceNotFound', 'ResolvedRefs'],
    ['a missing entry point', echoRoute('a', { entryPoints: ['typo'] }), 'NoEntryPoint', 'Accepted'],
  ])('names %s', async (_what, broken, state, type) => {
    const { statusOf, eventTexts } = await report(await world(broken));
    const status = await statusOf('a');
    expect(status.state).toBe(state);
    expect(status.conditions.find((one) => one.type === type)).toMatchObject({
      status: 'False',
      message: expect.stringMatching(/^SL310\d: /) as string,
    });
    expect(await eventTexts()).toHaveLength(1);
  });

  it('is written once, and again only when it changes, with the time of the change', async () => {
    const store = await world(echoRoute('a'));
    const { controller, tell, statusOf } = await report(store);
    const { writes } = store.counters;
    await tell();
    await tell();
    expect(store.counters.writes).toBe(writes);
    await store.modify(endpointSlices, 'backend', 'echo-1', (current) => ({ ...current, endpoints: [] }));
    await controller.until(({ udp: [decision] }) => decision?.kind === 'drop');
    await tell();
    expect(await statusOf('a')).toMatchObject({ state: 'NoEndpoints', endpoints: 0 });
    const versions = store.counters.writes;
    await tell();
    expect(store.counters.writes).toBe(versions);
  });

  it('is written three times in half a minute at most, then again with what is newest', async () => {
    const store = await world(echoRoute('a'));
    let clockMs = 0;
    const written: string[] = [];
    const api: ObjectApi = Object.assign(Object.create(store) as ObjectApi, {
      updateStatus(_type: unknown, object: IngressRouteUDP) {
        written.push(String((object.status as { state: string }).state));
        return Promise.resolve(object);
      },
    });
    const statuses = createStatusWriter({ api, spreadMs: 0, onError() {}, now: () => clockMs });
    for (let number = 1; number <= 5; number++) {
      statuses.offer(ingressRouteUdps as ResourceType, echoRoute('a'), { state: String(number) });
      if (number <= 3) await statuses.flush();
    }
    expect(written).toEqual(['1', '2', '3']);
    clockMs = 31_000;
    await statuses.flush();
    expect(written).toEqual(['1', '2', '3', '5']);
  });

  it('is given up, with one word, where the resource has none or it may not be written', async () => {
    for (const refusal of [
      new ApiError('NotFound', 'the server could not find the requested resource'),
      new ApiError('Forbidden', 'not yours'),
    ]) {
      const store = await world(echoRoute('a'), echoRoute('b', { to: 'nothing' }));
      const api: ObjectApi = Object.assign(Object.create(store) as ObjectApi, {
        get: store.get.bind(store),
        list: store.list.bind(store),
        create: store.create.bind(store),
        update: store.update.bind(store),
        updateStatus: () => Promise.reject(refusal),
      });
      const { errors, eventTexts } = await report(store, api);
      expect(errors).toEqual([String(refusal)]);
      expect((await eventTexts()).length).toBeGreaterThan(1);
    }
  });
});

describe('an Event', () => {
  it('is not written again for what the status says already, by a replica that takes over', async () => {
    const store = await world(echoRoute('a'), echoRoute('b', { to: 'nothing' }));
    await report(store);
    const { eventTexts } = await report(store);
    expect((await eventTexts()).toSorted()).toEqual([
      'Normal Programmed a 1: served on entry point myudp',
      'Warning ServiceNotFound b 1: SL3102: Service backend/nothing not found',
      expect.stringMatching(/^Warning Shadowed b 1: SL3105: /),
    ]);
  });

  it('comes to a route that did not change itself, when another takes what it had', async () => {
    const recorded: string[] = [];
    const reporter = createRouteReporter({
      statuses: { offer() {}, flush: () => Promise.resolve(), stop() {} },
      events: {
        record: ({ metadata }, _type, reason) => void recorded.push(`${metadata.name} ${reason}`),
        flush: () => Promise.resolve(),
        stop() {},
      },
    });
    const young = tcpRoute('young', 'HostSNI(`a.b`)', { tls: '{ passthrough: true }' });
    const all = tcpRoute('first', 'HostSNI(`*`)', { tls: '{ passthrough: true }', route: 'priority: 99' });
    const app = backend('whoamitcp', {
      ports: '[{ name: x, port: 8000 }]',
      slicePorts: '[{ name: x, port: 8000 }]',
    });
    const state = new RoutingState();
    state.setEntryPoints(outcomeOf('').routing.entryPoints);
    for (const [kind, object] of objectsOf(`${app}${young}`)) state.apply(kind, { type: 'ADDED', object });
    reporter(state.compile());
    expect(recorded).toEqual(['young Programmed']);
    for (const [kind, object] of objectsOf(all)) state.apply(kind, { type: 'ADDED', object });
    reporter(state.compile());
    expect(recorded).toEqual(['young Programmed', 'first Programmed', 'young Shadowed']);
  });

  it('that comes again is counted, not repeated', async () => {
    const store = await world(echoRoute('a', { to: 'nothing' }));
    await report(store);
    const { eventTexts } = await report(store);
    expect(await eventTexts()).toEqual([
      expect.stringMatching(/^Warning ServiceNotFound a \d: SL3102: Service backend\/nothing not found$/),
    ]);
  });

  it('is dropped past the budget of its object', async () => {
    const store = await world();
    const writer = createEventWriter({
      api: store,
      onError() {},
      now: () => new Date('2026-01-01T00:00:00Z'),
    });
    for (let number = 0; number < 100; number++)
      writer.record(echoRoute('a'), 'Warning', 'Test', `fault ${number}`);
    await writer.flush();
    expect((await store.list(events)).items).toHaveLength(25);
  });
});
