import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createKubelet,
  createPodNetwork,
  createStore,
  type Kubelet,
  kubeletStreams,
} from '../../../src/cluster/index.ts';
import { hasKubectl, TestCluster } from './test-cluster.ts';

const timeout = 60_000;
const hasTerminals = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasKubectl)("the streams of the kubelet's pods (needs kubectl)", () => {
  let cluster: TestCluster;
  let kubelet: Kubelet;
  beforeAll(async () => {
    const store = createStore();
    const late: { kubelet?: Kubelet } = {};
    const access = () => late.kubelet as Kubelet;
    cluster = new TestCluster({
      store,
      streams: kubeletStreams({
        readLogs: (...words) => access().readLogs(...words),
        exec: (...words) => access().exec(...words),
        attach: (...words) => access().attach(...words),
        dialPod: (...words) => access().dialPod(...words),
      }),
    });
    kubelet = createKubelet({
      api: store,
      network: await createPodNetwork('loopback'),
      nodeName: 'sluice',
      images: { node: { command: [process.execPath], workingDir: cluster.home } },
      logDirectory: join(cluster.home, 'pods'),
      settingsFile: 'sluice.yaml',
      recorder: { record: () => undefined },
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    });
    late.kubelet = kubelet;
    await cluster.start({ kubelet: false });
    await kubelet.start();
    const script = `console.log('one'); console.log('two'); process.stdin.on('data', (text) => console.log('heard ' + text)); setInterval(() => {}, 1000)`;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'echo' },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'main', image: 'node', stdin: true, args: ['-e', script] }],
      },
    };
    await cluster.ok('apply -f -', { input: JSON.stringify(pod) });
    await cluster.ok('wait --for=condition=Ready pod/echo --timeout=30s');
  }, timeout);
  afterAll(async () => {
    await kubelet.stop();
    await cluster.stop();
  }, timeout);

  it('logs', { timeout }, async () => {
    await until(async () => (await cluster.ok('logs echo')) === 'one\ntwo\n');
    expect(await cluster.ok('logs echo --tail=1')).toBe('two\n');
    expect(await cluster.ok('logs echo --timestamps --tail=1')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z two\n$/);
    expect(await cluster.ok('logs echo --since=1h --limit-bytes=4')).toBe('one\n');
    expect(await cluster.lines('logs echo -f', 2)).toEqual(['one', 'two']);
    expect(await cluster.refusal('logs echo --previous')).toContain(
      'previous terminated container "main" in pod "echo" not found',
    );
  });

  it('exec', { timeout }, async () => {
    const failed = await cluster.kubectl(`exec echo -- sh -c 'echo out; echo err >&2; exit 3'`);
    expect(failed).toMatchObject({ code: 3, stdout: 'out\n' });
    expect(failed.stderr).toBe('err\ncommand terminated with exit code 3\n');
    expect((await cluster.bash('echo input | kubectl exec -i echo -- cat')).stdout).toBe('input\n');
    expect(await cluster.refusal('exec echo -- nothing-like-this')).toContain('executable file not found');
  });

  it.skipIf(!hasTerminals)('exec in a terminal (needs script of util-linux)', { timeout }, async () => {
    const { stdout } = await cluster.bash(
      `script --quiet --return --command 'kubectl exec -it echo -- tty' /dev/null`,
    );
    expect(stdout).toMatch(/\/dev\/pts\/\d+/);
  });

  it('attach', { timeout }, async () => {
    expect(await cluster.lines('attach -q -i echo', 1, { input: 'hello\n' })).toEqual(['heard hello']);
  });

  async function until(holds: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 50; tries++) if (await holds()) return;
    throw new Error('it never held');
  }
});
