/** Who owns what: the controller reference of an object, and an index of objects by it. */

import {
  type Informer,
  type KubeObject,
  type LabelSelector,
  labelsMatch,
  type OwnerReference,
} from '../../kubernetes/index.ts';

export function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller);
}

export function controllerReference(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

export interface OwnerIndex<Kind extends KubeObject> {
  /** The objects whose controller has this uid. */
  ownedBy(uid: string | undefined): readonly Kind[];
  /** The objects of a namespace that no controller owns and the selector matches. */
  orphans(namespace: string | undefined, selector: LabelSelector): readonly Kind[];
}

/** Kept current by the informer, so that looking up what one owner has does not walk all objects. */
export function indexByOwner<Kind extends KubeObject>(informer: Informer<Kind>): OwnerIndex<Kind> {
  const owned = new Map<string, Map<string, Kind>>();
  const ownerOf = new Map<string, string>();
  informer.onChange(({ type, object }) => {
    const uid = object.metadata.uid ?? '';
    const before = ownerOf.get(uid);
    if (before !== undefined) {
      const siblings = owned.get(before);
      siblings?.delete(uid);
      if (siblings?.size === 0) owned.delete(before);
      ownerOf.delete(uid);
    }
    if (type === 'DELETED') return;
    const key = controllerOf(object)?.uid ?? `orphan in ${object.metadata.namespace}`;
    const siblings = owned.get(key) ?? new Map<string, Kind>();
    siblings.set(uid, object);
    owned.set(key, siblings);
    ownerOf.set(uid, key);
  });
  return {
    ownedBy: (uid) => [...(owned.get(uid ?? '')?.values() ?? [])],
    orphans: (namespace, selector) =>
      [...(owned.get(`orphan in ${namespace}`)?.values() ?? [])].filter(({ metadata }) =>
        labelsMatch(selector, metadata.labels),
      ),
  };
}
