/**
 * Strategic merge patches as kustomize merges them, which is not how the API server does.
 * Source: kyaml/yaml/merge2 and kyaml/yaml/walk of kustomize 5.5.
 */

import {
  assignNode,
  cloneNode,
  entryOf,
  fieldOf,
  isNullNode,
  isOldNonString,
  type MapEntry,
  type MapNode,
  type MarkedNodes,
  mapEntry,
  type SequenceNode,
  type scalarNode,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';
import { refuse } from '../problem.ts';
import { mergeAssociativeList } from './associative-list.ts';
import type { Schema, SchemaLookup } from './merge-schema.ts';
import { type Recorder, settingOf } from './set-value.ts';

type Maybe = YamlNode | undefined;

/** Nulls the target spelled out stay, though a null otherwise removes its field. */
const keptNulls = new WeakSet<YamlNode>();

/**
 * Merges a patch into an object, which it changes. The patch stays as it is, but for `$patch` directives, which are taken out: copy
 * a patch that has some. `settled` keeps what later merges need not look at, as long as nothing else changes it. Undefined where
 * the patch deletes the object. Throws `KustomizeProblem`.
 */
export function mergePatch(
  target: MapNode,
  patch: MapNode,
  recorder: Recorder,
  schemas: SchemaLookup,
  settled: MarkedNodes,
): MapNode | undefined {
  const merged = new Merger(recorder, { schemas, settled }).merge(target, patch, undefined);
  return merged?.kind === 'map' ? merged : undefined;
}

interface Context {
  readonly schemas: SchemaLookup;
  /** Maps that a merge without a patch for them would leave as they are. */
  readonly settled: MarkedNodes;
}

const isMissingOrNull = (node: Maybe): boolean => !node || isNullNode(node);

class Merger {
  readonly #recorder: Recorder;

  readonly #context: Context;

  constructor(recorder: Recorder, context: Context) {
    this.#recorder = recorder;
    this.#context = context;
  }

  merge(target: Maybe, patch: Maybe, known: Schema | undefined): Maybe {
    if (target && !patch && settle(target, known, this.#context)) return target;
    const kind = !isMissingOrNull(target) ? target?.kind : !isMissingOrNull(patch) ? patch?.kind : undefined;
    if (kind) refuseOtherKinds(kind, target, patch, this.#recorder.path);
    const schema = known ?? embeddedSchema(target, this.#context) ?? embeddedSchema(patch, this.#context);
    if (kind === 'scalar') return patch ?? target;
    if (kind === 'sequence') return this.#mergeList(target, patch, schema);
    return this.#mergeMap(target, patch, schema, known !== undefined || !mayChangeType(patch));
  }

  /** `keepsSchema`: another merge into the same map would find the same schema. */
  #mergeMap(target: Maybe, patch: Maybe, schema: Schema | undefined, keepsSchema: boolean): Maybe {
    const chosen = chooseMap(target, patch);
    if (chosen?.kind !== 'map') return chosen;
    // One that is merged with itself already is a copy, and what holds it must see the result.
    if (chosen === patch)
      return this.#mergeWithItself(chosen === target ? chosen : cloneNode(chosen), schema);
    const added = patch?.kind === 'map' ? patch : undefined;
    const { settled } = this.#context;
    const isRestSettled = (keepsSchema && settled.has(chosen)) || this.#settleRest(chosen, added, schema);
    settled.delete(chosen);
    const areOthersSettled = !added || this.#mergeEntries(chosen, added, schema);
    if (keepsSchema && isRestSettled && areOthersSettled) settled.add(chosen);
    return chosen;
  }

  /** The fields that the patch mentions; where it says one twice, the first counts. Returns whether all of them are settled now. */
  #mergeEntries(map: MapNode, patch: MapNode, schema: Schema | undefined): boolean {
    let areSettled = true;
    for (const entry of patch.entries) {
      const { name, value } = entry;
      if (entryOf(patch, name) !== entry) continue;
      const field = fieldOf(map, name);
      const merged = this.#mergeField(field, value, schema, name);
      this.#setField(map, name, merged === value && !field ? cloneNode(value) : merged, entry);
      areSettled &&= isFieldSettled(map, name, this.#context);
    }
    return areSettled;
  }

  #mergeField(field: Maybe, value: Maybe, schema: Schema | undefined, name: string): Maybe {
    this.#recorder.path.push(name);
    const merged = this.merge(field, value, schema?.fields?.[name]);
    this.#recorder.path.pop();
    return merged;
  }

  /** Something new goes through the merge too: nulls in it vanish, lists lose their doubles. */
  #mergeWithItself(map: MapNode, schema: Schema | undefined): MapNode {
    for (const name of new Set(map.entries.map((entry) => entry.name))) {
      const entry = entryOf(map, name);
      if (entry) this.#setField(map, name, this.#mergeField(entry.value, entry.value, schema, name), entry);
    }
    return map;
  }

  /** The fields that the patch does not mention. Returns whether all of them are settled. */
  #settleRest(map: MapNode, patch: MapNode | undefined, schema: Schema | undefined): boolean {
    let unsettled: MapEntry[] | undefined;
    for (let index = 0; index < map.entries.length; index++) {
      const entry = map.entries[index]!;
      const { name } = entry;
      if (patch && entryOf(patch, name)) continue;
      if (settle(entry.value, schema?.fields?.[name], this.#context)) continue;
      unsettled ??= [];
      unsettled.push(entry);
    }
    if (!unsettled) return true;
    for (const entry of unsettled) {
      const { name, value } = entry;
      this.#setField(map, name, this.#mergeField(value, undefined, schema, name), entry);
    }
    return false;
  }

  /** The key of a new field is `from`'s. */
  #setField(map: MapNode, name: string, value: Maybe, from: MapEntry): void {
    if (!value || (isNullNode(value) && !keptNulls.has(value))) {
      const index = map.entries.findIndex((entry) => entry.name === name);
      if (index >= 0) map.entries.splice(index, 1);
      return;
    }
    // kustomize quotes what YAML 1.1 takes for no string; from then on the quotes stick to the field.
    if (isUnquotedOldNonString(value)) value.style = 'double';
    const field = fieldOf(map, name);
    if (!field) map.entries.push(newEntry(from, value));
    else if (field !== value) this.#assign(field, value, name);
  }

  /** The field takes the value over but keeps its own quotes: `"53"` patched with 5353 becomes `"5353"`. */
  #assign(field: YamlNode, value: YamlNode, name: string): void {
    if (
      field.kind === 'scalar' &&
      value.kind === 'scalar' &&
      field.text === value.text &&
      this.#isIdentity(name)
    ) {
      // How a patch says what it is for, not a setting.
      field.tag = value.tag;
      return;
    }
    this.#recorder.onSet(field, value);
    const style = field.kind === 'scalar' ? field.style : 'plain';
    const touches = settingOf(field, value, this.#recorder);
    assignNode(field, value);
    if (field.kind === 'scalar') field.style = style;
    if (touches) field.touches = touches;
  }

  #isIdentity(name: string): boolean {
    const { path } = this.#recorder;
    if (path.length === 0) return name === 'kind' || name === 'apiVersion';
    return path.length === 1 && path[0] === 'metadata' && (name === 'name' || name === 'namespace');
  }

  #mergeList(target: Maybe, patch: Maybe, schema: Schema | undefined): Maybe {
    if (!schema?.mergeKeys) {
      if (target && patch && target !== patch && !isNullNode(patch))
        this.#recorder.onListReplaced(target, patch);
      return patch && patch !== target ? cloneNode(patch) : target;
    }
    const chosen = chooseList(target, patch);
    if (chosen?.kind !== 'sequence') return chosen;
    const result = chosen === patch && chosen !== target ? cloneNode(chosen) : chosen;
    this.#context.settled.delete(result);
    const other = chosen === patch ? result : patch?.kind === 'sequence' ? patch : undefined;
    const before = this.#recorder.beforeListMerge(result, other, schema.mergeKeys);
    const merged = mergeAssociativeList(result, other, schema.mergeKeys, (item, patchItem) =>
      this.merge(item, patchItem, schema.items),
    );
    before?.(merged);
    return merged;
  }
}

