import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processStreams } from './process-streams.ts';
import { hasKubectl, kubectlBinaries, TestCluster } from './test-cluster.ts';

const timeout = 60_000;
const bytes = randomBytes(1_500_000);

/** kubectl speaks websockets first; these make it speak SPDY at once. */
const transports = [
  { transport: 'websockets', variables: {} },
  {
    transport: 'SPDY',
    variables: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' },
  },
];
const runs = kubectlBinaries.flatMap((binary) =>
  transports.map((transport) => ({ ...binary, ...transport })),
);

describe.skipIf(!hasKubectl)("pods' streams (needs kubectl)", () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await new TestCluster({ streams: processStreams }).start();
    const pod = (name: string, containers: string[]) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app: 'streams' } },
      spec: { containers: containers.map((container) => ({ name: container, image: 'any' })) },
    });
    const list = { apiVersion: 'v1', kind: 'List', items: [pod('one', ['main']), pod('two', ['a', 'b'])] };
    await cluster.ok('apply -f -', { input: JSON.stringify(list) });
    await cluster.ok('wait --for=condition=Ready pod/one pod/two --timeout=30s');
  });
  afterAll(async () => {
    expect(cluster.faults).toEqual([]);
    await cluster.stop();
    expect(cluster.api.counters).toMatchObject({ streams: 0, watches: 0 });
  });

  describe.each(runs)('with $name over $transport', ({ path: binary, variables }) => {
    const kubectl = (line: string) =>
      cluster.bash(
        `${Object.entries(variables)
          .map(([name, value]) => `${name}=${value} `)
          .join('')}'${binary}' ${line}`,
      );

    it('exec passes output, input and exit codes', { timeout }, async () => {
      expect((await kubectl('exec one -- echo hello')).stdout).toBe('hello\n');
      const failed = await kubectl(`exec one -- sh -c 'echo out; echo err >&2; exit 7'`);
      expect(failed).toMatchObject({ code: 7, stdout: 'out\n' });
      expect(failed.stderr).toBe('err\ncommand terminated with exit code 7\n');
      expect((await kubectl(`exec -i one -- tr a-z A-Z <<< shout`)).stdout).toBe('SHOUT\n');
      expect((await kubectl('exec one -- /no/such/program')).stderr).toContain(
        'Internal error occurred: spawn /no/such/program ENOENT',
      );
      expect((await kubectl('exec two -c b -- echo b')).stdout).toBe('b\n');
      expect((await kubectl('exec two -c nope -- echo b')).stderr).toContain(
        'container nope is not valid for pod two',
      );
    });

    it('cp carries a large file there and back', { timeout }, async () => {
      const [from, there, back] = ['from', 'there', 'back'].map((name) => join(cluster.home, name)) as [
        string,
        string,
        string,
      ];
      writeFileSync(from, bytes);
      await kubectl(`cp ${from} one:${there}`);
      await kubectl(`cp one:${there} ${back}`);
      expect(readFileSync(back).equals(bytes)).toBe(true);
    });

    it('attach connects to the process', { timeout }, async () => {
      expect((await kubectl('attach -q -i one <<< hello')).stdout).toContain('hello\n');
    });

    it('port-forward carries bytes both ways, and says why a port cannot be reached', {
      timeout,
    }, async () => {
      const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
      await once(echo, 'listening');
      const child = spawn(
        binary,
        ['port-forward', 'pod/one', `:${(echo.address() as AddressInfo).port}`, ':1'],
        {
          env: { ...cluster.environment, ...variables },
        },
      );
      let output = '';
      const ports = await new Promise<number[]>((resolve) => {
        child.stdout.on('data', (chunk: Buffer) => {
          output += chunk.toString();
          const found = [...output.matchAll(/127\.0\.0\.1:(\d+) -> /g)].map(([, port]) => Number(port));
          if (found.length === 2) resolve(found);
        });
      });
      try {
        const socket = connect({ port: ports[0] ?? 0, host: '127.0.0.1' });
        const received: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => received.push(chunk));
        socket.end(bytes);
        await once(socket, 'close');
        expect(Buffer.concat(received).equals(bytes)).toBe(true);
        const errors = once(child.stderr, 'data') as Promise<[Buffer]>;
        connect({ port: ports[1] ?? 0, host: '127.0.0.1' }).on('error', () => undefined);
        expect((await errors)[0].toString()).toContain(
          'error forwarding port 1 to pod: connect ECONNREFUSED',
        );
      } finally {
        child.kill();
        echo.close();
      }
    });
  });

  it('end when the server closes', { timeout }, async () => {
    const other = await new TestCluster({ streams: processStreams }).start();
    await other.ok('run lone --image=any');
    await other.ok('wait --for=condition=Ready pod/lone --timeout=30s');
    const session = other.lines('exec lone -- sh -c "echo here; sleep 60"', 2);
    session.catch(() => undefined);
    await until(() => other.api.counters.streams === 1);
    await other.stop();
    await expect(session).rejects.toThrow('ended early');
  });

  it('logs come from one container or from all pods of a label, with and without following', {
    timeout,
  }, async () => {
    expect(await cluster.ok('logs one')).toBe('one/main: one\none/main: two\none/main: three\n');
    expect(await cluster.ok('logs one --tail=1 --timestamps')).toBe('2026-01-01T00:00:00Z one/main: three\n');
    expect(await cluster.ok('logs one -f')).toBe('one/main: one\none/main: two\none/main: three\nlater\n');
    expect(await cluster.ok('logs two -c b --tail=1')).toBe('two/b: three\n');
    const all = await cluster.ok('logs -l app=streams --all-containers --tail=1 --prefix');
    expect(all.trim().split('\n').toSorted()).toEqual([
      '[pod/one/main] one/main: three',
      '[pod/two/a] two/a: three',
      '[pod/two/b] two/b: three',
    ]);
    expect(await cluster.refusal('logs none')).toBe(
      'error: error from server (NotFound): pods "none" not found in namespace "default"',
    );
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries === 1_000) throw new Error('it never held');
    await delay(10);
  }
}
