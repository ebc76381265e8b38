import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './http.ts';
import { TestCluster } from './test-cluster.ts';

/** Random requests; set API_FUZZ_CASES for a long run. */
const numRuns = Number(process.env.API_FUZZ_CASES ?? 300);

const step = fc.constantFrom(
  'api',
  'apis',
  'v1',
  'apps',
  'traefik.io',
  'v1alpha1',
  'namespaces',
  'default',
  'pods',
  'deployments',
  'configmaps',
  'ingressrouteudps',
  'customresourcedefinitions',
  'apiextensions.k8s.io',
  'status',
  'scale',
  'log',
  'exec',
  'p',
  'd',
  'c',
  'authorization.k8s.io',
  'selfsubjectaccessreviews',
  'openapi',
  'v3',
  '',
  '%',
  '%00',
  '..',
  'x'.repeat(300),
);
const likely = fc.constantFrom(
  '/api/v1/namespaces/default/pods',
  '/api/v1/namespaces/default/pods/p',
  '/api/v1/namespaces/default/configmaps/c',
  '/api/v1/namespaces/default/configmaps',
  '/apis/apps/v1/namespaces/default/deployments',
  '/api/v1/namespaces/default/services',
  '/apis/apps/v1/namespaces/default/deployments/d',
  '/apis/apps/v1/namespaces/default/deployments/d/scale',
  '/apis/apps/v1/namespaces/default/deployments/d/status',
  '/api/v1/namespaces',
  '/api/v1/nodes/n',
  '/api/v1/namespaces/x/finalize',
  '/apis/traefik.io/v1alpha1/namespaces/default/ingressrouteudps/r',
  '/api/v1/namespaces/default/pods/p/eviction',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  '/api/v1/namespaces/default/serviceaccounts/s/token',
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  '/api/v1/namespaces/default/secrets',
);
const path = fc.oneof(
  { weight: 1, arbitrary: fc.array(step, { maxLength: 7 }).map((steps) => `/${steps.join('/')}`) },
  { weight: 4, arbitrary: likely },
);

const field = fc.constantFrom(
  'apiVersion',
  'kind',
  'metadata',
  'name',
  'namespace',
  'labels',
  'annotations',
  'spec',
  'status',
  'replicas',
  'selector',
  'matchLabels',
  'template',
  'containers',
  'image',
  'ports',
  'containerPort',
  'port',
  'data',
  'managedFields',
  'finalizers',
  'ownerReferences',
  '$patch',
  '$setElementOrder/containers',
  '$retainKeys',
  'op',
  'path',
  'value',
  'group',
  'names',
  'versions',
  'schema',
  'scope',
  'plural',
  'resourceVersion',
  'creationTimestamp',
  '__proto__',
  'constructor',
  'type',
  'stringData',
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<unknown>(
      null,
      true,
      0,
      -1,
      1.5,
      2 ** 53,
      '',
      'x',
      'v1',
      'apps/v1',
      'Deployment',
      'Pod',
      'ConfigMap',
      'delete',
      '/spec',
      'add',
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(field, tie('value'), { maxKeys: 5 }),
  ),
})).value;
const object = fc.record({
  apiVersion: fc.constantFrom('v1', 'apps/v1', 'traefik.io/v1alpha1', 'apiextensions.k8s.io/v1'),
  kind: fc.constantFrom(
    'Pod',
    'ConfigMap',
    'Deployment',
    'Service',
    'IngressRouteUDP',
    'CustomResourceDefinition',
    'Namespace',
  ),
  metadata: fc.oneof(fc.record({ name: fc.constantFrom('p', 'c', 'd', 'r', 'x.example.com', 'X!') }), json),
  spec: json,
  data: json,
});
const body = fc.oneof(
  { weight: 4, arbitrary: object.map((value) => JSON.stringify(value)) },
  { weight: 3, arbitrary: json.map((value) => JSON.stringify(value)) },
  fc.string({ maxLength: 40 }),
  fc.constantFrom('', '{', '['.repeat(10_000), '{"a":'.repeat(5_000), 'a: &a [*a]', 'k8s\0\x01'),
);
const contentType = fc.constantFrom(
  'application/json',
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'text/plain',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
);
const query = fc.oneof(
  fc.constant(''),
  fc
    .dictionary(
      fc.constantFrom(
        'labelSelector',
        'fieldSelector',
        'limit',
        'continue',
        'resourceVersion',
        'resourceVersionMatch',
        'dryRun',
        'fieldManager',
        'fieldValidation',
        'force',
        'includeObject',
        'propagationPolicy',
        'gracePeriodSeconds',
        'container',
        'tailLines',
      ),
      fc.constantFrom(
        '',
        'a=b',
        'a in (b',
        '!x',
        'metadata.name=p',
        '1',
        '-1',
        'x',
        'All',
        'Strict',
        'true',
        'Exact',
        'NotOlderThan',
        '99999999',
        'e30',
      ),
      { maxKeys: 3 },
    )
    .map((parameters) => `?${new URLSearchParams(parameters).toString()}`),
);
const accept = fc.constantFrom(
  '*/*',
  'application/json',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'text/html',
);

describe('the API server', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await new TestCluster().start({ controllers: false });
  });
  afterAll(() => cluster.stop());

  it('answers any request, with a Status where it refuses, and has no faults', {
    timeout: 600_000,
  }, async () => {
    const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS');
    await fc.assert(
      fc.asyncProperty(
        method,
        path,
        query,
        contentType,
        accept,
        body,
        async (verb, where, asked, type, accepted, text) => {
          const headers = { accept: accepted, 'content-type': type };
          const url = cluster.url + where + asked;
          const answer = await ask(url, { method: verb, headers, ...(verb !== 'GET' && { body: text }) });
          expect(cluster.faults).toEqual([]);
          if (answer.status < 400) return;
          // Server-side apply and pods that nothing runs are refused with codes of the server's side, as by the real one.
          expect(
            answer.status === 500 || answer.status === 501 || answer.status === 504 || answer.status < 500,
          ).toBe(true);
          expect(answer.json).toMatchObject({ kind: 'Status', status: 'Failure', code: answer.status });
          expect(answer.json.message).not.toMatch(/Internal error occurred|undefined|\[object/);
        },
      ),
      { numRuns },
    );
    expect((await ask(`${cluster.url}/readyz`)).text).toBe('ok');
  });
});
