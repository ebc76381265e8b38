/** Label selectors as the Kubernetes API reads them: `a=b,c!=d,e in (f,g),h,!i`. */

import type { Origin } from '../../yaml/index.ts';
import { refuse } from '../problem.ts';

type Requirement = (labels: ReadonlyMap<string, string>) => boolean;

const name = '[A-Za-z0-9](?:[A-Za-z0-9_./-]*[A-Za-z0-9])?';
const requirementPattern = new RegExp(
  `^\\s*(?:(!)\\s*(${name})|(${name})(?:\\s*(==|=|!=|<|>)\\s*([A-Za-z0-9_.-]*)|\\s+(in|notin)\\s*\\(([^()]*)\\))?)\\s*$`,
);

/** Reads a selector; an empty one accepts everything. Throws `KustomizeProblem`. */
export function parseSelector(text: string, at: Origin): Requirement {
  if (text.trim() === '') return () => true;
  const parts = text.split(/,(?![^(]*\))/);
  const requirements = parts.map((part) => parseRequirement(part, text, at));
  return (labels) => requirements.every((requirement) => requirement(labels));
}

function parseRequirement(part: string, whole: string, at: Origin): Requirement {
  const match = requirementPattern.exec(part);
  if (!match) {
    return refuse('SL1004', `${whole} is not a label selector`, at, {
      hint: 'Write key=value, key!=value, key in (a,b), key notin (a,b), key or !key, with commas between.',
    });
  }
  const [, not, absentKey, key = '', operator, value = '', setOperator, set = ''] = match;
  if (not) return (labels) => !labels.has(absentKey ?? '');
  if (setOperator) {
    const values = new Set(set.split(',').map((item) => item.trim()));
    const isIn: Requirement = (labels) => labels.has(key) && values.has(labels.get(key) ?? '');
    return setOperator === 'in' ? isIn : (labels) => !isIn(labels);
  }
  switch (operator) {
    case '=':
    case '==':
      return (labels) => labels.get(key) === value;
    case '!=':
      return (labels) => labels.get(key) !== value;
    case '<':
      return (labels) => labels.has(key) && Number(labels.get(key)) < Number(value);
    case '>':
      return (labels) => labels.has(key) && Number(labels.get(key)) > Number(value);
    default:
      return (labels) => labels.has(key);
  }
}
