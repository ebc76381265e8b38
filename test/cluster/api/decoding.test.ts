import { describe, expect, it } from 'vitest';
import { duplicateFields } from '../../../src/cluster/api/json-text.ts';
import { acceptedForm } from '../../../src/cluster/api/negotiation.ts';
import { decodeProtobuf } from '../../../src/cluster/api/protobuf.ts';
import { parseResourcePath } from '../../../src/cluster/api/request.ts';
import { formatDuration } from '../../../src/cluster/api/tables/age.ts';
import { compileJsonPath } from '../../../src/cluster/api/tables/custom.ts';
import { pruneUnknown } from '../../../src/cluster/api/validation/defaults.ts';
import { validateBySchema } from '../../../src/cluster/api/validation/structural.ts';
import { decodeTyped } from '../../../src/cluster/api/validation/typed.ts';
import { isTooDeep } from '../../../src/cluster/api/yaml-depth.ts';
import { builtInSchema, type KubeObject, type Schema } from '../../../src/kubernetes/index.ts';

describe('duplicate fields of a JSON text', () => {
  it.each([
    ['{"a":1,"b":{"c":1,"c":2}}', ['b.c']],
    ['{"a":[{"x":1},{"x":1,"x":2,"x":3}],"a":[]}', ['a[1].x', 'a']],
    ['{"a\\"b":1,"a\\u0022b":2}', ['a"b']],
    [' { "a" : [ ] , "b" : { } } ', []],
    ['[]', []],
    ['"{"', []],
    ['{"a":"{\\"a\\":1,\\"a\\":2}"}', []],
  ])('in %s are %j', (text, fields) => {
    expect(duplicateFields(text)).toEqual(fields);
  });
});

describe('a YAML text', () => {
  const rows = (count: number, row: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => row(index)).join('');

  it.each([
    ['open brackets', '['.repeat(10_000)],
    ['brackets', '['.repeat(600) + ']'.repeat(600)],
    ['brackets that quoted ones seem to close', '[ "]", '.repeat(600)],
    ['braces', `${'{a: '.repeat(600)}1${'}'.repeat(600)}`],
    ['dashes', `${'- '.repeat(600)}x`],
    ['question marks', `${'? '.repeat(600)}x`],
    ['keys', `${rows(600, (index) => `${' '.repeat(index)}a:\n`)}`],
    ['brackets in a second document', `a: b\n---\n${'['.repeat(600)}`],
  ])('is too deep for its %s', (_, text) => {
    expect(isTooDeep(text)).toBe(true);
  });

  it.each([
    ['many brackets side by side', rows(2000, (index) => `a${index}: [{b: []}]\n`)],
    ['many brackets in a text', `a: |\n${'  [[[{{{\n'.repeat(500)}`],
    ['a hundred levels', `${'['.repeat(100)}${']'.repeat(100)}`],
  ])('is not for %s', (_, text) => {
    expect(isTooDeep(text)).toBe(false);
  });
});

