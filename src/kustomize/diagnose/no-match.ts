import { nearestName } from '../../diagnostics/index.ts';
import { entryOf } from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { diagnosticAt } from '../problem.ts';
import type { Selector } from '../read/kustomization.ts';
import type { ResourceSet } from '../resource-set.ts';

/** A patch that hits nothing is silent in kustomize. */
export function reportNoMatch(target: Selector, resources: ResourceSet, build: Build): void {
  const wanted = (
    ['group', 'version', 'kind', 'name', 'namespace', 'labelSelector', 'annotationSelector'] as const
  )
    .filter((field) => target[field])
    .map((field) => `${field} ${target[field]}`);
  const message = `this patch matches no resource: there is none with ${wanted.join(', ') || 'these properties'}`;
  const hint = nearestResource(target, resources);
  const kinds = new Set(resources.all.map((resource) => resource.kind));
  const wrong = target.kind && !kinds.has(target.kind) ? 'kind' : 'name';
  const at = entryOf(target.node, wrong)?.value ?? target.node;
  build.diagnostics.push(diagnosticAt('warning', 'SL1101', message, at, { hint }));
}

/** What was probably meant by a kind and a name that no resource has, or what there is. */
export function nearestResource(
  target: Pick<Selector, 'kind' | 'name'>,
  resources: ResourceSet,
): string | undefined {
  const ofKind = resources.all.filter((resource) => !target.kind || resource.kind === target.kind);
  if (target.kind && ofKind.length === 0) {
    const kind = nearestName(target.kind, new Set(resources.all.map((resource) => resource.kind)));
    return kind && `Did you mean the kind ${kind}?`;
  }
  const name = target.name && nearestName(target.name, new Set(ofKind.map((resource) => resource.name)));
  if (name && name !== target.name) return `Did you mean the name ${name}?`;
  const names = ofKind.slice(0, 5).map((resource) => resource.describe());
  return names.length > 0 ? `There are ${names.join(', ')}.` : undefined;
}
