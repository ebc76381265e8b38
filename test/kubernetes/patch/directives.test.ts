import { describe, expect, it } from 'vitest';
import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicPatch,
  builtInSchema,
  type JsonObject,
  type Schema,
} from '../../../src/kubernetes/index.ts';

const podSchema = builtInSchema('v1', 'Pod') as Schema;
const pod = (spec: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec,
});
const patchSpec = (spec: JsonObject, patch: JsonObject) =>
  (applyStrategicPatch(pod(spec), { spec: patch }, podSchema) as { spec: JsonObject }).spec;

describe('a strategic merge patch', () => {
  it('merges containers by name and puts new ones first', () => {
    const spec = { containers: [{ name: 'a', image: 'one' }] };
    expect(patchSpec(spec, { containers: [{ name: 'b' }, { name: 'a', args: ['x'] }] })).toEqual({
      containers: [{ name: 'b' }, { name: 'a', image: 'one', args: ['x'] }],
    });
  });

  it('keeps to $setElementOrder', () => {
    const spec = { containers: [{ name: 'a' }, { name: 'side' }, { name: 'b' }] };
    const patch = { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }], containers: [] };
    expect(patchSpec(spec, patch)).toEqual({ containers: [{ name: 'side' }, { name: 'b' }, { name: 'a' }] });
  });

  it('lets $setElementOrder leave out what the patch deletes', () => {
    const patch = {
      '$setElementOrder/containers': [{ name: 'b' }],
      containers: [{ name: 'a', $patch: 'delete' }],
    };
    expect(patchSpec({ containers: [{ name: 'a' }, { name: 'b' }] }, patch)).toEqual({
      containers: [{ name: 'b' }],
    });
  });

  it.each([
    [{ containers: [{ image: 'x' }] }, 'map: map[image:x] does not contain declared merge key: name'],
    [
      { containers: [{ name: 'a', $patch: 'bogus' }] },
      'unknown patch type: bogus in map: map[$patch:bogus name:a]',
    ],
    [{ $retainKeys: ['volumes'], nodeName: 'n' }, 'invalid patch format of retainKeys'],
    [{ containers: ['a'] }, 'list element types are not identical: [[map[name:a]] [a]]'],
    [{ '$setElementOrder/containers': 1 }, 'expected a []interface {}, but received a int64'],
    [
      { '$setElementOrder/containers': [{ name: 'b' }], containers: [{ name: 'a', $patch: 'merge' }] },
      "The order in patch list:\n[map[$patch:merge name:a]]\n doesn't match $setElementOrder list",
    ],
    [{ bogus: { a: 1 } }, 'unable to find api field in struct PodSpec for the json field "bogus"'],
  ])('refuses %j as Kubernetes does', (patch, message) => {
    expect(() => patchSpec({ containers: [{ name: 'a' }], bogus: {} }, patch)).toThrow(message);
  });

  it('changes neither the object nor the patch', () => {
    const [object, patch] = [
      pod({ containers: [{ name: 'a' }] }),
      { spec: { containers: [{ name: 'a', $patch: 'delete' }] } },
    ];
    applyStrategicPatch(object, patch, podSchema);
    expect([object, patch]).toEqual([
      pod({ containers: [{ name: 'a' }] }),
      { spec: { containers: [{ name: 'a', $patch: 'delete' }] } },
    ]);
  });
});

describe('patches and fields that every object inherits', () => {
  const hostile = JSON.parse(
    '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  ) as JsonObject;

  it('never reach beyond the document', () => {
    applyMergePatch({}, hostile);
    applyStrategicPatch(pod({}), { metadata: { labels: hostile } }, podSchema);
    applyJsonPatch({}, [
      { op: 'add', path: '/__proto__', value: {} },
      { op: 'add', path: '/__proto__/polluted', value: true },
    ]);
    expect(() =>
      applyJsonPatch({}, [{ op: 'add', path: '/constructor/prototype/polluted', value: true }]),
    ).toThrow('doc is missing path');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('a JSON patch', () => {
  it('that fails leaves the document as it was', () => {
    const document = { a: 1 };
    const patch = [
      { op: 'replace', path: '/a', value: 2 },
      { op: 'test', path: '/a', value: 3 },
    ];
    expect(() => applyJsonPatch(document, patch)).toThrow('testing value /a failed: test failed');
    expect(document).toEqual({ a: 1 });
  });

  it('of too many operations is refused', () => {
    const patch = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 }));
    expect(() => applyJsonPatch({ a: 1 }, patch)).toThrow('got 10001');
  });
});
