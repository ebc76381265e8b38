/** JSON patch, RFC 6902, with the leniencies of the library that Kubernetes uses (evanphx/json-patch v4). */

import { PatchError } from './errors.ts';
import { cloneJson, equalJson, fieldOf, isObject, type JsonObject, setField } from './json.ts';

interface Operation {
  op: string;
  path: string | undefined;
  from: string | undefined;
  value: unknown;
}

type Holder = JsonObject | unknown[];

/** Operations of one patch that are carried out at most; the API server's own limit. */
export const maxJsonPatchOperations = 10_000;

/** A new document with the operations carried out in order. Throws `PatchError`; then nothing was done. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  const operations = readOperations(patch);
  if (operations.length > maxJsonPatchOperations) {
    throw new PatchError(
      'unfit',
      `The allowed maximum operations in a JSON patch is ${maxJsonPatchOperations}, got ${operations.length}`,
    );
  }
  let result = cloneJson(document);
  for (const operation of operations) result = perform(result, operation);
  return result;
}

function readOperations(patch: unknown): Operation[] {
  if (patch === null) return [];
  if (!Array.isArray(patch)) throw unreadable(patch, 'Patch');
  return patch.map((entry: unknown) => {
    if (!isObject(entry) && entry !== null) throw unreadable(entry, 'Operation');
    const fields = entry ?? {};
    const text = (field: string) => (typeof fields[field] === 'string' ? fields[field] : undefined);
    return {
      op: text('op') ?? 'unknown',
      path: text('path'),
      from: text('from'),
      value: fields.value ?? null,
    };
  });
}

function unreadable(value: unknown, type: string): PatchError {
  const name = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return new PatchError(
    'malformed',
    `json: cannot unmarshal ${name} into Go value of type jsonpatch.${type}`,
  );
}

function unfit(text: string): PatchError {
  return new PatchError('unfit', text);
}

/** The operation's pointer; the wording for an absent one depends on the operation. */
function pointer(operation: Operation, field: 'path' | 'from'): string {
  const value = operation[field];
  if (value !== undefined) return value;
  const detail =
    field === 'from'
      ? 'operation, missing from field: '
      : ['replace', 'test', 'move'].includes(operation.op)
        ? 'operation missing path field: '
        : '';
  throw unfit(`${operation.op} operation failed to decode ${field}: ${detail}missing value`);
}

function perform(root: unknown, operation: Operation): unknown {
  switch (operation.op) {
    case 'add':
      add(root, pointer(operation, 'path'), cloneJson(operation.value));
      return root;
    case 'remove':
      remove(root, pointer(operation, 'path'));
      return root;
    case 'replace':
      return replace(root, pointer(operation, 'path'), cloneJson(operation.value));
    case 'move':
      move(root, operation);
      return root;
    case 'copy':
      copy(root, operation);
      return root;
    case 'test':
      test(root, pointer(operation, 'path'), operation.value);
      return root;
    default:
      throw unfit(`Unexpected kind: ${operation.op}`);
  }
}

interface Place {
  holder: Holder;
  key: string;
}

/** Where a pointer's last step stands; undefined where a step before it leads nowhere. What precedes the first slash is ignored. */
function locate(root: unknown, path: string): Place | undefined {
  const steps = path.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const key = steps.pop() ?? '';
  if (steps.length === 0) return undefined;
  let at: unknown = root;
  for (const step of steps.slice(1)) {
    if (Array.isArray(at)) {
      const index = readIndex(at, step);
      at = typeof index === 'number' ? at[index] : undefined;
    } else at = isObject(at) ? fieldOf(at, step) : undefined;
  }
  return isObject(at) || Array.isArray(at) ? { holder: at, key } : undefined;
}

/** An index that exists (a negative one counts from the end), or what is wrong with it. */
function readIndex(list: unknown[], step: string): number | string {
  if (!/^[+-]?\d+$/.test(step)) return `strconv.Atoi: parsing "${step}": invalid syntax`;
  const index = Number(step) < 0 ? Number(step) + list.length : Number(step);
  return index >= 0 && index < list.length ? index : invalidIndex(step);
}

const invalidIndex = (step: string) =>
  `Unable to access invalid index: ${Number(step)}: invalid index referenced`;

