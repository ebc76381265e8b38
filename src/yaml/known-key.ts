/**
 * Keys of maps are few and come again and again. Each gets one string, of the kind that V8 has for names in the program itself: whether two
 * of those are equal, their addresses tell, and most of what a renderer does is to look for a key.
 */

import { tagOfPlain } from './resolve.ts';

export interface KnownKey {
  readonly text: string;
  /** What it resolves to where it is written without quotes. */
  readonly plainTag: string;
}

const known = new Map<string, KnownKey>();
const maxKnown = 10_000;
/** Longer ones rarely come again. */
const maxLength = 64;

/** The key with this text. */
export function knownKey(text: string): KnownKey {
  return known.get(text) ?? learn(text);
}

function learn(text: string): KnownKey {
  const plainTag = tagOfPlain(text);
  if (text.length > maxLength) return { text, plainTag };
  // As the name of a property it becomes a string of that kind. An object without a prototype gets no hidden class for each name.
  const names = Object.create(null) as Record<string, undefined>;
  names[text] = undefined;
  const [name = text] = Object.keys(names);
  const key = { text: name, plainTag };
  if (known.size >= maxKnown) known.clear();
  known.set(name, key);
  return key;
}
