/** The `vars` of kustomizations: `$(NAME)` in other objects becomes a value of one. Source: api/filters/refvar of kustomize 5.5. */

import {
  effectiveScalar,
  formatFloat,
  isNullNode,
  type Origin,
  type ScalarNode,
  type YamlNode,
} from '../../yaml/index.ts';
import { type Build, recorderOf } from '../build.ts';
import { isClusterScoped } from '../built-in-kinds.ts';
import { diagnosticAt, refuse } from '../problem.ts';
import type { VariableEntry } from '../read/kustomization.ts';
import { apiVersionOf, idKey, parseApiVersion, type Resource, type ResourceId } from '../resource.ts';
import type { ResourceSet } from '../resource-set.ts';
import { eachField, type FieldSpec, pathsByKind } from '../transform/field-path.ts';
import { lookUp } from '../transform/path-query.ts';
import { type Recorder, settingOf } from '../transform/set-value.ts';

/** A var, and the object that it reads once all names are final. */
export interface Variable {
  readonly name: string;
  readonly fieldPath: string;
  readonly resource: Resource | undefined;
  readonly node: YamlNode;
}

/** Binds a var to its object while the object still has the name the var knows. Throws `KustomizeProblem`. */
export function bindVariable(entry: VariableEntry, resources: ResourceSet): Variable {
  const { name = '', objref, fieldref, node } = entry;
  const gvk = {
    group: objref?.group ?? '',
    version: objref?.version ?? '',
    kind: objref?.kind ?? '',
    ...(objref?.apiVersion && parseApiVersion(objref.apiVersion)),
  };
  const id: ResourceId = { ...gvk, name: objref?.name ?? '', namespace: objref?.namespace ?? '' };
  const matches = resources.all.filter((resource) => isObject(resource, id));
  if (matches.length > 1) refuse('SL1011', `the var ${name} matches ${matches.length} resources`, node);
  const fieldPath = fieldref?.fieldPath || fieldref?.fieldpath || 'metadata.name';
  return { name, fieldPath, resource: matches[0], node };
}

/** Without a namespace an object of any namespace is meant. */
function isObject(resource: Resource, wanted: ResourceId): boolean {
  const exact = wanted.namespace !== '' || isClusterScoped(apiVersionOf(wanted), wanted.kind);
  return [...resource.previousIds, resource.currentId].some((id) =>
    exact ? idKey(id) === idKey(wanted) : idKey({ ...id, namespace: '' }) === idKey(wanted),
  );
}

/** Adds vars to those that are there; a name may be used once. */
export function addVariables(known: Variable[], added: readonly Variable[]): void {
  for (const variable of added) {
    if (known.some((other) => other.name === variable.name)) {
      refuse('SL1011', `the var ${variable.name} is defined twice`, variable.node);
    }
    known.push(variable);
  }
}

interface Value {
  readonly text: string;
  readonly tag: string;
  /** As Go's %v writes it in the middle of a text. */
  readonly inText: string;
  readonly origin: Origin;
}

/** Replaces every `$(NAME)` in the fields where kustomize looks for them. Throws `KustomizeProblem`. */
export function replaceVariables(
  variables: readonly Variable[],
  specs: readonly FieldSpec[],
  resources: ResourceSet,
  build: Build,
): void {
  if (variables.length === 0) return;
  const values = new Map<string, Value>();
  for (const variable of variables) {
    const value = readValue(variable, resources, build);
    if (value) values.set(variable.name, value);
  }
  const used = new Set<string>();
  const recorder = recorderOf(build, 'vars');
  const pathsOf = pathsByKind(specs);
  for (const resource of resources.all) {
    for (const path of pathsOf(resource.kind)) {
      eachField(resource, path, 'none', resource.node, (node) => replaceIn(node, values, used, recorder));
    }
  }
  for (const { name, node } of variables) {
    if (values.has(name) && !used.has(name))
      build.diagnostics.push(diagnosticAt('warning', 'SL1103', `the var ${name} is used nowhere`, node));
  }
}

