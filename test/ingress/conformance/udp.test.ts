/** Traefik's rules for UDP, case by case (its kubernetes_udp.go, its fixtures, its reference of the CRDs). */

import { describe, expect, it } from 'vitest';
import { backend, outcomeOf, udpRoute, usualEntryPoints } from './traefik-world.ts';

const app = backend('whoamiudp');
const one = '[{ name: whoamiudp, port: 8000 }]';

describe('names', () => {
  it.each([
    ['a route', udpRoute('test.route', one), 'default-test.route-0'],
    [
      'another namespace',
      `${backend('whoamiudp', { namespace: 'foo' })}${udpRoute('r', one, { namespace: 'foo' })}`,
      'foo-r-0',
    ],
    ['a generated name', udpRoute('""', one, { metadata: 'generateName: made-' }), 'default-made--0'],
  ])('of %s are <namespace>-<name>-<index>', (_what, yaml, name) => {
    const { udpRouters, udpServices } = outcomeOf(`${app}${yaml}`);
    expect(udpRouters).toEqual([`${name} [enabled] foo -> ${name}`]);
    expect(udpServices).toEqual([`${name} = 10.10.0.1:8000, 10.10.0.2:8000`]);
  });

  it('count the rules of one route', () => {
    const routes = `[{ services: ${one} }, { services: ${one} }]`;
    const { udpRouters } = outcomeOf(`${app}${udpRoute('r', one, { routes })}`);
    expect(udpRouters.map((text) => text.split(' ')[0])).toEqual(['default-r-0', 'default-r-1']);
  });

  it('of the parts of a weighted service end with the Service and the port as written', () => {
    const services = '[{ name: whoamiudp, port: 8000, weight: 3 }, { name: other, port: myapp }]';
    const { udpServices } = outcomeOf(
      `${app}${backend('other', { addresses: ['10.10.0.9'] })}${udpRoute('r', services)}`,
    );
    expect(udpServices).toEqual([
      'default-r-0 = default-r-0-whoamiudp-8000*3, default-r-0-other-myapp*1',
      'default-r-0-whoamiudp-8000 = 10.10.0.1:8000, 10.10.0.2:8000',
      'default-r-0-other-myapp = 10.10.0.9:8000',
    ]);
  });
});

describe('entry points', () => {
  it.each([
    ['one', '[foo]', 'enabled', 'foo', { foo: 'default-r-0', bar: 'no_route' }],
    ['two', '[foo, bar]', 'enabled', 'foo,bar', { foo: 'default-r-0', bar: 'default-r-0' }],
    ['none: every UDP one', '[]', 'enabled', 'foo,bar', { foo: 'default-r-0', bar: 'default-r-0' }],
    ['none at all: every UDP one', 'null', 'enabled', 'foo,bar', { foo: 'default-r-0', bar: 'default-r-0' }],
    [
      'one that exists and one that does not',
      '[foo, nope]',
      'warning',
      'foo',
      { foo: 'default-r-0', bar: 'no_route' },
    ],
    ['only one that does not exist', '[nope]', 'disabled', '', { foo: 'no_route', bar: 'no_route' }],
    ['a TCP one', '[web]', 'disabled', '', { foo: 'no_route', bar: 'no_route' }],
    ['one named twice', '[foo, foo]', 'enabled', 'foo', { foo: 'default-r-0', bar: 'no_route' }],
  ])('named: %s', (_what, entryPoints, status, using, holders) => {
    const outcome = outcomeOf(`${app}${udpRoute('r', one, { entryPoints })}`);
    expect(outcome.udpRouters).toEqual([`default-r-0 [${status}] ${using} -> default-r-0`]);
    expect(outcome.holders).toEqual(holders);
  });

  it('pay no heed to asDefault for UDP', () => {
    const words = [...usualEntryPoints, '--entrypoints.bar.asdefault=true'];
    const { holders } = outcomeOf(`${app}${udpRoute('r', one, { entryPoints: '[]' })}`, {}, words);
    expect(holders).toEqual({ foo: 'default-r-0', bar: 'default-r-0' });
  });

  it('may share a number with a TCP one under another name', () => {
    const words = ['--entrypoints.u.address=:53/udp', '--entrypoints.t.address=:53/tcp'];
    expect(outcomeOf(`${app}${udpRoute('r', one, { entryPoints: '[u]' })}`, {}, words).holders).toEqual({
      u: 'default-r-0',
    });
  });
});

