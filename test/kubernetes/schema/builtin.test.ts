import { describe, expect, it } from 'vitest';
import {
  apiVersionOf,
  builtInSchema,
  builtInTypes,
  namedType,
  type Schema,
} from '../../../src/kubernetes/index.ts';

const more: [apiVersion: string, kind: string][] = [
  ['autoscaling/v1', 'Scale'],
  ['policy/v1', 'Eviction'],
  ['batch/v1', 'CronJob'],
  ['authorization.k8s.io/v1', 'SelfSubjectAccessReview'],
  ['authentication.k8s.io/v1', 'TokenRequest'],
];
const kinds = [
  ...builtInTypes
    .map((type): [string, string] => [apiVersionOf(type), type.kind])
    .filter(([apiVersion]) => !/traefik|argoproj/.test(apiVersion)),
  ...more,
];

/** Every shared type below a schema, by its published name. */
function sharedTypes(schema: Schema, found = new Map<string, Schema>()): Map<string, Schema> {
  if (schema.typeName) {
    if (found.has(schema.typeName)) return found;
    found.set(schema.typeName, schema);
  }
  for (const member of Object.values(schema.properties ?? {})) sharedTypes(member, found);
  for (const member of [schema.items, schema.additionalProperties]) if (member) sharedTypes(member, found);
  return found;
}

describe('the schemas of the built-in kinds', () => {
  it.each(kinds)('%s %s has one, whole and with its kind', (apiVersion, kind) => {
    const schema = builtInSchema(apiVersion, kind) as Schema;
    expect(Object.keys(schema.properties ?? {})).toEqual(
      expect.arrayContaining(['apiVersion', 'kind', 'metadata']),
    );
    expect(() => sharedTypes(schema)).not.toThrow();
  });

  it('require only fields that they have, and key lists by fields of the entries', () => {
    const types = kinds.map(([apiVersion, kind]) => builtInSchema(apiVersion, kind) as Schema);
    for (const type of types.flatMap((schema) => [...sharedTypes(schema).values()])) {
      const fields = Object.keys(type.properties ?? {});
      expect(fields, type.typeName).toEqual(expect.arrayContaining([...(type.required ?? [])]));
      for (const [field, { listMapKeys, items }] of Object.entries(type.properties ?? {})) {
        const keys = Object.keys(items?.properties ?? {});
        expect(keys, `${type.typeName} ${field}`).toEqual(expect.arrayContaining([...(listMapKeys ?? [])]));
      }
    }
  });

  it('know how lists merge', () => {
    const pod = builtInSchema('v1', 'Pod')?.properties?.spec?.properties ?? {};
    expect(pod.containers).toMatchObject({
      mergesLists: true,
      patchMergeKey: 'name',
      listType: 'map',
      listMapKeys: ['name'],
    });
    expect(pod.containers?.items?.properties?.ports).toMatchObject({
      patchMergeKey: 'containerPort',
      listMapKeys: ['containerPort', 'protocol'],
    });
    expect(pod.volumes).toMatchObject({ mergesLists: true, retainsKeys: true });
    expect(pod.tolerations).toMatchObject({ listType: 'atomic' });
    expect(namedType('meta.v1.ObjectMeta')?.properties?.finalizers).toMatchObject({
      listType: 'set',
      mergesLists: true,
    });
    expect(namedType('meta.v1.LabelSelector')).toMatchObject({ atomicMap: true });
  });

  it('put embedded types into their holder', () => {
    const volume = namedType('core.v1.Volume')?.properties ?? {};
    expect(Object.keys(volume)).toEqual(expect.arrayContaining(['name', 'configMap', 'emptyDir']));
    expect(volume.volumeSource).toBeUndefined();
  });

  it('are none for kinds that Kubernetes does not have built in', () => {
    expect(builtInSchema('traefik.io/v1alpha1', 'IngressRouteUDP')).toBeUndefined();
    expect(builtInSchema('v1', 'Deployment')).toBeUndefined();
    expect(builtInSchema('constructor', 'toString')).toBeUndefined();
  });
});
