import { describe, expect, it } from 'vitest';
import type { Container, Pod } from '../../../src/kubernetes/index.ts';
import { networkModes } from '../network/cluster.ts';
import { containerOf, images, isReady, restartsOf, script, shell, startNode } from './node.ts';

/** Answers /STATUS with that status, on port 8080, and with 500 while the file FLAG is there. */
const http = `
  require('http').createServer((request, response) => {
    response.statusCode = require('fs').existsSync(process.env.FLAG) ? 500 : Number(request.url.slice(1));
    response.end();
  }).listen(8080, process.env.HOST);`;

/** A gRPC server that knows the health service only, and says that service NAME is what NAME says. */
const grpc = `
  const server = require('http2').createServer();
  server.on('stream', (stream, headers) => {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => {
      const asked = Buffer.concat(parts).subarray(7).toString();
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, asked === 'up' ? 1 : 2]));
    });
  });
  server.listen(8080, process.env.HOST);`;

const port = { ports: [{ name: 'web', containerPort: 8080 }] };
const quick = { periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 1 };
const never = (pod: Pod) => !isReady(pod);

describe.each(networkModes)('probes in mode %s', (mode) => {
  it.each<[string, Container]>([
    [
      'an HTTP status below 400',
      script(http, { ...port, readinessProbe: { httpGet: { path: '/302', port: 'web' } } }),
    ],
    ['a TCP connection', script(http, { ...port, readinessProbe: { tcpSocket: { port: 8080 } } })],
    ['a healthy gRPC service', script(grpc, { readinessProbe: { grpc: { port: 8080, service: 'up' } } })],
    ['a command that ends with 0', shell('sleep 1000', { readinessProbe: { exec: { command: ['true'] } } })],
  ])('make a container ready by %s', async (_, container) => {
    const node = await startNode(mode, { images });
    await node.createPod('probed', { containers: [container] });
    await node.until('probed', isReady);
  });

  it.each<[string, Container, RegExp]>([
    [
      'an HTTP status from 400 on',
      script(http, { ...port, readinessProbe: { ...quick, httpGet: { path: '/503', port: 'web' } } }),
      /^Readiness probe failed: HTTP probe failed with statuscode: 503$/,
    ],
    [
      'a port where nobody listens',
      shell('sleep 1000', { readinessProbe: { ...quick, tcpSocket: { port: 8080 } } }),
      /^Readiness probe failed: dial tcp [\d.]+:8080: connect: connection refused$/,
    ],
    [
      'an HTTP server that is not there',
      shell('sleep 1000', { readinessProbe: { ...quick, httpGet: { path: '/x', port: 8080 } } }),
      /^Readiness probe failed: Get "http:\/\/[\d.]+:8080\/x": dial tcp [\d.]+:8080: connect: connection refused$/,
    ],
    [
      'a gRPC service that does not serve',
      script(grpc, { readinessProbe: { ...quick, grpc: { port: 8080, service: 'down' } } }),
      /^Readiness probe failed: service unhealthy \(responded with "NOT_SERVING"\)$/,
    ],
    [
      'a command that fails, with its output',
      shell('sleep 1000', {
        readinessProbe: { ...quick, exec: { command: ['sh', '-c', 'echo not yet; exit 1'] } },
      }),
      /^Readiness probe failed: not yet\n$/,
    ],
    [
      'a command that takes too long',
      shell('sleep 1000', {
        readinessProbe: { ...quick, timeoutSeconds: 1, exec: { command: ['sleep', '1000'] } },
      }),
      /^Readiness probe failed: command timed out: "sleep 1000" timed out after 1s$/,
    ],
  ])('keep a container from being ready by %s, and say so', async (_, container, message) => {
    const node = await startNode(mode, { images });
    await node.createPod('probed', { containers: [container] });
    await node.untilEvent('Unhealthy', message);
    expect(node.history.every(never)).toBe(true);
  });

  it('take readiness back when they fail later, and do not restart the container for it', async () => {
    const node = await startNode(mode, { images });
    const flag = `${node.logDirectory}/broken`;
    const readinessProbe = { ...quick, httpGet: { path: '/200', port: 'web' } };
    const env = [{ name: 'FLAG', value: flag }];
    await node.createPod('probed', { containers: [script(http, { ...port, env, readinessProbe })] });
    await node.until('probed', isReady);
    await node.call('touch', { path: flag });
    const unready = await node.until('probed', (pod) => !isReady(pod));
    expect(containerOf(unready)).toMatchObject({ restartCount: 0, started: true, state: { running: {} } });
  });

  it('restart a container that fails its liveness probe', async () => {
    const node = await startNode(mode, { images });
    const livenessProbe = { ...quick, exec: { command: ['sh', '-c', 'echo sick; exit 1'] } };
    await node.createPod('sick', {
      terminationGracePeriodSeconds: 1,
      containers: [shell('trap "exit 0" TERM; while :; do sleep 0.01; done', { livenessProbe })],
    });
    await node.until('sick', (pod) => restartsOf(pod) === 1);
    expect(await node.untilEvent('Unhealthy')).toMatchObject({ message: 'Liveness probe failed: sick\n' });
    expect(await node.untilEvent('Killing')).toMatchObject({
      message: 'Container app failed liveness probe, will be restarted',
    });
  });

  it('wait for the startup probe before they look at anything else', async () => {
    const node = await startNode(mode, { images });
    const flag = `${node.logDirectory}/started`;
    const command = (path: string) => ({ exec: { command: ['test', '-e', path] } });
    await node.createPod('slow', {
      containers: [
        shell('sleep 1000', {
          startupProbe: { ...quick, failureThreshold: 1000, ...command(flag) },
          livenessProbe: { ...quick, exec: { command: ['true'] } },
        }),
      ],
    });
    await node.untilEvent('Unhealthy', /^Startup probe failed/);
    expect(node.history.every((pod) => !pod.status?.containerStatuses?.[0]?.started)).toBe(true);
    await node.call('touch', { path: flag });
    const pod = await node.until('slow', isReady);
    expect(containerOf(pod).started).toBe(true);
  });
});
