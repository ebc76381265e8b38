import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRemoteApi, findCluster, readKubeconfig, services } from '../../../src/kubernetes/index.ts';
import { json, remoteApi, serviceList, startFakeApi } from './fake-api.ts';

function directory(files: Record<string, string> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-access-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

const config = (cluster: object, user: object, context: object = {}) =>
  JSON.stringify({
    'current-context': 'dev',
    clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'dev', context: { cluster: 'c', user: 'u', ...context } }],
  });

const read = (text: string) => readKubeconfig({ paths: ['/home/u/config'], readFile: () => text, env: {} });

describe('a kubeconfig', () => {
  it('gives the server, the namespace and whom to trust', () => {
    const access = read(
      config(
        { 'certificate-authority-data': base64('PEM'), 'tls-server-name': 'api' },
        {},
        { namespace: 'backend' },
      ),
    );
    expect(access.server.href).toBe('https://api.example:6443/');
    expect(access.namespace).toBe('backend');
    expect(access.tls.authorities?.()).toBe('PEM');
    expect(access.tls.serverName).toBe('api');
  });

  it.each([
    ['a token', { token: 't' }, { authorization: 'Bearer t' }],
    ['a name and password', { username: 'n', password: 'p' }, { authorization: `Basic ${base64('n:p')}` }],
    [
      'someone to act as',
      { token: 't', as: 'admin', 'as-groups': ['a', 'b'] },
      { authorization: 'Bearer t', 'impersonate-user': 'admin', 'impersonate-group': ['a', 'b'] },
    ],
  ])('gives %s to each request', async (_what, user, headers) => {
    expect((await read(config({}, user)).credentials.current()).headers).toEqual(headers);
  });

  it('gives a client certificate, from data or from files beside it', async () => {
    const path = directory({ 'crt.pem': 'CHAIN', 'key.pem': 'KEY' });
    const text = config({}, { 'client-certificate': 'crt.pem', 'client-key': 'key.pem' });
    writeFileSync(join(path, 'config'), text);
    const fromFiles = readKubeconfig({ paths: [join(path, 'config')] });
    const fromData = read(
      config({}, { 'client-certificate-data': base64('CHAIN'), 'client-key-data': base64('KEY') }),
    );
    for (const { credentials } of [fromFiles, fromData]) {
      expect((await credentials.current()).certificate).toEqual({ chain: 'CHAIN', privateKey: 'KEY' });
    }
  });

  it('is merged from several files, of which one may be missing: the first entry of a name holds', () => {
    const path = directory({
      one: config({ server: 'https://one' }, {}),
      two: config({ server: 'https://two' }, {}).replace('"dev"', '"other"'),
    });
    const paths = ['missing', 'one', 'two'].map((name) => join(path, name));
    expect(readKubeconfig({ paths, env: {} }).server.host).toBe('one');
  });

  it.each([
    ['no file', [], /there is no kubeconfig at/],
    ['no YAML', ['a: [b'], /is not valid YAML/],
    ['a list', ['[]'], /is not a kubeconfig/],
    ['no current context', ['contexts: []'], /sets no current-context: name one with --context/],
    ['a context that is not there', ['current-context: x'], /has no context x; it has: none/],
    ['a server that is no URL', [config({ server: '10.0.0.1:6443' }, {})], /server is not a URL/],
    ['a server of another protocol', [config({ server: 'api:6443' }, {})], /neither http:/],
    ['a SOCKS proxy', [config({ 'proxy-url': 'socks5://p' }, {})], /only http and https proxies/],
    ['an auth-provider', [config({}, { 'auth-provider': { name: 'gcp' } })], /use an exec plugin/],
    ['a missing user', [config({}, {}, { user: 'nobody' })], /names user nobody, which is not there/],
  ])('with %s is refused with the reason', (_what, [text], message) => {
    const path = directory(text === undefined ? {} : { config: text });
    expect(() => readKubeconfig({ paths: [join(path, 'config')], env: {} })).toThrow(message);
  });

  it('goes through the proxy of the environment, unless the host is exempt or this machine', () => {
    const proxyOf = (server: string, env: Record<string, string>) =>
      readKubeconfig({ paths: ['c'], readFile: () => config({ server }, {}), env }).proxy?.href;
    const env = { HTTPS_PROXY: 'proxy:3128', NO_PROXY: '.internal,10.0.0.1' };
    expect(proxyOf('https://api.example', env)).toBe('http://proxy:3128/');
    expect(proxyOf('https://api.internal', env)).toBeUndefined();
    expect(proxyOf('https://10.0.0.1', env)).toBeUndefined();
    expect(proxyOf('https://127.0.0.1:6443', env)).toBeUndefined();
  });
});

