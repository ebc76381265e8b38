/** Values that will not be what their author meant, though kustomize prints them. */

import {
  fieldOf,
  type MapNode,
  type ScalarNode,
  type SequenceNode,
  type YamlNode,
} from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { isBuiltIn } from '../built-in-kinds.ts';
import { diagnosticAt } from '../problem.ts';
import type { Resource } from '../resource.ts';

/** Fields whose values the API wants as texts. */
const textMaps = new Set(['labels', 'annotations', 'matchLabels', 'selector', 'nodeSelector']);

/** Lists of texts in the objects of Kubernetes itself; in others they may hold anything. */
const textLists = new Set(['args', 'command']);
const noLists: ReadonlySet<string> = new Set();

export function inspectValues(resource: Resource, build: Build): void {
  const { node, kind, apiVersion } = resource;
  const warn: Warn = (code, message, at, hint) => {
    if (code === 'SL1113' && isOwnAnnotation(node, at)) return;
    const object = resource.describe();
    build.diagnostics.push(diagnosticAt('warning', code, message, at, { object, hint }));
  };
  inspectMap(node, '', isBuiltIn(apiVersion, kind) ? textLists : noLists, warn);
  if (kind === 'ConfigMap') inspectTexts(fieldOf(node, 'data'), warn);
  if (kind === 'Secret') inspectTexts(fieldOf(node, 'stringData'), warn);
}

/** kustomize itself makes texts of them. */
function isOwnAnnotation(root: MapNode, at: YamlNode): boolean {
  const annotations = fieldOf(fieldOf(root, 'metadata'), 'annotations');
  return annotations?.kind === 'map' && annotations.entries.some(({ value }) => value === at);
}

type Warn = (code: 'SL1107' | 'SL1112' | 'SL1113', message: string, at: YamlNode, hint: string) => void;

function inspectTexts(map: YamlNode | undefined, warn: Warn): void {
  if (map?.kind !== 'map') return;
  for (const { name, value } of map.entries) if (value.kind === 'scalar') inspectText(name, value, warn);
}

function inspectText(name: string, value: ScalarNode, warn: Warn): void {
  if (value.style !== 'plain' || !isTyped(value.tag)) return;
  const message = `${name} must be a text, but ${value.text} is none`;
  warn('SL1113', message, value, `Put it in quotes: "${value.text}".`);
}

function inspectMap(map: MapNode, field: string, lists: ReadonlySet<string>, warn: Warn): void {
  const isTextMap = textMaps.has(field);
  const { entries } = map;
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index]!;
    const { name, value } = entry;
    if (name.charCodeAt(0) === 0x24) inspectDirective(entry.key, warn);
    if (value.kind === 'scalar') {
      if (isTextMap || (name === 'value' && field === 'env')) inspectText(name, value, warn);
      if (value.tag === '!!float') inspectNumber(value, warn);
    } else inspectCollection(value, name, lists, warn);
  }
}

function inspectCollection(
  node: MapNode | SequenceNode,
  field: string,
  lists: ReadonlySet<string>,
  warn: Warn,
): void {
  if (node.kind === 'map') {
    inspectMap(node, field, lists, warn);
    return;
  }
  const isTextList = lists.has(field);
  for (let index = 0; index < node.items.length; index++) {
    const item = node.items[index]!;
    if (item.kind !== 'scalar') inspectCollection(item, field, lists, warn);
    else {
      if (isTextList) inspectText(`an item of ${field}`, item, warn);
      if (item.tag === '!!float') inspectNumber(item, warn);
    }
  }
}

function inspectNumber(node: ScalarNode, warn: Warn): void {
  if (node.style !== 'plain' || !/^[-+]?[0-9]+$/.test(node.text)) return;
  const message = `${node.text} has more than 64 bits and becomes a rounded number`;
  warn('SL1112', message, node, 'Put it in quotes.');
}

function inspectDirective(key: ScalarNode, warn: Warn): void {
  if (!/^\$(?:patch|retainKeys|setElementOrder\/.*|deleteFromPrimitiveList\/.*)$/.test(key.text)) return;
  const message = `the merge directive ${key.text} stands in the output as if it were data`;
  const hint = 'kustomize knows only $patch, and only in maps and lists that it merges. Use a JSON patch.';
  warn('SL1107', message, key, hint);
}

const isTyped = (tag: string): boolean =>
  tag === '!!int' || tag === '!!float' || tag === '!!bool' || tag === '!!timestamp';
