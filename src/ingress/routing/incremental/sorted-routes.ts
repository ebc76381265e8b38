import type { KubeObject } from '../../../kubernetes/index.ts';
import { namespacedName } from '../../../kubernetes/index.ts';
import { byAge } from '../options.ts';

interface Entry<Route, Result> {
  route: Route;
  result: Result | undefined;
}

/** Routes and what was made of them, kept by age. */
export class SortedRoutes<Route extends KubeObject, Result> {
  private readonly byName = new Map<string, Entry<Route, Result>>();
  private readonly sorted: Entry<Route, Result>[] = [];
  /** What `results` gave, where it is still true. */
  private all: Result[] | undefined;

  get(name: string): Readonly<Entry<Route, Result>> | undefined {
    return this.byName.get(name);
  }

  /** Whether it has the place that it had. */
  set(route: Route): boolean {
    const name = namespacedName(route);
    const known = this.byName.get(name);
    if (known && byAge(known.route, route) === 0) {
      known.route = route;
      return true;
    }
    if (known) this.delete(name);
    const entry = { route, result: undefined };
    this.sorted.splice(this.position(route), 0, entry);
    this.byName.set(name, entry);
    this.all = undefined;
    return false;
  }

  delete(name: string): void {
    const known = this.byName.get(name);
    if (!known) return;
    this.sorted.splice(this.position(known.route), 1);
    this.byName.delete(name);
    this.all = undefined;
  }

  setResult(name: string, result: Result): void {
    const known = this.byName.get(name);
    if (!known) return;
    const isInPlace = known.result !== undefined && this.all?.length === this.sorted.length;
    this.all = isInPlace ? this.all?.with(this.position(known.route), result) : undefined;
    known.result = result;
  }

  names(): Iterable<string> {
    return this.byName.keys();
  }

  /** By age. Routes of which nothing was made yet are left out. The same list as before when nothing has changed. */
  results(): readonly Result[] {
    this.all ??= this.sorted.flatMap(({ result }) => (result === undefined ? [] : [result]));
    return this.all;
  }

  /** Where the route is, or would go. */
  private position(route: Route): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.sorted[middle];
      if (other && byAge(other.route, route) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
