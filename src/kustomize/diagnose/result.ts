/** What is wrong with the objects as they will be printed, though kustomize prints them. */

import type { Build } from '../build.ts';
import type { Resource } from '../resource.ts';
import { RouteInspector } from './routes.ts';
import { SelectorInspector } from './selectors.ts';
import { inspectValues } from './values.ts';

export class ResultInspector {
  readonly #build: Build;
  readonly #selectors = new SelectorInspector();
  readonly #routes = new RouteInspector();

  constructor(build: Build) {
    this.#build = build;
  }

  /**
   * Looks at what can be told from the object alone, and notes down what it says of others. To be called before kustomize's memory of the
   * resource is taken away.
   */
  inspect(resource: Resource): void {
    inspectValues(resource, this.#build);
    this.#selectors.add(resource);
    this.#routes.add(resource);
  }

  /** Looks at what the objects say of each other. */
  inspectReferences(): void {
    this.#selectors.inspect(this.#build);
    this.#routes.inspect(this.#build);
  }
}