describe('several routes on one entry point', () => {
  const older = 'creationTimestamp: "2026-01-01T00:00:00Z"';
  const newer = 'creationTimestamp: "2026-01-02T00:00:00Z"';
  const two = `${app}${udpRoute('a', one, { metadata: newer })}${udpRoute('b', one, { metadata: older })}`;

  it('the oldest holds it, and the others are told', () => {
    const { holders, udpRouters, findings } = outcomeOf(two);
    expect(holders.foo).toBe('default-b-0');
    expect(udpRouters).toContain('default-a-0 [warning] foo -> default-a-0');
    expect(findings).toEqual([
      'SL3105 default/a: gets no datagrams from entry point foo: route default-b-0 is older and holds it',
    ]);
  });

  it('of one age the first by name holds it', () => {
    expect(outcomeOf(`${app}${udpRoute('z', one)}${udpRoute('y', one)}`).holders.foo).toBe('default-y-0');
  });

  it("with Traefik's order the last by qualified name holds it", () => {
    const conflict = { conflict: 'traefik' } as const;
    expect(outcomeOf(`${app}${udpRoute('a', one)}${udpRoute('b', one)}`, conflict).holders.foo).toBe(
      'default-b-0',
    );
    expect(outcomeOf(two, conflict).holders.foo).toBe('default-b-0');
  });

  it("with Traefik's order rule -9 comes before -10", () => {
    const routes = `[${Array.from({ length: 11 }, () => `{ services: ${one} }`).join(', ')}]`;
    const outcome = outcomeOf(`${app}${udpRoute('r', one, { routes })}`, { conflict: 'traefik' });
    expect(outcome.holders.foo).toBe('default-r-9');
  });

  it("with Traefik's order one that cannot be built gives way to the next", () => {
    const broken = udpRoute('z', '[{ name: nothing, port: 1 }]');
    const outcome = outcomeOf(`${app}${udpRoute('a', one)}${broken}`, { conflict: 'traefik' });
    expect(outcome.holders.foo).toBe('default-a-0');
  });

  it('by age one that is broken keeps its clients rather than hand them to another', () => {
    const broken = udpRoute('a', '[{ name: nothing, port: 1 }]');
    expect(outcomeOf(`${app}${broken}${udpRoute('b', one)}`).holders.foo).toBe('no_service');
  });

  it('a route with two rules conflicts with itself', () => {
    const routes = `[{ services: ${one} }, { services: ${one} }]`;
    const { holders, findings } = outcomeOf(`${app}${udpRoute('r', one, { routes })}`);
    expect(holders.foo).toBe('default-r-0');
    expect(findings).toHaveLength(1);
  });
});

describe('the class of a route', () => {
  const withClass = (name: string) => udpRoute('r', one, { spec: `ingressClassName: ${name}` });
  const annotated = (name: string) =>
    udpRoute('r', one, { metadata: `annotations: { kubernetes.io/ingress.class: "${name}" }` });
  it.each([
    ['no class, none asked for', udpRoute('r', one), '', true],
    ['traefik, none asked for', withClass('traefik'), '', true],
    ['an empty class, none asked for', withClass('""'), '', true],
    ['another, none asked for', withClass('other'), '', false],
    ['the one asked for', withClass('mine'), 'mine', true],
    ['no class, one asked for', udpRoute('r', one), 'mine', false],
    ['traefik, another asked for', withClass('traefik'), 'mine', false],
    ['the annotation', annotated('mine'), 'mine', true],
    ['another by annotation', annotated('other'), '', false],
    ['traefik by annotation', annotated('traefik'), '', true],
  ])('%s', (_what, yaml, ingressClass, isServed) => {
    expect(outcomeOf(`${app}${yaml}`, { ingressClass }).udpRouters).toHaveLength(isServed ? 1 : 0);
  });

  it('in the spec wins over the annotation', () => {
    const yaml = udpRoute('r', one, {
      spec: 'ingressClassName: mine',
      metadata: 'annotations: { kubernetes.io/ingress.class: other }',
    });
    expect(outcomeOf(`${app}${yaml}`, { ingressClass: 'mine' }).udpRouters).toHaveLength(1);
  });
});

