/** JSON merge patch, RFC 7386, as the library that Kubernetes uses has it (evanphx/json-patch v4). */

import { cloneJson, fieldOf, isObject, type JsonObject, setField } from './json.ts';

/** A new value: `patch` merged into `target`. Fields that the patch sets to null are removed; lists are replaced whole. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(target)) return withoutNullFields(patch);
  if (!isObject(patch)) return cloneJson(patch);
  const result: JsonObject = cloneJson(target);
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field];
    else setField(result, field, applyMergePatch(fieldOf(result, field), value));
  }
  return result;
}

/** A copy. Beyond the RFC, objects inside lists lose their null fields too. */
function withoutNullFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNullFields);
  if (!isObject(value)) return value;
  const copy: JsonObject = {};
  for (const [field, member] of Object.entries(value)) {
    if (member !== null) setField(copy, field, withoutNullFields(member));
  }
  return copy;
}
