/** Kubernetes' protobuf bodies, read by the field numbers in the schemas of the built-in kinds. */

import { isObject, type JsonObject, type Schema, type WireField } from '../../kubernetes/index.ts';
import { badRequest } from './status.ts';

const magic = Buffer.from('k8s\0');
const maxDepth = 64;

/** The object in the envelope, as the same object's JSON would be. Throws BadRequest. */
export function decodeProtobuf(
  bytes: Buffer,
  schemaOf: (apiVersion: string, kind: string) => Schema | undefined,
): unknown {
  if (!bytes.subarray(0, magic.length).equals(magic)) {
    throw badRequest(
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    );
  }
  let apiVersion = '';
  let kind = '';
  let raw: Buffer = Buffer.alloc(0);
  for (const { number, value } of fields(bytes.subarray(magic.length))) {
    if (number === 1 && Buffer.isBuffer(value)) [apiVersion, kind] = readTypeMeta(value);
    if (number === 2 && Buffer.isBuffer(value)) raw = value;
  }
  const schema = schemaOf(apiVersion, kind);
  if (!schema) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
  return { apiVersion, kind, ...readMessage(raw, schema, 0) };
}

function readTypeMeta(bytes: Buffer): [apiVersion: string, kind: string] {
  const text = new Map([...fields(bytes)].map(({ number, value }) => [number, value.toString()]));
  return [text.get(1) ?? '', text.get(2) ?? ''];
}

interface Field {
  readonly number: number;
  readonly value: Buffer | bigint;
}

function* fields(bytes: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): bigint => {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at];
      if (byte === undefined) break;
      at += 1;
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw badRequest('unexpected EOF');
  };
  const take = (length: number): Buffer => {
    if (length < 0 || at + length > bytes.length) throw badRequest('unexpected EOF');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const [number, wireType] = [Math.floor(tag / 8), tag % 8];
    if (wireType === 0) yield { number, value: varint() };
    else if (wireType === 2) yield { number, value: take(Number(varint())) };
    else if (wireType === 1 || wireType === 5) yield { number, value: take(wireType === 1 ? 8 : 4) };
    else throw badRequest(`proto: illegal wireType ${wireType}`);
  }
}

function readMessage(bytes: Buffer, schema: Schema, depth: number): JsonObject {
  if (depth > maxDepth) throw badRequest('the message is nested too deep');
  const result: JsonObject = {};
  for (const { number, value } of fields(bytes)) {
    const field = schema.wireFields?.get(number);
    if (field) place(result, field, value, depth);
  }
  return withoutEmpty(result);
}

/** Go writes fields that are not pointers even where they are empty; JSON leaves them out. */
function withoutEmpty(object: JsonObject): JsonObject {
  for (const [name, value] of Object.entries(object)) {
    const isZero = (value === false || value === 0) && zeroIsAbsent.has(name);
    const isEmpty = isObject(value) && Object.keys(value).length === 0 && emptyIsAbsent.has(name);
    if (value === '' || value === undefined || isZero || isEmpty) delete object[name];
  }
  return object;
}

/** Fields that Kubernetes declares without a pointer, so that zero cannot be told from absent. */
const zeroIsAbsent = new Set([
  'availableReplicas',
  'collisionCount',
  'count',
  'fullyLabeledReplicas',
  'generation',
  'healthCheckNodePort',
  'hostIPC',
  'hostNetwork',
  'hostPID',
  'hostPort',
  'incomplete',
  'minReadySeconds',
  'nodePort',
  'observedGeneration',
  'paused',
  'publishNotReadyAddresses',
  'readOnly',
  'readyReplicas',
  'restartCount',
  'stdin',
  'stdinOnce',
  'tty',
  'unavailableReplicas',
  'unschedulable',
  'updatedReplicas',
  'denied',
]);

const emptyIsAbsent = new Set([
  'metadata',
  'status',
  'strategy',
  'resources',
  'targetPort',
  'securityContext',
]);

function place(
  target: JsonObject,
  { name, inline, schema }: WireField,
  value: Buffer | bigint,
  depth: number,
): void {
  if (inline && Buffer.isBuffer(value)) {
    Object.assign(target, readMessage(value, schema, depth + 1));
  } else if (schema.wire?.kind === 'map' && Buffer.isBuffer(value)) {
    const [key, member] = readMapEntry(value, schema.additionalProperties ?? {}, depth);
    target[name] ??= {};
    const map = target[name] as JsonObject;
    Object.defineProperty(map, key, { value: member, enumerable: true, configurable: true, writable: true });
  } else if (schema.type === 'array' && schema.wire?.kind !== 'strings') {
    target[name] ??= [];
    const list = target[name] as unknown[];
    list.push(readValue(value, schema.items ?? {}, depth));
  } else target[name] = readValue(value, schema, depth);
}

function readMapEntry(bytes: Buffer, schema: Schema, depth: number): [key: string, value: unknown] {
  let key = '';
  let member: unknown = schema.type === 'string' ? '' : undefined;
  for (const { number, value } of fields(bytes)) {
    if (number === 1) key = value.toString();
    if (number === 2) member = readValue(value, schema, depth);
  }
  return [key, member];
}

function readValue(value: Buffer | bigint, schema: Schema, depth: number): unknown {
  if (typeof value === 'bigint') {
    return schema.wire?.kind === 'bool' ? value !== 0n : Number(BigInt.asIntN(64, value));
  }
  switch (schema.wire?.kind) {
    case 'string':
      return value.toString('utf8');
    case 'bytes':
      return value.toString('base64');
    case 'double':
      return value.length === 8 ? value.readDoubleLE() : undefined;
    case 'time':
      return readTime(value);
    case 'quantity':
      return readNested(value).get(1)?.toString() ?? '0';
    case 'intOrString':
      return readIntOrString(value);
    case 'raw':
      return readRaw(value);
    case 'strings':
      return [...fields(value)].map((field) => field.value.toString());
    default:
      return readMessage(value, schema, depth + 1);
  }
}

const readNested = (bytes: Buffer) => new Map([...fields(bytes)].map(({ number, value }) => [number, value]));

/** The zero time is an absent field. */
function readTime(bytes: Buffer): string | undefined {
  const parts = readNested(bytes);
  const seconds = parts.get(1);
  if (typeof seconds !== 'bigint') return undefined;
  const instant = Number(BigInt.asIntN(64, seconds)) * 1000;
  return instant < 0 ? undefined : new Date(instant).toISOString().replace('.000Z', 'Z');
}

function readIntOrString(bytes: Buffer): string | number {
  const parts = readNested(bytes);
  if (parts.get(1) === 1n) return parts.get(3)?.toString() ?? '';
  const number = parts.get(2);
  return typeof number === 'bigint' ? Number(BigInt.asIntN(32, number)) : 0;
}

function readRaw(bytes: Buffer): unknown {
  const raw = readNested(bytes).get(1);
  if (!Buffer.isBuffer(raw)) return undefined;
  try {
    return JSON.parse(raw.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
