import { describe, expect, it } from 'vitest';
import type { TcpRoute } from '../../../../src/dataplane/index.ts';
import { withoutPrivateKeys } from '../../../../src/dataplane/index.ts';
import { hasOpenssl, makeCertificate } from '../../../dataplane/tcp/helpers.ts';
import { type Case, compile, findings, world } from './conformance.ts';

const route = (fields: string, spec = '') => `
---
kind: IngressRouteTCP
metadata: { name: r }
spec:
  entryPoints: [foo]
  routes: [{ match: HostSNI(\`*\`), services: [{ name: whoami, port: 8000 }]${fields ? `, ${fields}` : ''} }]
  ${spec}
`;

function compileOne(objects: string, options: Case['options'] = {}) {
  const compiled = compile({ objects: world + objects, options });
  const [first] = compiled.table.tcp?.[0]?.routes ?? [];
  return { route: first as TcpRoute, found: findings(compiled), compiled };
}

const middleware = (name: string, spec: string, namespace = 'default') => `
---
kind: MiddlewareTCP
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${spec}
`;

describe('the middlewares of a TCP route', () => {
  it('become allow lists and the smallest of the in-flight limits', () => {
    const objects = [
      middleware('office', '{ ipAllowList: { sourceRange: [10.0.0.0/8, "fd00::/8"] } }'),
      middleware('old', '{ ipWhiteList: { sourceRange: [10.1.0.0/16] } }'),
      middleware('ten', '{ inFlightConn: { amount: 10 } }'),
      middleware('four', '{ inFlightConn: { amount: 4 } }'),
      route('middlewares: [{ name: office }, { name: ten }, { name: old }, { name: four }]'),
    ];
    expect(compileOne(objects.join(''))).toMatchObject({
      route: { allowedSources: [['10.0.0.0/8', 'fd00::/8'], ['10.1.0.0/16']], maxConnectionsPerClient: 4 },
      found: [],
    });
  });

  it.each([
    ['is missing', '', 'm'],
    ['allows nobody', middleware('m', '{ ipAllowList: { sourceRange: [] } }'), 'm'],
    [
      'holds something that is no range',
      middleware('m', '{ ipAllowList: { sourceRange: [10.0.0.0/40] } }'),
      'm',
    ],
    ['has a negative amount', middleware('m', '{ inFlightConn: { amount: -1 } }'), 'm'],
    ['is of no kind that TCP has', middleware('m', '{ rateLimit: { average: 1 } }'), 'm'],
  ])('refuse the route, rather than serve it unguarded, where one %s', (_, object, name) => {
    const { route: compiled, found } = compileOne(object + route(`middlewares: [{ name: ${name} }]`));
    expect(compiled.refusal?.reason).toBe('route_invalid');
    expect(found).toEqual(['SL3203 error spec.routes.0.middlewares.0.name']);
  });

  it('may be of another namespace only where that is allowed', () => {
    const objects =
      middleware('m', '{ inFlightConn: { amount: 1 } }', 'far') +
      route('middlewares: [{ name: m, namespace: far }]');
    expect(compileOne(objects)).toMatchObject({
      route: { refusal: { reason: 'route_invalid' } },
      found: ['SL3106 error spec.routes.0.middlewares.0.namespace'],
    });
    expect(compileOne(objects, { allowCrossNamespace: true })).toMatchObject({
      route: { maxConnectionsPerClient: 1 },
      found: [],
    });
  });

  it('of another provider are refused by name', () => {
    expect(compileOne(route('middlewares: [{ name: m@file }]'))).toMatchObject({
      route: { refusal: { reason: 'route_invalid' } },
      found: ['SL3108 error spec.routes.0.middlewares.0.name'],
    });
  });
});

const transport = (spec: string) => `
---
kind: ServersTransportTCP
metadata: { name: t }
spec: ${spec}
`;
const routeWith = (service: string) => `
---
kind: IngressRouteTCP
metadata: { name: r }
spec:
  entryPoints: [foo]
  routes: [{ match: HostSNI(\`*\`), services: [{ name: whoami, port: 8000, ${service} }] }]
`;

