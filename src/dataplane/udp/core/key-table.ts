/**
 * A bounded hash table from keys of a fixed number of 32-bit words to small stable numbers (ids), which also remembers
 * in which order its entries were last used. Nothing is allocated per operation; memory grows by doubling up to the
 * limit. Other fields of an entry live in the user's own arrays, indexed by id.
 *
 *     key ──hash──▶ index   [ . . id+1 . . id+1 . ]     open addressing, linear probing, at most half full
 *                                │                       removal closes the gap, so there are no tombstones
 *                     keys    [ k0 k1 … │ k0 k1 … ]      one row an id
 *                     prev/next, per segment: oldest ◀─▶ … ◀─▶ newest      (a free id is chained through next)
 */

/** Entries are kept in up to this many use-ordered lists. */
const segments = 2;
const smallestCapacity = 64;

export interface KeyTableOptions {
  /** Words of a key. */
  readonly words: number;
  /** Most entries at a time. */
  readonly limit: number;
  /** Any 32-bit number, unknown to those who choose the keys. */
  readonly seed: number;
  /** Called when ids up to `capacity` come into use, before the first of them is given out. */
  readonly onGrow?: (capacity: number) => void;
}

export class KeyTable {
  readonly words: number;
  readonly limit: number;
  size = 0;
  /** Ids are below this. */
  capacity = 0;
  keys = new Uint32Array(0);
  readonly #seed: number;
  readonly #onGrow: ((capacity: number) => void) | undefined;
  #hashes = new Uint32Array(0);
  #index = new Int32Array(0);
  #mask = 0;
  #next = new Int32Array(0);
  #prev = new Int32Array(0);
  #segment = new Uint8Array(0);
  #free = -1;
  readonly #oldest = new Int32Array(segments).fill(-1);
  readonly #newest = new Int32Array(segments).fill(-1);

  constructor({ words, limit, seed, onGrow }: KeyTableOptions) {
    this.words = words;
    this.limit = limit;
    this.#seed = seed | 0;
    this.#onGrow = onGrow;
  }

  /** The id of the key, or -1. */
  find(key: Uint32Array): number {
    if (this.size === 0) return -1;
    const hash = this.#hash(key);
    const mask = this.#mask;
    const index = this.#index;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const id = (index[at] as number) - 1;
      if (id < 0) return -1;
      if (this.#hashes[id] === hash && this.#equals(id, key)) return id;
    }
  }

  /** A new entry, the newest of segment 0. The key must not be there yet. -1 when the table is full. */
  insert(key: Uint32Array): number {
    if (this.size >= this.limit) return -1;
    if (this.#free < 0) this.#grow();
    const id = this.#free;
    this.#free = this.#next[id] as number;
    const hash = this.#hash(key);
    const row = id * this.words;
    for (let word = 0; word < this.words; word++) this.keys[row + word] = key[word] as number;
    this.#hashes[id] = hash;
    this.#place(id, hash);
    this.#segment[id] = 0;
    this.#append(id, 0);
    this.size++;
    return id;
  }

  remove(id: number): void {
    const mask = this.#mask;
    const index = this.#index;
    let hole = (this.#hashes[id] as number) & mask;
    while (index[hole] !== id + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const other = (index[at] as number) - 1;
      if (other < 0) break;
      const home = (this.#hashes[other] as number) & mask;
      // An entry may fill the hole unless its home lies between the hole and itself.
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      index[hole] = other + 1;
      hole = at;
    }
    index[hole] = 0;
    this.#unlink(id);
    this.#next[id] = this.#free;
    this.#prev[id] = -2;
    this.#free = id;
    this.size--;
  }

  /** Makes the entry the newest of the segment. */
  touch(id: number, segment = this.#segment[id] as number): void {
    if (this.#newest[segment] === id) return;
    this.#unlink(id);
    this.#segment[id] = segment;
    this.#append(id, segment);
  }

  /** The entry of the segment that was not used for the longest time, or -1. */
  oldest(segment: number): number {
    return this.#oldest[segment] as number;
  }

  /** The entry of the same segment that was used next after this one, or -1. */
  newer(id: number): number {
    return this.#next[id] as number;
  }

  segmentOf(id: number): number {
    return this.#segment[id] as number;
  }

  has(id: number): boolean {
    return id < this.capacity && this.#prev[id] !== -2;
  }

  #hash(key: Uint32Array): number {
    let hash = this.#seed;
    for (let word = 0; word < this.words; word++) {
      hash = Math.imul(hash ^ (key[word] as number), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) >>> 0;
  }

  #equals(id: number, key: Uint32Array): boolean {
    const row = id * this.words;
    for (let word = 0; word < this.words; word++) {
      if (this.keys[row + word] !== key[word]) return false;
    }
    return true;
  }

  #place(id: number, hash: number): void {
    let at = hash & this.#mask;
    while (this.#index[at] !== 0) at = (at + 1) & this.#mask;
    this.#index[at] = id + 1;
  }

  #append(id: number, segment: number): void {
    const last = this.#newest[segment] as number;
    this.#prev[id] = last;
    this.#next[id] = -1;
    if (last < 0) this.#oldest[segment] = id;
    else this.#next[last] = id;
    this.#newest[segment] = id;
  }

  #unlink(id: number): void {
    const segment = this.#segment[id] as number;
    const before = this.#prev[id] as number;
    const after = this.#next[id] as number;
    if (before < 0) this.#oldest[segment] = after;
    else this.#next[before] = after;
    if (after < 0) this.#newest[segment] = before;
    else this.#prev[after] = before;
  }

  #grow(): void {
    const from = this.capacity;
    const capacity = Math.min(this.limit, Math.max(smallestCapacity, 2 * from));
    this.keys = grown(this.keys, new Uint32Array(capacity * this.words));
    this.#hashes = grown(this.#hashes, new Uint32Array(capacity));
    this.#next = grown(this.#next, new Int32Array(capacity));
    this.#prev = grown(this.#prev, new Int32Array(capacity));
    this.#segment = grown(this.#segment, new Uint8Array(capacity));
    let indexSize = 2;
    while (indexSize < 2 * capacity) indexSize *= 2;
    this.#index = new Int32Array(indexSize);
    this.#mask = indexSize - 1;
    // Growing happens only when every id is in use.
    for (let id = 0; id < from; id++) this.#place(id, this.#hashes[id] as number);
    for (let id = capacity - 1; id >= from; id--) {
      this.#prev[id] = -2;
      this.#next[id] = this.#free;
      this.#free = id;
    }
    this.capacity = capacity;
    this.#onGrow?.(capacity);
  }
}

/** The values of `from` at the start of the larger `into`. */
export function grown<Values extends { set(values: Values): void }>(from: Values, into: Values): Values {
  into.set(from);
  return into;
}
