/** The custom resources that come with the cluster. */

import {
  ApiError,
  customResourceDefinitions,
  equalJson,
  type KubeObject,
} from '../../../kubernetes/index.ts';
import type { Store } from '../../store/types.ts';
import { ownDefinitions } from './definitions.ts';

/**
 * Creates the definitions that are not there, and brings those up to date that an earlier version of sluice left. Those
 * that a user changed or applied stay as they are: whoever writes through the API is in `managedFields`, we are not.
 */
export async function installDefinitions(store: Store): Promise<void> {
  for (const definition of ownDefinitions) {
    const present = store.peek(customResourceDefinitions, undefined, definition.metadata.name);
    if (!present) await createUnlessPresent(store, definition);
    else if (!isTouched(present) && !equalJson(present.spec, definition.spec)) {
      await store.update(customResourceDefinitions, { ...definition, metadata: { ...definition.metadata } });
    }
  }
}

function isTouched({ metadata }: KubeObject): boolean {
  const { managedFields } = metadata as { managedFields?: unknown[] };
  return (managedFields?.length ?? 0) > 0;
}

async function createUnlessPresent(store: Store, definition: KubeObject): Promise<void> {
  try {
    await store.create(customResourceDefinitions, definition);
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error;
  }
}
