/**
 * The faults that were found in Traefik's UDP path (read in its source, or measured), each from objects to datagrams, and what
 * sluice does instead. One `describe` each. Faults of its TCP path are in test/dataplane/tcp/defects.test.ts.
 */

import { networkInterfaces } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NamedEndpoints } from '../../../src/ingress/serve/named-endpoints.ts';
import { engines } from '../../dataplane/udp/engines.ts';
import {
  type Backend,
  countersOf,
  eventually,
  type Place,
  startBackend,
  startClient,
  startEngine,
  unaccounted,
} from '../../dataplane/udp/support.ts';
import { backend, outcomeOf, udpRoute } from './traefik-world.ts';

const udpPort = '[{ name: myapp, port: 8000, protocol: UDP }]';
const toApp = '[{ name: app, port: 8000 }]';

/** The Service with the backends as its endpoints: a slice for each, as each has a port of its own. */
function serviceOf(backends: readonly Place[], name = 'app'): string {
  const slices = backends.map(({ address, port }, index) =>
    sliceOf(`${name}-${index}`, name, address, `[{ name: myapp, port: ${port}, protocol: UDP }]`),
  );
  return `
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { ports: ${udpPort} }
${slices.join('')}`;
}

function sliceOf(slice: string, service: string, address: string, ports: string): string {
  return `
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${slice}, namespace: default, labels: { kubernetes.io/service-name: ${service} } }
addressType: IPv4
endpoints: [{ addresses: ["${address}"], conditions: { ready: true } }]
ports: ${ports}
`;
}

const perSession = 'annotations: { sluice.dev/balance: session }';
const routeTo = (services = toApp, metadata = '') => udpRoute('r', services, { metadata });

/** An engine that serves entry point `foo` as the objects say. */
async function serve(
  options: (typeof engines)[number],
  yaml: string,
  entryPoint: { idleTimeoutMs?: number; maxSessions?: number } = {},
  address = '127.0.0.1',
) {
  const engine = await startEngine({ ...options, workers: 1 });
  const apply = (text: string) => engine.apply(outcomeOf(text).routing.table);
  await apply(yaml);
  const listener = { kind: 'address', address, port: 0 } as const;
  const [place] = await engine.open({ name: 'foo', idleTimeoutMs: 60_000, ...entryPoint }, [listener]);
  if (!place) throw new Error('nothing was bound');
  return { engine, apply, place, counters: () => countersOf(engine, 'foo') };
}

/** Answers with its name, and notes who asked. */
async function named(name: string) {
  const askers = new Set<number>();
  const started = await startBackend({ answer: () => Buffer.from(name) });
  started.socket.on('message', (_datagram, { port }) => askers.add(port));
  return { ...started, askers };
}

async function stopped(): Promise<Backend> {
  const started = await startBackend();
  await started.stop();
  return started;
}

