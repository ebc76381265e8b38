import { describe, expect, it } from 'vitest';
import { readUdpAnnotations } from '../../../src/ingress/routing/udp-annotations.ts';
import { backend, outcomeOf, udpRoute } from '../conformance/traefik-world.ts';

const annotated = (annotations: Record<string, string>) => ({
  apiVersion: 'traefik.io/v1alpha1',
  kind: 'IngressRouteUDP',
  metadata: { name: 'r', namespace: 'default', annotations },
});
const read = (name: string, text: string) => readUdpAnnotations(annotated({ [`sluice.dev/${name}`]: text }));

describe('the annotations of a UDP route', () => {
  it.each([
    ['balance', 'source', { balance: 'source' }],
    ['responses', '1', { responses: 1 }],
    ['allow', '10.0.0.0/8, 2001:db8::1', { allow: ['10.0.0.0/8', '2001:db8::1'] }],
    ['deny', '192.0.2.1', { deny: ['192.0.2.1'] }],
    ['rate', '100', { rate: { datagramsPerSecond: 100 } }],
    ['rate', '0.5:20', { rate: { datagramsPerSecond: 0.5, burst: 20 } }],
    ['rate-per-client', '10:50', { ratePerClient: { datagramsPerSecond: 10, burst: 50 } }],
    ['max-datagram-bytes', '1400', { maxDatagramBytes: 1400 }],
    ['max-amplification', '3', { maxAmplification: 3 }],
    ['idle-timeout', '1m30s', { idleTimeoutMs: 90_000 }],
    ['idle-timeout', '30', { idleTimeoutMs: 30_000 }],
    ['client-address', 'proxy-v2', { clientAddress: 'proxy-v2' }],
    ['client-address', ' transparent ', { clientAddress: 'transparent' }],
  ])('%s: %j is read', (name, text, settings) => {
    expect(read(name, text)).toEqual({ settings, problems: [], refusal: undefined });
  });

  it.each([
    ['responses', '0'],
    ['responses', '1.5'],
    ['allow', ''],
    ['allow', '10.0.0.0/8,,'],
    ['allow', '10.0.0.0/33'],
    ['deny', 'example.com'],
    ['rate', '0'],
    ['rate', '0.0'],
    ['rate', '-1'],
    ['rate', '100:0'],
    ['rate', 'fast'],
    ['rate-per-client', '10/s'],
    ['max-datagram-bytes', '1k'],
    ['max-amplification', ''],
    ['idle-timeout', '0s'],
    ['idle-timeout', 'never'],
    ['client-address', 'proxy-v1'],
  ])('%s: %j refuses the route, and the message says what it may be', (name, text) => {
    const { settings, problems, refusal } = read(name, text);
    expect(settings).toEqual({});
    expect(problems).toMatchObject([{ code: 'SL3110', severity: 'error' }]);
    expect(refusal).toMatch(new RegExp(`^sluice.dev/${name} is ".*"; it m(ust|ay) be `));
  });

  it('of another balance is a warning: each of them reaches the right endpoints', () => {
    expect(read('balance', 'random')).toMatchObject({
      settings: {},
      problems: [{ code: 'SL3109', severity: 'warning' }],
      refusal: undefined,
    });
  });

  it.each([
    ['alow', 'sluice.dev/alow means nothing; did you mean sluice.dev/allow?'],
    ['ratePerClient', 'sluice.dev/ratePerClient means nothing; did you mean sluice.dev/rate-per-client?'],
    ['constructor', 'sluice.dev/constructor means nothing'],
  ])('named %s are passed over with a warning', (name, message) => {
    expect(read(name, 'x').problems).toMatchObject([{ code: 'SL3111', severity: 'warning', message }]);
  });

  it('of others are theirs', () => {
    expect(readUdpAnnotations(annotated({ 'example.com/allow': 'x' })).problems).toEqual([]);
  });
});

describe('a UDP route with annotations', () => {
  const app = backend('app');
  const toApp = '[{ name: app, port: 8000 }]';
  const outcome = (annotations: string) =>
    outcomeOf(`${app}${udpRoute('r', toApp, { metadata: `annotations: { ${annotations} }` })}`);

  it('hands them to the data plane', () => {
    const { routing } = outcome(
      'sluice.dev/rate: "5", sluice.dev/allow: 10.0.0.0/8, sluice.dev/balance: session',
    );
    expect(routing.findings).toEqual([]);
    expect(routing.table.udp[0]).toMatchObject({
      kind: 'forward',
      route: { rate: { datagramsPerSecond: 5 }, allow: ['10.0.0.0/8'], balance: 'session' },
    });
  });

  it('is refused, keeps its entry point and says why, where one cannot be understood', () => {
    const { routing, holders, findings } = outcome('sluice.dev/allow: everybody');
    expect(holders).toMatchObject({ foo: 'route_invalid' });
    expect(routing.table.udp[0]).toMatchObject({ detail: expect.stringContaining('everybody') as string });
    expect(findings).toEqual([
      expect.stringMatching(/^SL3110 default\/r: sluice.dev\/allow is "everybody"; /),
    ]);
    expect(routing.findings[0]?.path).toEqual(['metadata', 'annotations', 'sluice.dev/allow']);
  });

  it('says it once, however many rules it has', () => {
    const routes = `[{ services: ${toApp} }, { services: ${toApp} }]`;
    const metadata = 'annotations: { sluice.dev/rate: none }';
    const { findings } = outcomeOf(`${app}${udpRoute('r', toApp, { routes, metadata })}`);
    expect(findings.filter((text) => text.startsWith('SL3110'))).toHaveLength(1);
  });
});
