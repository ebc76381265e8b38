/** What goes wrong in a strategic merge without an error: items that are lost, lists that are replaced, types that change. */

import { nearestName } from '../../diagnostics/index.ts';
import {
  fieldOf,
  isNullNode,
  type MapNode,
  type SequenceNode,
  tagOfPlain,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { isBuiltIn } from '../built-in-kinds.ts';
import { diagnosticAt, positionOf } from '../problem.ts';
import { describeId, type Resource, type ResourceId } from '../resource.ts';
import { splitImage } from '../transform/images.ts';
import type { Recorder } from '../transform/set-value.ts';

/** Watches the merge of one patch into one resource. */
export function observeMerge(recorder: Recorder, resource: Resource, build: Build): Recorder {
  return new MergeObserver(recorder, resource, build);
}

/** An item of the target's list, with the value of its main key as it was before the merge. */
interface Before {
  readonly node: YamlNode;
  readonly value: string;
}

class MergeObserver implements Recorder {
  readonly by: string;
  readonly keepsTouches: boolean;
  readonly path: string[] = [];
  readonly #resource: Resource;
  /** As the resource was before the merge: a patch with a target may bring another name, which is put back only afterwards. */
  readonly #id: ResourceId;
  readonly #build: Build;

  constructor({ by, keepsTouches }: Recorder, resource: Resource, build: Build) {
    this.by = by;
    this.keepsTouches = keepsTouches;
    this.#resource = resource;
    this.#id = resource.currentId;
    this.#build = build;
  }

  get #object(): string {
    return describeId(this.#id);
  }

  onSet(field: YamlNode, value: YamlNode): void {
    if (field.kind !== 'scalar' || value.kind !== 'scalar') return;
    const isQuoted = field.style === 'single' || field.style === 'double';
    if (isQuoted && value.style === 'plain' && value.tag !== '!!str' && value.tag !== '') {
      const message = `${value.text} becomes the text "${value.text}": the value it replaces is in quotes, and they stay`;
      this.#warn('SL1113', message, value, `Remove the quotes at ${place(field)} if it is to be no text.`);
    }
    const isTyped = field.tag === '!!int' || field.tag === '!!bool' || field.tag === '!!float';
    if (isTyped && value.style !== 'plain' && tagOfPlain(value.text) === field.tag) {
      const message = `"${value.text}" makes a text of what is no text at ${place(field)}`;
      this.#warn('SL1113', message, value, 'Remove the quotes.');
    }
  }

  /** Lists of maps in a custom resource: whoever patches one item loses the rest. */
  onListReplaced(target: YamlNode, patch: YamlNode): void {
    if (
      isBuiltIn(this.#resource.apiVersion, this.#resource.kind) ||
      target.kind !== 'sequence' ||
      patch.kind !== 'sequence'
    )
      return;
    const lost = lostParts(target, patch);
    if (lost.length === 0) return;
    const path = this.path.join('.');
    const message = `the list ${path} is replaced whole; lost: ${lost.slice(0, 4).join(', ')}`;
    const hint = `kustomize cannot merge lists of ${this.#object.split(' ')[0]}: repeat the whole list, or use a JSON patch.`;
    this.#warn('SL1105', message, patch, hint);
  }

  beforeListMerge(
    target: SequenceNode,
    patch: SequenceNode | undefined,
    mergeKeys: readonly string[],
  ): ((merged: SequenceNode) => void) | undefined {
    if (!patch || patch === target || mergeKeys.length === 0) return undefined;
    const [mainKey = ''] = mergeKeys;
    const before = target.items.map((node) => ({ node, value: textOf(fieldOf(node, mainKey)) }));
    const deletions = new Set(patch.items.filter((item) => textOf(fieldOf(item, '$patch')) === 'delete'));
    const items = [...patch.items];
    return (merged) => {
      for (const item of items) {
        if (item.kind === 'map') this.#checkItem(item, deletions.has(item), before, merged, mergeKeys);
      }
    };
  }

  #checkItem(
    item: MapNode,
    isDeletion: boolean,
    before: readonly Before[],
    merged: SequenceNode,
    mergeKeys: readonly string[],
  ): void {
    const [mainKey = ''] = mergeKeys;
    const value = textOf(fieldOf(item, mainKey));
    const list = this.path.at(-1) ?? '';
    const same = before.filter((other) => other.value === value);
    const landed = isDeletion
      ? merged.items.length < before.length
      : merged.items.some((other) => includes(other, item));
    if (!landed) {
      const message = isDeletion
        ? `the item ${mainKey} ${value} of ${list} is not deleted`
        : `the item ${mainKey} ${value} of ${list} is dropped`;
      this.#warn('SL1104', message, item, dropAdvice(same[0]?.node, item, mergeKeys));
      return;
    }
    if (!isDeletion && same.length === 0 && before.length > 0)
      this.#checkNewItem(item, before, mainKey, value, list);
  }

  #checkNewItem(
    item: MapNode,
    before: readonly Before[],
    mainKey: string,
    value: string,
    list: string,
  ): void {
    if (list === 'containers' || list === 'initContainers') this.#checkNewContainer(item, before, value);
    else if (list === 'ports') this.#checkNewPort(item, before, mainKey, value);
  }

  /** Without an image it cannot be meant as a new one; with the image of one that has nearly the same name it hardly is. */
  #checkNewContainer(item: MapNode, before: readonly Before[], value: string): void {
    const names = before.map((other) => other.value);
    const nearest = nearestName(value, names);
    const hint = nearest ? `Did you mean ${nearest}?` : `The containers are ${names.join(', ')}.`;
    const image = fieldOf(item, 'image');
    const message = `there is no container ${value}: the patch adds a new one`;
    if (!image) {
      this.#warn('SL1106', `${message} without an image`, item, hint);
      return;
    }
    const likely = before.find((other) => other.value === nearest);
    if (!likely || withoutDigits(likely.value) === withoutDigits(value)) return;
    if (splitImage(textOf(fieldOf(likely.node, 'image'))).name !== splitImage(textOf(image)).name) return;
    this.#warn('SL1106', `${message} with the image of ${likely.value}`, item, hint);
  }

  #checkNewPort(item: MapNode, before: readonly Before[], mainKey: string, value: string): void {
    const name = textOf(fieldOf(item, 'name'));
    // A container's ports need no names.
    if (!name && mainKey !== 'port') return;
    const namesake = before.find((port) => textOf(fieldOf(port.node, 'name')) === name);
    const other = namesake ?? (name ? undefined : before[0]);
    if (!other) return;
    const added = `${mainKey} ${value} is added beside ${other.value}`;
    const message = name ? `${added}: two ports are named ${name} now` : `${added} without a name`;
    const needed = name ? '' : ' Of several ports each needs a name.';
    const hint = `Ports are matched by ${mainKey}, not by name. Delete the old one with $patch: delete.${needed}`;
    this.#warn('SL1106', message, item, hint);
  }

  #warn(code: 'SL1104' | 'SL1105' | 'SL1106' | 'SL1113', message: string, at: YamlNode, hint: string): void {
    this.#build.diagnostics.push(diagnosticAt('warning', code, message, at, { object: this.#object, hint }));
  }
}

