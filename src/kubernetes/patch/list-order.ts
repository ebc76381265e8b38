/** The order of a list after a strategic merge. Entries are told apart by `key`. */

type KeyOf = (entry: unknown) => unknown;

/** The entries whose keys are in `keys`, and the others. */
export function partition(entries: readonly unknown[], keys: ReadonlySet<unknown>, key: KeyOf) {
  const [inside, outside]: [unknown[], unknown[]] = [[], []];
  for (const entry of entries) (keys.has(key(entry)) ? inside : outside).push(entry);
  return [inside, outside] as const;
}

/**
 * `patched` in the order of `patchOrder` and `others` in the order of `liveOrder`, interleaved as `liveOrder` had them
 * where it knows both; otherwise the patched come first. (kubernetes/design-proposals-archive,
 * preserve-order-in-strategic-merge-patch.)
 */
export function arrange(
  patched: readonly unknown[],
  others: readonly unknown[],
  patchOrder: readonly unknown[],
  liveOrder: readonly unknown[],
  key: KeyOf,
): unknown[] {
  const right = sortedBy(patched, patchOrder, key);
  const left = sortedBy(others, liveOrder, key);
  const result: unknown[] = [];
  while (left.length > 0 && right.length > 0) {
    const leftAt = liveOrder.indexOf(key(left[0]));
    const rightAt = liveOrder.indexOf(key(right[0]));
    const leftFirst = leftAt >= 0 && rightAt >= 0 && leftAt < rightAt;
    result.push((leftFirst ? left : right).shift());
  }
  return [...result, ...left, ...right];
}

/**
 * A stable insertion sort on purpose: an entry that the order does not know counts as less than any other, which no
 * total order can express, and the result has to be the one that Kubernetes' own stable sort gives.
 */
function sortedBy(entries: readonly unknown[], order: readonly unknown[], key: KeyOf): unknown[] {
  const places = new Map<unknown, number>();
  for (const [place, value] of order.entries()) if (!places.has(value)) places.set(value, place);
  const placeOf = (entry: unknown) => places.get(key(entry));
  if (entries.every((entry) => placeOf(entry) !== undefined)) {
    return [...entries].sort((a, b) => (placeOf(a) ?? 0) - (placeOf(b) ?? 0));
  }
  const sorted: unknown[] = [];
  for (const entry of entries) {
    const place = placeOf(entry);
    let at = sorted.length;
    while (at > 0) {
      const before = placeOf(sorted[at - 1]);
      if (place !== undefined && before !== undefined && place >= before) break;
      at -= 1;
    }
    sorted.splice(at, 0, entry);
  }
  return sorted;
}
