/** A custom resource's own rules: defaults, pruning and validation by its structural schema. */

import { equalJson, type KubeObject } from '../../../kubernetes/index.ts';
import type { TypeRules } from '../../store/types.ts';
import { invalidObject } from '../status.ts';
import type { ServedType } from '../types/served-type.ts';
import { applySchemaDefaults, pruneUnknown } from './defaults.ts';
import { validateBySchema } from './structural.ts';

export function customRules(served: ServedType): TypeRules {
  const { schema, type } = served;
  if (!schema) return {};
  return {
    prepare(draft: KubeObject) {
      pruneUnknown(draft, schema);
      applySchemaDefaults(draft, schema);
    },
    validate(object: KubeObject, current: KubeObject | undefined) {
      if (current && equalJson(withoutMetadata(object), withoutMetadata(current))) return;
      const causes = validateBySchema(withoutMetadata(object), {
        ...schema,
        required: withoutRoot(schema.required),
      });
      if (causes.length > 0) throw invalidObject(type, object.metadata.name, causes);
    },
  };
}

const withoutMetadata = ({ metadata: _metadata, ...rest }: KubeObject) => rest;

const withoutRoot = (required: readonly string[] | undefined) =>
  (required ?? []).filter((field) => !['apiVersion', 'kind', 'metadata'].includes(field));
