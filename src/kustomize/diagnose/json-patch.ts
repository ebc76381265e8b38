/** What an operation of a JSON patch does in silence, and what a path that leads nowhere may have meant. */

import { nearestName } from '../../diagnostics/index.ts';
import { fieldOf, type MapNode, textOf, type YamlNode } from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { diagnosticAt } from '../problem.ts';
import type { Resource } from '../resource.ts';
import type { Operation } from '../transform/json-patch.ts';
import { follow, pointerTo, stepsOf } from '../transform/json-pointer.ts';

/** More names are not compared with a misspelt one, and more than the second not listed. */
const maxComparedNames = 1000;
const maxListedNames = 8;

/** Looks at the operation before it is applied. */
export function reportSuspicious(
  root: MapNode,
  operation: Operation,
  resource: Resource,
  build: Build,
): void {
  const { op, path, value, node } = operation;
  if (path === undefined) return;
  const warn = (code: 'SL1118' | 'SL1119', message: string, at: YamlNode | undefined, hint: string): void => {
    const object = resource.describe();
    build.diagnostics.push(diagnosticAt('warning', code, message, at ?? node, { object, hint }));
  };
  if ((op === 'add' || op === 'replace') && !value) {
    warn('SL1119', `${op} ${path} has no value and sets null`, node, misspeltValue(node));
  }
  const steps = stepsOf(path);
  if (steps.length > 0 && !path.startsWith('/')) {
    const message = `the path ${path} is taken for ${pointerTo(steps)}`;
    warn('SL1119', message, fieldOf(node, 'path'), `Did you mean /${path}?`);
  } else if (op === 'replace' && isNewField(root, steps)) {
    const advice = adviseOnPointer(root, path);
    const hint = `${advice ? `${advice} ` : ''}A field that is to be new is set by add.`;
    const message = `replace ${path} adds the field: there was nothing to replace`;
    warn('SL1118', message, fieldOf(node, 'path'), hint);
  }
}

function misspeltValue(node: MapNode): string {
  const others = node.entries
    .map(({ key }) => key.text)
    .filter((key) => !['op', 'path', 'from'].includes(key));
  const nearest = others.find((key) => nearestName(key, ['value']) !== undefined);
  return nearest === undefined ? 'Add value:, or remove the field.' : `Is ${nearest} meant to be value?`;
}

function isNewField(root: MapNode, steps: readonly string[]): boolean {
  const { last, found } = follow(root, steps);
  return steps.length > 0 && found === steps.length - 1 && last.kind === 'map';
}

/** Undefined when the path leads to something, or nothing helpful can be said. */
export function adviseOnPointer(root: MapNode, pointer: string): string | undefined {
  const steps = stepsOf(pointer);
  const { last, found } = follow(root, steps);
  const step = steps[found];
  return step === undefined ? undefined : adviseOnStep(last, step, steps.slice(0, found));
}

/** What may have been meant by a step that a node does not have. `before` leads to the node. */
export function adviseOnStep(node: YamlNode, step: string, before: readonly string[]): string | undefined {
  if (node.kind === 'scalar') return undefined;
  if (node.kind === 'sequence') {
    if (/^-?[0-9]*$/.test(step)) return undefined;
    const named = node.items.findIndex((item) => textOf(fieldOf(item, 'name')) === step);
    const counted = 'The items of a list are counted from 0';
    return named < 0 ? `${counted}.` : `${counted}: ${step} is ${pointerTo([...before, String(named)])}.`;
  }
  const names = node.entries.map(({ key }) => key.text);
  if (names.length === 0 || names.length > maxComparedNames) return undefined;
  const nearest = nearestName(step, names);
  if (nearest !== undefined) return `Did you mean ${pointerTo([...before, nearest])}?`;
  const listed = names.slice(0, maxListedNames).join(', ');
  const place = before.length === 0 ? 'The object' : pointerTo(before);
  return `${place} has ${listed}${names.length > maxListedNames ? ' …' : ''}.`;
}
