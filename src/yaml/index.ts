export { composeDocument, refuseForbiddenCharacters } from './compose.ts';
export {
  type EffectiveScalar,
  effectiveScalar,
  emitDocument,
  formatFloat,
  oldKeyText,
  refuseTypedKey,
  UnprintableError,
} from './emit.ts';
export { writtenStyle } from './emit-string.ts';
export { type LocatedDocument, type ReadYaml, readLocatedYaml, type YamlPath } from './located.ts';
export {
  assignNode,
  cloneNode,
  entryOf,
  fieldOf,
  isNullNode,
  type MapEntry,
  type MapNode,
  MarkedNodes,
  mapEntry,
  mapNode,
  nodeAt,
  type Origin,
  type ScalarNode,
  type ScalarStyle,
  type SequenceNode,
  scalarNode,
  sequenceNode,
  type Touch,
  textOf,
  type YamlNode,
} from './nodes.ts';
export {
  isOldNonString,
  isOldTrue,
  parseInteger,
  type ResolvedType,
  resolveOldType,
  resolveType,
  tagOfPlain,
} from './resolve.ts';
export { YamlSyntaxError } from './scanner.ts';
export { SourceText } from './source-text.ts';
