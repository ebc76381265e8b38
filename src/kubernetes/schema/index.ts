export { builtInSchema, namedType } from './builtin-types.ts';
export { invariant } from './invariant.ts';
export type { ListType, Schema, WireField, WireKind } from './schema.ts';
