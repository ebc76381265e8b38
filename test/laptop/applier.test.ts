import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createStore } from '../../src/cluster/index.ts';
import {
  describeObject,
  type KubeObject,
  namespaces,
  type Service,
  services,
} from '../../src/kubernetes/index.ts';
import { openAppliedFile } from '../../src/laptop/applied-file.ts';
import { createApplier } from '../../src/laptop/applier.ts';

const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'backend' } };

const service = (spec: Partial<Service['spec']> = {}, labels?: Record<string, string>): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'echo', namespace: 'backend', ...(labels ? { labels } : {}) },
  spec: {
    type: 'NodePort',
    ports: [{ name: 'udp', port: 4444, protocol: 'UDP' }],
    selector: { app: 'echo' },
    ...spec,
  },
});

async function cluster(...objects: KubeObject[]) {
  const store = createStore();
  const applier = createApplier(store);
  const first = await applier.apply([namespace, ...objects]);
  return { store, applier, first, live: () => store.get(services, 'backend', 'echo') };
}

describe('applying a tree', () => {
  it('creates what is not there, in the given order', async () => {
    const { first } = await cluster(service());
    expect(first).toEqual([
      { index: 0, object: 'Namespace backend', outcome: 'created' },
      { index: 1, object: 'Service backend/echo', outcome: 'created' },
    ]);
  });

  it('writes nothing when nothing changed', async () => {
    const { applier, live } = await cluster(service());
    const { metadata } = await live();
    const outcomes = await applier.apply([namespace, service()]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged']);
    expect((await live()).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  it('keeps the addresses and node ports that the cluster allocated', async () => {
    const { applier, live } = await cluster(service());
    const before = await live();
    expect(before.spec.ports?.[0]?.nodePort).toBeGreaterThanOrEqual(30_000);
    await applier.apply([namespace, service({}, { team: 'net' })]);
    const after = await live();
    expect(after.metadata.labels).toEqual({ team: 'net' });
    expect(after.spec.clusterIP).toBe(before.spec.clusterIP);
    expect(after.spec.ports?.[0]?.nodePort).toBe(before.spec.ports?.[0]?.nodePort);
  });

  it('removes a field that the tree no longer has, and leaves what others set', async () => {
    const { store, applier, live } = await cluster(service({}, { team: 'net', stage: 'dev' }));
    const current = await live();
    await store.update(services, {
      ...current,
      metadata: { ...current.metadata, annotations: { seen: 'yes' } },
    });
    await applier.apply([namespace, service({}, { team: 'net' })]);
    const { metadata } = await live();
    expect(metadata.labels).toEqual({ team: 'net' });
    expect(metadata.annotations).toEqual({ seen: 'yes' });
  });

  it('prunes what it applied before and the tree no longer has, and nothing else', async () => {
    const { store, applier } = await cluster(service());
    const foreign = { ...service(), metadata: { name: 'foreign', namespace: 'backend' } };
    await store.create(services, foreign);
    const outcomes = await applier.apply([namespace]);
    expect(outcomes.at(-1)).toEqual({ index: undefined, object: 'Service backend/echo', outcome: 'pruned' });
    const { items } = await store.list(services, { namespace: 'backend' });
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['foreign']);
    expect((await store.list(namespaces)).items.map(({ metadata }) => metadata.name)).toContain('backend');
  });

  it('goes on from what an earlier one had applied: prunes it, and removes its fields', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-applied-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const errors: unknown[] = [];
    const memory = () => openAppliedFile(join(directory, 'applied.json'), (error) => errors.push(error));
    const store = createStore();
    const other = { ...service(), metadata: { name: 'other', namespace: 'backend' } };
    await createApplier(store, memory()).apply([namespace, service({}, { stage: 'dev' }), other]);

    const outcomes = await createApplier(store, memory()).apply([namespace, service()]);
    expect(outcomes.map(({ object, outcome }) => [object, outcome])).toEqual([
      ['Namespace backend', 'unchanged'],
      ['Service backend/echo', 'configured'],
      ['Service backend/other', 'pruned'],
    ]);
    expect((await store.get(services, 'backend', 'echo')).metadata.labels).toBeUndefined();
    expect(memory().objects.map(describeObject)).toEqual(['Namespace backend', 'Service backend/echo']);
    expect(errors).toEqual([]);
  });

  it('knows of an object before it creates it, so that a killed run leaves nothing behind', async () => {
    const store = createStore();
    const saved: string[][] = [];
    const save = (objects: readonly KubeObject[]) => {
      saved.push(objects.map(describeObject));
      return Promise.resolve();
    };
    const seen: string[][] = [];
    const create = store.create.bind(store);
    vi.spyOn(store, 'create').mockImplementation((type, object) => {
      seen.push(saved.at(-1) ?? []);
      return create(type, object);
    });
    await createApplier(store, { objects: [], save }).apply([namespace, service()]);
    expect(seen).toEqual([
      ['Namespace backend', 'Service backend/echo'],
      ['Namespace backend', 'Service backend/echo'],
    ]);
  });

  it('leaves everything alone when it cannot read what was applied, and says so', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-applied-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'applied.json');
    writeFileSync(path, '[{"kind":');
    const errors: unknown[] = [];
    const { objects } = openAppliedFile(path, (error) => errors.push(error));
    expect(objects).toEqual([]);
    expect(errors).toEqual([expect.any(SyntaxError)]);
  });

  it('tells what one object was refused for, in the API’s words, and applies the others', async () => {
    const { applier } = await cluster();
    const outOfRange = service({ ports: [{ port: 4444, protocol: 'UDP', nodePort: 39_998 }] });
    const other = { ...service(), metadata: { name: 'other', namespace: 'backend' } };
    const outcomes = await applier.apply([namespace, outOfRange, other]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['unchanged', 'failed', 'created']);
    expect(outcomes[1]?.message).toBe(
      'Service "echo" is invalid: spec.ports[0].nodePort: Invalid value: 39998: provided port is not in the valid range. The range of valid ports is 30000-32767',
    );
  });

  it('says that no API serves a kind', async () => {
    const { applier } = await cluster();
    const job: KubeObject = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'once', namespace: 'backend' },
    };
    const [, outcome] = await applier.apply([namespace, job]);
    expect(outcome).toMatchObject({
      outcome: 'failed',
      message: 'no matches for kind "Job" in version "batch/v1"',
    });
  });
});
