import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownDefinitions } from '../../../src/cluster/api/custom/definitions.ts';
import { installDefinitions } from '../../../src/cluster/api/custom/install.ts';
import { createStore } from '../../../src/cluster/index.ts';
import { customResourceDefinitions, type KubeObject } from '../../../src/kubernetes/index.ts';
import { ask } from './http.ts';
import { TestCluster } from './test-cluster.ts';

const definition = (change: object = {}, name = 'gadgets.example.com') => ({
  metadata: { name },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Gadget', plural: 'gadgets' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    ...change,
  },
});

describe('a CustomResourceDefinition', () => {
  let cluster: TestCluster;
  let url: string;
  beforeAll(async () => {
    cluster = await new TestCluster().start({ controllers: false });
    url = `${cluster.url}/apis/apiextensions.k8s.io/v1/customresourcedefinitions`;
  });
  afterAll(async () => {
    expect(cluster.faults).toEqual([]);
    await cluster.stop();
  });

  it.each([
    [
      'of another name',
      definition({}, 'other.example.com'),
      'metadata.name: Invalid value: "other.example.com": must be spec.names.plural+"."+spec.group',
    ],
    [
      'of no domain',
      definition({ group: 'apps', names: { kind: 'D', plural: 'ds' } }, 'ds.apps'),
      'spec.group: Invalid value: "apps": should be a domain with at least one dot',
    ],
    [
      'of a protected group',
      definition({ group: 'x.k8s.io' }, 'gadgets.x.k8s.io'),
      'metadata.annotations[api-approved.kubernetes.io]: Required value',
    ],
    [
      'without a stored version',
      definition({ versions: [] }),
      'spec.versions: Invalid value: []: must have exactly one version marked as storage version',
    ],
    [
      'without a schema',
      definition({ versions: [{ name: 'v1', served: true, storage: true }] }),
      'spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required',
    ],
    [
      'of an odd scope',
      definition({ scope: 'World' }),
      'spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"',
    ],
    ['of nothing', { metadata: { name: 'gadgets.example.com' } }, 'spec.group: Required value'],
  ])('%s is refused', async (_what, body, message) => {
    const answer = await ask(url, { method: 'POST', body });
    expect(answer.status).toBe(422);
    expect(answer.json.message).toContain(message);
  });

  it('serves two versions of the same objects', async () => {
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const versions = [
      { name: 'v1', served: true, storage: true, schema },
      { name: 'v1beta1', served: true, storage: false, schema },
    ];
    expect((await ask(url, { method: 'POST', body: definition({ versions }) })).status).toBe(201);
    await served();
    const at = (version: string) => `${cluster.url}/apis/example.com/${version}/namespaces/default/gadgets`;
    const body = { apiVersion: 'example.com/v1beta1', kind: 'Gadget', metadata: { name: 'g' }, size: 1 };
    expect((await ask(at('v1beta1'), { method: 'POST', body })).status).toBe(201);
    expect((await ask(`${at('v1')}/g`)).json).toMatchObject({
      apiVersion: 'example.com/v1',
      kind: 'Gadget',
      size: 1,
    });
    await ask(`${url}/gadgets.example.com`, { method: 'DELETE' });
    await served();
    expect((await ask(`${at('v1')}/g`)).status).toBe(404);
  });

  it('comes with the cluster for Traefik, Argo CD and the Gateway API, and is established', async () => {
    const { items } = (await ask(url)).json as {
      items: { metadata: { name: string }; status: { conditions: { type: string; status: string }[] } }[];
    };
    expect(items.map(({ metadata }) => metadata.name).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
      ownDefinitions.map(({ metadata }) => metadata.name).toSorted((a, b) => (a < b ? -1 : 1)),
    );
    for (const { status } of items) {
      expect(status.conditions).toContainEqual(
        expect.objectContaining({ type: 'Established', status: 'True' }),
      );
    }
  });

  it('of an earlier version is brought up to date, one that a user changed stays', async () => {
    const store = createStore();
    const [first, second] = ownDefinitions.map(({ metadata }) => metadata.name) as [string, string];
    const older = (name: string): KubeObject => {
      const own = ownDefinitions.find(({ metadata }) => metadata.name === name) as KubeObject;
      return { ...own, spec: { ...(own.spec as object), versions: [] } };
    };
    const changed = older(second);
    const managedFields = [{ manager: 'kubectl', operation: 'Update', apiVersion: 'v1', fieldsV1: {} }];
    await store.create(customResourceDefinitions, older(first));
    await store.create(customResourceDefinitions, {
      ...changed,
      metadata: { ...changed.metadata, managedFields } as KubeObject['metadata'],
    });
    await installDefinitions(store);
    const versionsOf = (name: string) => {
      const spec = store.peek(customResourceDefinitions, undefined, name)?.spec as
        | { versions: unknown[] }
        | undefined;
      return spec?.versions.length;
    };
    expect([versionsOf(first), versionsOf(second)]).toEqual([1, 0]);
    await store.close();
  });

  /** Definitions are followed a moment after they are stored. */
  const served = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
});
