import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../src/kubernetes/index.ts';
import { networkModes } from '../network/cluster.ts';
import { containerOf, echo, images, isReady, restartsOf, script, shell, startNode, udp4444 } from './node.ts';

const waitingReason = (pod: Pod) => pod.status?.containerStatuses?.[0]?.state.waiting?.reason;
const quickBackOff = { firstMs: 20, maxMs: 80, resetMs: 600_000 };

describe.each(networkModes)('a pod in mode %s', (mode) => {
  it('becomes ready when its port is bound, and answers at its address from then on', async () => {
    const node = await startNode(mode, { images });
    await node.createPod('echo', { containers: [script(echo, udp4444)] });
    const pod = await node.until('echo', isReady);
    expect(await node.call('ask', { address: pod.status?.podIP, port: 4444, text: 'hello' })).toBe('hello');
    expect(pod.status).toMatchObject({
      phase: 'Running',
      podIPs: [{ ip: pod.status?.podIP }],
      startTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      qosClass: 'BestEffort',
    });
    expect(containerOf(pod)).toMatchObject({
      ready: true,
      started: true,
      restartCount: 0,
      containerID: expect.stringMatching(/^sluice:\/\/[0-9a-f]{64}$/),
      state: { running: { startedAt: expect.any(String) } },
    });
    expect(node.events.map(({ type, reason, message }) => `${type} ${reason} ${message}`)).toEqual([
      'Normal Pulled Container image "node" already present on machine',
      'Normal Created Created container: app',
      'Normal Started Started container app',
    ]);
  });

  it('is pending first, then running but not ready, worded as a kubelet words it', async () => {
    const node = await startNode(mode, { images });
    await node.createPod('echo', { containers: [script(echo, udp4444)] });
    await node.until('echo', isReady);
    const first = node.history.find(({ status }) => status?.containerStatuses);
    expect(first?.status?.phase).toBe('Pending');
    expect(containerOf(first as Pod).state).toEqual({ waiting: { reason: 'ContainerCreating' } });
    const running = node.history.find(({ status }) => status?.phase === 'Running');
    expect(running?.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [app]',
    });
    const types = running?.status?.conditions?.map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining([
        'PodReadyToStartContainers',
        'Initialized',
        'Ready',
        'ContainersReady',
        'PodScheduled',
      ]),
    );
  });

  it('counts as ready when its port is not bound within the limit, and an event says so', async () => {
    const node = await startNode(mode, { images, limits: { portWaitMs: 50 } });
    await node.createPod('quiet', { containers: [shell('sleep 1000', udp4444)] });
    await node.until('quiet', isReady);
    expect(await node.untilEvent('PortNotBound')).toMatchObject({
      type: 'Warning',
      message: expect.stringContaining(
        'Container app declares 4444/UDP, and nothing listens there after 0.05s',
      ),
    });
  });

  it('is ready once started when it declares no port', async () => {
    const node = await startNode(mode, { images });
    await node.createPod('worker', { containers: [shell('sleep 1000')] });
    await node.until('worker', isReady);
  });

  it('starts its container again at once the first time it is killed, then with growing back-off', async () => {
    const node = await startNode(mode, { images, limits: { backOff: quickBackOff } });
    const pod = await node.createPod('crash', { containers: [shell('exit 3')] });
    const crashed = await node.until('crash', (version) => waitingReason(version) === 'CrashLoopBackOff');
    expect(containerOf(crashed)).toMatchObject({
      ready: false,
      restartCount: 1,
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: `back-off 20ms restarting failed container=app pod=crash_default(${pod.metadata.uid})`,
        },
      },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    });
    expect(crashed.status?.phase).toBe('Running');
    await node.until('crash', (version) => restartsOf(version) >= 4);
    const delays = node.history
      .map((version) =>
        /^back-off (\d+)ms/.exec(version.status?.containerStatuses?.[0]?.state.waiting?.message ?? ''),
      )
      .flatMap((match) => match?.[1] ?? []);
    expect([...new Set(delays)].slice(0, 3)).toEqual(['20', '40', '80']);
    expect(await node.untilEvent('BackOff')).toMatchObject({
      type: 'Warning',
      message: `Back-off restarting failed container app in pod crash_default(${pod.metadata.uid})`,
    });
  });

  it('is not ready from the moment its program is killed until it listens again', async () => {
    const node = await startNode(mode, { images });
    const suicidal = echo.replace(
      'socket.send(',
      'String(text) === "die" ? setTimeout(() => process.exit(9), 1) : socket.send(',
    );
    await node.createPod('echo', { containers: [script(suicidal, udp4444)] });
    const { status } = await node.until('echo', isReady);
    await node.call('tell', { address: status?.podIP, port: 4444, text: 'die' });
    const dead = await node.until('echo', (version) => !isReady(version));
    expect(containerOf(dead).state.terminated).toMatchObject({ exitCode: 9, reason: 'Error' });
    const back = await node.until('echo', (version) => isReady(version) && restartsOf(version) === 1);
    expect(back.status?.podIP).toBe(status?.podIP);
    expect(await node.call('ask', { address: status?.podIP, port: 4444, text: 'again' })).toBe('again');
  });

  it.each([
    ['Never', 'exit 0', 'Succeeded', 'Completed'],
    ['Never', 'exit 5', 'Failed', 'Error'],
    ['OnFailure', 'exit 0', 'Succeeded', 'Completed'],
  ] as const)(
    'with restart policy %s ends for good after `%s`: %s',
    async (restartPolicy, text, phase, reason) => {
      const node = await startNode(mode, { images });
      await node.createPod('job', { restartPolicy, containers: [shell(text)] });
      const pod = await node.until('job', ({ status }) => status?.phase === phase);
      expect(containerOf(pod).state.terminated?.reason).toBe(reason);
      expect(containerOf(pod).restartCount).toBe(0);
    },
  );

  it('is stopped with SIGTERM when it is deleted, and then goes from the API', async () => {
    const node = await startNode(mode, { images });
    await node.createPod('echo', { containers: [script(echo, udp4444)] });
    await node.until('echo', isReady);
    const follow = node.call('followLogs', { name: 'echo' });
    await node.call('delete', { name: 'echo' });
    await node.untilGone('echo');
    await follow;
    expect(node.followed()).toBe('listening\nasked to stop\n');
    const last = node.history.at(-1) as Pod;
    expect(containerOf(last)).toMatchObject({ ready: false, state: { terminated: { exitCode: 0 } } });
    expect(isReady(last)).toBe(false);
    expect(node.events.at(-1)).toMatchObject({ reason: 'Killing', message: 'Stopping container app' });
  });

  it('answers what had arrived before it is asked to stop', async () => {
    const node = await startNode(mode, { images, limits: { drainMs: 1 } });
    const stall = 'if (String(text) === "stall") { const end = Date.now() + 400; while (Date.now() < end); }';
    const busy = echo
      .replace('(text, from) =>', `(text, from) => { ${stall}`)
      .replace('from.address));', 'from.address); });');
    await node.createPod('busy', { containers: [script(busy, udp4444)] });
    const { status } = await node.until('busy', isReady);
    const ask = (text: string) => node.call('ask', { address: status?.podIP, port: 4444, text });
    const answers = Promise.all(['stall', 'one', 'two', 'three'].map(ask));
    await node.call('delete', { name: 'busy' });
    expect(await answers).toEqual(['stall', 'one', 'two', 'three']);
    await node.untilGone('busy');
  });

  it('answers what it has read and still works on before it is asked to stop', async () => {
    const node = await startNode(mode, { images, limits: { drainMs: 1 } });
    // In steps: a signal is taken between them.
    const slow = echo.replace(
      'socket.send(text, from.port, from.address));',
      `{ console.log('read');
         const end = Date.now() + 400;
         const work = () => Date.now() < end ? setImmediate(work) : socket.send(text, from.port, from.address);
         work(); });`,
    );
    await node.createPod('slow', { containers: [script(slow, udp4444)] });
    const { status } = await node.until('slow', isReady);
    const follow = node.call('followLogs', { name: 'slow' });
    const answer = node.call('ask', { address: status?.podIP, port: 4444, text: 'one' });
    await node.untilFollowed('read');
    await node.call('delete', { name: 'slow' });
    const gone = Promise.all([node.untilGone('slow'), follow]).then(() => 'gone');
    expect(await Promise.race([answer, gone])).toBe('one');
    await gone;
  });

  it('is asked to stop although it works without an end', async () => {
    const node = await startNode(mode, { images, limits: { drainMs: 1 } });
    const restless = `${echo} const work = () => setImmediate(work); work();`;
    await node.createPod('restless', { containers: [script(restless, udp4444)] });
    await node.until('restless', isReady);
    await node.call('delete', { name: 'restless' });
    await node.untilGone('restless');
    expect(containerOf(node.history.at(-1) as Pod).state.terminated?.exitCode).toBe(0);
  });

  it('is killed when it has not ended by the end of its grace period', async () => {
    const node = await startNode(mode, { images });
    const stubborn = shell("trap 'echo no' TERM; echo up; while :; do sleep 0.05; done");
    await node.createPod('stubborn', { terminationGracePeriodSeconds: 1, containers: [stubborn] });
    await node.until('stubborn', isReady);
    const follow = node.call('followLogs', { name: 'stubborn' });
    await node.untilFollowed('up');
    await node.call('delete', { name: 'stubborn' });
    await node.untilGone('stubborn');
    await follow;
    expect(node.followed()).toContain('no\n');
    expect(containerOf(node.history.at(-1) as Pod).state.terminated?.exitCode).toBe(137);
  });

  it('waits for a program for its image, says how to name one, and starts when it is named', async () => {
    const node = await startNode(mode, { images: {} });
    const image = 'registry.example/team/app:1.2';
    await node.createPod('app', { containers: [{ name: 'app', image, args: ['-c', 'sleep 1000'] }] });
    const advice =
      'no program stands for this image on this machine; say which in sluice.yaml: images: { registry.example/team/app: { command: [PROGRAM, ARGUMENT] } }';
    const failed = await node.until('app', (pod) => waitingReason(pod) === 'ErrImagePull');
    expect(containerOf(failed).state.waiting?.message).toBe(advice);
    const waiting = await node.until('app', (pod) => waitingReason(pod) === 'ImagePullBackOff');
    expect(containerOf(waiting).state.waiting?.message).toBe(
      `Back-off pulling image "${image}": ErrImagePull: ${advice}`,
    );
    expect(waiting.status?.phase).toBe('Pending');
    expect(node.events.map(({ type, reason, message }) => `${type} ${reason} ${message}`)).toEqual([
      `Normal Pulling Pulling image "${image}"`,
      `Warning Failed Failed to pull image "${image}": ${advice}`,
      'Warning Failed Error: ErrImagePull',
      `Normal BackOff Back-off pulling image "${image}"`,
      'Warning Failed Error: ImagePullBackOff',
    ]);
    await node.call('setImages', { images: { 'registry.example/team/app': { command: ['/bin/sh'] } } });
    await node.until('app', isReady);
  });

  it('says what is wrong with a program that is not on this machine', async () => {
    const node = await startNode(mode, { images: { app: { command: ['no-such-program'] } } });
    await node.createPod('app', { containers: [{ name: 'app', image: 'app' }] });
    const failed = await node.until('app', (pod) => waitingReason(pod) === 'CrashLoopBackOff');
    expect(containerOf(failed).lastState?.terminated).toMatchObject({
      exitCode: 128,
      reason: 'StartError',
      message: expect.stringContaining('exec: "no-such-program": executable file not found in $PATH'),
    });
  });

  it('says what is wrong with arguments that no system takes', async () => {
    const node = await startNode(mode, { images });
    await node.createPod('app', { restartPolicy: 'Never', containers: [shell('echo a\0b')] });
    const failed = await node.until('app', ({ status }) => status?.phase === 'Failed');
    expect(containerOf(failed).state.terminated).toMatchObject({
      exitCode: 128,
      reason: 'StartError',
      message: expect.stringContaining('without null bytes'),
    });
  });

  it('leaves no process and no network behind when the kubelet stops', async () => {
    const node = await startNode(mode, { images, limits: { stopGraceMs: 500 } });
    const mark = `MARK=${node.logDirectory}`;
    const env = [{ name: 'MARK', value: node.logDirectory }];
    await node.createPod('one', { containers: [script(echo, { ...udp4444, env })] });
    await node.createPod('two', { containers: [shell('sleep 1000 & setsid sleep 1000 & wait', { env })] });
    await Promise.all([node.until('one', isReady), node.until('two', isReady)]);
    const bearMark = async () =>
      (await node.call<string[]>('environments')).filter((text) => text.includes(mark)).length;
    expect(await bearMark()).toBeGreaterThanOrEqual(3);
    await node.call('stop');
    expect(await bearMark()).toBe(0);
  });

  it('is refused when the node is full', async () => {
    const node = await startNode(mode, { images, limits: { maxPods: 1 } });
    await node.createPod('one', { containers: [shell('sleep 1000')] });
    await node.createPod('two', { containers: [shell('sleep 1000')] });
    const refused = await node.until('two', ({ status }) => status?.phase === 'Failed');
    expect(refused.status).toMatchObject({
      reason: 'OutOfpods',
      message: "Node didn't have enough resource: pods, requested: 1, used: 1, capacity: 1",
    });
  });
});

describe('a pod without a network namespace', () => {
  it('is ready when its program binds every address of the machine', async () => {
    const node = await startNode('loopback', { images });
    const anyPort = `
      const socket = require('dgram').createSocket('udp4');
      socket.bind(Number(process.env.PORT), '0.0.0.0');`;
    const probe = createSocket('udp4');
    probe.bind(0);
    await once(probe, 'listening');
    const { port } = probe.address();
    probe.close();
    const env = [{ name: 'PORT', value: String(port) }];
    const ports = [{ containerPort: port, protocol: 'UDP' as const }];
    await node.createPod('wide', { containers: [script(anyPort, { env, ports })] });
    await node.until('wide', isReady);
    expect(node.events.map(({ reason }) => reason)).not.toContain('PortNotBound');
  });
});