describe('a built-in object', () => {
  const schema = builtInSchema('apps/v1', 'Deployment') as Schema;

  it('loses nulls and unknown fields, which are told', () => {
    const { value, unknownFields } = decodeTyped(
      {
        spec: {
          replicas: null,
          bogus: 1,
          template: { spec: { containers: [{ name: 'a', imag: 'x', args: [null] }] } },
        },
      },
      schema,
    );
    expect(value).toEqual({ spec: { template: { spec: { containers: [{ name: 'a', args: [''] }] } } } });
    expect(unknownFields).toEqual(['spec.bogus', 'spec.template.spec.containers[0].imag']);
  });

  it.each([
    [
      { spec: { replicas: 'x' } },
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { spec: { replicas: 1.5 } },
      'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { spec: { paused: 'yes' } },
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.paused of type bool',
    ],
    [
      { spec: [] },
      'json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec',
    ],
    [
      { spec: { template: { spec: { containers: {} } } } },
      'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
    [
      { metadata: { labels: { a: 1 } } },
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      { metadata: { creationTimestamp: 'x' } },
      'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
    ],
    [
      { spec: { template: { spec: { containers: [{ resources: { limits: { cpu: 'lots' } } }] } } } },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ])('%j is refused as the API server refuses it', (object, message) => {
    expect(() => decodeTyped(object, schema)).toThrow(message);
  });

  it('takes numbers for quantities and ports by name or number', () => {
    const spec = (port: unknown, cpu: unknown) => ({
      spec: {
        template: {
          spec: { containers: [{ livenessProbe: { httpGet: { port } }, resources: { limits: { cpu } } }] },
        },
      },
    });
    expect(decodeTyped(spec('web', 1), schema).value).toEqual(spec('web', '1'));
    expect(decodeTyped(spec(80, '100m'), schema).value).toEqual(spec(80, '100m'));
  });
});

describe('a custom object', () => {
  const schema: Schema = {
    type: 'object',
    required: ['size'],
    properties: {
      size: { type: 'integer', minimum: 1, maximum: 3 },
      mode: { type: 'string', enum: ['a', 'b'], maxLength: 1 },
      names: { type: 'array', items: { type: 'string', pattern: '^x' }, minItems: 1, listType: 'set' },
      port: { intOrString: true },
      open: { type: 'object', preserveUnknownFields: true },
    },
  };

  it.each([
    [{}, ['size: Required value']],
    [{ size: 9 }, ['size: Invalid value: 9: size in body should be less than or equal to 3']],
    [{ size: 'x' }, ['size: Invalid value: "string": size in body must be of type integer: "string"']],
    [{ size: 1, mode: 'c' }, ['mode: Unsupported value: "c": supported values: "a", "b"']],
    [{ size: 1, names: [] }, ['names: Invalid value: 0: names in body should have at least 1 items']],
    [{ size: 1, names: ['y'] }, [`names[0]: Invalid value: "y": names[0] in body should match '^x'`]],
    [{ size: 1, names: ['x', 'x'] }, ['names[1]: Duplicate value: "x"']],
    [
      { size: 1, port: 1.5 },
      ['port: Invalid value: "number": port in body must be of type integer,string: "number"'],
    ],
    [{ size: 1, port: 'web', open: { anything: [1] } }, []],
  ])('%j gives %j', (object, messages) => {
    expect(validateBySchema(object, schema).map(({ field, message }) => `${field}: ${message}`)).toEqual(
      messages,
    );
  });

  it('loses what its schema does not know', () => {
    const object = { size: 1, bogus: 1, open: { kept: 1 } };
    expect(pruneUnknown(object, schema)).toEqual(['bogus']);
    expect(object).toEqual({ size: 1, open: { kept: 1 } });
  });
});

describe('a protobuf body', () => {
  const schemaOf = (apiVersion: string, kind: string) => builtInSchema(apiVersion, kind);
  const field = (number: number, payload: Buffer | string) => {
    const bytes = Buffer.from(payload as string);
    return Buffer.concat([Buffer.of((number << 3) | 2, bytes.length), bytes]);
  };
  const envelope = (apiVersion: string, kind: string, raw: Buffer) =>
    Buffer.concat([
      Buffer.from('k8s\0'),
      field(1, Buffer.concat([field(1, apiVersion), field(2, kind)])),
      field(2, raw),
    ]);

  it('is read as the JSON of the same object', () => {
    const labels = field(11, Buffer.concat([field(1, 'app'), field(2, 'x')]));
    const metadata = field(1, Buffer.concat([field(1, 'settings'), field(3, ''), labels]));
    const data = field(2, Buffer.concat([field(1, 'key'), field(2, 'value')]));
    expect(decodeProtobuf(envelope('v1', 'ConfigMap', Buffer.concat([metadata, data])), schemaOf)).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', labels: { app: 'x' } },
      data: { key: 'value' },
    });
  });

  it.each([
    [Buffer.from('{}'), 'provided data does not appear to be a protobuf message'],
    [envelope('v1', 'Nothing', Buffer.alloc(0)), 'no kind "Nothing" is registered for version "v1"'],
    [envelope('v1', 'ConfigMap', Buffer.of(0x0a, 0x7f, 0x01)), 'unexpected EOF'],
    [envelope('v1', 'ConfigMap', Buffer.of(0x0b)), 'illegal wireType 3'],
  ])('that is broken is refused', (bytes, message) => {
    expect(() => decodeProtobuf(bytes, schemaOf)).toThrow(message);
  });
});

