import type { KubeObject } from './objects.ts';

/** `namespace/name`, or `name` for an object without a namespace. */
export function namespacedName(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/** `Kind namespace/name`, as diagnostics and logs name an object. */
export function describeObject(object: KubeObject): string {
  return `${object.kind} ${namespacedName(object)}`;
}
