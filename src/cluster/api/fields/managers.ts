/** `metadata.managedFields` as sets by manager. */

import { isObject, type JsonObject, type KubeObject } from '../../../kubernetes/index.ts';
import { equalSets, type FieldSet, fromFieldsV1, toFieldsV1, union } from './field-set.ts';

/** Who writes, how, and through which subresource. */
export interface Writer {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly now: Date;
}

export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  set: FieldSet;
}

/** Update managers kept apart; the oldest beyond are one, `ancient-changes`. The real server's limit. */
const maxUpdateManagers = 10;

const isSame = (left: Manager, right: Omit<Manager, 'set' | 'time'>) =>
  left.manager === right.manager &&
  left.operation === right.operation &&
  left.subresource === right.subresource &&
  (left.operation === 'Apply' || left.apiVersion === right.apiVersion);

/** Unreadable entries are left out. */
export function readManagers(object: KubeObject | undefined): Manager[] {
  const entries = (object?.metadata as { managedFields?: unknown } | undefined)?.managedFields;
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: unknown) => {
    if (!isObject(entry)) return [];
    const { manager, operation, apiVersion, subresource, time, fieldsV1 } = entry;
    if (typeof manager !== 'string' || (operation !== 'Apply' && operation !== 'Update')) return [];
    return [
      {
        manager,
        operation,
        apiVersion: typeof apiVersion === 'string' ? apiVersion : '',
        subresource: typeof subresource === 'string' ? subresource : '',
        time: typeof time === 'string' ? time : '',
        set: fromFieldsV1(fieldsV1),
      } satisfies Manager,
    ];
  });
}

export const findManager = (managers: readonly Manager[], writer: Omit<Manager, 'set' | 'time'>) =>
  managers.find((manager) => isSame(manager, writer));

/** The list with the writer's set; a set that stays the same keeps its time, an empty one goes. */
export function withManager(managers: readonly Manager[], writer: Writer, set: FieldSet): Manager[] {
  const before = findManager(managers, writer);
  const others = managers.filter((manager) => manager !== before);
  if (set.isEmpty) return others;
  const unchanged = before && equalSets(before.set, set) && before.apiVersion === writer.apiVersion;
  const time = writer.now.toISOString().replace(/\.\d+Z$/, 'Z');
  const { manager, operation, apiVersion, subresource } = writer;
  return [...others, unchanged ? before : { manager, operation, apiVersion, subresource, time, set }];
}

/** What is stored. Managers that own nothing are left out. */
export function writeManagers(managers: readonly Manager[]): JsonObject[] {
  const order = ({ operation, time, manager, apiVersion, subresource }: Manager) =>
    [operation, time, manager, apiVersion, subresource].join('\0');
  return capped(managers.filter(({ set }) => !set.isEmpty))
    .toSorted((left, right) => (order(left) < order(right) ? -1 : 1))
    .map(({ manager, operation, apiVersion, subresource, time, set }) => ({
      manager,
      operation,
      apiVersion,
      ...(time && { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(set),
      ...(subresource && { subresource }),
    }));
}

function capped(managers: readonly Manager[]): Manager[] {
  const updates = managers
    .filter(({ operation }) => operation === 'Update')
    .toSorted((left, right) => (left.time < right.time ? -1 : 1));
  const surplus = updates.length - maxUpdateManagers;
  if (surplus <= 0) return [...managers];
  const old = updates.slice(0, surplus + 1);
  const [first, ...rest] = old;
  if (!first) return [...managers];
  const set = rest.reduce((all, { set: more }) => union(all, more), first.set);
  const merged: Manager = { ...first, manager: 'ancient-changes', subresource: '', set };
  return [...managers.filter((manager) => !old.includes(manager)), merged];
}
