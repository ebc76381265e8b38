/** Which objects a result was made of, so that only what a change touches is made anew. */

/** A map that tells of each key that is looked up, whether it is there or not, and of `*` when all are looked through. */
class TrackedMap<Value> implements ReadonlyMap<string, Value> {
  private readonly source: ReadonlyMap<string, Value>;
  private readonly onRead: (key: string) => void;

  constructor(source: ReadonlyMap<string, Value>, onRead: (key: string) => void) {
    this.source = source;
    this.onRead = onRead;
  }

  get(key: string): Value | undefined {
    this.onRead(key);
    return this.source.get(key);
  }

  has(key: string): boolean {
    this.onRead(key);
    return this.source.has(key);
  }

  get size(): number {
    return this.all().size;
  }

  keys(): MapIterator<string> {
    return this.all().keys();
  }

  values(): MapIterator<Value> {
    return this.all().values();
  }

  entries(): MapIterator<[string, Value]> {
    return this.all().entries();
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.all().entries();
  }

  forEach(visit: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this.all()) visit(value, key, this);
  }

  private all(): ReadonlyMap<string, Value> {
    this.onRead(anyKey);
    return this.source;
  }
}

/** In a dependency: all objects of a kind. */
export const anyKey = '*';

/** Reads through the views it gives out, remembered until they are taken. */
export class ReadTracker {
  private reads = new Set<string>();

  note(dependency: string): void {
    this.reads.add(dependency);
  }

  /** A lookup of `key` is the dependency `kind key`, looking through all of them `kind *`. */
  view<Value>(kind: string, source: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
    return new TrackedMap(source, (key) => this.note(dependencyOf(kind, key)));
  }

  take(): ReadonlySet<string> {
    const { reads } = this;
    this.reads = new Set();
    return reads;
  }
}

export const dependencyOf = (kind: string, key: string) => `${kind} ${key}`;

/** Who depends on what, both ways. */
export class Dependencies {
  private readonly dependenciesOf = new Map<string, ReadonlySet<string>>();
  private readonly usersOf = new Map<string, Set<string>>();

  set(user: string, dependencies: ReadonlySet<string>): void {
    this.forget(user);
    this.dependenciesOf.set(user, dependencies);
    for (const dependency of dependencies) {
      const users = this.usersOf.get(dependency);
      if (users) users.add(user);
      else this.usersOf.set(dependency, new Set([user]));
    }
  }

  forget(user: string): void {
    for (const dependency of this.dependenciesOf.get(user) ?? []) {
      const users = this.usersOf.get(dependency);
      users?.delete(user);
      if (users?.size === 0) this.usersOf.delete(dependency);
    }
    this.dependenciesOf.delete(user);
  }

  users(dependency: string): Iterable<string> {
    return this.usersOf.get(dependency) ?? [];
  }
}