describe('the transport of a TCP service', () => {
  it('takes its durations and PROXY protocol from the ServersTransportTCP', () => {
    const spec =
      '{ dialTimeout: 2s, dialKeepAlive: 1m, terminationDelay: 250ms, proxyProtocol: { version: 1 } }';
    const { route: compiled, found } = compileOne(transport(spec) + routeWith('serversTransport: t'));
    expect(found).toEqual([]);
    expect(compiled.services[0]).toMatchObject({
      connectTimeoutMs: 2000,
      keepAliveMs: 60_000,
      terminationDelayMs: 250,
      proxyProtocol: 1,
    });
    expect(compiled.services[0]).not.toHaveProperty('tls');
  });

  it('takes a bare number for seconds, and PROXY protocol without a version for version 2', () => {
    const spec = '{ dialTimeout: 3, proxyProtocol: {} }';
    const { route: compiled } = compileOne(transport(spec) + routeWith('serversTransport: t'));
    expect(compiled.services[0]).toMatchObject({ connectTimeoutMs: 3000, proxyProtocol: 2 });
  });

  it('takes the older fields of the service, and lets the ServersTransportTCP win', () => {
    const older = 'terminationDelay: 400, proxyProtocol: { version: 1 }';
    expect(compileOne(routeWith(older)).route.services[0]).toMatchObject({
      terminationDelayMs: 400,
      proxyProtocol: 1,
    });
    const { route: compiled } = compileOne(
      transport('{ terminationDelay: 1s }') + routeWith(`${older}, serversTransport: t`),
    );
    expect(compiled.services[0]).toMatchObject({ terminationDelayMs: 1000, proxyProtocol: 1 });
  });

  it('speaks TLS to endpoints where the service says so, with what the ServersTransportTCP says', () => {
    const spec = '{ tls: { serverName: inner.test, insecureSkipVerify: true, peerCertSANs: [a.test] } }';
    const { route: compiled } = compileOne(transport(spec) + routeWith('tls: true, serversTransport: t'));
    expect(compiled.services[0]?.tls).toEqual({
      serverName: 'inner.test',
      insecureSkipVerify: true,
      peerNames: ['a.test'],
    });
    expect(compileOne(routeWith('tls: true')).route.services[0]?.tls).toEqual({});
    expect(
      compileOne(transport(spec) + routeWith('serversTransport: t')).route.services[0],
    ).not.toHaveProperty('tls');
  });

  it('reads the authorities and the certificate it presents', () => {
    const encoded = (text: string) => Buffer.from(text).toString('base64');
    const objects = `
---
kind: Secret
metadata: { name: roots }
data: { ca.crt: ${encoded('ROOT ONE')} }
---
kind: ConfigMap
metadata: { name: more-roots }
data: { ca.crt: ROOT TWO }
---
kind: Secret
metadata: { name: client }
stringData: { tls.crt: CERT, tls.key: KEY }
${transport('{ tls: { rootCAs: [{ secret: roots }, { configMap: more-roots }], certificatesSecrets: [client] } }')}
${routeWith('tls: true, serversTransport: t')}`;
    expect(compileOne(objects).route.services[0]?.tls).toEqual({
      rootAuthorities: ['ROOT ONE', 'ROOT TWO'],
      certificate: { certificateChain: 'CERT', privateKey: 'KEY' },
    });
  });

  it.each([
    ['is missing', ''],
    ['has a duration that is none', transport('{ dialTimeout: soon }')],
    ['asks for a PROXY protocol that there is not', transport('{ proxyProtocol: { version: 3 } }')],
    ['names authorities that are missing', transport('{ tls: { rootCAs: [{ secret: gone }] } }')],
    ['names a certificate that is missing', transport('{ tls: { certificatesSecrets: [gone] } }')],
  ])('leaves the service out where it %s', (_, object) => {
    const { route: compiled, found } = compileOne(object + routeWith('tls: true, serversTransport: t'));
    expect(compiled.refusal?.reason).toBe('no_service');
    expect(found).toEqual(['SL3205 error spec.routes.0.services.0.serversTransport']);
  });

  it('balances as the annotation says, and warns of one it does not know', () => {
    const annotated = (value: string) =>
      route('').replace('{ name: r }', `{ name: r, annotations: { sluice.dev/balance: ${value} } }`);
    expect(compileOne(annotated('source'))).toMatchObject({ route: { balance: 'source' }, found: [] });
    const wrong = compileOne(annotated('datagram'));
    expect(wrong.route).not.toHaveProperty('balance');
    expect(wrong.found).toEqual(['SL3109 warning metadata.annotations.sluice.dev/balance']);
  });

  it('keeps clients with their endpoints where the Service asks for it', () => {
    const affine = world.replace('clusterIP: 10.96.0.1', 'sessionAffinity: ClientIP');
    const compiled = compile({ objects: affine + route('') });
    expect(compiled.table.tcp?.[0]?.routes[0]?.balance).toBe('source');
  });
});

