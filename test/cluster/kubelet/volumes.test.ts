import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { KubeObject, PodSpec, Service } from '../../../src/kubernetes/index.ts';
import { networkModes } from '../network/cluster.ts';
import { images, isReady, shell, startNode, type TestNode } from './node.ts';

const configMap = (data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'default' },
  data,
});
const secret: KubeObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'keys', namespace: 'default' },
  data: { password: Buffer.from('swordfish').toString('base64') },
};

/** What the pod's containers print, one after the other. */
async function outputOf(
  node: TestNode,
  spec: Partial<PodSpec> & { [field: string]: unknown },
): Promise<string> {
  await node.createPod('app', { restartPolicy: 'Never', ...spec });
  await node.until('app', ({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed');
  return node.call('logs', { name: 'app', container: spec.containers?.at(-1)?.name });
}

const mounted = (mountPath: string, more: object = {}) => ({
  volumeMounts: [{ name: 'data', mountPath, ...more }],
});

describe.skipIf(!networkModes.includes('namespaces'))("a pod's volumes (needs unshare and mount)", () => {
  it('show a ConfigMap at a path that this machine does not have, which it never gets', async () => {
    const node = await startNode('namespaces', { images });
    await node.call('create', configMap({ 'app.conf': 'color = red', other: 'x' }));
    const volumes = [
      { name: 'data', configMap: { name: 'settings', items: [{ key: 'app.conf', path: 'sub/app.conf' }] } },
    ];
    const script =
      'cd /sluice-test-config; find . -type f; cat sub/app.conf; touch x 2>/dev/null || echo " read-only"';
    const output = await outputOf(node, {
      volumes,
      containers: [shell(script, mounted('/sluice-test-config'))],
    });
    expect(output).toBe('./sub/app.conf\ncolor = red read-only\n');
    expect(existsSync('/sluice-test-config')).toBe(false);
  });

  it('show a Secret, with modes, below a directory that this machine has', async () => {
    const node = await startNode('namespaces', { images });
    await node.call('create', secret);
    const volumes = [{ name: 'data', secret: { secretName: 'keys', defaultMode: 0o400 } }];
    const script =
      'cat /etc/sluice-test/keys/password; stat -c " %a" /etc/sluice-test/keys/password; test -e /etc/passwd';
    const output = await outputOf(node, {
      volumes,
      containers: [shell(script, mounted('/etc/sluice-test/keys'))],
    });
    expect(output).toBe('swordfish 400\n');
    expect(existsSync('/etc/sluice-test')).toBe(false);
  });

  it('show one key in place of one file', async () => {
    const node = await startNode('namespaces', { images });
    await node.call('create', configMap({ passwd: 'nobody here' }));
    const volumes = [{ name: 'data', configMap: { name: 'settings' } }];
    const container = shell(
      'cat /etc/passwd; test -e /etc/group',
      mounted('/etc/passwd', { subPath: 'passwd' }),
    );
    expect(await outputOf(node, { volumes, containers: [container] })).toBe('nobody here');
  });

  it('are shared by the containers of a pod where they are empty at first', async () => {
    const node = await startNode('namespaces', { images });
    const output = await outputOf(node, {
      volumes: [{ name: 'data', emptyDir: {} }],
      initContainers: [
        shell('echo hello >/sluice-test/greeting', { name: 'init', ...mounted('/sluice-test') }),
      ],
      containers: [shell('cat /srv/sluice-test/greeting', mounted('/srv/sluice-test'))],
    });
    expect(output).toBe('hello\n');
  });

  it('show fields of the pod, and several sources in one', async () => {
    const node = await startNode('namespaces', { images });
    await node.call('create', configMap({ color: 'red' }));
    await node.call('create', secret);
    const sources = [
      { configMap: { name: 'settings' } },
      { secret: { name: 'keys' } },
      { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
    ];
    const volumes = [{ name: 'data', projected: { sources } }];
    const container = shell('cd /sluice-test && tail -n +1 color name password', mounted('/sluice-test'));
    const output = await outputOf(node, { volumes, containers: [container] });
    expect(output).toBe('==> color <==\nred\n==> name <==\napp\n==> password <==\nswordfish');
  });

  it('follow the ConfigMap that fills them', async () => {
    const node = await startNode('namespaces', { images });
    await node.call('create', configMap({ color: 'red' }));
    const volumes = [{ name: 'data', configMap: { name: 'settings' } }];
    const container = shell(
      'while ! grep -q blue /sluice-test/color; do sleep 0.02; done',
      mounted('/sluice-test'),
    );
    await node.createPod('app', { restartPolicy: 'Never', volumes, containers: [container] });
    await node.until('app', isReady);
    await node.call('update', configMap({ color: 'blue' }));
    await node.until('app', ({ status }) => status?.phase === 'Succeeded');
  });

  it('give names of services to look up, and the pod its own name', async () => {
    const node = await startNode('namespaces', { images, dns: { server: '10.96.0.10' } });
    const output = await outputOf(node, { containers: [shell('cat /etc/resolv.conf; getent hosts app')] });
    expect(output).toMatch(
      /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local\nnameserver 10\.96\.0\.10\noptions ndots:5\n10\.244\.\d+\.\d+\s+app\n$/,
    );
  });

  it("let programs find a Service's address by its name, short or long", async () => {
    const node = await startNode('namespaces', { images, dns: { server: '10.96.0.10' } });
    await node.call('startDns');
    const ports = [{ port: 4444, protocol: 'UDP' }];
    const metadata = { name: 'udp-echo-service', namespace: 'default' };
    const service = await node.call<Service>('create', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { ports },
    });
    const names = [
      'udp-echo-service',
      'udp-echo-service.default',
      'udp-echo-service.default.svc.cluster.local',
    ];
    const output = await outputOf(node, {
      containers: [shell(names.map((name) => `getent ahostsv4 ${name} | head -1`).join('; '))],
    });
    const addresses = output
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]);
    expect(addresses).toEqual(names.map(() => service.spec.clusterIP));
  });

  it('leave nothing on the disk', async () => {
    const node = await startNode('namespaces', { images });
    await node.call('create', secret);
    const volumes = [{ name: 'data', secret: { secretName: 'keys' } }];
    await node.createPod('app', {
      volumes,
      terminationGracePeriodSeconds: 1,
      containers: [shell('sleep 1000', mounted('/sluice-test'))],
    });
    await node.until('app', isReady);
    expect(readdirSync(`${node.logDirectory}/.volumes`)).toEqual([]);
    await node.call('delete', { name: 'app' });
    await node.untilGone('app');
    await expect.poll(() => node.call('readdir', { path: `${node.logDirectory}/.volumes` })).toEqual([]);
  });
});

describe.each(networkModes)('volumes in mode %s', (mode) => {
  it.each([
    ['a ConfigMap', { configMap: { name: 'absent' } }, 'configmap "absent" not found'],
    ['a Secret', { secret: { secretName: 'absent' } }, 'secret "absent" not found'],
    [
      'a kind that is not offered',
      { nfs: { server: 'x', path: '/' } },
      'volumes of nfs are not offered here; emptyDir, configMap, secret, downwardAPI, projected and hostPath are',
    ],
    [
      'a directory',
      { hostPath: { path: '/no/such/directory' } },
      '/no/such/directory is not on this machine',
    ],
  ])(
    'that cannot be made for want of %s hold the pod up, and an event says so',
    async (_, source, message) => {
      const node = await startNode(mode, { images });
      const volumes = [{ name: 'data', ...source }];
      await node.createPod('app', { volumes, containers: [shell('sleep 1000')] });
      expect(await node.untilEvent('FailedMount')).toMatchObject({
        type: 'Warning',
        message: `MountVolume.SetUp failed for volume "data" : ${message}`,
      });
      expect(node.history.every((pod) => (pod.status?.phase ?? 'Pending') === 'Pending')).toBe(true);
    },
  );
});

describe('volumes without mount namespaces', () => {
  it('are said to be where the pod does not look for them', async () => {
    const node = await startNode('loopback', { images });
    await node.call('create', configMap({ color: 'red' }));
    const volumes = [{ name: 'data', configMap: { name: 'settings' } }];
    await node.createPod('app', { volumes, containers: [shell('sleep 1000', mounted('/sluice-test'))] });
    const { message } = await node.untilEvent('VolumeNotMounted');
    const [, source] =
      /^Volume "data" cannot be seen at \/sluice-test: .* What is in it is in (.*)$/.exec(message) ?? [];
    expect(await node.call('read', { path: `${source}/color` })).toBe('red');
    await node.call('stop');
    expect(existsSync(`${node.logDirectory}/.volumes`)).toBe(false);
  });
});
