import { describe, expect, it } from 'vitest';
import { memoryFileSystem } from '../../../src/files/index.ts';
import {
  loadStaticConfiguration,
  readStaticArguments,
  reloadStaticConfiguration,
} from '../../../src/ingress/index.ts';

const position = { file: 'command line', line: 1, column: 1 };
const words = (...texts: string[]) => texts.map((text) => ({ text, position }));
const read = (...texts: string[]) => readStaticArguments(words(...texts));

interface Sources {
  args?: string[];
  env?: Record<string, string>;
  files?: Record<string, string>;
}
const load = ({ args = [], env = {}, files = {} }: Sources) =>
  loadStaticConfiguration({
    arguments: words(...args),
    env,
    files: memoryFileSystem(files),
    workingDirectory: '/tree',
  });

const everything = {
  yaml: `
entryPoints:
  myudp:
    address: ":9998/udp"
    reusePort: true
    udp: { timeout: 30s }
    transport: { lifeCycle: { requestAcceptGraceTimeout: 1s, graceTimeOut: 20 } }
    sluice: { balance: session, allow: [10.0.0.0/8, "::1"] }
  mytcp:
    address: ":9999"
    asDefault: true
    proxyProtocol: { trustedIPs: [10.0.0.1] }
    transport: { respondingTimeouts: { readTimeout: 5s } }
providers:
  kubernetesCRD: { namespaces: [a, b], labelSelector: "app in (x)", ingressClass: mine, allowEmptyServices: true }
  kubernetesGateway: {}
accessLog: { format: json }
metrics: { prometheus: { entryPoint: mytcp } }
ping: {}
api: { insecure: true, basePath: /base/ }
log: { level: DEBUG }
`,
  toml: `
[entryPoints.myudp]
  address = ":9998/udp"
  reusePort = true
  [entryPoints.myudp.udp]
    timeout = "30s"
  [entryPoints.myudp.transport.lifeCycle]
    requestAcceptGraceTimeout = "1s"
    graceTimeOut = 20
  [entryPoints.myudp.sluice]
    balance = "session"
    allow = ["10.0.0.0/8", "::1"]
[entryPoints.mytcp]
  address = ":9999"
  asDefault = true
  proxyProtocol.trustedIPs = ["10.0.0.1"]
  transport.respondingTimeouts.readTimeout = "5s"
[providers.kubernetesCRD]
  namespaces = ["a", "b"]
  labelSelector = "app in (x)"
  ingressClass = "mine"
  allowEmptyServices = true
[providers.kubernetesGateway]
[accessLog]
  format = "json"
[metrics.prometheus]
  entryPoint = "mytcp"
[ping]
[api]
  insecure = true
  basePath = "/base/"
[log]
  level = "DEBUG"
`,
  args: [
    '--entrypoints.myudp.address=:9998/udp',
    '--entryPoints.myudp.reusePort',
    '--entrypoints.myudp.udp.timeout=30s',
    '--entrypoints.myudp.transport.lifecycle.requestacceptgracetimeout=1s',
    '--entrypoints.myudp.transport.lifecycle.gracetimeout=20',
    '--entrypoints.myudp.sluice.balance=session',
    '--entrypoints.myudp.sluice.allow=10.0.0.0/8,::1',
    '--entrypoints.mytcp.address=:9999',
    '--entrypoints.mytcp.asdefault=true',
    '--entrypoints.mytcp.proxyprotocol.trustedips=10.0.0.1',
    '--entrypoints.mytcp.transport.respondingtimeouts.readtimeout=5s',
    '--providers.kubernetescrd.namespaces=a,b',
    '--providers.kubernetescrd.labelselector=app in (x)',
    '--providers.kubernetescrd.ingressclass=mine',
    '--providers.kubernetescrd.allowemptyservices',
    '--providers.kubernetesgateway',
    '--accesslog.format=json',
    '--metrics.prometheus.entrypoint=mytcp',
    '--ping',
    '--api.insecure',
    '--api.basepath=/base/',
    '--log.level',
    'DEBUG',
  ],
};
const environment = Object.fromEntries(
  everything.args.flatMap((text, index) => {
    if (!text.startsWith('--')) return [];
    const [name = '', ...value] = text.slice(2).split('=');
    const next = everything.args[index + 1];
    const last = next && !next.startsWith('--') ? next : 'true';
    return [
      [`TRAEFIK_${name.toUpperCase().replaceAll('.', '_')}`, value.length > 0 ? value.join('=') : last],
    ];
  }),
);

