/** The grammar of API paths and query parameters. */

import { badRequest } from './status.ts';

/** What a path under /api or /apis asks for. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly namespace: string | undefined;
  readonly plural: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/**
 * `/api/v1/namespaces/backend/pods/echo/log` and its likes; undefined for other paths. `namespaces` is a resource itself:
 * `/api/v1/namespaces/backend` is one, and `/api/v1/namespaces/backend/status` its subresource.
 */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const steps = path.split('/').slice(1);
  if (steps.at(-1) === '') steps.pop();
  const isCore = steps[0] === 'api';
  const group = isCore ? '' : steps[1];
  const version = isCore ? steps[1] : steps[2];
  const rest = steps.slice(isCore ? 2 : 3).map(decodeStep);
  if ((!isCore && steps[0] !== 'apis') || group === undefined || version === undefined) return undefined;
  if (rest.length === 0 || rest.length > 5 || rest.includes('')) return undefined;
  return place(group, version, rest);
}

const namespaceSubresources = new Set(['status', 'finalize']);

function place(group: string, version: string, rest: string[]): ResourcePath | undefined {
  const [first, second, third] = rest;
  const inNamespace =
    first === 'namespaces' && third !== undefined && !(rest.length === 3 && namespaceSubresources.has(third));
  const [plural, name, subresource, extra] = inNamespace ? rest.slice(2) : rest;
  if (plural === undefined || extra !== undefined) return undefined;
  return { group, version, namespace: inNamespace ? second : undefined, plural, name, subresource };
}

function decodeStep(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    throw badRequest(`invalid URL escape in ${JSON.stringify(step)}`);
  }
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** The parameters that writes share. */
export interface WriteParameters {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly force: boolean;
}

/** `userAgent` names the field manager where no parameter does, as the real server does: `kubectl/v1.32` is `kubectl`. */
export function readWriteParameters(query: URLSearchParams, userAgent: string | undefined): WriteParameters {
  const validation = query.get('fieldValidation') ?? '';
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(validation)) {
    throw badRequest(
      `invalid fieldValidation parameter: Unsupported value: ${JSON.stringify(validation)}: supported values: "Ignore", "Strict", "Warn"`,
    );
  }
  return {
    dryRun: readDryRun(query.getAll('dryRun')),
    fieldManager: query.get('fieldManager') || (userAgent ?? 'unknown').split('/')[0] || 'unknown',
    fieldValidation: (validation || 'Warn') as FieldValidation,
    force: readBoolean(query, 'force'),
  };
}

/** `All` or nothing. */
export function readDryRun(values: readonly string[]): boolean {
  const given = values.filter((value) => value !== '');
  if (given.some((value) => value !== 'All')) {
    throw badRequest(
      `Invalid value: ${JSON.stringify(given)}: dryRun: Unsupported value: supported values: "All"`,
    );
  }
  return given.length > 0;
}

/** As Go's query decoder reads it: present without a value means true. */
export function readBoolean(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && !['false', '0', 'f', 'F', 'FALSE', 'False'].includes(value);
}

/** A whole number; undefined when absent. */
export function readInteger(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  if (!/^-?\d+$/.test(value))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return Number(value);
}
