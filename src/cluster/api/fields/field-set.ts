/**
 * Sets of fields, as `metadata.managedFields` keeps them (fieldsV1): a tree whose steps are `f:name` (a field),
 * `k:{"name":"web"}` (a list's entry by its keys), `v:"x"` (a set's value) and `i:0` (an index).
 */

import { isObject, type JsonObject } from '../../../kubernetes/index.ts';

export class FieldSet {
  /** Whether the field at this place is itself in the set, not only fields below it. */
  member = false;
  readonly children = new Map<string, FieldSet>();

  child(step: string): FieldSet {
    const known = this.children.get(step);
    if (known) return known;
    const child = new FieldSet();
    this.children.set(step, child);
    return child;
  }

  get isEmpty(): boolean {
    return !this.member && [...this.children.values()].every((child) => child.isEmpty);
  }

  /** Steps of every member. */
  *paths(before: readonly string[] = []): Generator<readonly string[]> {
    if (this.member) yield before;
    for (const [step, child] of this.children) yield* child.paths([...before, step]);
  }
}

/** Both arguments stay as they are, here and below. */
export function union(left: FieldSet, right: FieldSet): FieldSet {
  const result = new FieldSet();
  result.member = left.member || right.member;
  for (const set of [left, right]) {
    for (const [step, child] of set.children) {
      const known = result.children.get(step);
      result.children.set(step, known ? union(known, child) : child);
    }
  }
  return result;
}

export function difference(left: FieldSet, right: FieldSet | undefined): FieldSet {
  if (!right) return left;
  const result = new FieldSet();
  result.member = left.member && !right.member;
  for (const [step, child] of left.children) {
    const rest = difference(child, right.children.get(step));
    if (!rest.isEmpty) result.children.set(step, rest);
  }
  return result;
}

export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  const result = new FieldSet();
  result.member = left.member && right.member;
  for (const [step, child] of left.children) {
    const other = right.children.get(step);
    const both = other && intersection(child, other);
    if (both && !both.isEmpty) result.children.set(step, both);
  }
  return result;
}

export function equalSets(left: FieldSet, right: FieldSet): boolean {
  return difference(left, right).isEmpty && difference(right, left).isEmpty;
}

/** A field that has members below it becomes one itself; list entries do not. */
export function withNamedParents(set: FieldSet): FieldSet {
  const result = new FieldSet();
  result.member = set.member;
  for (const [step, child] of set.children) {
    if (child.isEmpty) continue;
    const next = withNamedParents(child);
    if (step.startsWith('f:')) next.member = true;
    result.children.set(step, next);
  }
  return result;
}

export function toFieldsV1(set: FieldSet): JsonObject {
  const steps = [...set.children.keys()].filter((step) => !set.children.get(step)?.isEmpty);
  const json: JsonObject = set.member && steps.length > 0 ? { '.': {} } : {};
  for (const step of steps.toSorted((left, right) => (left < right ? -1 : 1))) {
    const child = set.children.get(step);
    if (child) json[step] = toFieldsV1(child);
  }
  return json;
}

const maxDepth = 200;

/** Unreadable parts are left out. */
export function fromFieldsV1(json: unknown, depth = 0): FieldSet {
  const set = new FieldSet();
  if (!isObject(json) || depth > maxDepth) return set;
  for (const [step, below] of Object.entries(json)) {
    if (step === '.') set.member = true;
    else if (/^[fkvi]:/.test(step)) {
      const child = fromFieldsV1(below, depth + 1);
      if (child.children.size === 0) child.member = true;
      set.children.set(step, child);
    }
  }
  return set;
}

/** `.spec.template.spec.containers[name="web"].image`, as conflicts are reported. */
export function describePath(steps: readonly string[]): string {
  return steps
    .map((step) => {
      const text = step.slice(2);
      if (step.startsWith('f:')) return `.${text}`;
      if (step.startsWith('v:')) return `[=${text}]`;
      if (step.startsWith('i:')) return `[${text}]`;
      const keys = JSON.parse(text) as JsonObject;
      return `[${Object.entries(keys)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(',')}]`;
    })
    .join('');
}
