import { describe, expect, it } from 'vitest';
import { createStore } from '../../../src/cluster/index.ts';
import {
  ContainerConfigError,
  containerEnvironment,
  fieldValue,
  resourceValue,
} from '../../../src/cluster/kubelet/environment.ts';
import type { EnvVarSource, KubeletPod, PodContainer } from '../../../src/cluster/kubelet/pod-spec.ts';
import { configMaps, type KubeObject, secrets } from '../../../src/kubernetes/index.ts';
import { networkModes } from '../network/cluster.ts';
import { containerOf, images, isReady, shell, startNode } from './node.ts';

const pod: KubeletPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'app-0',
    namespace: 'default',
    uid: '1234',
    labels: { tier: 'back', app: 'app' },
    annotations: { note: 'a "quoted"\nnote' },
  },
  spec: {
    nodeName: 'sluice',
    containers: [
      {
        name: 'app',
        image: 'app',
        resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { memory: '128Mi' } },
      },
    ],
  },
};
const facts = { pod, podIP: '10.244.0.2', hostIP: '192.0.2.1' };

async function environmentOf(container: Partial<PodContainer>, imageEnv: Record<string, string> = {}) {
  const store = createStore();
  const named = (kind: string, more: object): KubeObject => ({
    apiVersion: 'v1',
    kind,
    metadata: { name: 'settings', namespace: 'default' },
    ...more,
  });
  await store.create(configMaps, named('ConfigMap', { data: { color: 'red', size: 'big' } }));
  const password = Buffer.from('swordfish').toString('base64');
  await store.create(secrets, named('Secret', { data: { password } }));
  return containerEnvironment(store, facts, { name: 'app', image: 'app', ...container }, imageEnv);
}

const from = (valueFrom: EnvVarSource) => ({ env: [{ name: 'X', valueFrom }] });

describe("a container's variables", () => {
  it('have what the machine needs, what the pod is, what the image sets, and what the container sets over it', async () => {
    const env = await environmentOf({ env: [{ name: 'B', value: 'container' }] }, { A: 'image', B: 'image' });
    expect(env).toMatchObject({
      PATH: process.env.PATH,
      HOSTNAME: 'app-0',
      POD_IP: '10.244.0.2',
      A: 'image',
      B: 'container',
    });
  });

  it('keep what else the user has in the environment to the user', async () => {
    process.env.SLUICE_TEST_SECRET = 'secret';
    expect(await environmentOf({})).not.toHaveProperty('SLUICE_TEST_SECRET');
    delete process.env.SLUICE_TEST_SECRET;
  });

  it('refer to those before them', async () => {
    const env = [
      { name: 'HOST_PART', value: 'db' },
      { name: 'URL', value: 'tcp://$(HOST_PART):$(PORT_PART)' },
      { name: 'PORT_PART', value: '1' },
    ];
    expect((await environmentOf({ env })).URL).toBe('tcp://db:$(PORT_PART)');
  });

  it.each<[string, EnvVarSource, string]>([
    ['a key of a ConfigMap', { configMapKeyRef: { name: 'settings', key: 'color' } }, 'red'],
    ['a key of a Secret', { secretKeyRef: { name: 'settings', key: 'password' } }, 'swordfish'],
    ['a field', { fieldRef: { fieldPath: 'status.podIP' } }, '10.244.0.2'],
    ['a resource', { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } }, '128'],
  ])('come from %s', async (_, source, value) => {
    const container = { ...pod.spec.containers[0], ...from(source) };
    expect((await environmentOf(container)).X).toBe(value);
  });

  it('come from all keys of a ConfigMap or Secret, under a prefix', async () => {
    const envFrom = [
      { configMapRef: { name: 'settings' }, prefix: 'C_' },
      { secretRef: { name: 'settings' } },
      { configMapRef: { name: 'absent', optional: true } },
    ];
    expect(await environmentOf({ envFrom })).toMatchObject({
      C_color: 'red',
      C_size: 'big',
      password: 'swordfish',
    });
  });

  it.each<[string, Partial<PodContainer>, string]>([
    ['a ConfigMap', from({ configMapKeyRef: { name: 'absent', key: 'x' } }), 'configmap "absent" not found'],
    ['a Secret', { envFrom: [{ secretRef: { name: 'absent' } }] }, 'secret "absent" not found'],
    [
      'a key',
      from({ configMapKeyRef: { name: 'settings', key: 'x' } }),
      "couldn't find key x in ConfigMap default/settings",
    ],
    ['a field', from({ fieldRef: { fieldPath: 'spec.nothing' } }), 'unsupported fieldPath: spec.nothing'],
  ])('cannot be made without %s that they name', async (_, container, message) => {
    await expect(environmentOf(container)).rejects.toThrow(new ContainerConfigError(message));
  });

  it('are left out where their source is optional and absent', async () => {
    const source = { configMapKeyRef: { name: 'settings', key: 'absent', optional: true } };
    expect(await environmentOf(from(source))).not.toHaveProperty('X');
  });
});

describe('a field of the pod', () => {
  it.each([
    ['metadata.name', 'app-0'],
    ['metadata.namespace', 'default'],
    ['metadata.uid', '1234'],
    ["metadata.labels['tier']", 'back'],
    ["metadata.labels['absent']", ''],
    ["metadata.annotations['note']", 'a "quoted"\nnote'],
    ['metadata.labels', 'app="app"\ntier="back"'],
    ['spec.nodeName', 'sluice'],
    ['spec.serviceAccountName', 'default'],
    ['status.hostIP', '192.0.2.1'],
    ['status.podIPs', '10.244.0.2'],
  ])('%s is %j', (path, value) => {
    expect(fieldValue(facts, path)).toBe(value);
  });
});

describe('a resource of a container', () => {
  it.each([
    ['requests.cpu', undefined, '1'],
    ['requests.cpu', '1m', '250'],
    ['requests.memory', '1Ki', '65536'],
    ['limits.memory', '0', '134217728'],
  ])('%s in units of %s is %s, rounded up', (resource, divisor, value) => {
    const reference = { resource, ...(divisor === undefined ? {} : { divisor }) };
    expect(resourceValue(pod, reference, pod.spec.containers[0])).toBe(value);
  });

  it('without a limit is what the node has', () => {
    expect(Number(resourceValue(pod, { resource: 'limits.cpu' }, pod.spec.containers[0]))).toBeGreaterThan(0);
  });
});

describe.each(networkModes)('a pod that needs a ConfigMap in mode %s', (mode) => {
  it('waits for it, says so, and starts when it is there', async () => {
    const node = await startNode(mode, { images });
    const container = shell('echo $COLOR; sleep 1000', {
      env: [{ name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } }],
    });
    await node.createPod('app', { containers: [container] });
    const waiting = await node.until(
      'app',
      ({ status }) => status?.containerStatuses?.[0]?.state.waiting?.reason === 'CreateContainerConfigError',
    );
    expect(containerOf(waiting).state.waiting?.message).toBe('configmap "settings" not found');
    expect(await node.untilEvent('Failed')).toMatchObject({
      message: 'Error: configmap "settings" not found',
    });
    await node.call('create', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: 'default' },
      data: { color: 'red' },
    });
    await node.until('app', isReady);
    const follow = node.call('followLogs', { name: 'app' }).catch(() => undefined);
    await node.untilFollowed('red\n');
    await node.kill();
    await follow;
  });
});
