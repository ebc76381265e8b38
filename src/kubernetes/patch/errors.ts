import { isObject } from './json.ts';

/** A patch that cannot be read or does not fit the object; the message is worded as the Kubernetes API server words it. */
export class PatchError extends Error {
  /** `malformed`: the patch is wrong in itself (400). `unfit`: it is sound and the object does not allow it (422). */
  readonly fault: 'malformed' | 'unfit';

  constructor(fault: 'malformed' | 'unfit', message: string) {
    super(message);
    this.name = 'PatchError';
    this.fault = fault;
  }
}

/** A value as Kubernetes prints it in errors: `map[name:web ports:[80]]`. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(describeValue).join(' ')}]`;
  if (!isObject(value)) return typeof value === 'string' ? value : JSON.stringify(value);
  const fields = Object.keys(value).sort();
  return `map[${fields.map((field) => `${field}:${describeValue(value[field])}`).join(' ')}]`;
}

/** A value's type as Kubernetes names it in errors. */
export function describeType(value: unknown): string {
  if (value === null || value === undefined) return '%!s(<nil>)';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}
