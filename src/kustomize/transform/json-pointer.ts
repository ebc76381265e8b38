/** JSON pointers (RFC 6901) into an object, as the library kustomize uses reads them. Pure. */

import { fieldOf, type SequenceNode, type YamlNode } from '../../yaml/index.ts';

/** What comes before the first slash is passed over. Empty for a text without a slash. */
export function stepsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function pointerTo(steps: readonly string[]): string {
  return steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** As many of the steps as there are: how many, and the last node. */
export function follow(root: YamlNode, steps: readonly string[]): { last: YamlNode; found: number } {
  let last = root;
  for (const [index, step] of steps.entries()) {
    const next = last.kind === 'sequence' ? last.items[indexOf(last, step)] : fieldOf(last, step);
    if (!next) return { last, found: index };
    last = next;
  }
  return { last, found: steps.length };
}

/** Negative numbers count from the end. -1 for a step that is no number. */
export function indexOf(list: SequenceNode, step: string): number {
  if (!/^-?[0-9]+$/.test(step)) return -1;
  const index = Number(step);
  return index < 0 ? index + list.items.length : index;
}
