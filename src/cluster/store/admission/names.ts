/** What names, labels and ports may look like; each function gives the server's complaints, none where all is well. */

import type { FieldErrors } from './field-errors.ts';

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const dns1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualifiedName = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValue = `(${qualifiedName})?`;

const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`);
const expressions = {
  subdomain: whole(subdomain),
  label: whole(label),
  dns1035: whole(dns1035),
  labelValue: whole(labelValue),
  qualifiedName: whole(qualifiedName),
};
const tooLong = (text: string, limit: number) =>
  text.length > limit ? [`must be no more than ${limit} characters`] : [];

const wordings = {
  subdomain: `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`,
  label: `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`,
  dns1035: `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${dns1035}')`,
  labelValue: `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${labelValue}')`,
  qualifiedName: `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualifiedName}')`,
};

export type NameRule = (name: string) => string[];

export const subdomainName: NameRule = (name) => [
  ...tooLong(name, 253),
  ...(expressions.subdomain.test(name) ? [] : [wordings.subdomain]),
];
export const labelName: NameRule = (name) => [
  ...tooLong(name, 63),
  ...(expressions.label.test(name) ? [] : [wordings.label]),
];
export const dns1035Name: NameRule = (name) => [
  ...tooLong(name, 63),
  ...(expressions.dns1035.test(name) ? [] : [wordings.dns1035]),
];

/** RBAC objects: anything that can stand as one segment of a path. */
export const pathSegmentName: NameRule = (name) => {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
};

export function checkPortNumber(port: unknown): string[] {
  const fine = typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535;
  return fine ? [] : ['must be between 1 and 65535, inclusive'];
}

/** Names of container ports, RFC 6335. */
export function checkPortName(name: string): string[] {
  const complaints: string[] = [];
  if (name.length > 15) complaints.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]+$/.test(name)) {
    complaints.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(name)) complaints.push('must contain at least one letter (a-z)');
  if (name.includes('--')) complaints.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) {
    complaints.push('must not begin or end with a hyphen');
  }
  return complaints;
}

export function checkLabels(labels: unknown, path: string, errors: FieldErrors): void {
  for (const [key, value] of Object.entries((labels ?? {}) as Record<string, unknown>)) {
    for (const complaint of checkQualifiedName(key)) errors.invalid(path, key, complaint);
    if (typeof value !== 'string') {
      errors.invalid(path, value, 'must be a string');
      continue;
    }
    if (value.length > 63) errors.invalid(path, value, 'must be no more than 63 characters');
    if (!expressions.labelValue.test(value)) errors.invalid(path, value, wordings.labelValue);
  }
}

const maxAnnotationBytes = 256 * 1024;

export function checkAnnotations(annotations: unknown, path: string, errors: FieldErrors): void {
  let total = 0;
  for (const [key, value] of Object.entries((annotations ?? {}) as Record<string, unknown>)) {
    for (const complaint of checkQualifiedName(key.toLowerCase())) errors.invalid(path, key, complaint);
    if (typeof value !== 'string') errors.invalid(path, value, 'must be a string');
    else total += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (total > maxAnnotationBytes) errors.tooLong(path, maxAnnotationBytes);
}

/** `prefix.example.com/name` or `name`. */
export function checkQualifiedName(text: string): string[] {
  const parts = text.split('/');
  const name = parts.at(-1) ?? '';
  const complaints: string[] = [];
  if (parts.length > 2) {
    const advice = `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualifiedName}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;
    return [advice];
  }
  if (parts.length === 2) {
    const [prefix = ''] = parts;
    if (prefix === '') complaints.push('prefix part must be non-empty');
    else complaints.push(...subdomainName(prefix).map((complaint) => `prefix part ${complaint}`));
  }
  if (name === '') complaints.push('name part must be non-empty');
  else if (name.length > 63) complaints.push('name part must be no more than 63 characters');
  if (!expressions.qualifiedName.test(name)) complaints.push(wordings.qualifiedName);
  return complaints;
}
