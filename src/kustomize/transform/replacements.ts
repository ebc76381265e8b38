/** The `replacements` of a kustomization. Source: api/filters/replacement of kustomize 5.5. */

import { cloneNode, type ScalarNode, textOf, type YamlNode } from '../../yaml/index.ts';
import { type Build, recorderOf } from '../build.ts';
import { nearestResource } from '../diagnose/no-match.ts';
import { diagnosticAt, refuse } from '../problem.ts';
import type { FieldOptions, Replacement, ReplacementTarget, Selector } from '../read/kustomization.ts';
import { annotationsOf, isSelectedGvk, labelsOf, type Resource, type ResourceId } from '../resource.ts';
import type { ResourceSet } from '../resource-set.ts';
import { parseSelector } from './label-selector.ts';
import { lookUp, matchAll } from './path-query.ts';
import { type Recorder, settingOf } from './set-value.ts';

/** Copies the source's value to every target. Throws `KustomizeProblem`. */
export function replaceValues(replacement: Replacement, resources: ResourceSet, build: Build): void {
  const { source, targets, node } = replacement;
  if (!source || !targets) refuse('SL1011', 'a replacement needs a source and targets', node);
  const value = sourceValue(source, resources);
  const recorder = recorderOf(build, 'replacements');
  for (const target of targets) {
    const select = target.select;
    if (!select) refuse('SL1011', 'a target of a replacement needs select', target.node);
    const selected = resources.all.filter((resource) => isTarget(resource, target, select));
    if (selected.length === 0) {
      build.diagnostics.push(
        diagnosticAt('warning', 'SL1103', 'this target of a replacement matches no resource', select.node, {
          hint: nearestResource(select, resources),
        }),
      );
    }
    for (const resource of selected) copyTo(resource, value, target, recorder);
  }
  resources.idsChanged();
}

type Source = NonNullable<Replacement['source']>;
type IdParts = Partial<ResourceId>;

/** Whether the parts of the selector that are not empty are those of the id. */
function isSelectedId(id: ResourceId, selector: IdParts): boolean {
  return (
    isSelectedGvk(id, selector) &&
    (!selector.name || selector.name === id.name) &&
    (!selector.namespace ||
      selector.namespace === (id.namespace || 'default') ||
      selector.namespace === id.namespace)
  );
}

const idsOf = (resource: Resource): ResourceId[] => [resource.currentId, ...resource.previousIds];

function sourceValue(source: Source, resources: ResourceSet): YamlNode {
  const matches = resources.all.filter((resource) => idsOf(resource).some((id) => isSelectedId(id, source)));
  const [resource] = matches;
  if (!resource) {
    refuse('SL1011', 'the source of this replacement matches no resource', source.node, {
      hint: nearestResource(source, resources),
    });
  }
  if (matches.length > 1) {
    const names = matches.slice(0, 3).map((match) => match.describe());
    refuse('SL1011', `the source of this replacement matches ${matches.length} resources`, source.node, {
      hint: `Narrow it down: it matches ${names.join(', ')}.`,
    });
  }
  const path = source.fieldPath || 'metadata.name';
  const value = lookUp(resource.node, path, source.node);
  if (!value || isEmptyValue(value)) {
    refuse('SL1011', `the source of this replacement has no ${path}`, source.node, {
      object: resource.describe(),
    });
  }
  return refined(value, source.options);
}

function isEmptyValue(node: YamlNode): boolean {
  if (node.kind === 'map') return node.entries.length === 0;
  return node.kind === 'sequence' ? node.items.length === 0 : node.tag === '!!null';
}

/** One part of a text that is cut at a delimiter. */
function refined(value: YamlNode, options: FieldOptions | undefined): YamlNode {
  if (!options?.delimiter) return value;
  if (value.kind !== 'scalar') refuse('SL1011', 'delimiter works on single values only', options.node);
  const parts = value.text.split(options.delimiter);
  const part = parts[options.index ?? 0];
  if (part === undefined) {
    refuse('SL1011', `${value.text} has no part ${options.index ?? 0}`, options.node);
  }
  const copy = cloneNode(value);
  copy.text = part;
  return copy;
}

function isTarget(resource: Resource, target: ReplacementTarget, select: Selector): boolean {
  if (!matchesLabels(resource, select)) return false;
  const rejects = target.reject ?? [];
  const byLabel = rejects.filter((reject) => reject.annotationSelector || reject.labelSelector);
  if (byLabel.some((reject) => matchesLabels(resource, reject))) return false;
  const ids = idsOf(resource);
  const byId = rejects.filter(
    (reject) => reject.group || reject.version || reject.kind || reject.name || reject.namespace,
  );
  if (byId.some((reject) => ids.some((id) => isSelectedId(id, reject)))) return false;
  return ids.some((id) => isSelectedId(id, select));
}

function matchesLabels(resource: Resource, { labelSelector, annotationSelector, node }: Selector): boolean {
  return (
    parseSelector(labelSelector ?? '', node)(labelsOf(resource.node)) &&
    parseSelector(annotationSelector ?? '', node)(annotationsOf(resource.node))
  );
}

function copyTo(resource: Resource, value: YamlNode, target: ReplacementTarget, recorder: Recorder): void {
  const paths = target.fieldPaths?.length
    ? target.fieldPaths
    : [{ value: 'metadata.name', node: target.node }];
  for (const path of paths) {
    const create = target.options?.create ? value.kind : undefined;
    const fields = matchAll(resource.node, path.value, create, path.node);
    if (fields.length === 0) {
      refuse('SL1011', `${resource.describe()} has no field ${path.value} to replace`, path.node, {
        object: resource.describe(),
        hint: create ? undefined : 'Add options: {create: true} to make the field.',
      });
    }
    for (const field of fields) setField(field, value, target.options, recorder);
  }
}

function setField(
  field: YamlNode,
  source: YamlNode,
  options: FieldOptions | undefined,
  recorder: Recorder,
): void {
  const value = cloneNode<YamlNode>(source);
  // Of a map or a list nothing is left in a single value.
  let text = textOf(value);
  if (options?.delimiter) {
    if (field.kind !== 'scalar') refuse('SL1011', 'delimiter works on single values only', options.node);
    text = withPart(field, text, options.delimiter, options.index ?? 0);
    if (value.kind === 'scalar') value.text = text;
  }
  const touches = settingOf(field, value, recorder);
  if (field.kind === 'scalar') {
    // The field keeps its type: a number put into a quoted field becomes a text.
    Object.assign(field, { text, source: value.source, offset: value.offset });
  } else {
    const holder = field as unknown as Record<string, unknown>;
    for (const part of ['text', 'style', 'entries', 'items']) delete holder[part];
    Object.assign(field, value);
  }
  if (touches) field.touches = touches;
}

/** An index before the first part puts the value in front, one beyond the last at the end. */
function withPart(field: ScalarNode, text: string, delimiter: string, index: number): string {
  const parts = field.text.split(delimiter);
  if (index < 0) parts.unshift(text);
  else if (index >= parts.length) parts.push(text);
  else parts[index] = text;
  return parts.join(delimiter);
}
