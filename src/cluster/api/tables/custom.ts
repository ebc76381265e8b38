/** Columns that a CustomResourceDefinition declares, by JSON paths. */

import type { KubeObject } from '../../../kubernetes/index.ts';
import { formatAge } from './age.ts';
import { type Cell, type Column, nameColumn } from './columns.ts';
import { ageColumn } from './workloads.ts';

export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  jsonPath: string;
  description?: string;
  format?: string;
  priority?: number;
}

/** Name and age, or the name and what is declared. */
export function customColumns(declared: readonly PrinterColumn[] | undefined): readonly Column[] {
  if (!declared || declared.length === 0) return [nameColumn, ageColumn];
  return [nameColumn, ...declared.map(customColumn)];
}

function customColumn({ name, type, jsonPath, description, format, priority }: PrinterColumn): Column {
  const find = compileJsonPath(jsonPath);
  return {
    name,
    type,
    ...(format && { format }),
    description: description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority: priority ?? 0,
    cell: (object, now) => cellOf(type, find(object), now),
  };
}

function cellOf(type: PrinterColumn['type'], value: unknown, now: Date): Cell {
  if (value === undefined || value === null) return null;
  if (type === 'date') return typeof value === 'string' ? formatAge(value, now) : null;
  if (type === 'string') return typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === type || (type === 'integer' && Number.isInteger(value)) || typeof value === 'number'
    ? (value as Cell)
    : null;
}

type Step = { field: string } | { index: number } | { every: true } | { where: string[]; equals: string };

const stepPattern =
  /\.([\w-]+)|\['([^']*)'\]|\[(-?\d+|\*)\]|\[\?\(@((?:\.[\w-]+)+)\s*==\s*(?:"([^"]*)"|'([^']*)')\)\]/y;

/** Fields, indexes and `[?(@.type=="Ready")]`: what columns are written with. A path with more in it finds nothing. */
export function compileJsonPath(path: string): (object: KubeObject) => unknown {
  const steps: Step[] = [];
  stepPattern.lastIndex = 0;
  let end = 0;
  const text = path.startsWith('.') || path.startsWith('[') ? path : `.${path}`;
  for (let match = stepPattern.exec(text); match; match = stepPattern.exec(text)) {
    const [whole, field, quoted, index, where, double, single] = match;
    end = match.index + whole.length;
    if (index === '*') steps.push({ every: true });
    else if (index !== undefined) steps.push({ index: Number(index) });
    else if (where !== undefined)
      steps.push({ where: where.split('.').slice(1), equals: double ?? single ?? '' });
    else steps.push({ field: field ?? quoted ?? '' });
  }
  if (end !== text.length) return () => undefined;
  return (object) => steps.reduce<unknown>(follow, object);
}

function follow(value: unknown, step: Step): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('field' in step)
    return Object.hasOwn(value, step.field) ? (value as Record<string, unknown>)[step.field] : undefined;
  if (!Array.isArray(value)) return undefined;
  // As the API server: of many results the first.
  if ('every' in step) return value[0];
  if ('index' in step) return value.at(step.index);
  return value.find((item) => {
    const found = step.where.reduce<unknown>((at, field) => follow(at, { field }), item);
    return found === step.equals;
  });
}
