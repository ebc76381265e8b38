export { describeValue, PatchError } from './errors.ts';
export { cloneJson, equalJson, isObject, type JsonObject } from './json.ts';
export { applyJsonPatch, maxJsonPatchOperations } from './json-patch.ts';
export { mergeApplied } from './merge-applied.ts';
export { applyMergePatch } from './merge-patch.ts';
export { applyStrategicPatch } from './strategic-merge.ts';