describe.each(engines)('defects of Traefik, over the $engine engine', (options) => {
  describe('1: the handler of the last route lives on when the route is gone or broken', () => {
    it.each([
      ['the route is deleted', () => '', 'no_route'],
      ['its Service is deleted', () => routeTo(), 'no_service'],
      [
        'its Service has no such port any more',
        (app: string) => `${app}${routeTo('[{ name: app, port: 1 }]')}`,
        'no_service',
      ],
      ['its Service has no endpoints any more', () => `${serviceOf([])}${routeTo()}`, 'no_endpoints'],
    ] as const)('%s: its datagrams stop at once, for that reason', async (_what, changed, reason) => {
      const old = await named('old');
      const app = serviceOf([old]);
      const { apply, place, counters } = await serve(options, `${app}${routeTo()}`);
      const client = await startClient(place);
      expect(String(await client.ask('x'))).toBe('old');
      await apply(changed(app));
      client.send('y');
      await eventually(() => counters().drops[reason] === 1);
      expect(old.received).toHaveLength(1);
    });
  });

  describe('2: sessions that ended live on, and take newer ones of their client with them', () => {
    it('a client that an unreachable endpoint refused stays where it went next, with one port towards it', async () => {
      const [dead, live] = [await stopped(), await named('live')];
      const yaml = `${serviceOf([dead, live])}${routeTo(toApp, perSession)}`;
      const { place, counters } = await serve(options, yaml, { idleTimeoutMs: 300 });
      // Others come and go meanwhile: at least four timeouts pass.
      const client = await startClient(place);
      for (let round = 1; round <= 4; round++) {
        await (await startClient(place)).ask('passing');
        while (counters().sessionsExpired < round) {
          expect(String(await client.ask('x'))).toBe('live');
        }
      }
      const others = 4;
      expect(live.askers.size).toBeLessThanOrEqual(1 + others);
      expect(counters().sessionsOpened).toBe(1 + others);
      expect(unaccounted(counters()).requests).toBe(0);
    });
  });

  describe('3: the first datagram is lost where reaching the endpoint takes long', () => {
    it('names are looked up before the datagrams, and a session begins with its first one', async () => {
      const app = await named('app');
      const engine = await startEngine({ ...options, workers: 1 });
      let answer = (_addresses: string[]) => {};
      const names = new NamedEndpoints({
        engine,
        lookup: () => new Promise((resolve) => (answer = resolve)),
        log: { info() {}, warn() {}, error() {} },
      });
      onTestFinished(() => names.stop());
      const external = `
---
apiVersion: v1
kind: Service
metadata: { name: app, namespace: default }
spec: { type: ExternalName, externalName: slow.test, ports: [{ name: x, port: ${app.port}, protocol: UDP }] }
`;
      const route = routeTo(`[{ name: app, port: ${app.port} }]`);
      await names.apply(outcomeOf(`${external}${route}`, { allowExternalNameServices: true }).routing.table);
      const listener = { kind: 'address', address: '127.0.0.1', port: 0 } as const;
      const [place] = await engine.open({ name: 'foo', idleTimeoutMs: 20 }, [listener]);
      answer(['127.0.0.1']);
      await eventually(() => countersOf(engine, 'foo').endpoints.length === 1);
      for (let index = 0; index < 5; index++) {
        expect(String(await (await startClient(place!)).ask('first'))).toBe('app');
      }
      expect(app.received).toHaveLength(5);
    });
  });

  describe('4: empty datagrams are dropped, both ways', () => {
    it('an empty datagram arrives, and so does an empty answer', async () => {
      const echo = await startBackend();
      const { place, counters } = await serve(options, `${serviceOf([echo])}${routeTo()}`);
      expect(await (await startClient(place)).ask('')).toHaveLength(0);
      expect(echo.received.map(({ length }) => length)).toEqual([0]);
      await eventually(() => counters().datagramsOut === 1);
    });
  });

  describe('5: answers leave from another address than the one that was sent to', () => {
    const addresses = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ family }) => family === 'IPv4')
      .map(({ address }) => address);

    it(`on each of the ${addresses.length} addresses of this machine the answer comes from there`, async () => {
      const echo = await startBackend();
      const { place } = await serve(options, `${serviceOf([echo])}${routeTo()}`, {}, '0.0.0.0');
      for (const address of addresses) {
        const client = await startClient({ address, port: place.port }, address);
        await client.ask('x');
        expect(client.replies[0]?.from).toEqual({ address, port: place.port });
      }
    });
  });

  describe('6: a client stays with an endpoint that is gone for as long as it sends', () => {
    it('its next datagram goes to another once the endpoint has left, though that one never said a word', async () => {
      const silent = await startBackend({ answer: () => undefined });
      const live = await named('live');
      const both = `${serviceOf([silent])}${routeTo(toApp, perSession)}`;
      const { apply, place, counters } = await serve(options, both);
      const client = await startClient(place);
      client.send('into the dark');
      await eventually(() => silent.received.length === 1);
      await apply(`${serviceOf([live])}${routeTo(toApp, perSession)}`);
      expect(String(await client.ask('x'))).toBe('live');
      expect(counters().sessionsOpened).toBe(1);
    });
  });

  describe('7: whatever error of one send ends the whole session, or the entry point', () => {
    it('a datagram that is too large to send is dropped, and the session goes on', async () => {
      const echo = await startBackend({ answer: () => Buffer.from('answer') });
      const metadata = 'annotations: { sluice.dev/balance: session, sluice.dev/client-address: proxy-v2 }';
      const { place, counters } = await serve(options, `${serviceOf([echo])}${routeTo(toApp, metadata)}`);
      const client = await startClient(place);
      await client.ask('x');
      // With the header in front of it no datagram can hold it.
      client.send(Buffer.alloc(65_500));
      await eventually(() => counters().datagramsIn === 2);
      expect(String(await client.ask('y'))).toBe('answer');
      expect(counters()).toMatchObject({ sessionsOpened: 1, sessions: 1, datagramsForwarded: 2 });
      expect(unaccounted(counters()).requests).toBe(0);
    });

    it('clients that are gone when their answers come take nothing from the others', async () => {
      const late: (() => void)[] = [];
      const slow = await startBackend({ answer: () => undefined });
      slow.socket.on('message', (datagram, { port, address }) =>
        late.push(() => slow.socket.send(datagram, port, address)),
      );
      const { place, counters } = await serve(options, `${serviceOf([slow])}${routeTo()}`);
      const gone = await Promise.all(Array.from({ length: 5 }, () => startClient(place)));
      for (const client of gone) client.send('x');
      await eventually(() => late.length === 5);
      for (const { socket } of gone) socket.close();
      for (const answer of late) answer();
      await eventually(() => counters().repliesIn === 5);
      const client = await startClient(place);
      client.send('still here');
      await eventually(() => late.length === 6);
      late[5]?.();
      await client.received(1);
      expect(String(client.replies[0]?.payload)).toBe('still here');
    });
  });

  describe('8: nothing bounds sessions, so that made-up sources use up memory and descriptors', () => {
    it('sessions stay within their limit, and the flood pushes out itself rather than who is established', async () => {
      const echo = await startBackend();
      const { place, counters } = await serve(options, `${serviceOf([echo])}${routeTo()}`, {
        maxSessions: 10,
      });
      const client = await startClient(place);
      for (let count = 0; count < 3; count++) await client.ask('x');
      for (let source = 0; source < 50; source++) {
        await (await startClient(place)).ask('flood');
        expect(counters().sessions).toBeLessThanOrEqual(10);
      }
      await client.ask('still the same session');
      expect(counters()).toMatchObject({ sessionsOpened: 51, sessions: 10 });
    });
  });

  describe('9: endpoints are told apart by address alone, and ports by number alone', () => {
    it('two endpoints of one address, each with a port of its own, both get their share', async () => {
      const [one, two] = [await startBackend(), await startBackend()];
      const { place } = await serve(options, `${serviceOf([one, two])}${routeTo()}`);
      const client = await startClient(place);
      for (let count = 0; count < 10; count++) await client.ask('x');
      expect([one.received.length, two.received.length]).toEqual([5, 5]);
    });

    it('of a TCP and a UDP port of one number the UDP one is meant, whichever comes first', async () => {
      const [right, wrong] = [await named('UDP'), await named('TCP')];
      const ports = '[{ name: t, port: 53, protocol: TCP }, { name: u, port: 53, protocol: UDP }]';
      const slicePorts = `[{ name: t, port: ${wrong.port}, protocol: TCP }, { name: u, port: ${right.port}, protocol: UDP }]`;
      const dns = backend('dns', { ports, addresses: ['127.0.0.1'], slicePorts });
      const { place } = await serve(options, `${dns}${routeTo('[{ name: dns, port: 53 }]')}`);
      expect(String(await (await startClient(place)).ask('x'))).toBe('UDP');
    });
  });
});