describe('ports', () => {
  const ports = '[{ name: a, port: 1000, protocol: UDP }, { name: "7000", port: 2000, protocol: UDP }]';
  const slicePorts = '[{ name: a, port: 11, protocol: UDP }, { name: "7000", port: 22, protocol: UDP }]';
  const named = backend('s', { ports, slicePorts, addresses: ['10.0.0.1'] });
  it.each([
    ['by number', '1000', '10.0.0.1:11'],
    ['by name', 'a', '10.0.0.1:11'],
    ['by a name of digits', '"7000"', '10.0.0.1:22'],
    ['by a number in quotes', '"2000"', '10.0.0.1:22'],
  ])('are found %s', (_what, port, address) => {
    const { udpServices } = outcomeOf(`${named}${udpRoute('r', `[{ name: s, port: ${port} }]`)}`);
    expect(udpServices).toEqual([`default-r-0 = ${address}`]);
  });

  it('that are not there disable the router, with those that are in the message', () => {
    const outcome = outcomeOf(`${named}${udpRoute('r', '[{ name: s, port: 3000 }]')}`);
    expect(outcome.udpRouters).toEqual(['default-r-0 [disabled] foo -> default-r-0']);
    expect(outcome.findings[0]).toMatch(/^SL3103 default\/r: .* has no port 3000; it has: 1000\/UDP \(a\)/);
  });

  const both = (udpFirst: boolean) => {
    const tcp = '{ name: dns-tcp, port: 53, protocol: TCP }';
    const udp = '{ name: dns, port: 53, protocol: UDP }';
    const slice = '[{ name: dns-tcp, port: 5301, protocol: TCP }, { name: dns, port: 5302, protocol: UDP }]';
    return backend('dns', {
      ports: `[${udpFirst ? `${udp}, ${tcp}` : `${tcp}, ${udp}`}]`,
      slicePorts: slice,
      addresses: ['10.0.0.1'],
    });
  };
  it.each([true, false])(
    'of one number mean the UDP one, whichever is listed first (UDP first: %s)',
    (udpFirst) => {
      const { udpServices } = outcomeOf(`${both(udpFirst)}${udpRoute('r', '[{ name: dns, port: 53 }]')}`);
      expect(udpServices).toEqual(['default-r-0 = 10.0.0.1:5302']);
    },
  );

  it('without protocol: UDP are taken all the same, with a warning', () => {
    const plain = backend('p', {
      ports: '[{ name: x, port: 1 }]',
      slicePorts: '[{ name: x, port: 9 }]',
      addresses: ['10.0.0.1'],
    });
    const outcome = outcomeOf(`${plain}${udpRoute('r', '[{ name: p, port: 1 }]')}`);
    expect(outcome.udpRouters).toEqual(['default-r-0 [warning] foo -> default-r-0']);
    expect(outcome.findings).toEqual([expect.stringMatching(/^SL3107 default\/r/)]);
    expect(outcome.udpServices).toEqual(['default-r-0 = 10.0.0.1:9']);
  });
});