/**
 * What a merge does to a part of the target that the patch does not mention: mostly nothing, and this finds that out without
 * the work of a merge. False where a merge would change something, which it must then do itself.
 */
function settle(node: YamlNode, schema: Schema | undefined, context: Context): boolean {
  if (node.kind === 'scalar') {
    if (isNullNode(node)) return false;
    if (isUnquotedOldNonString(node)) node.style = 'double';
    return true;
  }
  if (context.settled.has(node)) return true;
  if (node.kind === 'map') {
    const known = schema ?? embeddedSchema(node, context);
    for (let index = 0; index < node.entries.length; index++) {
      const { name, value } = node.entries[index]!;
      if (!settle(value, known?.fields?.[name], context)) return false;
    }
    context.settled.add(node);
    return true;
  }
  if (schema?.mergeKeys && !settleList(node, schema.mergeKeys, schema.items, context)) return false;
  context.settled.add(node);
  return true;
}

/** A list whose items all have all their keys, and different ones, stays as it is. */
function settleList(
  list: SequenceNode,
  mergeKeys: readonly string[],
  items: Schema | undefined,
  context: Context,
): boolean {
  const seen = new Set<string>();
  for (const item of list.items) {
    if (item.kind !== 'map' || mergeKeys.length === 0) return false;
    let id = '';
    for (const key of mergeKeys) {
      const text = textOf(fieldOf(item, key));
      if (text === '') return false;
      id += `${text}\0`;
    }
    if (seen.has(id) || !settle(item, items, context)) return false;
    seen.add(id);
  }
  // Items with one key in common could be taken for the same where the other is missing; here none is.
  return true;
}

/** Whether the field is known to be settled, without settling it: the quotes that a merge adds are added by the next merge, if there is one. */
function isFieldSettled(map: MapNode, name: string, { settled }: Context): boolean {
  for (let index = 0; index < map.entries.length; index++) {
    const { name: own, value } = map.entries[index]!;
    if (own !== name) continue;
    const isSettled =
      value.kind === 'scalar' ? !isNullNode(value) && !isUnquotedOldNonString(value) : settled.has(value);
    if (!isSettled) return false;
  }
  return true;
}

