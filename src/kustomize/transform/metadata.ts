/** Labels, annotations, namespaces, name prefixes and suffixes. */

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
import { diagnosticAt, refuse } from '../problem.ts';
import type { Located } from '../read/decode.ts';
import { type Gvk, isSelectedGvk, type Resource } from '../resource.ts';
import type { ResourceSet } from '../resource-set.ts';
import { eachField, type FieldSpec, fieldPath, pathsByKind } from './field-path.ts';
import type { Pass } from './pass.ts';
import { setEntry, setScalar } from './set-value.ts';

/** Sets labels or annotations wherever the specifications say. */
export function pairsPass(
  pairs: ReadonlyMap<string, Located<string>>,
  specs: readonly FieldSpec[],
  by: string,
  build: Build,
): Pass {
  const recorder = recorderOf(build, by);
  const pathsOf = pathsByKind(specs);
  const selecting = new Set<Resource>();
  const sorted = [...pairs].sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    each(resource) {
      if (sorted.length === 0) return;
      const paths = pathsOf(resource.kind);
      for (const [key, { value, node }] of sorted) {
        // One node for all the places of one resource: see setEntry.
        const shared = scalarNode(value, '!!str', node);
        for (const path of paths) {
          eachField(resource, path, 'map', node, (field) => {
            setEntry(field, key, shared, recorder);
            if (isSelector(path.spec)) selecting.add(resource);
          });
        }
      }
    },
    end: () => reportSelectors(pairs, selecting, build),
  };
}

const isSelector = ({ path }: FieldSpec): boolean => /[sS]elector/.test(path);

function reportSelectors(
  pairs: ReadonlyMap<string, Located<string>>,
  selecting: ReadonlySet<Resource>,
  build: Build,
): void {
  const [first] = pairs.values();
  if (!first || selecting.size === 0) return;
  const names = [...selecting].slice(0, 3).map((resource) => resource.describe());
  const more = selecting.size > 3 ? ` and ${selecting.size - 3} more` : '';
  const message = `these labels change the selectors of ${names.join(', ')}${more}`;
  const hint =
    'The selector of a workload that runs cannot be changed. To label objects only, use labels: without includeSelectors.';
  build.diagnostics.push(diagnosticAt('warning', 'SL1110', message, first.node, { hint }));
}

const ownNamespace = fieldPath({ path: 'metadata/namespace', create: true });

export const subjectModes = ['defaultOnly', 'allServiceAccounts', 'none'] as const;
export type SubjectMode = (typeof subjectModes)[number];

/** What a NamespaceTransformer may ask for. */
export interface NamespaceOptions {
  /** What is in a namespace stays there. */
  readonly unsetOnly: boolean;
  readonly subjects: SubjectMode;
}

const usualNamespaceOptions: NamespaceOptions = { unsetOnly: false, subjects: 'defaultOnly' };

/** Gives every resource that is not certainly cluster-wide the namespace, and the references that carry one. */
export function setNamespace(
  namespace: Located<string>,
  specs: readonly FieldSpec[],
  resources: ResourceSet,
  build: Build,
  { unsetOnly, subjects }: NamespaceOptions = usualNamespaceOptions,
): void {
  const recorder = recorderOf(build, 'namespace');
  const pathsOf = pathsByKind(specs);
  const set = (node: YamlNode): void => {
    if (unsetOnly && !isNullNode(node) && textOf(node) !== '') return;
    setScalar(node, namespace.value, '!!str', namespace.node, recorder);
  };
  for (const resource of resources.all) {
    resource.storePreviousId();
    const { apiVersion, kind } = resource;
    if (!isClusterScoped(apiVersion, kind)) {
      eachField(resource, ownNamespace, 'scalar', namespace.node, set);
    }
    const isBinding = kind === 'RoleBinding' || kind === 'ClusterRoleBinding';
    if (isBinding) setSubjects(resource, namespace, subjects, set);
    for (const path of pathsOf(kind)) {
      const { spec } = path;
      if (spec.path === 'metadata/namespace') continue;
      if (spec.path === 'metadata/name' && apiVersion !== 'v1') continue;
      const isSubject = spec.path === 'subjects/namespace';
      if (isBinding && isSubject && (spec.kind === 'RoleBinding' || spec.kind === 'ClusterRoleBinding'))
        continue;
      eachField(resource, path, 'scalar', namespace.node, set);
    }
  }
  resources.idsChanged();
  const conflict = resources.findConflict();
  if (conflict) {
    const [one, other] = conflict;
    const first = one.node.source.positionAt(one.node.offset);
    refuse(
      'SL1009',
      `in namespace ${namespace.value} there are two resources ${other.describe()}`,
      namespace.node,
      {
        object: other.describe(),
        hint: `The other one is at ${first.file}:${first.line}.`,
      },
    );
  }
}

/** Of the subjects of a role binding usually only the one named `default` gets the namespace. */
function setSubjects(
  resource: Resource,
  namespace: Located<string>,
  chosen: SubjectMode,
  set: (node: YamlNode) => void,
): void {
  const subjects = fieldOf(resource.node, 'subjects');
  if (subjects?.kind !== 'sequence' || chosen === 'none') return;
  const [field, value] = chosen === 'defaultOnly' ? ['name', 'default'] : ['kind', 'ServiceAccount'];
  for (const subject of subjects.items) {
    if (subject.kind !== 'map' || textOf(fieldOf(subject, field)) !== value) continue;
    let entry = entryOf(subject, 'namespace');
    if (!entry) {
      entry = mapEntry(scalarNode('namespace', '', namespace.node), scalarNode('', '', namespace.node));
      subject.entries.push(entry);
    }
    set(entry.value);
  }
}

/** Kinds whose names are names of something else. */
const neverRenamed: readonly Partial<Gvk>[] = [
  { kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', kind: 'APIService' },
  { kind: 'Namespace' },
];

/** Puts a prefix before, or a suffix after, the names. */
export function addAffix(
  affix: Located<string>,
  isPrefix: boolean,
  specs: readonly FieldSpec[],
  resources: ResourceSet,
  build: Build,
): void {
  const recorder = recorderOf(build, isPrefix ? 'namePrefix' : 'nameSuffix');
  const paths = specs.map(fieldPath);
  for (const resource of resources.all) {
    const { originalId } = resource;
    if (neverRenamed.some((skipped) => isSelectedGvk(originalId, skipped))) continue;
    for (const path of paths) {
      const { spec } = path;
      if (!isSelectedGvk(originalId, spec)) continue;
      if (spec.path === 'metadata/name') {
        if (isPrefix) resource.addPrefix(affix.value);
        else resource.addSuffix(affix.value);
        if (affix.value !== '') resource.storePreviousId();
      }
      eachField(resource, path, 'scalar', affix.node, (node) => {
        // Of a null what is written for it.
        const text = textOf(node);
        setScalar(node, isPrefix ? affix.value + text : text + affix.value, '', affix.node, recorder);
      });
    }
  }
  resources.idsChanged();
}
