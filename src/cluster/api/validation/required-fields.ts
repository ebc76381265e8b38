/** For built-in kinds that the store has no rules of its own for: what has to be there is there. */

import type { KubeObject, ResourceType, Schema } from '../../../kubernetes/index.ts';
import type { TypeRules } from '../../store/types.ts';
import { invalidObject } from '../status.ts';
import { validateBySchema } from './structural.ts';

export function requiredFieldRules(type: ResourceType, schema: Schema | undefined): TypeRules {
  if (!schema) return {};
  return {
    validate(object: KubeObject) {
      const { metadata: _metadata, ...rest } = object;
      const causes = validateBySchema(rest, schema).filter(({ reason }) => reason === 'FieldValueRequired');
      if (causes.length > 0) throw invalidObject(type, object.metadata.name, causes);
    },
  };
}
