import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './http.ts';
import { TestCluster } from './test-cluster.ts';

describe('access to the API server', () => {
  let cluster: TestCluster;
  let origin: string;
  beforeAll(async () => {
    cluster = await new TestCluster({
      limits: { maxBodyBytes: 10_000, maxHeaderBytes: 8_192, maxWatches: 2 },
    }).start({
      controllers: false,
    });
    origin = new URL(cluster.url).origin;
  });
  afterAll(() => cluster.stop());

  it('needs the secret in the path', async () => {
    for (const path of ['/api', '/version', '/', `/${'0'.repeat(64)}/api`, '/../api']) {
      const answer = await ask(origin + path);
      expect(answer.status).toBe(401);
      expect(answer.json).toMatchObject({ kind: 'Status', reason: 'Unauthorized', code: 401 });
    }
    expect((await ask(`${cluster.url}/version`)).status).toBe(200);
    expect(cluster.api.counters.refusedForeign).toBeGreaterThanOrEqual(5);
  });

  it('is refused to web pages, whatever they know', async () => {
    for (const headers of [{ host: 'evil.example' }, { origin: 'http://evil.example' }, { origin: 'null' }]) {
      expect((await ask(`${cluster.url}/api`, { headers: headers as Record<string, string> })).status).toBe(
        403,
      );
    }
    const port = new URL(cluster.url).port;
    expect((await ask(`${cluster.url}/api`, { headers: { host: `localhost:${port}` } })).status).toBe(200);
  });

  it.skipIf(process.platform !== 'linux')(
    'is the same on a further address, under that address alone',
    async () => {
      const server = createServer().listen(0, '127.0.0.2');
      await once(server, 'listening');
      const { url: further, kubeconfig } = cluster.api.serve(server);
      expect(kubeconfig).toContain(`server: ${further}\n`);
      expect(further).toMatch(/^http:\/\/127\.0\.0\.2:\d+\/[0-9a-f]{64}$/);
      expect((await ask(`${further}/readyz`)).text).toBe('ok');
      const { port } = new URL(further);
      expect((await ask(`${further}/readyz`, { headers: { host: `127.0.0.1:${port}` } })).status).toBe(403);
      expect((await ask(`http://127.0.0.2:${port}/readyz`)).status).toBe(401);
    },
  );

  it('is by a file that only its owner can read', () => {
    expect(statSync(cluster.kubeconfig).mode & 0o777).toBe(0o600);
  });

  it('takes no body of a type that a page can send without asking', async () => {
    const answer = await ask(`${cluster.url}/api/v1/namespaces`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: '{"metadata":{"name":"x"}}',
    });
    expect(answer.status).toBe(415);
    expect(answer.json.message).toBe(
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  });

  it('ends where a body is too large, announced or not', async () => {
    const body = { metadata: { name: 'x', annotations: { a: 'x'.repeat(20_000) } } };
    const answer = await ask(`${cluster.url}/api/v1/namespaces`, { method: 'POST', body });
    expect(answer.status).toBe(413);
    expect(answer.json).toMatchObject({
      reason: 'RequestEntityTooLarge',
      message: 'Request entity too large: limit is 10000',
    });
    const chunked = await ask(`${cluster.url}/api/v1/namespaces`, {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
      body,
    });
    expect(chunked.status).toBe(413);
    expect(cluster.api.counters.refusedBodies).toBe(2);
  });

  it('ends where headers are too large or not HTTP', async () => {
    expect((await ask(`${cluster.url}/api`, { headers: { 'x-long': 'x'.repeat(10_000) } })).status).toBe(431);
    const socket = connect(Number(new URL(cluster.url).port), '127.0.0.1');
    socket.write('no http at all\r\n\r\n');
    const [chunk] = (await new Promise((resolve) => socket.once('data', (data) => resolve([data])))) as [
      Buffer,
    ];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    socket.destroy();
  });

  it('is closed to connections and sessions beyond the limit, which are counted', async () => {
    const small = await new TestCluster({ limits: { maxConnections: 1, maxStreams: 0 } }).start({
      controllers: false,
    });
    try {
      const { port } = new URL(small.url);
      const first = connect(Number(port), '127.0.0.1');
      await once(first, 'connect');
      const second = connect(Number(port), '127.0.0.1');
      await once(second, 'close');
      expect(small.api.counters.refusedConnections).toBe(1);
      const path = new URL(small.url).pathname;
      first.write(
        `GET ${path}/api/v1/namespaces/default/pods/p/exec HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      );
      const [answer] = (await once(first, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n/);
      expect(small.api.counters.refusedStreams).toBe(1);
      first.destroy();
    } finally {
      await small.stop();
    }
  });
});