/** Inserts into a list or sets a field; returns what is wrong. */
function insert({ holder, key }: Place, value: unknown): string | undefined {
  if (!Array.isArray(holder)) {
    setField(holder, key, value);
    return undefined;
  }
  if (key === '-') {
    holder.push(value);
    return undefined;
  }
  if (!/^[+-]?\d+$/.test(key)) {
    return `value was not a proper array index: '${key}': strconv.Atoi: parsing "${key}": invalid syntax`;
  }
  const index = Number(key) < 0 ? Number(key) + holder.length + 1 : Number(key);
  if (index < 0 || index > holder.length) return invalidIndex(key);
  holder.splice(index, 0, value);
  return undefined;
}

/** The value at a place; null for an object's absent field. */
function read({ holder, key }: Place): { value: unknown } | { wrong: string } {
  if (!Array.isArray(holder)) return { value: fieldOf(holder, key) ?? null };
  const index = readIndex(holder, key);
  return typeof index === 'number' ? { value: holder[index] } : { wrong: index };
}

/** Takes a value away; returns what is wrong. */
function cut({ holder, key }: Place): string | undefined {
  if (Array.isArray(holder)) {
    const index = readIndex(holder, key);
    if (typeof index === 'string') return index;
    holder.splice(index, 1);
    return undefined;
  }
  if (!Object.hasOwn(holder, key)) return `Unable to remove nonexistent key: ${key}: missing value`;
  delete holder[key];
  return undefined;
}

function add(root: unknown, path: string, value: unknown): void {
  const place = locate(root, path);
  if (!place) throw unfit(`add operation does not apply: doc is missing path: "${path}": missing value`);
  const wrong = insert(place, value);
  if (wrong) throw unfit(`error in add for path: '${path}': ${wrong}`);
}

function remove(root: unknown, path: string): void {
  const place = locate(root, path);
  if (!place) throw unfit(`remove operation does not apply: doc is missing path: "${path}": missing value`);
  const wrong = cut(place);
  if (wrong) throw unfit(`error in remove for path: '${path}': ${wrong}`);
}

function replace(root: unknown, path: string, value: unknown): unknown {
  if (path === '') return value;
  const place = locate(root, path);
  if (!place) throw unfit(`replace operation does not apply: doc is missing path: ${path}: missing value`);
  const { holder, key } = place;
  if (!Array.isArray(holder)) setField(holder, key, value);
  else {
    const index = readIndex(holder, key);
    if (typeof index === 'string') {
      throw unfit(`replace operation does not apply: doc is missing key: ${path}: missing value`);
    }
    holder[index] = value;
  }
  return root;
}

function move(root: unknown, operation: Operation): void {
  const from = pointer(operation, 'from');
  const source = locate(root, from);
  if (!source) throw unfit(`move operation does not apply: doc is missing from path: ${from}: missing value`);
  const taken = read(source);
  const wrong = 'wrong' in taken ? taken.wrong : cut(source);
  if (wrong) throw unfit(`error in move for path: '${source.key}': ${wrong}`);
  deliver(root, operation, 'value' in taken ? taken.value : null);
}

function copy(root: unknown, operation: Operation): void {
  const from = pointer(operation, 'from');
  const source = locate(root, from);
  if (!source) throw unfit(`copy operation does not apply: doc is missing from path: ${from}: missing value`);
  const found = read(source);
  if ('wrong' in found) throw unfit(`error in copy for from: '${from}': ${found.wrong}`);
  deliver(root, operation, cloneJson(found.value));
}

/** The second half of move and copy. */
function deliver(root: unknown, operation: Operation, value: unknown): void {
  const path = pointer(operation, 'path');
  const target = locate(root, path);
  if (!target) {
    throw unfit(
      `${operation.op} operation does not apply: doc is missing destination path: ${path}: missing value`,
    );
  }
  const wrong = insert(target, value);
  if (!wrong) return;
  const what =
    operation.op === 'copy' ? 'error while adding value during copy' : `error in move for path: '${path}'`;
  throw unfit(`${what}: ${wrong}`);
}

function test(root: unknown, path: string, wanted: unknown): void {
  const place = path === '' ? undefined : locate(root, path);
  if (!place && path !== '') {
    throw unfit(`test operation does not apply: is missing path: ${path}: missing value`);
  }
  const found = place ? read(place) : { value: root };
  if ('wrong' in found) throw unfit(`error in test for path: '${path}': ${found.wrong}`);
  if (!equalJson(found.value, wanted)) throw unfit(`testing value ${path} failed: test failed`);
}
