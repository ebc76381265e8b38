import { describe, expect, it } from 'vitest';
import { createStore } from '../../../src/cluster/index.ts';
import {
  configMaps,
  type Deployment,
  deployments,
  type Pod,
  pods,
  secrets,
} from '../../../src/kubernetes/index.ts';
import { configMap, deployment, echoContainer, pod } from '../objects.ts';

describe('a Deployment', () => {
  it('is stored with the defaults of a real cluster', async () => {
    const { spec } = await createStore().create(deployments, deployment('echo'));
    expect(spec).toEqual({
      progressDeadlineSeconds: 600,
      replicas: 1,
      revisionHistoryLimit: 10,
      selector: { matchLabels: { app: 'echo' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: {
        metadata: { labels: { app: 'echo' } },
        spec: {
          containers: [
            {
              ...echoContainer,
              imagePullPolicy: 'IfNotPresent',
              resources: {},
              terminationMessagePath: '/dev/termination-log',
              terminationMessagePolicy: 'File',
            },
          ],
          dnsPolicy: 'ClusterFirst',
          restartPolicy: 'Always',
          schedulerName: 'default-scheduler',
          securityContext: {},
          terminationGracePeriodSeconds: 30,
        },
      },
    });
  });

  const otherLabels = {
    template: { metadata: { labels: { app: 'other' } }, spec: { containers: [echoContainer] } },
  };
  it.each<[string, Partial<Deployment['spec']>, string]>([
    [
      'a selector that does not match its template',
      otherLabels,
      'spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`',
    ],
    [
      'an update that may neither add nor remove',
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ],
    [
      'fewer than no replicas',
      { replicas: -1 },
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ],
  ])('is refused with %s', async (_, spec, message) => {
    const attempt = createStore().create(deployments, deployment('echo', spec));
    await expect(attempt).rejects.toThrow(`Deployment.apps "echo" is invalid: ${message}`);
  });

  it('may not change its selector', async () => {
    const store = createStore();
    const created = await store.create(deployments, deployment('echo'));
    const matchLabels = { app: 'other' };
    const changed = { ...created, spec: { ...created.spec, ...otherLabels, selector: { matchLabels } } };
    await expect(store.update(deployments, changed)).rejects.toThrow(
      'Deployment.apps "echo" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable',
    );
  });
});

describe('a Pod', () => {
  const withResources = (resources: Pod['spec']['containers'][number]['resources']) =>
    pod('echo', {}, { containers: [{ ...echoContainer, ...(resources ? { resources } : {}) }] });

  it.each([
    ['Guaranteed', { limits: { cpu: '500m', memory: '256Mi' }, requests: { cpu: 0.5, memory: '256Mi' } }],
    ['Guaranteed', { limits: { cpu: '500m', memory: '256Mi' } }],
    ['Burstable', { limits: { cpu: '500m', memory: '256Mi' }, requests: { cpu: '50m' } }],
    ['Burstable', { requests: { memory: '64Mi' } }],
    ['BestEffort', undefined],
  ])('is of the class %s with %j', async (qosClass, resources) => {
    const created = await createStore().create(pods, withResources(resources));
    expect(created.status).toEqual({ phase: 'Pending', qosClass });
  });

  it.each([
    ['echo', 'Always'],
    ['echo:latest', 'Always'],
    ['registry:5000/echo', 'Always'],
    ['echo:1.0', 'IfNotPresent'],
    ['echo@sha256:abc', 'IfNotPresent'],
  ])('with image %s is pulled %s', async (image, imagePullPolicy) => {
    const created = await createStore().create(pods, pod('echo', {}, { containers: [{ name: 'a', image }] }));
    expect(created.spec.containers[0]).toMatchObject({ imagePullPolicy });
  });

  it('says what is wrong with it', async () => {
    const containers = [
      { name: 'a', image: 'x', ports: [{ name: 'Echo', containerPort: 70_000, protocol: 'udp' as 'UDP' }] },
      { name: 'a', image: '', resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } },
    ];
    await expect(createStore().create(pods, pod('echo', {}, { containers }))).rejects.toThrow(
      'Pod "echo" is invalid: [spec.containers[0].ports[0].name: Invalid value: "Echo": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive, spec.containers[0].ports[0].protocol: Unsupported value: "udp": supported values: "SCTP", "TCP", "UDP", spec.containers[1].name: Duplicate value: "a", spec.containers[1].image: Required value, spec.containers[1].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1]',
    );
  });

  it('once made may get a node and another image, nothing else', async () => {
    const store = createStore({ now: () => new Date('2026-01-01T00:00:00Z') });
    const created = await store.create(pods, pod('echo'));
    const bound = await store.update(pods, { ...created, spec: { ...created.spec, nodeName: 'laptop' } });
    expect(bound.status?.conditions).toEqual([
      { type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ]);
    const [container] = bound.spec.containers;
    const newImage = [{ ...container, name: 'proxy', image: 'iceymoss/udp-echo:2.0' }];
    const updated = await store.update(pods, { ...bound, spec: { ...bound.spec, containers: newImage } });
    for (const spec of [{ nodeName: 'other' }, { terminationGracePeriodSeconds: 1 }, { containers: [] }]) {
      const attempt = store.update(pods, { ...updated, spec: { ...updated.spec, ...spec } });
      await expect(attempt).rejects.toThrow(/^Pod "echo" is invalid: .*may not change|Required value/);
    }
  });
});

describe('a volume mount', () => {
  it('names a volume of the pod', async () => {
    const volumeMounts = [{ name: 'missing', mountPath: '/etc/a' }];
    const containers = [{ ...echoContainer, volumeMounts }];
    const attempt = createStore().create(pods, pod('echo', {}, { containers }));
    await expect(attempt).rejects.toThrow(
      'Pod "echo" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "missing"',
    );
  });
});

describe('a ConfigMap that is immutable', () => {
  it('stays as it is', async () => {
    const store = createStore();
    await store.create(configMaps, { ...configMap('fixed', { a: '1' }), immutable: true });
    await expect(store.update(configMaps, configMap('fixed', { a: '2' }))).rejects.toThrow(
      'ConfigMap "fixed" is invalid: [immutable: Forbidden: field is immutable when `immutable` is set, data: Forbidden: field is immutable when `immutable` is set]',
    );
  });
});

describe('names and labels', () => {
  it('are refused in the words of the API server', async () => {
    const store = createStore();
    await expect(store.create(pods, pod('Bad_Name'))).rejects.toThrow(
      `Pod "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    );
    const labelled = pod('echo', { labels: { 'a/b/c': 'x', ok: 'not ok' } });
    await expect(store.create(pods, labelled)).rejects.toMatchObject({
      details: { causes: [{ field: 'metadata.labels' }, { field: 'metadata.labels' }] },
    });
  });
});

describe('a Secret', () => {
  it('takes plain text and stores it encoded', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'token', namespace: 'default' },
      stringData: { a: 'geheim' },
    };
    const created = await createStore().create(secrets, secret);
    expect(created).toMatchObject({ type: 'Opaque', data: { a: 'Z2VoZWlt' } });
    expect(created.stringData).toBeUndefined();
  });
});
