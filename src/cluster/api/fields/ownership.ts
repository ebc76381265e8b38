/** Who owns which field after a create, an update or a patch. */

import { isObject, type JsonObject, type KubeObject, type Schema } from '../../../kubernetes/index.ts';
import type { ServedType } from '../types/served-type.ts';
import { difference, FieldSet, union } from './field-set.ts';
import {
  findManager,
  type Manager,
  readManagers,
  type Writer,
  withManager,
  writeManagers,
} from './managers.ts';
import { type Comparison, compareFields } from './typed-fields.ts';

export type { Writer } from './managers.ts';

const systemMetadata = [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
];

/** What nobody owns is left out: the type, what the server keeps, and what this request cannot write. */
export function ownable(set: FieldSet, { type }: ServedType, subresource: string): FieldSet {
  const result = new FieldSet();
  for (const [step, child] of set.children) {
    if (step === 'f:apiVersion' || step === 'f:kind') continue;
    if (subresource === 'status' ? step !== 'f:status' : step === 'f:status' && type.statusSubresource)
      continue;
    result.children.set(step, step === 'f:metadata' ? ownableMetadata(child) : child);
  }
  return result;
}

function ownableMetadata(set: FieldSet): FieldSet {
  const result = new FieldSet();
  for (const [step, child] of set.children) {
    if (!systemMetadata.includes(step.slice(2))) result.children.set(step, child);
  }
  return result;
}

/** Compares what may be owned. */
export function compareOwnable(
  before: KubeObject,
  after: KubeObject,
  served: ServedType,
  subresource: string,
): Comparison {
  const schema: Schema = served.schema ?? {};
  const { added, modified, removed } = compareFields(before, after, schema);
  const clean = (set: FieldSet) => ownable(set, served, subresource);
  return { added: clean(added), modified: clean(modified), removed: clean(removed) };
}

/** Parts that an object of a built-in kind always has: they are nobody's, only what is in them. */
function skeleton(object: KubeObject): KubeObject {
  const spec = object.spec;
  const template = isObject(spec) && isObject(spec.template) && object.kind !== 'CustomResourceDefinition';
  const parts: JsonObject = {
    metadata: {},
    ...(isObject(spec) && {
      spec: template ? { template: podSkeleton, strategy: {}, updateStrategy: {} } : {},
    }),
    ...(isObject(spec) && Array.isArray(spec.containers) && { spec: { containers: [] } }),
  };
  return parts as unknown as KubeObject;
}

const podSkeleton = { metadata: {}, spec: { containers: [] } };

/** What the cluster allocates after ownership is settled. */
const allocated = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'healthCheckNodePort'];

/** `complete` is the object with its defaults, which its creator owns too; what is given back is `object`. */
export function recordCreate(
  object: KubeObject,
  complete: KubeObject,
  served: ServedType,
  writer: Writer,
): KubeObject {
  const owned = withoutAllocated(complete, object);
  const { added, modified } = compareOwnable(
    served.isCustom ? ({ metadata: {} } as unknown as KubeObject) : skeleton(owned),
    owned,
    served,
    writer.subresource,
  );
  return withManagers(object, withManager([], writer, union(added, modified)));
}

function withoutAllocated(complete: KubeObject, object: KubeObject): KubeObject {
  if (complete.kind !== 'Service') return complete;
  const spec = { ...(complete.spec as JsonObject) };
  const given = (object.spec ?? {}) as JsonObject;
  for (const field of allocated) if (given[field] === undefined) delete spec[field];
  return { ...complete, spec };
}

export function withManagers(object: KubeObject, managers: readonly Manager[]): KubeObject {
  return {
    ...object,
    metadata: { ...object.metadata, managedFields: writeManagers(managers) } as KubeObject['metadata'],
  };
}

/** `next` with the writer owning what it changed, and nobody what it removed. */
export function recordUpdate(
  current: KubeObject,
  next: KubeObject,
  served: ServedType,
  writer: Writer,
): KubeObject {
  const { added, modified, removed } = compareOwnable(current, next, served, writer.subresource);
  const changed = union(added, modified);
  const managers = startingManagers(current, next).map((manager) =>
    findManager([manager], writer)
      ? manager
      : { ...manager, set: difference(difference(manager.set, changed), removed) },
  );
  const own = findManager(managers, writer)?.set ?? new FieldSet();
  const set = union(difference(own, removed), changed);
  return withManagers(next, withManager(managers, writer, set));
}

/** The client's own list counts where it sent one; a single empty entry forgets all. */
function startingManagers(current: KubeObject, next: KubeObject): Manager[] {
  const sent = (next.metadata as { managedFields?: unknown[] }).managedFields;
  const forgets = sent?.length === 1 && isObject(sent[0]) && Object.keys(sent[0]).length === 0;
  if (forgets) return [];
  const managers = readManagers(next);
  return managers.length > 0 ? managers : readManagers(current);
}
