/** Label and field selectors: their text form, as in `kubectl -l` and `--field-selector`, and what they match. */

import type { KubeObject, LabelSelector } from './objects.ts';

type Labels = Readonly<Record<string, string>>;
type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

/** The text is not a selector. Worded as the Kubernetes API server words it. */
export class SelectorSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SelectorSyntaxError';
  }
}

/** An absent or empty selector matches everything. */
export function labelsMatch(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  if (!selector) return true;
  const { matchLabels, matchExpressions } = selector;
  for (const key in matchLabels) {
    if (labels?.[key] !== matchLabels[key]) return false;
  }
  return matchExpressions?.every((expression) => expressionMatches(expression, labels)) ?? true;
}

function expressionMatches({ key, operator, values }: Expression, labels: Labels = {}): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'In':
      return value !== undefined && (values ?? []).includes(value);
    case 'NotIn':
      return value === undefined || !(values ?? []).includes(value);
  }
}

const setRequirement = /^([^\s=!,()]+)\s+(in|notin)\s*\(([^()]*)\)$/;
const equalityRequirement = /^([^\s=!,()]+)\s*(==|=|!=)\s*([^\s=!,()]*)$/;

/** `app=echo,tier!=cache,env in (dev, test),!legacy`. Throws `SelectorSyntaxError`. */
export function parseLabelSelector(text: string): LabelSelector {
  const matchLabels: Record<string, string> = {};
  const matchExpressions: Expression[] = [];
  for (const part of splitOutsideParentheses(text)) {
    const set = setRequirement.exec(part);
    const equality = equalityRequirement.exec(part);
    const presence = /^(!?)\s*([^\s=!,()]+)$/.exec(part);
    if (set) {
      const [, key = '', operator, values = ''] = set;
      matchExpressions.push({
        key,
        operator: operator === 'in' ? 'In' : 'NotIn',
        values: values.split(',').map((value) => value.trim()),
      });
    } else if (equality) {
      const [, key = '', operator, value = ''] = equality;
      if (operator === '!=') matchExpressions.push({ key, operator: 'NotIn', values: [value] });
      else if (Object.hasOwn(matchLabels, key))
        matchExpressions.push({ key, operator: 'In', values: [value] });
      else matchLabels[key] = value;
    } else if (presence) {
      const [, negated, key = ''] = presence;
      matchExpressions.push({ key, operator: negated ? 'DoesNotExist' : 'Exists' });
    } else {
      throw new SelectorSyntaxError(`unable to parse requirement: found '${part}', expected: identifier`);
    }
  }
  return {
    ...(Object.keys(matchLabels).length > 0 ? { matchLabels } : {}),
    ...(matchExpressions.length > 0 ? { matchExpressions } : {}),
  };
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index <= text.length; index++) {
    const character = text[index];
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === undefined || (character === ',' && depth === 0)) {
      parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  return parts.length === 1 && parts[0] === '' ? [] : parts;
}

/** The text form, as `kubectl describe` prints it: `app=echo,env in (dev,test),!legacy`. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator.toLowerCase()} (${(values ?? []).toSorted().join(',')})`;
  });
  return [...labels, ...expressions].toSorted().join(',');
}

export interface FieldRequirement {
  /** As `spec.nodeName`, `involvedObject.name`. */
  readonly field: string;
  readonly value: string;
  readonly negated: boolean;
}

/** `metadata.name=echo,status.phase!=Running`. Throws `SelectorSyntaxError`. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return text
    .split(/(?<!\\),/)
    .filter((part) => part !== '')
    .map((part) => {
      const match = /^([^=!]+?)(==|=|!=)((?:[^=\\]|\\.)*)$/s.exec(part);
      if (!match) throw new SelectorSyntaxError(`invalid selector: '${part}'; can't understand '${part}'`);
      const [, field = '', operator, value = ''] = match;
      return { field, value: value.replace(/\\(.)/g, '$1'), negated: operator === '!=' };
    });
}

/** The value at `spec.nodeName` as a field selector sees it: '' where it is absent. */
export function fieldValue(object: KubeObject, field: string): string {
  let value: unknown = object;
  for (const key of field.split('.')) {
    if (typeof value !== 'object' || value === null) return '';
    value = (value as Record<string, unknown>)[key];
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? `${value}`
    : '';
}

/** Which fields a kind may be selected by is the caller's to check. */
export function fieldPredicate(requirements: readonly FieldRequirement[]): (object: KubeObject) => boolean {
  return (object) =>
    requirements.every(({ field, value, negated }) => (fieldValue(object, field) === value) !== negated);
}
