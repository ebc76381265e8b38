/** What the parts of the API server share. */

import type { Store } from '../store/types.ts';
import type { OpenApiDocuments } from './discovery/open-api.ts';
import type { ApiCounters, ApiLimits } from './limits.ts';
import type { PodStreams } from './streams/pod-streams.ts';
import type { TypeCatalog } from './types/type-catalog.ts';

export interface ApiContext {
  readonly store: Store;
  readonly catalog: TypeCatalog;
  readonly openApi: OpenApiDocuments;
  readonly now: () => Date;
  readonly limits: ApiLimits;
  readonly counters: ApiCounters;
  readonly streams: PodStreams | undefined;
  /** Told of faults of ours; never of what a client did wrong. */
  readonly onError: (error: unknown) => void;
}
