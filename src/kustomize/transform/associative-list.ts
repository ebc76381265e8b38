/**
 * Lists whose items are merged by their keys, with kustomize's own way of finding the item that belongs to a patch. It loses
 * items whose keys are written on one side only; the bytes must be the same, so the algorithm is followed step by step.
 * Source: kyaml/yaml/walk/associative_sequence.go and ElementSetter in kyaml/yaml/fns.go of kustomize 5.5.
 */

import {
  fieldOf,
  isNullNode,
  mapEntry,
  type SequenceNode,
  scalarNode,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';

export type MergeItem = (target: YamlNode | undefined, patch: YamlNode | undefined) => YamlNode | undefined;

type Values = readonly string[];

/** Merges the patch's items into the target's list. `target` and `patch` may be one and the same. */
export function mergeAssociativeList(
  target: SequenceNode,
  patch: SequenceNode | undefined,
  mergeKeys: readonly string[],
  mergeItem: MergeItem,
): SequenceNode {
  const own = patch && patch !== target ? itemsByKeys(target, mergeKeys) : undefined;
  const changes = own && patch && itemsByKeys(patch, mergeKeys);
  if (own && changes) {
    target.items = mergeComplete(own, changes, mergeKeys.length > 1, mergeItem);
    return target;
  }
  // Patch items come first, then those of the target.
  const lists = patch ? [patch, target] : [target];
  const found = mergeKeys.length > 0 ? valuesOfKeys(lists, mergeKeys) : valuesOfScalars(lists);
  const keys = mergeKeys.length > 0 ? mergeKeys : [''];
  const valuesList = keys.length > 1 ? unitePartialValues(found) : found;
  const added: YamlNode[] = [];
  let rest = target.items;
  let usedKeys: readonly string[] = [];
  for (const values of valuesList) {
    const [validKeys, validValues] = usedPart(valuesList, values, keys);
    usedKeys = validKeys;
    const [ownKeys, ownValues] = usedPart([validValues], validValues, validKeys);
    const merged = mergeItem(
      findItem(rest, ownKeys, ownValues),
      patch && findItem(patch === target ? rest : patch.items, ownKeys, ownValues),
    );
    if (!merged || isNullNode(merged) || (merged.kind === 'map' && merged.entries.length === 0)) {
      rest = setElement(rest, undefined, validKeys, validValues);
      target.items = rest;
      continue;
    }
    addMissingKeys(merged, validKeys, validValues);
    replaceContents(added, setElement(added, merged, validKeys, validValues));
  }
  if (valuesList.length > 0) target.items = appendItems(added, rest, usedKeys);
  return target;
}

/** The items by their keys; undefined unless each has all the keys and no two have the same. */
function itemsByKeys(list: SequenceNode, keys: readonly string[]): Map<string, YamlNode> | undefined {
  if (keys.length === 0) return undefined;
  const items = new Map<string, YamlNode>();
  for (const item of list.items) {
    let id = '';
    for (const key of keys) {
      const text = keyValue(item, key);
      if (text === '') return undefined;
      id += `${text}\0`;
    }
    items.set(id, item);
  }
  return items.size === list.items.length ? items : undefined;
}

/**
 * What the step by step way comes to for lists whose items have all their keys: those of the patch come first; but with several keys,
 * those that were there before stay in their order behind the new ones.
 */
function mergeComplete(
  own: ReadonlyMap<string, YamlNode>,
  changes: ReadonlyMap<string, YamlNode>,
  hasSeveralKeys: boolean,
  mergeItem: MergeItem,
): YamlNode[] {
  const result: YamlNode[] = [];
  const kept = new Set<YamlNode>();
  const add = (item: YamlNode | undefined, merged: YamlNode | undefined): void => {
    if (!merged || isNullNode(merged) || (merged.kind === 'map' && merged.entries.length === 0)) return;
    // An item that was there stays, even where the merge gives another: kustomize forgets a replacement.
    if (item) kept.add(item);
    if (!item || !hasSeveralKeys) result.push(item ?? merged);
  };
  for (const [id, change] of changes) add(own.get(id), mergeItem(own.get(id), change));
  for (const [id, item] of own) if (!changes.has(id)) add(item, mergeItem(item, undefined));
  if (hasSeveralKeys) for (const item of own.values()) if (kept.has(item)) result.push(item);
  return result;
}

function replaceContents(list: YamlNode[], contents: YamlNode[]): void {
  list.splice(0, list.length, ...contents);
}

function addMissingKeys(item: YamlNode, keys: readonly string[], values: Values): void {
  if (item.kind !== 'map') return;
  for (const [index, key] of keys.entries()) {
    if (fieldOf(item, key) || !values[index]) continue;
    item.entries.push(mapEntry(scalarNode(key, '', item), scalarNode(values[index], '', item)));
  }
}

function valuesOfKeys(lists: readonly SequenceNode[], keys: readonly string[]): Values[] {
  const seen = new Set<string>();
  const result: Values[] = [];
  for (const list of lists) {
    for (const item of list.items) {
      const values = keys.map((key) => keyValue(item, key));
      const id = values.join('\0');
      if (!seen.has(id)) result.push(values);
      seen.add(id);
    }
  }
  return result;
}

/** The text of a field, '' for one that is missing, null or no scalar. */
function keyValue(item: YamlNode, key: string): string {
  const value = fieldOf(item, key);
  return value && !isNullNode(value) ? textOf(value) : '';
}

function valuesOfScalars(lists: readonly SequenceNode[]): Values[] {
  const seen = new Set<string>();
  for (const list of lists) for (const item of list.items) seen.add(textOf(item));
  return [...seen].map((text) => [text]);
}

/** Two ports of one number of which one has no protocol are taken for the same port. */
function unitePartialValues(valuesList: readonly Values[]): Values[] {
  const united = [...valuesList];
  for (let index = 0; index < united.length; index++) {
    // Compared as they were when their turn began, though they change on the way.
    const own = united[index] ?? [];
    for (let other = 0; other < united.length; other++) {
      const values = unite(own, united[other] ?? []);
      if (!values) continue;
      united[index] = values;
      united[other] = values;
    }
  }
  return united;
}

function unite(one: Values, other: Values): Values | undefined {
  let hasCommon = false;
  const result: string[] = [];
  for (const [index, value] of one.entries()) {
    const otherValue = other[index] ?? '';
    if (value === otherValue) hasCommon = true;
    else if (value !== '' && otherValue !== '') return undefined;
    result.push(value || otherValue);
  }
  return hasCommon ? result : undefined;
}

/** The keys that at least one item of the list has, with the item's values for them. */
function usedPart(
  valuesList: readonly Values[],
  values: Values,
  keys: readonly string[],
): [keys: readonly string[], values: Values] {
  const used = new Set<string>();
  for (const other of valuesList) {
    for (const [index, value] of other.entries()) if (value !== '') used.add(keys[index] ?? '');
  }
  if (used.size === 0) return [keys, values];
  return [
    keys.filter((key) => used.has(key)),
    values.filter((value, index) => value !== '' || used.has(keys[index] ?? '')),
  ];
}

/** The first item whose fields have exactly these texts. */
function findItem(items: readonly YamlNode[], keys: readonly string[], values: Values): YamlNode | undefined {
  if (keys.length === 0 || keys[0] === '') return items.find((item) => textOf(item) === (values[0] ?? ''));
  return items.find(
    (item) => item.kind === 'map' && keys.every((key, index) => hasFieldText(item, key, values[index] ?? '')),
  );
}

function hasFieldText(item: YamlNode, key: string, text: string): boolean {
  const value = fieldOf(item, key);
  return value !== undefined && textOf(value) === text;
}

/**
 * Replaces the items that have these values by the element (or removes them), else appends it. An empty value matches every item
 * that has the field at all, and values that are missing take the answer of the key before.
 */
function setElement(
  items: readonly YamlNode[],
  element: YamlNode | undefined,
  keys: readonly string[],
  values: Values,
): YamlNode[] {
  const isMapSetter = keys.length > 0 && keys[0] !== '' && values.length > 0 && values[0] !== '';
  const result: YamlNode[] = [];
  let wasFound = false;
  for (const item of items) {
    if (isNullNode(item) || (item.kind === 'map' && item.entries.length === 0)) continue;
    if (item.kind !== 'map' && isMapSetter) {
      result.push(item);
      continue;
    }
    if (!matchesAll(item, keys, values)) {
      if (values.length > 0) result.push(item);
      continue;
    }
    wasFound = true;
    if (element) result.push(element);
  }
  if (element && !isNullNode(element) && !wasFound) result.push(element);
  return result;
}

function matchesAll(item: YamlNode, keys: readonly string[], values: Values): boolean {
  let matches = false;
  for (const [index, key] of keys.entries()) {
    const value = values[index];
    if (value !== undefined) {
      if (key === '') matches = item.kind === 'scalar' && item.text === value;
      else matches = value === '' ? fieldOf(item, key) !== undefined : hasFieldText(item, key, value);
    }
    if (!matches) return false;
  }
  return true;
}

/** Appends the items to the list, each in the place of one that has the same values. */
function appendItems(
  list: readonly YamlNode[],
  items: readonly YamlNode[],
  keys: readonly string[],
): YamlNode[] {
  let result = [...list];
  for (const item of items) {
    if (keys.length === 0 || keys[0] === '') {
      result = setElement(result, item, [''], [textOf(item)]);
      continue;
    }
    const values: string[] = [];
    for (const key of keys) {
      const value = fieldOf(item, key);
      if (value) values.push(textOf(value));
      else result.push(item);
    }
    if (keys.length > 1) result = setElement(result, undefined, keys, values);
    result = setElement(result, item, keys, values);
  }
  return result;
}
