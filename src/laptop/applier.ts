/** Makes the cluster hold what the tree says, and no more of what the tree once said. */

import { isDeepStrictEqual } from 'node:util';
import {
  ApiError,
  describeObject,
  type KubeObject,
  mergeApplied,
  type ObjectApi,
  type ResourceType,
  typeOf,
} from '../kubernetes/index.ts';
import type { AppliedObject } from './protocol.ts';

export interface Applier {
  /** In the given order; what was applied before and is not among them is pruned last. Never rejects for one object. */
  apply(objects: readonly KubeObject[]): Promise<AppliedObject[]>;
}

/** What an earlier applier of the same cluster had applied, for this one to go on from. */
export interface AppliedMemory {
  readonly objects: readonly KubeObject[];
  /** Never rejects. */
  save(objects: readonly KubeObject[]): Promise<void>;
}

const noMemory: AppliedMemory = { objects: [], save: () => Promise.resolve() };

/** A write that met a newer version of the object is tried again this often. */
const maxAttempts = 5;

export function createApplier(api: ObjectApi, memory = noMemory): Applier {
  const previous = new Map(memory.objects.map((object) => [keyOf(object), object]));
  return {
    async apply(objects) {
      const outcomes: AppliedObject[] = [];
      const wanted = new Map(objects.map((object) => [keyOf(object), object]));
      // Before anything is created: it can be pruned even if this process is killed now.
      await memory.save([...new Map([...wanted, ...previous]).values()]);
      for (const [index, object] of objects.entries()) {
        const key = keyOf(object);
        const outcome = await settle(object, index, () => applyOne(api, object, previous.get(key)));
        if (outcome.outcome !== 'failed') previous.set(key, object);
        outcomes.push(outcome);
      }
      const leftOver = [...previous].filter(([key]) => !wanted.has(key)).reverse();
      for (const [key, object] of leftOver) {
        outcomes.push(await settle(object, undefined, () => prune(api, object)));
        previous.delete(key);
      }
      await memory.save([...previous.values()]);
      return outcomes;
    },
  };
}

async function settle(
  object: KubeObject,
  index: number | undefined,
  act: () => Promise<AppliedObject['outcome']>,
): Promise<AppliedObject> {
  const name = describeObject(object);
  try {
    return { index, object: name, outcome: await act() };
  } catch (error) {
    return {
      index,
      object: name,
      outcome: 'failed',
      message: error instanceof Error ? error.message : String(error),
    };
  }
}

async function applyOne(
  api: ObjectApi,
  wanted: KubeObject,
  previous: KubeObject | undefined,
): Promise<AppliedObject['outcome']> {
  const type = servedType(wanted);
  for (let attempt = 1; ; attempt++) {
    try {
      const live = await find(api, type, wanted);
      if (!live) {
        await api.create(type, wanted);
        return 'created';
      }
      const merged = mergeApplied({ previous, live, wanted, type });
      if (isDeepStrictEqual(merged, live)) return 'unchanged';
      const updated = await api.update(type, merged);
      return updated.metadata.resourceVersion === live.metadata.resourceVersion ? 'unchanged' : 'configured';
    } catch (error) {
      const isRace = error instanceof ApiError && ['Conflict', 'AlreadyExists'].includes(error.reason);
      if (!isRace || attempt >= maxAttempts) throw error;
    }
  }
}

async function prune(api: ObjectApi, object: KubeObject): Promise<AppliedObject['outcome']> {
  try {
    await api.delete(servedType(object), object.metadata.namespace, object.metadata.name, {
      propagationPolicy: 'Background',
    });
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === 'NotFound')) throw error;
  }
  return 'pruned';
}

async function find(
  api: ObjectApi,
  type: ResourceType,
  { metadata }: KubeObject,
): Promise<KubeObject | undefined> {
  try {
    return await api.get(type, type.namespaced ? metadata.namespace : undefined, metadata.name);
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}

function servedType(object: KubeObject): ResourceType {
  const type = typeOf(object);
  if (type) return type;
  throw new ApiError('NotFound', `no matches for kind "${object.kind}" in version "${object.apiVersion}"`);
}

function keyOf(object: KubeObject): string {
  const group = object.apiVersion.split('/').slice(0, -1).join('/');
  return `${group} ${describeObject(object)}`;
}
