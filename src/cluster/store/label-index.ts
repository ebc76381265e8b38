/** Which objects of one namespace carry a label, so that a selector need not be tried on all of them. */

import type { LabelSelector } from '../../kubernetes/index.ts';

type Labels = Readonly<Record<string, string>> | undefined;

export class LabelIndex {
  /** Names by `key=value`. */
  readonly #names = new Map<string, Set<string>>();

  change(name: string, before: Labels, after: Labels): void {
    // An update of a status hands the same labels on.
    if (before === after) return;
    for (const [key, value] of Object.entries(before ?? {})) {
      if (after?.[key] !== value) this.#remove(`${key}=${value}`, name);
    }
    for (const [key, value] of Object.entries(after ?? {})) {
      if (before?.[key] !== value) this.#add(`${key}=${value}`, name);
    }
  }

  /** Whoever is not among them does not match; undefined where the selector gives nothing to go by. */
  candidates(selector: LabelSelector | undefined): ReadonlySet<string> | undefined {
    let fewest: ReadonlySet<string> | undefined;
    for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
      const names = this.#names.get(`${key}=${value}`) ?? nobody;
      if (!fewest || names.size < fewest.size) fewest = names;
    }
    return fewest;
  }

  #add(label: string, name: string): void {
    const names = this.#names.get(label) ?? new Set();
    names.add(name);
    this.#names.set(label, names);
  }

  #remove(label: string, name: string): void {
    const names = this.#names.get(label);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(label);
  }
}

const nobody: ReadonlySet<string> = new Set();
