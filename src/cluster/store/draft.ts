/** From what a client sent to what is to be stored: system fields, defaults, checks. Pure but for uids and names. */

import { randomUUID } from 'node:crypto';
import { ApiError, apiVersionOf, type KubeObject, type ResourceType } from '../../kubernetes/index.ts';
import { FieldErrors } from './admission/field-errors.ts';
import { type KindRules, nameRuleOf } from './admission/index.ts';
import { generatedName, validateMetadata, validateMetadataChange } from './admission/metadata.ts';
import { isRecord } from './admission/pod-spec.ts';
import { conflict } from './errors.ts';
import { copyJson, equalJson } from './json.ts';
import type { TypeRules } from './types.ts';

export interface Admission {
  readonly type: ResourceType;
  readonly kindRules: KindRules;
  readonly rules: TypeRules;
  /** As a timestamp of the API. */
  readonly now: string;
}

export type Subresource = 'status' | 'finalize' | undefined;

/** A copy with its type and its namespace set right. Throws BadRequest where it is of another type. */
export function receive(type: ResourceType, input: KubeObject): KubeObject {
  if (!isRecord(input)) throw new ApiError('BadRequest', 'the object is not a JSON object');
  const draft = copyJson(input);
  const apiVersion = apiVersionOf(type);
  draft.apiVersion ||= apiVersion;
  draft.kind ||= type.kind;
  if (draft.apiVersion !== apiVersion) {
    const message = `the API version in the data (${draft.apiVersion}) does not match the expected API version (${apiVersion})`;
    throw new ApiError('BadRequest', message);
  }
  if (draft.kind !== type.kind) {
    const message = `${draft.kind} in version "${type.version}" cannot be handled as a ${type.kind}`;
    throw new ApiError('BadRequest', message);
  }
  if (!isRecord(draft.metadata)) draft.metadata = { name: '' };
  if (type.namespaced) draft.metadata.namespace ||= 'default';
  else delete draft.metadata.namespace;
  return draft;
}

/** Throws BadRequest, Invalid. */
export function admitCreate(draft: KubeObject, admission: Admission): void {
  const { type, kindRules, rules, now } = admission;
  const { metadata } = draft;
  if (metadata.resourceVersion) {
    throw new ApiError('BadRequest', 'resourceVersion should not be set on objects to be created');
  }
  if (!metadata.name && metadata.generateName) metadata.name = generatedName(metadata.generateName);
  metadata.uid = randomUUID();
  metadata.creationTimestamp = now;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.resourceVersion;
  if (kindRules.countsGenerations) metadata.generation = 1;
  else delete metadata.generation;
  // A kubelet registers its node with the status it found.
  if (type.statusSubresource && type.plural !== 'nodes') delete draft.status;

  const errors = new FieldErrors();
  guardShape(draft, type, () => {
    kindRules.applyDefaults?.(draft);
    rules.prepare?.(draft);
    kindRules.prepareCreate?.(draft);
    validateMetadata(type, draft, nameRuleOf(kindRules), errors);
    kindRules.validate?.(draft, undefined, errors);
  });
  errors.throwIfAny(type, metadata.name);
  rules.validate?.(draft, undefined);
}

/** Throws Conflict where the client's object is of another uid or version. */
export function checkPreconditions(
  type: ResourceType,
  current: KubeObject,
  { uid, resourceVersion }: { uid?: string | undefined; resourceVersion?: string | undefined },
): void {
  const { metadata } = current;
  if (uid && uid !== metadata.uid) {
    const reason = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`;
    throw conflict(type, metadata.name, reason);
  }
  if (resourceVersion && resourceVersion !== '0' && resourceVersion !== metadata.resourceVersion) {
    throw conflict(type, metadata.name);
  }
}

/** What `draft` makes of `current`, within what the subresource may change. Throws Invalid. */
export function admitUpdate(
  draft: KubeObject,
  current: KubeObject,
  subresource: Subresource,
  admission: Admission,
): KubeObject {
  const { type, kindRules, rules, now } = admission;
  if (subresource) {
    const next = withinSubresource(draft, current, subresource);
    rules.validate?.(next, current);
    return next;
  }
  keepSystemFields(draft, current);
  if (type.statusSubresource) keepField(draft, current, 'status');
  if (type.plural === 'namespaces' && !current.metadata.deletionTimestamp) keepField(draft, current, 'spec');

  const errors = new FieldErrors();
  guardShape(draft, type, () => {
    kindRules.applyDefaults?.(draft);
    rules.prepare?.(draft);
    kindRules.prepareUpdate?.(draft, current, now);
    validateMetadata(type, draft, nameRuleOf(kindRules), errors);
    validateMetadataChange(draft, current, errors);
    kindRules.validate?.(draft, current, errors);
  });
  errors.throwIfAny(type, current.metadata.name);
  rules.validate?.(draft, current);
  countGeneration(draft, current, admission);
  return draft;
}

function withinSubresource(
  draft: KubeObject,
  current: KubeObject,
  subresource: Exclude<Subresource, undefined>,
): KubeObject {
  const metadata = { ...current.metadata };
  const { managedFields } = draft.metadata;
  if (managedFields) metadata.managedFields = managedFields;
  if (subresource === 'status') return { ...current, metadata, status: draft.status };
  const spec = { ...(current.spec as object | undefined) } as { finalizers?: string[] };
  const { finalizers } = (draft.spec ?? {}) as { finalizers?: string[] };
  if (finalizers?.length) spec.finalizers = finalizers;
  else delete spec.finalizers;
  return { ...current, metadata, spec };
}

/** What only the server writes. */
function keepSystemFields(draft: KubeObject, current: KubeObject): void {
  const from = current.metadata as unknown as Record<string, unknown>;
  const to = draft.metadata as unknown as Record<string, unknown>;
  const fields = [
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
  ];
  for (const field of [...fields, 'resourceVersion', 'generateName']) {
    if (from[field] === undefined) delete to[field];
    else to[field] = from[field];
  }
  if (to.managedFields === undefined && from.managedFields !== undefined)
    to.managedFields = from.managedFields;
}

function keepField(draft: KubeObject, current: KubeObject, field: string): void {
  if (current[field] === undefined) delete draft[field];
  else draft[field] = current[field];
}

/** The generation counts what the user wants: all but metadata and, where it is apart, the status. */
function countGeneration(draft: KubeObject, current: KubeObject, { type, kindRules }: Admission): void {
  if (!kindRules.countsGenerations) return;
  const wanted = (object: KubeObject) => {
    const { metadata: _, status, ...rest } = object;
    return type.statusSubresource ? rest : { ...rest, status };
  };
  if (equalJson(wanted(draft), wanted(current))) return;
  draft.metadata.generation = (current.metadata.generation ?? 0) + 1;
}

/** Fields of the wrong shape end here as a refusal: the rules take the shape for granted. */
function guardShape(draft: KubeObject, type: ResourceType, apply: () => void): void {
  try {
    apply();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const message = `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${error.message}`;
    throw new ApiError('BadRequest', message, { name: draft.metadata.name, kind: type.plural });
  }
}