describe('a token file', () => {
  it('is read again after a refusal, and the request is made once more', async () => {
    const path = directory({ token: 'old\n', config: '' });
    writeFileSync(join(path, 'config'), config({}, { tokenFile: 'token' }));
    const fake = await startFakeApi(({ headers }, response) => {
      if (headers.authorization === 'Bearer new') json(response, serviceList([], '1'));
      else json(response, { kind: 'Status', code: 401, message: 'Unauthorized' }, 401);
    });
    const { credentials } = readKubeconfig({ paths: [join(path, 'config')] });
    await credentials.current();
    writeFileSync(join(path, 'token'), 'new\n');
    const api = remoteApi(fake.url, {}, { credentials });
    expect((await api.list(services)).resourceVersion).toBe('1');
    expect(fake.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  it('that has gone leaves the last token in use', async () => {
    const path = directory({ token: 'held' });
    writeFileSync(join(path, 'config'), config({}, { tokenFile: 'token' }));
    const { credentials } = readKubeconfig({ paths: [join(path, 'config')] });
    await credentials.current();
    rmSync(join(path, 'token'));
    credentials.discard();
    expect((await credentials.current()).headers).toEqual({ authorization: 'Bearer held' });
  });
});

describe('an exec plugin', () => {
  const plugin = (script: string, extra: object = {}) => {
    const path = directory({ 'plugin.sh': `#!/bin/sh\n${script}\n` });
    chmodSync(join(path, 'plugin.sh'), 0o755);
    const apiVersion = 'client.authentication.k8s.io/v1';
    writeFileSync(
      join(path, 'config'),
      config({}, { exec: { apiVersion, command: './plugin.sh', ...extra } }),
    );
    return { path, ...readKubeconfig({ paths: [join(path, 'config')] }) };
  };
  const credential = (status: string) =>
    `echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":${status}}'`;

  it('is run with its environment, and again only after its credentials end', async () => {
    const script = `echo run >> "$LOG"; printf '%s' "$KUBERNETES_EXEC_INFO" > "$LOG.info"; ${credential(
      '{"token":"t","expirationTimestamp":"2999-01-01T00:00:00Z"}',
    )}`;
    const log = join(directory(), 'log');
    const { credentials } = plugin(script, { env: [{ name: 'LOG', value: log }], provideClusterInfo: true });
    await credentials.current();
    expect((await credentials.current()).headers).toEqual({ authorization: 'Bearer t' });
    expect(readFileSync(log, 'utf8')).toBe('run\n');
    expect(JSON.parse(readFileSync(`${log}.info`, 'utf8'))).toMatchObject({
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: 'https://api.example:6443' } },
    });
    credentials.discard();
    await credentials.current();
    expect(readFileSync(log, 'utf8')).toBe('run\nrun\n');
  });

  it.each([
    ['fails', 'echo no ticket >&2; exit 3', /plugin.sh failed: no ticket/],
    ['gives no JSON', 'echo hello', /gave no JSON/],
    ['gives no credential', 'echo "{}"', /gave no ExecCredential/],
    ['gives an empty credential', credential('{}'), /neither a token nor a certificate/],
  ])('that %s is named with what it said', async (_what, script, message) => {
    await expect(plugin(script).credentials.current()).rejects.toThrow(message);
  });

  it('that is missing is named with the hint to install it', async () => {
    const extra = { command: 'sluice-no-such-program', installHint: 'apt install it' };
    await expect(plugin('', extra).credentials.current()).rejects.toThrow(/is not installed: apt install it/);
  });
});

describe('finding the cluster', () => {
  const inPod = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

  it("takes the pod's own account inside a pod", async () => {
    const account = directory({ token: 'pod', namespace: 'traefik', 'ca.crt': 'CA' });
    const access = findCluster({ env: inPod, serviceAccountDirectory: account });
    expect(access.server.href).toBe('https://[fd00::1]/');
    expect([access.namespace, access.tls.authorities?.(), access.origin]).toEqual([
      'traefik',
      'CA',
      'in-cluster',
    ]);
    expect((await access.credentials.current()).headers).toEqual({ authorization: 'Bearer pod' });
  });

  it('takes a kubeconfig that is named even there, else KUBECONFIG, else the one at home', () => {
    const home = directory();
    mkdirSync(join(home, '.kube'));
    writeFileSync(join(home, '.kube', 'config'), config({ server: 'https://home' }, {}));
    const other = join(directory({ config: config({ server: 'https://other' }, {}) }), 'config');
    expect(findCluster({ env: { ...inPod, HOME: home }, kubeconfig: other }).server.host).toBe('other');
    expect(findCluster({ env: { HOME: home, KUBECONFIG: other } }).server.host).toBe('other');
    expect(findCluster({ env: { HOME: home } }).server.host).toBe('home');
    const endpoint = { endpoint: 'https://named:6443', token: 't' };
    expect(findCluster({ env: { HOME: home }, ...endpoint }).server.host).toBe('named:6443');
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!hasOpenssl)('an API over TLS (needs openssl)', () => {
  const pair = (path: string, name: string) => {
    const key = join(path, `${name}.key`);
    const chain = join(path, `${name}.crt`);
    const words = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ];
    const names = [
      '-subj',
      `/CN=${name}`,
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      chain,
    ];
    expect(spawnSync('openssl', [...words, ...names]).status).toBe(0);
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(chain, 'utf8') };
  };

  it('is reached with its authority and our certificate, and refused without the authority', async () => {
    const path = directory();
    const server = pair(path, 'server');
    const client = pair(path, 'client');
    const seen: string[] = [];
    const https = createServer({ ...server, requestCert: true, ca: client.cert }, (request, response) => {
      seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      response.end(JSON.stringify(serviceList([], '1')));
    });
    https.listen(0, '127.0.0.1');
    await once(https, 'listening');
    onTestFinished(() => {
      https.closeAllConnections();
      https.close();
    });
    const url = `https://127.0.0.1:${(https.address() as AddressInfo).port}`;
    const user = { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) };
    const listed = async (cluster: object) => {
      const text = config({ server: url, ...cluster }, user);
      const api = createRemoteApi(readKubeconfig({ paths: ['c'], readFile: () => text, env: {} }));
      onTestFinished(() => api.close());
      return (await api.list(services)).resourceVersion;
    };
    expect(await listed({ 'certificate-authority-data': base64(server.cert) })).toBe('1');
    expect(seen).toEqual(['client']);
    await expect(listed({})).rejects.toThrow(/self-signed certificate/);
    expect(await listed({ 'insecure-skip-tls-verify': true })).toBe('1');
  });
});
