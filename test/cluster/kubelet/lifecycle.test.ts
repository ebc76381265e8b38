import { describe, expect, it } from 'vitest';
import { residentBytes } from '../../../src/cluster/kubelet/memory-limit.ts';
import type { Pod } from '../../../src/kubernetes/index.ts';
import { networkModes } from '../network/cluster.ts';
import { containerOf, images, isReady, restartsOf, script, shell, startNode } from './node.ts';

const patient = 'trap "echo asked; exit 0" TERM; echo up; while :; do sleep 0.01; done';

describe.each(networkModes)('hooks in mode %s', (mode) => {
  it('run after the start, and before the request to stop', async () => {
    const node = await startNode(mode, { images });
    const say = (text: string) => ({
      exec: { command: ['sh', '-c', `echo ${text} >>${node.logDirectory}/said`] },
    });
    const lifecycle = { postStart: say('started'), preStop: say('stopping') };
    const container = shell(
      `trap "echo asked >>${node.logDirectory}/said; exit 0" TERM; while :; do sleep 0.01; done`,
      {
        lifecycle,
      },
    );
    await node.createPod('app', { containers: [container] });
    await node.until('app', isReady);
    await node.call('delete', { name: 'app' });
    await node.untilGone('app');
    expect(await node.call('read', { path: `${node.logDirectory}/said` })).toBe('started\nstopping\nasked\n');
  });

  it('end the container when the first fails, and only tell when the last fails', async () => {
    const node = await startNode(mode, { images });
    const fails = { exec: { command: ['sh', '-c', 'echo broken; exit 1'] } };
    await node.createPod('first', {
      terminationGracePeriodSeconds: 1,
      containers: [shell(patient, { lifecycle: { postStart: fails } })],
    });
    await node.until('first', (pod) => restartsOf(pod) === 1);
    expect(await node.untilEvent('FailedPostStartHook')).toMatchObject({
      message: expect.stringContaining('broken'),
    });
    await node.createPod('last', {
      terminationGracePeriodSeconds: 1,
      containers: [shell(patient, { lifecycle: { preStop: fails } })],
    });
    await node.until('last', isReady);
    await node.call('delete', { name: 'last' });
    await node.untilGone('last');
    expect(await node.untilEvent('FailedPreStopHook')).toMatchObject({
      message: expect.stringContaining('broken'),
    });
  });

  it('do not outlast the grace period', async () => {
    const node = await startNode(mode, { images });
    const lifecycle = { preStop: { exec: { command: ['sleep', '1000'] } } };
    await node.createPod('app', {
      terminationGracePeriodSeconds: 1,
      containers: [shell(patient, { lifecycle })],
    });
    await node.until('app', isReady);
    await node.call('delete', { name: 'app' });
    await node.untilGone('app');
  });
});

describe.each(networkModes)('a grace period in mode %s', (mode) => {
  it('is shortened by a second deletion', async () => {
    const node = await startNode(mode, { images });
    await node.createPod('app', {
      terminationGracePeriodSeconds: 600,
      containers: [shell('trap "" TERM; while :; do sleep 0.01; done')],
    });
    await node.until('app', isReady);
    await node.call('delete', { name: 'app' });
    await node.untilEvent('Killing');
    await node.call('delete', { name: 'app', gracePeriodSeconds: 1 });
    await node.untilGone('app');
    expect(containerOf(node.history.at(-1) as Pod).state.terminated?.exitCode).toBe(137);
  });

  it('of nothing ends a pod whose object is gone at once', async () => {
    const node = await startNode(mode, { images });
    const env = [{ name: 'MARK', value: node.logDirectory }];
    await node.createPod('app', {
      containers: [shell('trap "" TERM; while :; do sleep 0.01; done', { env })],
    });
    await node.until('app', isReady);
    await node.call('delete', { name: 'app', gracePeriodSeconds: 0 });
    await node.untilGone('app');
    await expect
      .poll(
        async () =>
          (await node.call<string[]>('environments')).some((text) =>
            text.includes(`MARK=${node.logDirectory}`),
          ),
        { timeout: 20_000 },
      )
      .toBe(false);
  });
});

