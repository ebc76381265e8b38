import { nearestName } from '../../diagnostics/index.ts';
import { type Build, recorderOf } from '../build.ts';
import { refuse } from '../problem.ts';
import type { ReplicaEntry } from '../read/kustomization.ts';
import { isSelectedGvk } from '../resource.ts';
import type { ResourceSet } from '../resource-set.ts';
import { eachField, type FieldSpec, fieldPath } from './field-path.ts';
import { setScalar } from './set-value.ts';

/** Sets the replica count of the workloads that have or had the name. None is an error, as in kustomize. */
export function setReplicas(
  entry: ReplicaEntry,
  specs: readonly FieldSpec[],
  resources: ResourceSet,
  build: Build,
): void {
  const recorder = recorderOf(build, 'replicas');
  const { name = '', count = 0 } = entry;
  let isFound = false;
  for (const spec of specs) {
    const path = fieldPath(spec);
    for (const resource of resources.all) {
      const ids = [...resource.previousIds, resource.currentId];
      if (!ids.some((id) => id.name === name && isSelectedGvk(id, spec))) continue;
      isFound = true;
      eachField(resource, path, 'scalar', entry.node, (node) =>
        setScalar(node, String(count), '!!int', entry.node, recorder),
      );
    }
  }
  if (isFound) return;
  const candidates = resources.all.filter((resource) =>
    specs.some((spec) => isSelectedGvk(resource.gvk, spec)),
  );
  const nearest = nearestName(name, new Set(candidates.map((resource) => resource.name)));
  refuse('SL1011', `replicas: there is no workload named ${name}`, entry.node, {
    hint: nearest ? `Did you mean ${nearest}?` : undefined,
  });
}