describe('a path', () => {
  it.each([
    ['/api/v1/pods', { group: '', version: 'v1', plural: 'pods' }],
    [
      '/api/v1/namespaces/a/pods/b/log',
      { group: '', version: 'v1', namespace: 'a', plural: 'pods', name: 'b', subresource: 'log' },
    ],
    ['/api/v1/namespaces/a', { group: '', version: 'v1', plural: 'namespaces', name: 'a' }],
    [
      '/api/v1/namespaces/a/finalize',
      { group: '', version: 'v1', plural: 'namespaces', name: 'a', subresource: 'finalize' },
    ],
    [
      '/apis/apps/v1/namespaces/a/deployments/',
      { group: 'apps', version: 'v1', namespace: 'a', plural: 'deployments' },
    ],
    [
      '/apis/apps/v1/namespaces/a/deployments/b%2Fc',
      { group: 'apps', version: 'v1', namespace: 'a', plural: 'deployments', name: 'b/c' },
    ],
    ['/apis/apps/v1', undefined],
    ['/api/v1/pods/a/b/c/d', undefined],
    ['/api/v1//pods', undefined],
    ['/other', undefined],
  ])('%s is %j', (path, expected) => {
    expect(parseResourcePath(path)).toEqual(
      expected && { namespace: undefined, name: undefined, subresource: undefined, ...expected },
    );
  });
});

describe('the accepted form', () => {
  it.each([
    [undefined, undefined],
    ['application/vnd.kubernetes.protobuf,application/json', undefined],
    ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'Table'],
    ['application/json;as=Unknown;v=v1;g=x,application/json;as=Table;v=v1;g=meta.k8s.io', 'Table'],
  ])('of %j is %j', (accept, as) => {
    expect(acceptedForm(accept, ['Table'])?.as).toBe(as);
  });

  it('is none where the client takes no JSON', () => {
    expect(acceptedForm('text/html', [])).toBeUndefined();
  });
});

describe('an age', () => {
  it.each([
    [-5_000, '<invalid>'],
    [-500, '0s'],
    [119_000, '119s'],
    [120_000, '2m'],
    [200_000, '3m20s'],
    [11 * 60_000, '11m'],
    [7.5 * 3_600_000, '7h30m'],
    [9 * 3_600_000, '9h'],
    [50 * 3_600_000, '2d2h'],
    [20 * 86_400_000, '20d'],
    [3 * 365 * 86_400_000, '3y'],
    [9.5 * 365 * 86_400_000, '9y'],
  ])('of %d ms is %s', (duration, text) => {
    expect(formatDuration(duration)).toBe(text);
  });
});

describe('a JSON path of a column', () => {
  const object = {
    metadata: { name: 'x' },
    spec: { hosts: ['a', 'b'], 'odd.name': 1 },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  } as unknown as KubeObject;
  it.each([
    ['.metadata.name', 'x'],
    ['.spec.hosts', ['a', 'b']],
    ['.spec.hosts[1]', 'b'],
    ['.spec.hosts[*]', 'a'],
    ["['spec']['odd.name']", 1],
    ['.status.conditions[?(@.type=="Ready")].status', 'True'],
    ['$.metadata.name', undefined],
    ['.spec.none.at.all', undefined],
    ['.metadata..name', undefined],
  ])('%s finds %j', (path, expected) => {
    expect(compileJsonPath(path)(object)).toEqual(expected);
  });
});
