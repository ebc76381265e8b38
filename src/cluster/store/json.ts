/** Copies, freezing and comparison of JSON values. Objects cross the store's border as copies, or frozen. */

import { ApiError } from '../../kubernetes/index.ts';

/** Deeper values are refused: they would exhaust the stack of whoever walks them. */
const maxDepth = 500;

/** A copy that shares nothing with the original. Fields that are undefined are left out, as JSON leaves them out. */
export function copyJson<Value>(value: Value): Value {
  return copyValue(value, 0) as Value;
}

function copyValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maxDepth)
    throw new ApiError('BadRequest', `the object is nested deeper than ${maxDepth} levels`);
  if (Array.isArray(value)) return value.map((item) => copyValue(item, depth + 1));
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const field = (value as Record<string, unknown>)[key];
    if (field === undefined) continue;
    // Assigned, this key would set the prototype.
    if (key === '__proto__') defineOwn(copy, key, copyValue(field, depth + 1));
    else copy[key] = copyValue(field, depth + 1);
  }
  return copy;
}

function defineOwn(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Freezes in place. A part that is frozen already is taken to be frozen throughout. */
export function freezeDeep<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const field of Object.values(value)) freezeDeep(field);
  return Object.freeze(value);
}

/** Equality of JSON values; the order of keys does not count, a field that is undefined is absent. */
export function equalJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) return equalArrays(left, right);
  return equalRecords(left as Record<string, unknown>, right as Record<string, unknown>);
}

function equalArrays(left: object, right: object): boolean {
  if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
  return left.every((item, index) => equalJson(item, right[index]));
}

function equalRecords(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  for (const key of Object.keys(left)) {
    const field = left[key];
    if (field !== undefined && !(Object.hasOwn(right, key) && equalJson(field, right[key]))) return false;
  }
  return Object.keys(right).every((key) => right[key] === undefined || Object.hasOwn(left, key));
}