describe.each(networkModes)('init containers in mode %s', (mode) => {
  it('run one after the other before the others, and hold them up until they succeed', async () => {
    const node = await startNode(mode, {
      images,
      limits: { backOff: { firstMs: 10, maxMs: 10, resetMs: 1e6 } },
    });
    const flag = `${node.logDirectory}/flag`;
    const initContainers = [
      shell(`test -e ${flag}`, { name: 'waits' }),
      shell(`echo second >>${flag}`, { name: 'second' }),
    ];
    await node.createPod('app', { initContainers, containers: [shell(`cat ${flag}; sleep 1000`)] });
    const waiting = await node.until('app', (pod) => {
      const [first] = (pod.status?.initContainerStatuses ?? []) as { restartCount: number }[];
      return (first?.restartCount ?? 0) >= 1;
    });
    expect(waiting.status?.phase).toBe('Pending');
    expect(containerOf(waiting).state).toEqual({ waiting: { reason: 'PodInitializing' } });
    expect(waiting.status?.conditions?.find(({ type }) => type === 'Initialized')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [waits second]',
    });
    await node.call('touch', { path: flag });
    await node.until('app', isReady);
    const follow = node.call('followLogs', { name: 'app', container: 'app' }).catch(() => undefined);
    await node.untilFollowed('second\n');
    await node.kill();
    await follow;
  });

  it('that restart always run beside the others, and end after them', async () => {
    const node = await startNode(mode, { images });
    const flag = `${node.logDirectory}/flag`;
    const text = patient.replace('echo up', `: >${flag}`);
    const sidecar = { ...shell(text, { name: 'sidecar' }), restartPolicy: 'Always' };
    await node.createPod('app', {
      restartPolicy: 'Never',
      initContainers: [sidecar],
      containers: [shell(`while ! test -e ${flag}; do sleep 0.01; done`)],
    });
    const done = await node.until('app', ({ status }) => status?.phase === 'Succeeded');
    expect(done.status?.initContainerStatuses).toMatchObject([{ state: { terminated: { exitCode: 0 } } }]);
  });
});

describe.each(networkModes)('limits in mode %s', (mode) => {
  it('of memory end a container that holds more: OOMKilled, exit code 137', async () => {
    const node = await startNode(mode, { images });
    const greedy = 'globalThis.held = Buffer.alloc(256 * 1024 * 1024, 1); setInterval(() => {}, 1000)';
    const resources = { limits: { memory: '128Mi' } };
    await node.createPod('greedy', { restartPolicy: 'Never', containers: [script(greedy, { resources })] });
    const pod = await node.until('greedy', ({ status }) => status?.phase === 'Failed');
    expect(containerOf(pod).state.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
  });

  it('of memory leave a container alone that holds less', async () => {
    const node = await startNode(mode, { images });
    const modest = 'globalThis.held = Buffer.alloc(8 * 1024 * 1024, 1); setTimeout(() => {}, 700)';
    const resources = { limits: { memory: '512Mi' } };
    await node.createPod('modest', { restartPolicy: 'Never', containers: [script(modest, { resources })] });
    await node.until('modest', ({ status }) => status?.phase === 'Succeeded');
  });

  it('of CPU are told not to be enforced', async () => {
    const node = await startNode(mode, { images });
    await node.createPod('app', {
      containers: [shell('sleep 1000', { resources: { limits: { cpu: '100m' } } })],
    });
    expect(await node.untilEvent('CpuNotLimited')).toMatchObject({
      message: expect.stringContaining('Container app has a CPU limit of 100m: it is not enforced here'),
    });
  });
});

describe('the memory a process holds', () => {
  it('is what no file backs, of the text of /proc/PID/status', () => {
    const status = 'VmRSS:\t  900 kB\nRssAnon:\t  600 kB\nRssFile:\t  200 kB\nRssShmem:\t  100 kB\n';
    expect(residentBytes(status)).toBe(700 * 1024);
    expect(residentBytes('')).toBe(0);
  });
});