/** `worker-1` and `worker-2` are no misspelling of each other. */
const withoutDigits = (name: string): string => name.replace(/[0-9]+/g, '');

function place(node: YamlNode): string {
  const { file, line } = positionOf(node);
  return `${file}:${line}`;
}

/** Whether a merged item has every single value of the patch's item. */
function includes(merged: YamlNode, item: MapNode): boolean {
  return item.entries.every(({ name, value }) => {
    if (name === '$patch') return true;
    const own = fieldOf(merged, name);
    if (isNullNode(value)) return own === undefined;
    return value.kind === 'scalar' ? own?.kind === 'scalar' && own.text === value.text : own !== undefined;
  });
}

function dropAdvice(other: YamlNode | undefined, item: MapNode, mergeKeys: readonly string[]): string {
  const differing = mergeKeys.find(
    (key) => other && (fieldOf(other, key) === undefined) !== (fieldOf(item, key) === undefined),
  );
  if (!other || !differing) return `Write ${mergeKeys.join(' and ')} as they are in the object.`;
  const written = fieldOf(other, differing);
  return written
    ? `Items are matched by ${mergeKeys.join(' and ')}. Add ${differing}: ${textOf(written)}, as at ${place(other)}.`
    : `Items are matched by ${mergeKeys.join(' and ')}. Add ${differing} at ${place(other)} too.`;
}

/** The fields of the old items that no item of the new list has in the same place. */
function lostParts(target: SequenceNode, patch: SequenceNode): string[] {
  const lost: string[] = [];
  for (const [index, item] of target.items.entries()) {
    if (item.kind !== 'map') continue;
    const name = textOf(fieldOf(item, 'name'));
    const match =
      patch.items.find((other) => name !== '' && textOf(fieldOf(other, 'name')) === name) ??
      patch.items[index];
    const label = name || `item ${index}`;
    if (match?.kind !== 'map') lost.push(label);
    else {
      for (const { key, value } of item.entries) {
        const own = fieldOf(match, key.text);
        if (!own) lost.push(`${key.text} of ${label}`);
        else if (own.kind === 'sequence' && value.kind === 'sequence') lost.push(...lostParts(value, own));
      }
    }
  }
  return lost;
}