describe('endpoints', () => {
  it('of IPv6 are written in brackets', () => {
    const six = backend('six', { addresses: ['fd00::1'], type: 'IPv6' });
    expect(outcomeOf(`${six}${udpRoute('r', '[{ name: six, port: 8000 }]')}`).udpServices).toEqual([
      'default-r-0 = [fd00::1]:8000',
    ]);
  });

  it('that are listed twice count once, and two ports of one address are two', () => {
    const twice = backend('s', { addresses: ['10.0.0.1', '10.0.0.1'] });
    expect(outcomeOf(`${twice}${udpRoute('r', '[{ name: s, port: 8000 }]')}`).udpServices).toEqual([
      'default-r-0 = 10.0.0.1:8000',
    ]);
    const ports = '[{ name: a, port: 1, protocol: UDP }, { name: b, port: 2, protocol: UDP }]';
    const slicePorts = '[{ name: a, port: 11, protocol: UDP }, { name: b, port: 22, protocol: UDP }]';
    const two = backend('s', { ports, slicePorts, addresses: ['10.0.0.1'] });
    const services = '[{ name: s, port: a }, { name: s, port: b }]';
    const { routing } = outcomeOf(`${two}${udpRoute('r', services)}`);
    const [decision] = routing.table.udp;
    expect(
      decision?.kind === 'forward' && decision.route.services.map(({ endpoints }) => endpoints[0]?.port),
    ).toEqual([11, 22]);
  });

  it('that are not ready get nothing', () => {
    const yaml = app.replace(
      '["10.10.0.1"], conditions: { ready: true }',
      '["10.10.0.1"], conditions: { ready: false }',
    );
    expect(outcomeOf(`${yaml}${udpRoute('r', one)}`).udpServices).toEqual(['default-r-0 = 10.10.0.2:8000']);
  });

  it('of a slice without the port are passed over', () => {
    const yaml = backend('s', { slicePorts: '[{ name: other, port: 8000, protocol: UDP }]' });
    expect(outcomeOf(`${yaml}${udpRoute('r', '[{ name: s, port: 8000 }]')}`).holders.foo).toBe(
      'no_endpoints',
    );
  });

  it('that are none drop the datagrams, whatever allowEmptyServices says, and it decides whether that is an error', () => {
    const empty = `${backend('s', { addresses: [] })}${udpRoute('r', '[{ name: s, port: 8000 }]')}`;
    for (const [allowEmptyServices, severity] of [
      [false, 'error'],
      [true, 'warning'],
    ] as const) {
      const { holders, routing } = outcomeOf(empty, { allowEmptyServices });
      expect(holders.foo).toBe('no_endpoints');
      expect(routing.findings.map((finding) => [finding.code, finding.severity])).toEqual([
        ['SL3104', severity],
      ]);
    }
  });
});

