import type { Resource } from '../resource.ts';
import type { ResourceSet } from '../resource-set.ts';

/**
 * A transformer that looks at one resource at a time and changes no names. Those that follow each other run side by side, resource by
 * resource: a tree of thousands does not stay in the processor's cache from one to the next.
 */
export interface Pass {
  each(resource: Resource): void;
  /** Called when all have been looked at. */
  end(): void;
}

export function runPasses(passes: readonly Pass[], resources: ResourceSet): void {
  if (passes.length === 0) return;
  for (const resource of resources.all) for (const pass of passes) pass.each(resource);
  for (const pass of passes) pass.end();
}
