/** What every controller is given, and the frame it lives in. */

import { ApiError, type ObjectApi, type ResourceType } from '../../kubernetes/index.ts';
import type { EventRecorder } from './events.ts';
import type { SharedInformers } from './informers.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

export interface ControllerContext {
  readonly api: ObjectApi;
  readonly informers: SharedInformers;
  readonly types: ServedTypes;
  readonly now: () => Date;
  readonly onError: (error: unknown) => void;
  recorder(component: string): EventRecorder;
}

/** The types that are served, and word of each change of the list. */
export interface ServedTypes {
  list(): readonly ResourceType[];
  onChange(listener: () => void): () => void;
}

export interface Controller {
  stop(): Promise<void>;
}

/** A conflict, or an object or namespace that went away meanwhile, is ordinary: the next try starts from what is there then. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const { reason, details } = error;
  if (['Conflict', 'NotFound', 'AlreadyExists', 'ServiceUnavailable'].includes(reason)) return true;
  return details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false;
}

/** A queue whose passing failures are tried again in silence. */
export function createControllerQueue(
  context: ControllerContext,
  handle: (key: string) => Promise<void>,
): WorkQueue {
  return createWorkQueue({
    handle,
    onError: (_key, error) => {
      if (!isPassing(error)) context.onError(error);
    },
  });
}

/** Resolves with undefined where the object is gone already. */
export async function unlessGone<Result>(request: Promise<Result>): Promise<Result | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}
