import type { KubeObject, ObjectApi, ResourceType } from '../../kubernetes/index.ts';
import { unlessGone } from './controller.ts';

/** Writes the status where it differs from the one the object was read with. */
export async function settleStatus<Kind extends KubeObject & { status?: object }>(
  api: ObjectApi,
  type: ResourceType<Kind>,
  object: Kind,
  status: Exclude<Kind['status'], undefined>,
): Promise<void> {
  if (sameJson(object.status, status)) return;
  await unlessGone(api.updateStatus(type, { ...object, status }));
}

/** Equality of JSON values, whatever the order of keys. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [a, b] = [left as Record<string, unknown>, right as Record<string, unknown>];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameJson(a[key], b[key]));
}
