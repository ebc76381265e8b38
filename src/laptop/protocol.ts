/** What the launcher and the cluster process say to each other over the channel. */

import type { ImageProgram } from '../cluster/index.ts';
import type { EntryPoint } from '../ingress/index.ts';
import type { LaptopStatus } from './status.ts';

/** The part of a plan that is not an object. */
export interface ClusterSettings {
  readonly entryPoints: readonly EntryPoint[];
  readonly ingressService: string | undefined;
  readonly images: Readonly<Record<string, ImageProgram>>;
}

export interface ClusterStart extends ClusterSettings {
  readonly network: 'namespaces' | 'loopback';
  readonly hostAddress: string;
  /** Where pods' logs go. */
  readonly logDirectory: string;
  /** Where kubeconfigs go. */
  readonly stateDirectory: string;
  /** Where objects are kept across runs; absent: in memory only. */
  readonly objectState?: string;
  /** The words that start `sluice ingress`, which runs in place of the chart's image. */
  readonly ingressCommand: readonly string[];
  /** sluice.yaml as the user would name it, for the advice on images that are not mapped. */
  readonly settingsFile: string;
}

export interface AppliedObject {
  /** Its place in the list that was applied; undefined for an object that was pruned. */
  readonly index: number | undefined;
  readonly object: string;
  readonly outcome: 'created' | 'configured' | 'unchanged' | 'pruned' | 'failed';
  /** Why it failed, in the API's words. */
  readonly message?: string;
}

/** One log line, as the cluster process's logger made it. */
export interface LogRecord {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** pino's levels: 30 info, 40 warn, 50 error. */
  readonly level: number;
  readonly component?: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface ClusterNotices {
  log: LogRecord;
  status: LaptopStatus;
}