/** The type of a plain key is left to its text. */
function newEntry(from: MapEntry, value: YamlNode): MapEntry {
  if (from.hasPlainKey) return from.withValue(value);
  const key = cloneNode(from.key);
  if (key.style === 'plain') key.tag = '';
  return mapEntry(key, value);
}

function isUnquotedOldNonString(node: YamlNode): node is ReturnType<typeof scalarNode> {
  if (node.kind !== 'scalar' || node.style !== 'plain' || (node.tag !== '!!str' && node.tag !== ''))
    return false;
  return isOldNonString(node.text);
}

function refuseOtherKinds(
  kind: YamlNode['kind'],
  target: Maybe,
  patch: Maybe,
  path: readonly string[],
): void {
  for (const node of [target, patch]) {
    if (!node || isNullNode(node) || node.kind === kind) continue;
    const names = { map: 'a map', sequence: 'a list', scalar: 'a single value' };
    const field = path.length > 0 ? `${path.join('.')}: ` : '';
    const message = `${field}the patch gives ${names[node.kind]} where the object has ${names[kind]}`;
    refuse('SL1010', message, node, {
      hint: 'Give the field the same kind of value that it has in the object.',
    });
  }
}

/** An object inside an object is merged by its own kind's rules. */
function embeddedSchema(node: Maybe, { schemas }: Context): Schema | undefined {
  if (node?.kind !== 'map') return undefined;
  const kind = textOf(fieldOf(node, 'kind'));
  const apiVersion = kind && textOf(fieldOf(node, 'apiVersion'));
  return apiVersion && kind ? schemas(apiVersion, kind) : undefined;
}

const mayChangeType = (patch: Maybe): boolean =>
  fieldOf(patch, 'kind') !== undefined || fieldOf(patch, 'apiVersion') !== undefined;

/** The map that is filled: the target's, the patch's, or none where the field goes. */
function chooseMap(target: Maybe, patch: Maybe): Maybe {
  if (isMissingOrNull(target)) {
    if (patch?.kind === 'map' && takeDirective(patch, true) === 'delete') return undefined;
    // A null that is spelled out in the target stays; an empty value goes.
    if (!patch && target?.kind === 'scalar' && target.text !== '') {
      keptNulls.add(target);
      return target;
    }
    return patch;
  }
  if (patch && isNullNode(patch)) return undefined;
  const directive = patch?.kind === 'map' ? takeDirective(patch, false) : 'merge';
  if (directive === 'delete') return undefined;
  return directive === 'replace' ? patch : target;
}

function chooseList(target: Maybe, patch: Maybe): Maybe {
  if (isMissingOrNull(target)) return patch;
  if (patch && isNullNode(patch)) return undefined;
  const directive = patch?.kind === 'sequence' ? takeListDirective(patch) : 'merge';
  if (directive === 'delete') return undefined;
  return directive === 'replace' ? patch : target;
}

type Directive = 'merge' | 'replace' | 'delete' | 'unknown';

/** Whether a patch has directives, so that it must be copied for every merge. */
export function containsDirectives(node: YamlNode): boolean {
  if (node.kind === 'sequence') return node.items.some(containsDirectives);
  return (
    node.kind === 'map' &&
    node.entries.some(({ name, value }) => name === '$patch' || containsDirectives(value))
  );
}

/** Reads `$patch` and removes it. One that is not known is an error, but not where the patch only adds. */
function takeDirective(patch: MapNode, lenient: boolean): Directive {
  const value = fieldOf(patch, '$patch');
  if (!value) return 'merge';
  const directive = readDirective(value, lenient);
  if (directive !== 'unknown') removeField(patch, '$patch');
  return directive;
}

/** `- $patch: replace` in a list speaks for the whole list, if it stands alone in its item. */
function takeListDirective(patch: SequenceNode): Directive {
  const item = patch.items.find((candidate) => fieldOf(candidate, '$patch') !== undefined);
  const value = fieldOf(item, '$patch');
  if (item?.kind !== 'map' || !value || item.entries.length > 1) return 'merge';
  const directive = readDirective(value, false);
  patch.items = patch.items.filter((other) => {
    const isEmpty = isNullNode(other) || (other.kind === 'map' && other.entries.length === 0);
    return !isEmpty && textOf(fieldOf(other, '$patch')) !== directive;
  });
  return directive;
}

function readDirective(value: YamlNode, lenient: boolean): Directive {
  const text = textOf(value);
  if (text === 'merge' || text === 'replace' || text === 'delete') return text;
  if (lenient) return 'unknown';
  return refuse('SL1010', `unknown patch strategy '${text}'`, value, {
    hint: 'Write $patch: delete, replace or merge.',
  });
}

function removeField(map: MapNode, name: string): void {
  const index = map.entries.findIndex((entry) => entry.name === name);
  if (index >= 0) map.entries.splice(index, 1);
}