const secret = (
  name: string,
  { certificateChain, privateKey }: { certificateChain: string; privateKey: string },
) => `
---
kind: Secret
metadata: { name: ${name} }
type: kubernetes.io/tls
data:
  tls.crt: ${Buffer.from(certificateChain).toString('base64')}
  tls.key: ${Buffer.from(privateKey).toString('base64')}
`;
const tlsOption = (spec: string, name = 'o') => `
---
kind: TLSOption
metadata: { name: ${name} }
spec: ${spec}
`;

describe.skipIf(!hasOpenssl)('the TLS of a TCP route (needs openssl)', () => {
  const [one, two] = [makeCertificate(['one.test']), makeCertificate(['two.test'])];

  it('is left to the endpoint where it passes through', () => {
    expect(compileOne(route('', 'tls: { passthrough: true }'))).toMatchObject({
      route: { tls: { mode: 'passthrough' } },
      found: [],
    });
  });

  it('is ended with the certificate of its Secret, which the table holds once', () => {
    const {
      route: compiled,
      found,
      compiled: all,
    } = compileOne(secret('s', one) + route('', 'tls: { secretName: s }'));
    expect(found).toEqual([]);
    expect(compiled.tls).toEqual({ mode: 'terminate', certificate: 'default/s' });
    expect(all.table.certificates).toEqual([{ name: 'default/s', ...one }]);
  });

  it('keeps private keys out of what may be shown', () => {
    const { compiled } = compileOne(secret('s', one) + route('', 'tls: { secretName: s }'));
    const shown = JSON.stringify(withoutPrivateKeys(compiled.table));
    expect(shown).not.toContain('PRIVATE KEY');
    expect(shown).toContain('default/s');
  });

  it.each([
    ['is missing', ''],
    ['has no key', '\n---\nkind: Secret\nmetadata: { name: s }\nstringData: { tls.crt: x }\n'],
    ['holds no PEM', '\n---\nkind: Secret\nmetadata: { name: s }\nstringData: { tls.crt: x, tls.key: y }\n'],
    ['holds the key of another certificate', secret('s', { ...one, privateKey: two.privateKey })],
  ])('refuses its connections where the Secret %s', (_, object) => {
    const { route: compiled, found } = compileOne(object + route('', 'tls: { secretName: s }'));
    expect(compiled).toMatchObject({ tls: { mode: 'terminate' }, refusal: { reason: 'route_invalid' } });
    expect(found).toEqual(['SL3204 error spec.tls.secretName']);
  });

  it('warns where it names no Secret', () => {
    const { route: compiled, found } = compileOne(route('', 'tls: {}'));
    expect(compiled.tls).toEqual({ mode: 'terminate' });
    expect(found).toEqual(['SL3204 warning spec.tls']);
  });

  it('says that it has no use for a certResolver', () => {
    const { found } = compileOne(secret('s', one) + route('', 'tls: { secretName: s, certResolver: le }'));
    expect(found).toEqual(['SL3108 warning spec.tls.certResolver']);
  });

  it('translates a TLSOption', () => {
    const spec = `
  minVersion: VersionTLS12
  maxVersion: VersionTLS13
  cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  curvePreferences: [X25519, CurveP521]
  sniStrict: true
  alpnProtocols: [mqtt]
  clientAuth: { clientAuthType: RequireAndVerifyClientCert, secretNames: [ca] }`;
    const ca = '\n---\nkind: Secret\nmetadata: { name: ca }\nstringData: { tls.ca: ROOT }\n';
    const objects =
      secret('s', one) + ca + tlsOption(spec) + route('', 'tls: { secretName: s, options: { name: o } }');
    const { route: compiled, found } = compileOne(objects);
    expect(found).toEqual([]);
    expect(compiled.tls).toMatchObject({
      options: {
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.3',
        cipherSuites: ['ECDHE-RSA-AES128-GCM-SHA256', 'TLS_AES_128_GCM_SHA256'],
        curves: ['X25519', 'P-521'],
        sniStrict: true,
        alpnProtocols: ['mqtt'],
        clientCertificate: 'require',
        clientAuthorities: ['ROOT'],
      },
    });
  });

  it.each([
    ['is missing', '', 'spec.tls.options.name'],
    ['names a version that there is not', tlsOption('{ minVersion: VersionTLS14 }'), 'spec.tls.options'],
    ['names a cipher that nobody knows', tlsOption('{ cipherSuites: [TLS_NONE] }'), 'spec.tls.options'],
    [
      'names authorities that are missing',
      tlsOption('{ clientAuth: { clientAuthType: RequireAndVerifyClientCert, secretNames: [gone] } }'),
      'spec.tls.options',
    ],
  ])('refuses its connections where the TLSOption %s', (_, object, path) => {
    const objects = secret('s', one) + object + route('', 'tls: { secretName: s, options: { name: o } }');
    const { route: compiled, found } = compileOne(objects);
    expect(compiled.refusal?.reason).toBe('route_invalid');
    expect(found).toEqual([`SL3204 error ${path}`]);
  });

  it('follows the one TLSOption called default where the route names none, and none where there are two', () => {
    const named = tlsOption('{ minVersion: VersionTLS13 }', 'default');
    const base = secret('s', one) + route('', 'tls: { secretName: s }');
    expect(compileOne(named + base).route.tls).toMatchObject({ options: { minVersion: 'TLSv1.3' } });
    const second = named.replace('name: default', 'name: default, namespace: far');
    expect(compileOne(named + second + base).route.tls).not.toHaveProperty('options');
  });
});

describe('compiling in any order', () => {
  it('gives the same table whatever order the objects come in', () => {
    const documents =
      `${world}${['a', 'b', 'c'].map((name) => route('').replace('name: r ', `name: ${name} `)).join('')}`
        .split('\n---\n')
        .filter((text) => text.trim() !== '');
    const forwards = compile({ objects: documents.join('\n---\n') });
    const backwards = compile({ objects: [...documents].reverse().join('\n---\n') });
    expect(forwards.table.tcp?.[0]?.routes).toHaveLength(3);
    expect(backwards.table).toEqual(forwards.table);
  });

  it('survives objects that lack what they must have', () => {
    const bad =
      '\n---\nkind: IngressRouteTCP\nmetadata: { name: bad }\nspec: { routes: [{ services: [] }] }\n';
    expect(compile({ objects: world + bad }).findings).toMatchObject([{ code: 'SL3201' }]);
    const empty = '\n---\nkind: IngressRouteTCP\nmetadata: { name: bad }\nspec: {}\n';
    expect(compile({ objects: world + empty }).findings).toEqual([]);
  });
});
