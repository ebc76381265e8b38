/**
 * What type an unquoted scalar has. Two dialects are in use side by side: go-yaml v3 reads resources (YAML 1.2 with 1.1's
 * numbers), go-yaml v2 reads kustomization files and decides what the output must quote (YAML 1.1 with yes, no, on, off).
 * Source: resolve.go of gopkg.in/yaml.v2 and gopkg.in/yaml.v3.
 */

export type ResolvedType = 'string' | 'integer' | 'float' | 'boolean' | 'null' | 'timestamp' | 'merge';

const tags: Readonly<Record<ResolvedType, string>> = {
  string: '!!str',
  integer: '!!int',
  float: '!!float',
  boolean: '!!bool',
  null: '!!null',
  timestamp: '!!timestamp',
  merge: '!!merge',
};

const words = new Map<string, ResolvedType>([
  ['', 'null'],
  ['~', 'null'],
  ['<<', 'merge'],
]);
for (const word of ['null', 'Null', 'NULL']) words.set(word, 'null');
for (const word of ['true', 'True', 'TRUE', 'false', 'False', 'FALSE']) words.set(word, 'boolean');
for (const word of ['.nan', '.NaN', '.NAN', '.inf', '.Inf', '.INF']) words.set(word, 'float');
for (const word of ['+.inf', '+.Inf', '+.INF', '-.inf', '-.Inf', '-.INF']) words.set(word, 'float');

const oldBooleans = new Set('y Y yes Yes YES on On ON n N no No NO off Off OFF'.split(' '));

const floatPattern = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** go-yaml leaves these to Go alone, which wants digits on both sides of an underscore. */
const pointFirst = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;

/** What is beyond the range of a float is none for Go. */
const isInRange = (text: string): boolean => Number.isFinite(Number(text.replaceAll('_', '')));

const timestampPattern =
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2}))|(?: [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:[.,][0-9]+)?))?$/;

/** The type of a plain scalar in a resource (go-yaml v3). */
export function resolveType(text: string): ResolvedType {
  const first = text.charCodeAt(0);
  // Letters other than those that start null, true, false (and ~, <, '') never leave the strings.
  if (first >= 0x30 && first <= 0x39) return resolveNumber(text);
  const word = words.get(text);
  if (word) return word;
  if (first === 0x2e) return pointFirst.test(text) && isInRange(text) ? 'float' : 'string';
  if (first === 0x2b || first === 0x2d) return resolveNumber(text);
  return 'string';
}

/** The type of a plain scalar under YAML 1.1 (go-yaml v2). */
export function resolveOldType(text: string): ResolvedType {
  return oldBooleans.has(text) ? 'boolean' : resolveType(text);
}

/** Of a boolean of YAML 1.1, whether it is true. */
export const isOldTrue = (text: string): boolean => /^(?:y|yes|true|on)$/i.test(text);

/** Whether go-yaml v2 gives anything but a string for a plain text; a date it does give as a string. */
export function isOldNonString(text: string): boolean {
  if (text === '' || text.includes('\n')) return false;
  const type = resolveOldType(text);
  return type !== 'string' && type !== 'timestamp' && type !== 'merge';
}

export const tagOfPlain = (text: string): string => tags[resolveType(text)];

/** Most numbers; nothing else looks like them. */
const shortInteger = /^[1-9][0-9]{0,14}$/;

function resolveNumber(text: string): ResolvedType {
  if (shortInteger.test(text)) return 'integer';
  if (timestampPattern.test(text) && timestampMs(text) !== undefined) return 'timestamp';
  const plain = text.includes('_') ? text.replaceAll('_', '') : text;
  if (parseInteger(plain) !== undefined) return 'integer';
  return floatPattern.test(plain) && isInRange(plain) ? 'float' : 'string';
}

/** Go's ParseInt with base 0, then ParseUint: 64 bits, with 0x, 0o, 0b and a leading 0 for octal. Undefined if it is none. */
export function parseInteger(text: string): bigint | undefined {
  const match = /^([-+]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[1-9][0-9]*|0)$/.exec(text);
  if (!match) return undefined;
  const [, sign, digits = ''] = match;
  const octal = /^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const value = BigInt(octal.toLowerCase());
  const signed = sign === '-' ? -value : value;
  if (signed < -(2n ** 63n) || signed >= 2n ** 64n || (sign === '+' && signed >= 2n ** 63n)) return undefined;
  return signed;
}

/** The moment a YAML timestamp names, or undefined where the calendar has no such day. */
function timestampMs(text: string): number | undefined {
  const [, year, month, day] = /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})/.exec(text) ?? [];
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const back = new Date(date);
  const exists = back.getUTCMonth() === Number(month) - 1 && back.getUTCDate() === Number(day);
  return exists && /^(?:.*[Tt ](?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9])?/.test(text) ? date : undefined;
}

/** A timestamp as Go's JSON writes it (RFC 3339 with nanoseconds). */
export function formatTimestamp(text: string): string {
  const match =
    /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt ]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]+))?(Z|[-+][0-9]{2}:[0-9]{2})?)?$/.exec(
      text,
    );
  if (!match) return text;
  const two = (part: string | undefined) => (part ?? '0').padStart(2, '0');
  const fraction = (match[7] ?? '').slice(0, 9).replace(/0+$/, '');
  const zone = match[8] === undefined || match[8] === '+00:00' ? 'Z' : match[8];
  const day = `${match[1]}-${two(match[2])}-${two(match[3])}`;
  return `${day}T${two(match[4])}:${two(match[5])}:${two(match[6])}${fraction ? `.${fraction}` : ''}${zone}`;
}
