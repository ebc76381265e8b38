/**
 * Fields that hold the name of a renamed object get the new name. Source: api/filters/nameref of kustomize 5.5.
 */

import {
  entryOf,
  fieldOf,
  isNullNode,
  mapEntry,
  scalarNode,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';
import { type Build, recorderOf } from '../build.ts';
import { isClusterScoped } from '../built-in-kinds.ts';
import { refuse } from '../problem.ts';
import { effectiveNamespace, type Gvk, isSelectedGvk, type Resource } from '../resource.ts';
import type { ResourceSet } from '../resource-set.ts';
import { eachField, type FieldPath, type FieldSpec, fieldPath } from '../transform/field-path.ts';
import { type Recorder, setScalar } from '../transform/set-value.ts';
import type { NameReference } from './name-references.ts';

/** Corrects every reference in every resource. Throws `KustomizeProblem` where a name may mean several objects. */
export function fixNames(references: readonly NameReference[], resources: ResourceSet, build: Build): void {
  const candidates = indexByFormerName(resources.all);
  if (candidates.size === 0) return;
  const recorder = recorderOf(build, 'name reference');
  const specsOf = specsByReferrerKind(references);
  for (const referrer of resources.all) {
    const original = referrer.originalId;
    const specs = specsOf(original.kind);
    if (specs.length === 0) continue;
    const fixer = new Fixer(referrer, candidates, recorder);
    for (const indexed of specs) {
      if (isSelectedGvk(original, indexed.spec)) fixer.fix(indexed);
    }
  }
}

interface IndexedSpec {
  readonly spec: FieldSpec;
  /** The same for objects of any kind: the referrer's former kind has been compared. */
  readonly path: FieldPath;
  readonly target: Partial<Gvk>;
  readonly order: number;
}

/** The fields of a kind that may hold names, in their order; those of every kind among them. */
function specsByReferrerKind(references: readonly NameReference[]): (kind: string) => readonly IndexedSpec[] {
  const byKind = indexByReferrerKind(references);
  const merged = new Map<string, readonly IndexedSpec[]>();
  return (kind) => {
    let specs = merged.get(kind);
    if (!specs) {
      const all = [...(byKind.get(kind) ?? []), ...(byKind.get('') ?? [])];
      specs = all.sort((one, other) => one.order - other.order);
      merged.set(kind, specs);
    }
    return specs;
  };
}

function indexByReferrerKind(references: readonly NameReference[]): Map<string, IndexedSpec[]> {
  const index = new Map<string, IndexedSpec[]>();
  let order = 0;
  for (const { fieldSpecs, ...target } of references) {
    for (const spec of fieldSpecs) {
      const kind = spec.kind ?? '';
      const list = index.get(kind) ?? [];
      list.push({ spec, path: fieldPath({ path: spec.path }), target, order: order++ });
      index.set(kind, list);
    }
  }
  return index;
}

function indexByFormerName(resources: readonly Resource[]): Map<string, Resource[]> {
  const index = new Map<string, Resource[]>();
  for (const resource of resources) {
    const { previousIds } = resource;
    if (previousIds.length === 0) continue;
    for (const name of new Set(previousIds.map((id) => id.name))) {
      const list = index.get(name);
      if (list) list.push(resource);
      else index.set(name, [resource]);
    }
  }
  return index;
}

class Fixer {
  readonly #referrer: Resource;
  readonly #candidates: ReadonlyMap<string, readonly Resource[]>;
  readonly #recorder: Recorder;
  readonly #isClusterWide: boolean;
  readonly #namespace: string;

  constructor(referrer: Resource, candidates: ReadonlyMap<string, readonly Resource[]>, recorder: Recorder) {
    this.#referrer = referrer;
    this.#candidates = candidates;
    this.#recorder = recorder;
    this.#isClusterWide = isClusterScoped(referrer.apiVersion, referrer.kind);
    this.#namespace = effectiveNamespace(referrer.currentId);
  }

  fix({ spec, path, target }: IndexedSpec): void {
    eachField(this.#referrer, path, 'none', this.#referrer.node, (node) => {
      if (isNullNode(node)) return;
      const items = node.kind === 'sequence' ? node.items : [node];
      for (const item of items) {
        if (item.kind === 'scalar') this.#fixScalar(item, spec, target);
        else if (item.kind === 'map') this.#fixMap(item, spec, target);
      }
    });
  }

  #fixScalar(node: YamlNode, spec: FieldSpec, target: Partial<Gvk>): void {
    const name = textOf(node);
    const referral = this.#select(name, spec, target, this.#candidates.get(name) ?? [], node, false);
    if (!referral || referral.name === name) return;
    setScalar(node, referral.name, '', referral.node, this.#recorder);
  }

  /** A map with a name and perhaps a namespace: both are corrected. */
  #fixMap(node: YamlNode, spec: FieldSpec, target: Partial<Gvk>): void {
    const nameNode = fieldOf(node, 'name');
    if (!nameNode || node.kind !== 'map') {
      refuse('SL1011', `${spec.path} holds a map without a name`, node, {
        object: this.#referrer.describe(),
      });
    }
    const name = textOf(nameNode);
    const namespace = fieldOf(node, 'namespace');
    let candidates = this.#candidates.get(name) ?? [];
    if (namespace) candidates = inNamespace(candidates, textOf(namespace));
    const referral = this.#select(name, spec, target, candidates, node, true);
    if (!referral || (referral.name === name && referral.namespace === '')) return;
    setScalar(nameNode, referral.name, '', referral.node, this.#recorder);
    if (referral.namespace === '') return;
    let entry = entryOf(node, 'namespace');
    if (!entry) {
      entry = mapEntry(scalarNode('namespace', '', referral.node), scalarNode('', '', referral.node));
      node.entries.push(entry);
    }
    setScalar(entry.value, referral.namespace, '', referral.node, this.#recorder);
  }

  #select(
    name: string,
    spec: FieldSpec,
    target: Partial<Gvk>,
    named: readonly Resource[],
    node: YamlNode,
    withNamespace: boolean,
  ): Resource | undefined {
    let candidates = named.filter(
      (candidate) =>
        this.#isReachable(candidate) &&
        candidate.previousIds.some((id) => isSelectedGvk(id, target)) &&
        this.#isOfRole(candidate, spec) &&
        this.#isInSameNamespace(candidate),
    );
    if (candidates.length <= 1) return candidates[0];
    candidates = candidates.filter((candidate) => affixesAgree(candidate, this.#referrer, true));
    if (candidates.length > 1) {
      candidates = candidates.filter((candidate) => affixesAgree(candidate, this.#referrer, false));
    }
    const [first] = candidates;
    if (!first || candidates.length === 1) return first;
    const isSame = candidates.every(
      (other) => other.name === first.name && (!withNamespace || other.namespace === first.namespace),
    );
    if (isSame) return first;
    const names = candidates.map((candidate) => candidate.describe()).join(', ');
    return refuse('SL1011', `${spec.path}: ${name} may mean ${names}`, node, {
      object: this.#referrer.describe(),
      hint: 'Give the objects different names in their bases.',
    });
  }

  /** Objects of other namespaces cannot be meant, but for the service accounts that a role binding names. */
  #isReachable(candidate: Resource): boolean {
    if (this.#isClusterWide) return true;
    if (isClusterScoped(candidate.apiVersion, candidate.kind)) return true;
    if (effectiveNamespace(candidate.currentId) === this.#namespace) return true;
    return this.#subjectNamespaces().has(candidate.namespace);
  }

  #subjects: Set<string> | undefined;

  #subjectNamespaces(): Set<string> {
    if (this.#subjects) return this.#subjects;
    this.#subjects = new Set();
    const subjects =
      this.#referrer.kind === 'RoleBinding' ? fieldOf(this.#referrer.node, 'subjects') : undefined;
    for (const subject of subjects?.kind === 'sequence' ? subjects.items : []) {
      if (textOf(fieldOf(subject, 'kind')) !== 'ServiceAccount') continue;
      const namespace = fieldOf(subject, 'namespace');
      if (namespace) this.#subjects.add(textOf(namespace));
    }
    return this.#subjects;
  }

  #isOfRole(candidate: Resource, spec: FieldSpec): boolean {
    if (!spec.path.endsWith('roleRef/name')) return true;
    const roleRef = fieldOf(this.#referrer.node, 'roleRef');
    const [group, kind] = [fieldOf(roleRef, 'apiGroup'), fieldOf(roleRef, 'kind')];
    if (!group || !kind) return true;
    const wanted = { group: textOf(group), kind: textOf(kind) };
    return candidate.previousIds.some((id) => isSelectedGvk(id, wanted));
  }

  #isInSameNamespace(candidate: Resource): boolean {
    if (this.#isClusterWide || candidate.kind === 'ServiceAccount') return true;
    if (isClusterScoped(candidate.apiVersion, candidate.kind)) return true;
    return effectiveNamespace(candidate.currentId) === this.#namespace;
  }
}

/** Those that were written in the namespace; where there are none, those that are in it now. */
function inNamespace(candidates: readonly Resource[], namespace: string): readonly Resource[] {
  const original = candidates.filter((candidate) => effectiveNamespace(candidate.originalId) === namespace);
  if (original.length > 0) return original;
  return candidates.filter((candidate) => effectiveNamespace(candidate.currentId) === namespace);
}

/** Whether the prefixes and suffixes of one end those of the other. */
function affixesAgree(one: Resource, other: Resource, allowEmpty: boolean): boolean {
  const agree = (left: readonly string[], right: readonly string[]): boolean =>
    (allowEmpty && (left.length === 0 || right.length === 0)) || sameEnding(left, right);
  return agree(one.prefixes, other.prefixes) && agree(one.suffixes, other.suffixes);
}

function sameEnding(one: readonly string[], other: readonly string[]): boolean {
  const length = Math.min(one.length, other.length);
  if (length === 0) return one.length === other.length;
  const [left, right] = [one.slice(-length), other.slice(-length)];
  return left.every((value, index) => value === right[index]);
}
