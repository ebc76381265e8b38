import { describe, expect, it } from 'vitest';
import { recordCreate, recordUpdate } from '../../../src/cluster/api/fields/ownership.ts';
import { applyOwned } from '../../../src/cluster/api/fields/server-side-apply.ts';
import { StatusError } from '../../../src/cluster/api/status.ts';
import { describeBuiltIn } from '../../../src/cluster/api/types/served-type.ts';
import { deployments, type KubeObject } from '../../../src/kubernetes/index.ts';

const served = describeBuiltIn(deployments);
const writer = (manager: string, operation: 'Apply' | 'Update', minute = 0) => ({
  manager,
  operation,
  apiVersion: 'apps/v1',
  subresource: '',
  now: new Date(Date.UTC(2026, 0, 1, 0, minute)),
});

interface Workload extends KubeObject {
  spec: {
    replicas?: number;
    template?: { spec: { containers: { name: string; image?: string; ports?: object[] }[] } };
  };
}

const object = (spec: Workload['spec'], labels?: Record<string, string>): Workload => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default', ...(labels && { labels }) },
  spec,
});
const containers = (...list: { name: string; image?: string; ports?: object[] }[]) => ({
  template: { spec: { containers: list } },
});
const apply = (
  live: KubeObject | undefined,
  applied: KubeObject,
  manager: string,
  force = false,
  minute = 0,
) => applyOwned(live, applied, served, writer(manager, 'Apply', minute), force) as Workload;

interface Entry {
  manager: string;
  operation: string;
  time: string;
  fieldsV1: unknown;
}
const managersOf = ({ metadata }: KubeObject) =>
  (metadata as unknown as { managedFields: Entry[] }).managedFields;
const fieldsOf = (holder: KubeObject, name: string) =>
  managersOf(holder).find(({ manager }) => manager === name)?.fieldsV1;

function conflictOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error.message;
    throw error;
  }
  throw new Error('there was no conflict');
}

describe('server-side apply', () => {
  it('owns what it applies, list entries by their keys', () => {
    const live = apply(
      undefined,
      object({ replicas: 2, ...containers({ name: 'a', ports: [{ containerPort: 80 }] }) }),
      'kubectl',
    );
    expect(fieldsOf(live, 'kubectl')).toEqual({
      'f:spec': {
        'f:replicas': {},
        'f:template': {
          'f:spec': {
            'f:containers': {
              'k:{"name":"a"}': {
                '.': {},
                'f:name': {},
                'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
              },
            },
          },
        },
      },
    });
  });

  it('removes what it applied and applies no longer, and keeps what others own', () => {
    const first = apply(
      undefined,
      object({ replicas: 2, ...containers({ name: 'a' }, { name: 'b' }) }, { x: '1' }),
      'one',
    );
    const second = apply(first, object(containers({ name: 'b', image: 'i' })), 'two');
    const third = apply(second, object(containers({ name: 'a' })), 'one');
    expect(third.spec).toEqual(containers({ name: 'a' }, { name: 'b', image: 'i' }));
    expect(third.metadata.labels).toBeUndefined();
  });

  it('refuses to change what others own, unless forced', () => {
    const live = apply(undefined, object({ replicas: 2, ...containers({ name: 'a', image: '1' }) }), 'one');
    const wanted = object({ replicas: 3, ...containers({ name: 'a', image: '2' }) });
    expect(conflictOf(() => apply(live, wanted, 'two'))).toBe(
      'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.replicas\n- .spec.template.spec.containers[name="a"].image',
    );
    const forced = apply(live, wanted, 'two', true);
    expect(forced.spec.replicas).toBe(3);
    expect(JSON.stringify(fieldsOf(forced, 'one'))).not.toContain('f:replicas');
  });

  it('shares what it applies with the same value', () => {
    const live = apply(undefined, object({ replicas: 2 }), 'one');
    const shared = apply(live, object({ replicas: 2 }), 'two');
    expect([fieldsOf(shared, 'one'), fieldsOf(shared, 'two')]).toEqual(
      Array(2).fill({ 'f:spec': { 'f:replicas': {} } }),
    );
  });

  it('that changes nothing changes nothing, the time included', () => {
    const live = apply(undefined, object({ replicas: 2 }), 'one');
    expect(apply(live, object({ replicas: 2 }), 'one', false, 5)).toEqual(live);
  });

  it('names the update that it conflicts with', () => {
    const created = object({ replicas: 1 });
    const live = recordCreate(created, created, served, writer('kubectl-create', 'Update'));
    expect(conflictOf(() => apply(live, object({ replicas: 2 }), 'one'))).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl-create" using apps/v1: .spec.replicas',
    );
  });

  it('refuses fields that the type does not have', () => {
    const wrong = object({ ...containers({ name: 'a', imag: 'x' } as { name: string }) });
    expect(conflictOf(() => apply(undefined, wrong, 'one'))).toBe(
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.template.spec.containers[0].imag: field not declared in schema',
    );
    expect(
      conflictOf(() =>
        apply(undefined, object(containers({ image: 'x' } as unknown as { name: string })), 'one'),
      ),
    ).toContain('element 0: associative list with keys has an element that omits key field "name"');
  });
});

describe('an update', () => {
  it('takes over what it changes and gives up what it removes', () => {
    const live = apply(undefined, object({ replicas: 2 }, { x: '1', y: '1' }), 'one');
    const next = { ...live, metadata: { ...live.metadata, labels: { x: '2' } } };
    const updated = recordUpdate(live, next, served, writer('editor', 'Update', 1));
    expect(fieldsOf(updated, 'one')).toEqual({ 'f:spec': { 'f:replicas': {} } });
    expect(fieldsOf(updated, 'editor')).toEqual({ 'f:metadata': { 'f:labels': { 'f:x': {} } } });
  });

  it('forgets all owners where the client sends one empty entry', () => {
    const live = apply(undefined, object({ replicas: 2 }), 'one');
    const next = { ...live, metadata: { ...live.metadata, managedFields: [{}] } } as KubeObject;
    expect(managersOf(recordUpdate(live, next, served, writer('editor', 'Update')))).toEqual([]);
  });

  it('keeps ten updaters apart and counts older ones as one', () => {
    let live: KubeObject = object({ replicas: 0 });
    for (let index = 1; index <= 14; index++) {
      const next = {
        ...live,
        metadata: { ...live.metadata, labels: { ...live.metadata.labels, [`l${index}`]: '1' } },
      };
      live = recordUpdate(live, next, served, writer(`u${index}`, 'Update', index));
    }
    const names = managersOf(live).map(({ manager }) => manager);
    expect(names).toHaveLength(10);
    expect(names[0]).toBe('ancient-changes');
    expect(names.at(-1)).toBe('u14');
  });
});