describe('services', () => {
  it.each([
    ['a Service that does not exist', '[{ name: nothing, port: 8000 }]', 'SL3102', 'no_service'],
    ['no service at all', '[]', undefined, 'no_service'],
    [
      'a Service of another namespace',
      '[{ name: far, namespace: other, port: 8000 }]',
      'SL3106',
      'no_service',
    ],
    [
      'weights that are all 0',
      '[{ name: whoamiudp, port: 8000, weight: 0 }, { name: b, port: 8000, weight: 0 }]',
      undefined,
      'no_endpoints',
    ],
  ])('%s: nothing is carried', (_what, services, code, reason) => {
    const outcome = outcomeOf(
      `${app}${backend('b')}${backend('far', { namespace: 'other' })}${udpRoute('r', services)}`,
    );
    expect(outcome.holders.foo).toBe(reason);
    expect(outcome.routing.findings.map((finding) => finding.code)).toEqual(code ? [code] : []);
  });

  it('of which one is missing are served by the others', () => {
    const services = '[{ name: whoamiudp, port: 8000 }, { name: nothing, port: 8000 }]';
    const outcome = outcomeOf(`${app}${udpRoute('r', services)}`);
    expect(outcome.holders.foo).toBe('default-r-0');
    expect(outcome.udpRouters).toEqual(['default-r-0 [warning] foo -> default-r-0']);
  });

  it('of another namespace are served with allowCrossNamespace', () => {
    const yaml = `${backend('far', { namespace: 'other', addresses: ['10.0.0.5'] })}${udpRoute('r', '[{ name: far, namespace: other, port: 8000 }]')}`;
    expect(outcomeOf(yaml, { allowCrossNamespace: true }).udpServices).toEqual([
      'default-r-0 = 10.0.0.5:8000',
    ]);
  });

  it("named with the route's own namespace need no permission", () => {
    const yaml = `${app}${udpRoute('r', '[{ name: whoamiudp, namespace: default, port: 8000 }]')}`;
    expect(outcomeOf(yaml).holders.foo).toBe('default-r-0');
  });

  it('that are alone ignore their weight, 0 included', () => {
    const { holders } = outcomeOf(`${app}${udpRoute('r', '[{ name: whoamiudp, port: 8000, weight: 0 }]')}`);
    expect(holders.foo).toBe('default-r-0');
  });

  const native = backend('n', { spec: 'clusterIP: 10.96.0.7' });
  it.each([
    ['nativeLB', '[{ name: n, port: 8000, nativeLB: true }]', {}, '10.96.0.7:8000'],
    ['nativeLBByDefault', '[{ name: n, port: 8000 }]', { nativeLBByDefault: true }, '10.96.0.7:8000'],
    [
      'nativeLB: false against the default',
      '[{ name: n, port: 8000, nativeLB: false }]',
      { nativeLBByDefault: true },
      '10.10.0.1:8000, 10.10.0.2:8000',
    ],
  ])('with %s', (_what, services, options, addresses) => {
    expect(outcomeOf(`${native}${udpRoute('r', services)}`, options).udpServices).toEqual([
      `default-r-0 = ${addresses}`,
    ]);
  });

  it.each([['None'], ['""']])('with nativeLB and clusterIP %s are refused', (clusterIP) => {
    const yaml = `${backend('n', { spec: `clusterIP: ${clusterIP}` })}${udpRoute('r', '[{ name: n, port: 8000, nativeLB: true }]')}`;
    expect(outcomeOf(yaml).findings[0]).toMatch(/^SL3108 .*nativeLB needs a clusterIP/);
  });

  const nodes = (address: string) =>
    `---\napiVersion: v1\nkind: Node\nmetadata: { name: n-${address} }\nstatus: { addresses: [{ type: InternalIP, address: ${address} }, { type: ExternalIP, address: 8.8.8.8 }] }\n`;
  it('with nodePortLB are every node’s InternalIP and the node port', () => {
    const ports = '[{ name: myapp, port: 8000, protocol: UDP, nodePort: 32456 }]';
    const yaml = `${backend('n', { ports, spec: 'type: NodePort' })}${nodes('172.16.4.4')}${nodes('172.16.4.5')}`;
    expect(
      outcomeOf(`${yaml}${udpRoute('r', '[{ name: n, port: 8000, nodePortLB: true }]')}`).udpServices,
    ).toEqual(['default-r-0 = 172.16.4.4:32456, 172.16.4.5:32456']);
  });

  const external = backend('x', {
    addresses: [],
    ports: '[{ name: p, port: 53, protocol: UDP }]',
    spec: 'type: ExternalName, externalName: dns.example.com',
  });
  it.each([
    ['are refused unless allowed', '53', {}, 'no_service'],
    ['are a name and port', '53', { allowExternalNameServices: true }, 'dns.example.com:53'],
    ['may be named by port', 'p', { allowExternalNameServices: true }, 'dns.example.com:53'],
    ['need a named port to be there', 'nope', { allowExternalNameServices: true }, 'no_service'],
    [
      'take a number that is not listed, with a warning',
      '54',
      { allowExternalNameServices: true },
      'dns.example.com:54',
    ],
  ])('of type ExternalName %s', (_what, port, options, expected) => {
    const outcome = outcomeOf(`${external}${udpRoute('r', `[{ name: x, port: ${port} }]`)}`, options);
    if (expected === 'no_service') expect(outcome.holders.foo).toBe('no_service');
    else expect(outcome.udpServices).toEqual([`default-r-0 = ${expected}`]);
  });
});

describe('where sluice differs from Traefik on purpose', () => {
  it('an endpoint without a ready condition is ready, as its API says', () => {
    const yaml = app.replaceAll('conditions: { ready: true }', 'conditions: {}');
    expect(outcomeOf(`${yaml}${udpRoute('r', one)}`).holders.foo).toBe('default-r-0');
  });

  it('the last route of an entry point that goes takes its endpoints with it', () => {
    expect(outcomeOf(app).holders.foo).toBe('no_route');
    expect(outcomeOf(`${app}${udpRoute('r', '[{ name: gone, port: 1 }]')}`).holders.foo).toBe('no_service');
  });

  it('sessionAffinity: ClientIP keeps clients with their endpoints, and the annotation decides over it', () => {
    const balanceOf = (yaml: string) => {
      const [decision] = outcomeOf(yaml).routing.table.udp;
      return decision?.kind === 'forward' ? decision.route.balance : 'none';
    };
    const affine = backend('whoamiudp', { spec: 'sessionAffinity: ClientIP' });
    expect(balanceOf(`${app}${udpRoute('r', one)}`)).toBeUndefined();
    expect(balanceOf(`${affine}${udpRoute('r', one)}`)).toBe('source');
    const metadata = 'annotations: { sluice.dev/balance: session }';
    expect(balanceOf(`${affine}${udpRoute('r', one, { metadata })}`)).toBe('session');
  });
});
