/** Which resources a patch's target means. Source: api/resmap Select of kustomize 5.5. */

import type { Selector } from '../read/kustomization.ts';
import { annotationsOf, effectiveNamespace, labelsOf, type Resource } from '../resource.ts';
import { parseSelector } from './label-selector.ts';
import { compilePattern } from './regular-expression.ts';

/** Empty parts match everything; names and namespaces match in their first form or their present one. */
export function makeSelector(selector: Selector): (resource: Resource) => boolean {
  const matcher = (pattern: string | undefined): ((text: string) => boolean) => {
    if (!pattern) return () => true;
    if (/^[A-Za-z0-9_-]+$/.test(pattern)) return (text) => text === pattern;
    const expression = compilePattern(`^(?:${pattern})$`, selector.node);
    return (text) => expression.test(text);
  };
  const [group, version, kind] = [matcher(selector.group), matcher(selector.version), matcher(selector.kind)];
  const [name, namespace] = [matcher(selector.name), matcher(selector.namespace)];
  const labels = parseSelector(selector.labelSelector ?? '', selector.node);
  const annotations = parseSelector(selector.annotationSelector ?? '', selector.node);
  return (resource) => {
    if (!kind(resource.kind)) return false;
    if (selector.group && !group(resource.gvk.group)) return false;
    if (selector.version && !version(resource.gvk.version)) return false;
    if (selector.name && !name(resource.name) && !name(resource.originalId.name)) return false;
    if (selector.namespace) {
      const { originalId, currentId } = resource;
      const isThere = namespace(effectiveNamespace(originalId)) || namespace(effectiveNamespace(currentId));
      if (!isThere) return false;
    }
    if (selector.labelSelector && !labels(labelsOf(resource.node))) return false;
    return !selector.annotationSelector || annotations(annotationsOf(resource.node));
  };
}
