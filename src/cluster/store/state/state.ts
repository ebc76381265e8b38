/** Where commits are kept beyond the life of the process. The store writes each before it counts. */

import type { KubeObject } from '../../../kubernetes/index.ts';

export interface StateRecord {
  readonly version: number;
  /** Qualified resource name, as `deployments.apps`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** Absent for a deletion. */
  readonly object: KubeObject | undefined;
}

export interface State {
  /** What an earlier run left, the version it had come to included. Called once, before the first `append`. */
  load(): { readonly version: number; readonly records: readonly StateRecord[] };
  /**
   * Returns when the record outlives this process. Throws where it cannot be written; the commit is then refused.
   * `json` is the object's text, already made.
   */
  append(record: StateRecord, json: string | undefined): void;
  /** Called after each commit: whether the log has outgrown the objects is the state's to judge. */
  compactIfDue(everything: () => Iterable<StateRecord>, version: number): void;
  close(): Promise<void>;
}
