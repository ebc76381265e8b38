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

  get(name: string): Readonly<Entry<Route, Result>> | undefined {
    return this.byName.get(name);
  }

  set(route: Route): void {
    const name = namespacedName(route);
    const known = this.byName.get(name);
    if (known && byAge(known.route, route) === 0) {
      known.route = route;
      return;
    }
    if (known) this.delete(name);
    const entry = { route, result: undefined };
    this.sorted.splice(this.position(route), 0, entry);
    this.byName.set(name, entry);
  }

  delete(name: string): void {
    const known = this.byName.get(name);
    if (!known) return;
    this.sorted.splice(this.position(known.route), 1);
    this.byName.delete(name);
  }

  setResult(name: string, result: Result): void {
    const known = this.byName.get(name);
    if (known) known.result = result;
  }

  names(): Iterable<string> {
    return this.byName.keys();
  }

  /** By age. Routes of which nothing was made yet are left out. */
  results(): Result[] {
    const results: Result[] = [];
    for (const { result } of this.sorted) {
      if (result !== undefined) results.push(result);
    }
    return results;
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
