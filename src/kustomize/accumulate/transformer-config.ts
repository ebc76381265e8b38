/** Which fields the transformers touch: kustomize's own list, and what `configurations` add. */

import type { YamlNode } from '../../yaml/index.ts';
import { refuse } from '../problem.ts';
import { type NameReference, nameReferences } from '../references/name-references.ts';
import { varReferenceSpecs } from '../references/variable-fields.ts';
import type { FieldSpec } from '../transform/field-path.ts';
import {
  annotationSpecs,
  commonLabelSpecs,
  imageSpecs,
  nameSpecs,
  namespaceSpecs,
  replicaSpecs,
  templateLabelSpecs,
} from '../transform/field-specs.ts';

export interface TransformerConfig {
  readonly namePrefix: readonly FieldSpec[];
  readonly nameSuffix: readonly FieldSpec[];
  readonly namespace: readonly FieldSpec[];
  readonly commonLabels: readonly FieldSpec[];
  readonly labels: readonly FieldSpec[];
  readonly templateLabels: readonly FieldSpec[];
  readonly commonAnnotations: readonly FieldSpec[];
  readonly images: readonly FieldSpec[];
  readonly replicas: readonly FieldSpec[];
  readonly varReference: readonly FieldSpec[];
  readonly nameReference: readonly NameReference[];
}

export const defaultConfig: TransformerConfig = {
  namePrefix: nameSpecs,
  nameSuffix: nameSpecs,
  namespace: namespaceSpecs,
  commonLabels: commonLabelSpecs,
  labels: [],
  templateLabels: templateLabelSpecs,
  commonAnnotations: annotationSpecs,
  images: imageSpecs,
  replicas: replicaSpecs,
  varReference: varReferenceSpecs,
  nameReference: nameReferences,
};

/** What both say; of one field said twice once. Two opinions on `create` are refused. */
export function mergeConfigs(
  one: TransformerConfig,
  other: TransformerConfig,
  at?: YamlNode,
): TransformerConfig {
  if (one === other) return one;
  const specs = (field: Exclude<keyof TransformerConfig, 'nameReference'>) =>
    mergeSpecs(one[field], other[field], at);
  return {
    namePrefix: specs('namePrefix'),
    nameSuffix: specs('nameSuffix'),
    namespace: specs('namespace'),
    commonLabels: specs('commonLabels'),
    labels: specs('labels'),
    templateLabels: specs('templateLabels'),
    commonAnnotations: specs('commonAnnotations'),
    images: specs('images'),
    replicas: specs('replicas'),
    varReference: specs('varReference'),
    nameReference: mergeReferences(one.nameReference, other.nameReference, at),
  };
}

export function mergeSpecs(
  one: readonly FieldSpec[],
  other: readonly FieldSpec[],
  at?: YamlNode,
): readonly FieldSpec[] {
  if (one === other || other.length === 0) return one;
  const merged = [...one];
  for (const spec of other) {
    const same = merged.find((known) => isSameField(known, spec));
    if (!same) merged.push(spec);
    else if (Boolean(same.create) !== Boolean(spec.create)) {
      refuse('SL1011', `the field ${spec.path} is configured twice, once to be created and once not`, at);
    }
  }
  return merged;
}

const isSameField = (one: FieldSpec, other: FieldSpec): boolean =>
  one.path === other.path &&
  (one.group ?? '') === (other.group ?? '') &&
  (one.version ?? '') === (other.version ?? '') &&
  (one.kind ?? '') === (other.kind ?? '');

function mergeReferences(
  one: readonly NameReference[],
  other: readonly NameReference[],
  at?: YamlNode,
): readonly NameReference[] {
  if (one === other || other.length === 0) return one;
  const merged = [...one];
  for (const reference of other) {
    const index = merged.findIndex(
      (known) =>
        (known.group ?? '') === (reference.group ?? '') &&
        (known.version ?? '') === (reference.version ?? '') &&
        (known.kind ?? '') === (reference.kind ?? ''),
    );
    const known = merged[index];
    if (known)
      merged[index] = { ...known, fieldSpecs: mergeSpecs(known.fieldSpecs, reference.fieldSpecs, at) };
    else merged.push(reference);
  }
  return merged;
}