describe('the static configuration', () => {
  it.each<[string, Sources, string]>([
    ['arguments', { args: everything.args }, 'arguments'],
    ['the environment', { env: environment }, 'environment'],
    ['YAML', { args: ['--configfile=t.yml'], files: { '/tree/t.yml': everything.yaml } }, '/tree/t.yml'],
    ['TOML', { args: ['--configFile', '/t.toml'], files: { '/t.toml': everything.toml } }, '/t.toml'],
  ])('says the same in %s', (_what, sources, source) => {
    const loaded = load(sources);
    expect(loaded.configuration.diagnostics).toEqual([]);
    expect(loaded.source).toBe(source);
    expect(loaded.configuration).toMatchObject({
      entryPoints: [
        {
          name: 'myudp',
          port: 9998,
          reusePort: true,
          udpTimeoutMs: 30_000,
          acceptGraceMs: 1000,
          graceTimeoutMs: 20_000,
          limits: { balance: 'session', allow: ['10.0.0.0/8', '::1'] },
        },
        {
          name: 'mytcp',
          asDefault: true,
          readTimeoutMs: 5000,
          proxyProtocol: { trustedSources: ['10.0.0.1'] },
        },
      ],
      kubernetes: {
        namespaces: ['a', 'b'],
        labelSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['x'] }] },
        ingressClass: 'mine',
        allowEmptyServices: true,
        allowCrossNamespace: false,
      },
      gateway: { isEnabled: true },
      accessLog: { format: 'json' },
      prometheus: { entryPoint: 'mytcp' },
      ping: { entryPoint: 'traefik', terminatingStatus: 503 },
      api: { insecure: true, basePath: '/base' },
      log: { level: 'debug' },
      ignored: [],
    });
  });

  it('has what Traefik has when nothing is said, but no waiting between tables', () => {
    const { configuration, source } = load({});
    expect(source).toBe('nothing');
    expect(configuration.kubernetes).toEqual({
      allowCrossNamespace: false,
      allowExternalNameServices: false,
      allowEmptyServices: false,
      nativeLBByDefault: false,
      disableClusterScopeResources: false,
      throttleMs: 0,
    });
    expect(configuration.ping).toBeUndefined();
    expect(configuration.api).toBeUndefined();
  });

  it('is read from where Traefik looks for its file, and what it leaves unread is said', () => {
    const files = { '/home/u/.config/traefik.yaml': 'entryPoints: { a: { address: ":1/udp" } }' };
    const { configuration, file } = load({ files, env: { HOME: '/home/u' }, args: ['--ping', '--api'] });
    expect(file).toBe('/home/u/.config/traefik.yaml');
    expect(configuration.entryPoints.map(({ name }) => name)).toEqual(['a']);
    expect(configuration.ping).toBeUndefined();
    expect(configuration.diagnostics).toMatchObject([
      {
        code: 'SL3004',
        severity: 'warning',
        message: expect.stringContaining('--ping and 1 more is not read'),
      },
    ]);
  });

  it('prefers arguments to the environment, and says so', () => {
    const { configuration } = load({ args: ['--ping'], env: { TRAEFIK_API: 'true' } });
    expect(configuration.api).toBeUndefined();
    expect(configuration.diagnostics).toMatchObject([{ code: 'SL3004' }]);
  });

  it('names the line and column of what is wrong in a file', () => {
    const text = 'entryPoints:\n  a:\n    address: ":1/udp"\n    udp:\n      timeout: soon\n';
    const { configuration } = load({ args: ['--configfile=t.yml'], files: { '/tree/t.yml': text } });
    expect(configuration.diagnostics).toMatchObject([
      { code: 'SL3001', position: { file: '/tree/t.yml', line: 5, column: 16 } },
    ]);
  });

  it.each([
    ['a file that is not there', {}, 'SL1001', /cannot be read: \/tree\/t.toml/],
    ['broken TOML', { '/tree/t.toml': 'a = = 1' }, 'SL1002', /not valid TOML/],
  ])('refuses %s', (_what, files, code, message) => {
    const { configuration } = load({ args: ['--configfile=t.toml'], files });
    expect(configuration.diagnostics).toMatchObject([{ code, message: expect.stringMatching(message) }]);
  });

  it.each([
    ['--entrypoints.a.udp.timout=3s', 'timeout'],
    ['--entrypoints.a.transport.lifecycle.gracetimeot=3s', 'gracetimeout'],
    ['--providers.kubernetscrd', 'kubernetescrd'],
    ['--providers.kubernetescrd.alowcrossnamespace', 'allowcrossnamespace'],
    ['--pong', 'ping'],
    ['--entrypoints.a.sluice.balanse=session', 'balance'],
  ])('refuses %s with the nearest name', (text, nearest) => {
    const diagnostics = read('--entrypoints.a.address=:1/udp', text).diagnostics;
    expect(diagnostics).toMatchObject([{ code: 'SL3002', hint: expect.stringContaining(`\`${nearest}\``) }]);
  });

  it.each([
    ['--providers.kubernetescrd.allowcrossnamespace=maybe', /neither true nor false/],
    ['--providers.kubernetescrd.throttleduration=soon', /not a duration/],
    ['--providers.kubernetescrd.labelselector=a in', /no label selector/],
    ['--entrypoints.a.sluice.balance=fair', /not one of datagram, session, source/],
    ['--entrypoints.a.sluice.maxsessions=many', /not a number/],
    ['--entrypoints.a.proxyprotocol.trustedips=10.0.0.0/8,home', /\(home\)/],
    ['--log.level=loud', /not one of trace/],
    ['--ping.terminatingstatuscode=x', /not a number/],
  ])('refuses the value of %s', (text, message) => {
    const diagnostics = read('--entrypoints.a.address=:1/udp', '--ping', text).diagnostics;
    expect(diagnostics).toMatchObject([{ code: 'SL3003', message: expect.stringMatching(message) }]);
  });

  it('names what Traefik has and a layer 4 ingress does not need, and takes no value from a switch', () => {
    const { ignored, diagnostics, entryPoints } = read(
      '--entrypoints.web.http.redirections.entrypoint.to=websecure',
      '--entrypoints.web.address=:80',
      '--certificatesresolvers.le.acme.email=a@b.c',
      '--providers.kubernetesingress',
      '--experimental.plugins.x.modulename=y',
      '--global.sendanonymoususage=false',
    );
    expect(diagnostics).toEqual([]);
    expect(entryPoints).toHaveLength(1);
    expect(ignored).toHaveLength(5);
  });

  it('switches a group off with false', () => {
    expect(read('--ping=false').ping).toBeUndefined();
    expect(read('--providers.kubernetesgateway=false').gateway.isEnabled).toBe(false);
  });

  it('takes the first value of words that stand apart, as the guide writes them', () => {
    expect(read('--accesslog=true', '--accesslog.format=json').accessLog).toEqual({ format: 'json' });
  });

  it('throws what is wrong with a file that is read again, so that the old configuration stays', () => {
    const files = memoryFileSystem({ '/t.yml': 'entryPoints: { a: { address: ":x" } }' });
    expect(() => reloadStaticConfiguration('/t.yml', files)).toThrow(/invalid address/);
  });
});
