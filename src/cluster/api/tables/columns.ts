/** What a column of `kubectl get` is. */

import type { KubeObject } from '../../../kubernetes/index.ts';

export type Cell = string | number | boolean | null;

export interface Column<Kind extends KubeObject = KubeObject> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description: string;
  /** 0 is always shown, more only under `-o wide`. */
  readonly priority: number;
  cell(object: Kind, now: Date): Cell;
}

export type CellOf<Kind extends KubeObject> = (object: Kind, now: Date) => Cell;

const describe = (name: string) => `${name} of the object.`;

export function text<Kind extends KubeObject>(name: string, cell: CellOf<Kind>): Column<Kind> {
  return { name, type: 'string', description: describe(name), priority: 0, cell };
}

export function count<Kind extends KubeObject>(name: string, cell: CellOf<Kind>): Column<Kind> {
  return { name, type: 'integer', description: describe(name), priority: 0, cell };
}

/** Shown under `-o wide` only. */
export function wide<Kind extends KubeObject>(name: string, cell: CellOf<Kind>): Column<Kind> {
  return { name, type: 'string', description: describe(name), priority: 1, cell };
}

export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'The name, unique within its namespace.',
  priority: 0,
  cell: (object) => object.metadata.name,
};
