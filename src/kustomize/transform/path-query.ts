/**
 * Fields named as `spec.template.spec.containers.[name=main].image`. Source: kyaml/yaml PathGetter and PathMatcher, and
 * kyaml/utils of kustomize 5.5.
 */

import {
  entryOf,
  fieldOf,
  isNullNode,
  mapEntry,
  mapNode,
  type Origin,
  scalarNode,
  sequenceNode,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';
import { refuse } from '../problem.ts';
import { compilePattern } from './regular-expression.ts';

/** `\.` is a dot within a name; brackets keep what is in them together. */
export function splitFieldPath(path: string): string[] {
  const parts = splitEscaped(path);
  const result: string[] = [];
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] ?? '';
    if (!part.startsWith('[') || part.endsWith(']')) {
      result.push(part);
      continue;
    }
    let whole = part;
    while (index < parts.length - 1) {
      const next = parts[++index] ?? '';
      whole += `.${next}`;
      if (next.endsWith(']')) break;
    }
    result.push(whole.includes('=') ? whole : whole.replace(/^[[\]]+|[[\]]+$/g, ''));
  }
  return result;
}

function splitEscaped(path: string): string[] {
  const pieces = path.split('.');
  if (pieces.length > 1 && pieces[0] === '') pieces.shift();
  const result: string[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (last?.endsWith('\\')) result[result.length - 1] = `${last.slice(0, -1)}.${piece}`;
    else result.push(piece);
  }
  return result;
}

const isIndex = (step: string): boolean => /^\+?[0-9]+$/.test(step);
const isCondition = (step: string): boolean => step.startsWith('[') && step.endsWith(']');

function splitCondition(step: string, at: Origin): [field: string, value: string] {
  const inner = step.replace(/\]$/, '').replace(/^\[/, '');
  const cut = inner.indexOf('=');
  if (cut < 0) refuse('SL1011', `${step} is not of the form [field=value]`, at);
  return [inner.slice(0, cut), inner.slice(cut + 1)];
}

/** The one value at a path, or undefined. A wildcard is refused. */
export function lookUp(root: YamlNode, path: string, at: Origin): YamlNode | undefined {
  let node: YamlNode | undefined = root;
  for (const rawStep of splitFieldPath(path)) {
    const step: string = rawStep.trim();
    if (step === '') continue;
    if (!node || isNullNode(node)) return undefined;
    if (step === '*') refuse('SL1011', `${path}: a source has no wildcard`, at);
    if (isIndex(step) || step === '-') {
      if (node.kind !== 'sequence') refuse('SL1011', `${path}: ${step} looks for a list`, at);
      const list: readonly YamlNode[] = node.items;
      node = step === '-' ? list.at(-1) : list[Number(step)];
    } else if (isCondition(step)) {
      if (node.kind !== 'sequence') refuse('SL1011', `${path}: ${step} looks for a list`, at);
      const [field, value] = splitCondition(step, at);
      const list: readonly YamlNode[] = node.items;
      node = list.find((item) =>
        field === ''
          ? textOf(item) === value
          : fieldOf(item, field) !== undefined && textOf(fieldOf(item, field)) === value,
      );
    } else {
      if (node.kind !== 'map') refuse('SL1011', `${path}: ${step} looks for a map`, at);
      node = fieldOf(node, step);
    }
  }
  return node;
}

/** Every value at a path; what is missing is made with this kind, where one is given. */
export function matchAll(
  root: YamlNode,
  path: string,
  create: YamlNode['kind'] | undefined,
  at: Origin,
): YamlNode[] {
  return new Matcher(path, create, at).match(root, splitFieldPath(path));
}

class Matcher {
  readonly #path: string;
  readonly #create: YamlNode['kind'] | undefined;
  readonly #at: Origin;

  constructor(path: string, create: YamlNode['kind'] | undefined, at: Origin) {
    this.#path = path;
    this.#create = create;
    this.#at = at;
  }

  match(node: YamlNode, steps: readonly string[]): YamlNode[] {
    const [step, ...rest] = steps;
    if (step === undefined) return [node];
    if (isIndex(step)) return this.#index(node, Number(step), rest);
    if (isCondition(step)) return this.#condition(node, step, rest);
    if (step === '*') return this.#items(node).flatMap((item) => this.match(item, rest));
    return this.#field(node, step, rest);
  }

  #items(node: YamlNode): YamlNode[] {
    if (isNullNode(node)) return [];
    if (node.kind !== 'sequence') {
      return refuse('SL1011', `${this.#path} looks for a list where there is none`, this.#at);
    }
    return node.items;
  }

  #field(node: YamlNode, step: string, rest: readonly string[]): YamlNode[] {
    if (!isNullNode(node) && node.kind !== 'map') {
      refuse('SL1011', `${this.#path}: ${step} looks for a map where there is none`, this.#at);
    }
    let value = entryOf(node, step)?.value;
    if (!value) {
      if (!this.#create || node.kind !== 'map') return [];
      value = this.#made(rest[0]);
      node.entries.push(mapEntry(scalarNode(step, '', this.#at), value));
    }
    return this.match(value, rest);
  }

  /** A list, where the next step looks for one. */
  #made(next: string | undefined): YamlNode {
    if (next === undefined) {
      if (this.#create === 'map') return mapNode(this.#at);
      return this.#create === 'sequence' ? sequenceNode(this.#at) : scalarNode('', '', this.#at);
    }
    return isIndex(next) || isCondition(next) ? sequenceNode(this.#at) : mapNode(this.#at);
  }

  #index(node: YamlNode, index: number, rest: readonly string[]): YamlNode[] {
    const items = this.#items(node);
    if (items.length === index && this.#create && node.kind === 'sequence') items.push(this.#made(rest[0]));
    const item = items[index];
    if (!item)
      refuse(
        'SL1011',
        `${this.#path}: the list has ${items.length} items, there is none at ${index}`,
        this.#at,
      );
    return this.match(item, rest);
  }

  #condition(node: YamlNode, step: string, rest: readonly string[]): YamlNode[] {
    const [field, value] = splitCondition(step, this.#at);
    const pattern = compilePattern(value, this.#at);
    const found = this.#items(node).flatMap((item) => {
      if (field === '') return item.kind === 'scalar' && pattern.test(item.text) ? [item] : [];
      const own = fieldOf(item, field);
      return own?.kind === 'scalar' && pattern.test(printed(own)) ? this.match(item, rest) : [];
    });
    if (found.length > 0 || !this.#create || node.kind !== 'sequence') return found;
    const text = scalarNode(value, '', this.#at);
    node.items.push(
      field === '' ? text : mapNode(this.#at, [mapEntry(scalarNode(field, '', this.#at), text)]),
    );
    // The search finds the new item now, unless the pattern does not match itself.
    return pattern.test(value) ? this.#condition(node, step, rest) : [];
  }
}

/** kustomize matches against the value as YAML, with its quotes. */
function printed(node: YamlNode): string {
  if (node.kind !== 'scalar') return '';
  if (node.style === 'double') return JSON.stringify(node.text);
  return node.style === 'single' ? `'${node.text.replaceAll("'", "''")}'` : node.text;
}
