import { randomBytes } from 'node:crypto';
import type { KubeObject, ObjectMeta, ResourceType } from '../../../kubernetes/index.ts';
import type { FieldErrors } from './field-errors.ts';
import { checkAnnotations, checkLabels, type NameRule } from './names.ts';

/** Without vowels and look-alikes, as Kubernetes' own. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const maxGeneratedNameLength = 63;
const suffixLength = 5;

export function randomSuffix(): string {
  let suffix = '';
  // 243 is the largest multiple of 27 in a byte: above it the draw would favour the first letters.
  while (suffix.length < suffixLength) {
    for (const byte of randomBytes(suffixLength)) {
      if (byte < 243 && suffix.length < suffixLength) suffix += suffixAlphabet[byte % suffixAlphabet.length];
    }
  }
  return suffix;
}

export function generatedName(base: string): string {
  return base.slice(0, maxGeneratedNameLength - suffixLength) + randomSuffix();
}

/** RFC 3339 in whole seconds, as every timestamp of the API but those of Leases and events. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

export function validateMetadata(
  type: ResourceType,
  object: KubeObject,
  nameRule: NameRule,
  errors: FieldErrors,
): void {
  const { metadata } = object;
  if (!metadata.name) errors.required('metadata.name', 'name or generateName is required');
  else {
    for (const complaint of nameRule(metadata.name))
      errors.invalid('metadata.name', metadata.name, complaint);
  }
  if (!type.namespaced && metadata.namespace) {
    errors.forbidden('metadata.namespace', 'not allowed on this type');
  }
  checkLabels(metadata.labels, 'metadata.labels', errors);
  checkAnnotations(metadata.annotations, 'metadata.annotations', errors);
  validateOwners(metadata, errors);
}

function validateOwners({ ownerReferences = [] }: ObjectMeta, errors: FieldErrors): void {
  const path = 'metadata.ownerReferences';
  for (const owner of ownerReferences) {
    if (!owner.apiVersion)
      errors.invalid(`${path}.apiVersion`, owner.apiVersion, 'version must not be empty');
    if (!owner.kind) errors.invalid(`${path}.kind`, owner.kind, 'must not be empty');
    if (!owner.name) errors.invalid(`${path}.name`, owner.name, 'must not be empty');
    if (!owner.uid) errors.invalid(`${path}.uid`, owner.uid, 'must not be empty');
  }
  const controllers = ownerReferences.filter(({ controller }) => controller);
  if (controllers.length > 1) {
    const kinds = controllers.map(({ kind, name }) => `${kind}/${name}`).join(', ');
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${kinds}`;
    errors.invalid(path, ownerReferences, detail);
  }
}

/** What an update may not do to the metadata. */
export function validateMetadataChange(next: KubeObject, current: KubeObject, errors: FieldErrors): void {
  if (!current.metadata.deletionTimestamp) return;
  const present = new Set(current.metadata.finalizers);
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !present.has(finalizer));
  if (added.length === 0) return;
  const list = added.map((finalizer) => JSON.stringify(finalizer)).join(', ');
  errors.forbidden(
    'metadata.finalizers',
    `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
  );
}