/** Undefined for a map or a list: kustomize says so in its log and replaces nothing. */
function readValue(
  { name, fieldPath, resource: bound, node }: Variable,
  resources: ResourceSet,
  build: Build,
): Value | undefined {
  const resource = bound?.newest;
  if (!resource || !resources.all.includes(resource)) {
    refuse('SL1011', `the object of the var ${name} does not exist`, node);
  }
  const path = fieldPath.replace(/\[([0-9]+)\]/g, '.$1');
  const value = lookUp(resource.node, path, node);
  if (!value)
    refuse('SL1011', `the object of the var ${name} has no ${fieldPath}`, node, {
      object: resource.describe(),
    });
  if (value.kind !== 'scalar') {
    const message = `${fieldPath} of the var ${name} is no single value, so nothing is replaced`;
    build.diagnostics.push(diagnosticAt('warning', 'SL1103', message, node, { object: resource.describe() }));
    return undefined;
  }
  const { text, tag } = value;
  if (tag === '!!int') {
    const number = decimal(text);
    if (number === undefined) {
      refuse('SL1011', `${text} of the var ${name} is no decimal number of 64 bits`, node, {
        object: resource.describe(),
        hint: 'kustomize reads no other numbers here; put it in quotes.',
      });
    }
    return { text: number, tag, inText: number, origin: value };
  }
  if (tag === '!!float' || tag === '!!bool') {
    const plain = effectiveScalar({ ...value, style: 'plain' }).text;
    const inText = tag === '!!float' ? formatFloat(Number(text.replaceAll('_', ''))) : plain;
    return { text: plain, tag, inText, origin: value };
  }
  return { text, tag: '!!str', inText: text, origin: value };
}

/** Go's Atoi: decimal digits only, a leading zero or not. */
function decimal(text: string): string | undefined {
  const number = /^[-+]?[0-9]+$/.test(text) ? BigInt(text.replace('+', '')) : undefined;
  return number === undefined || BigInt.asIntN(64, number) !== number ? undefined : number.toString();
}

function replaceIn(
  node: YamlNode,
  values: ReadonlyMap<string, Value>,
  used: Set<string>,
  recorder: Recorder,
): void {
  if (isNullNode(node)) return;
  if (node.kind === 'scalar') {
    if (isText(node)) expand(node, values, used, recorder);
    return;
  }
  if (node.kind === 'map') {
    for (const { value } of node.entries) {
      if (value.kind === 'scalar' && isText(value)) expand(value, values, used, recorder);
    }
    return;
  }
  for (const item of node.items) {
    if (item.kind !== 'scalar' || !isText(item))
      refuse('SL1011', 'a list with vars must hold texts only', item);
    expand(item, values, used, recorder);
  }
}

const isText = (node: ScalarNode): boolean => node.tag === '!!str' || node.tag === '';

function expand(
  node: ScalarNode,
  values: ReadonlyMap<string, Value>,
  used: Set<string>,
  recorder: Recorder,
): void {
  const { text } = node;
  const whole = /^\$\(([^)]*)\)$/.exec(text)?.[1];
  const wholeValue = whole === undefined ? undefined : values.get(whole);
  let after = { text, tag: '!!str', origin: node as Origin };
  if (whole !== undefined) {
    if (wholeValue) {
      used.add(whole);
      after = wholeValue;
    }
  } else after.text = expandText(text, values, used);
  if (after.text !== text && recorder.keepsTouches) {
    const value = { ...node, text: after.text, source: after.origin.source, offset: after.origin.offset };
    const touches = settingOf(node, value, recorder);
    if (touches) node.touches = touches;
  }
  Object.assign(node, { text: after.text, tag: after.tag, style: 'plain' });
}

/** `$$` is a dollar. What names no var stays as it is. */
function expandText(text: string, values: ReadonlyMap<string, Value>, used: Set<string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (match, name: string | undefined) => {
    if (name === undefined) return '$';
    const value = values.get(name);
    if (!value) return match;
    used.add(name);
    return value.inText;
  });
}
