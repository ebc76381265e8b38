/** What the engine tells its workers, and what they tell it. */

import type { UdpDecision } from '../../route-table.ts';
import type { UdpEntryPoint } from '../../udp-engine.ts';
import type { EngineLogLevel } from '../engine-log.ts';
import type { NativeListener } from './native-entry-point.ts';

export interface WorkerSetup {
  /** Number of the worker. */
  readonly worker: number;
  /** The worker's part of a shared entry point. */
  readonly share: number;
  /** Wakes the worker for a command: an eventfd. */
  readonly wakeFd: number;
  /** See `FileLedger`. */
  readonly ledger: SharedArrayBuffer;
  /** Sockets towards endpoints that the worker may hold. */
  readonly maxChannels: number;
}

export interface OpenCommand {
  readonly kind: 'open';
  /** Tells entry points of one name apart, while one takes the place of another. */
  readonly serial: number;
  readonly entryPoint: UdpEntryPoint;
  readonly listeners: readonly NativeListener[];
  readonly seed: number;
  readonly decision: UdpDecision | undefined;
  /** 1 for an entry point whose only worker this is. */
  readonly share: number;
  readonly counters: SharedArrayBuffer;
  readonly errors: SharedArrayBuffer;
  /** Of the entry point's rate: the same for all workers. */
  readonly bucket: SharedArrayBuffer;
  /** Where to tell what became of sessions, if anybody asks. */
  readonly sessionLog?: SharedArrayBuffer;
}

/** Without `shared`: no more. */
export interface TapCommand {
  readonly kind: 'tap';
  readonly entryPoint: string;
  readonly shared?: SharedArrayBuffer;
  readonly every: number;
}

/** What is new for an entry point; without a decision, that it has none any more. */
export interface DecisionChange {
  readonly entryPoint: string;
  readonly decision: UdpDecision | undefined;
}

export type WorkerCommand = { readonly id: number } & (
  | OpenCommand
  | { readonly kind: 'shut'; readonly serial: number }
  | { readonly kind: 'apply'; readonly changes: readonly DecisionChange[] }
  | TapCommand
  | { readonly kind: 'stop' }
  /** For tests: the worker fails as a bug would have it fail. */
  | { readonly kind: 'crash' }
);

/** The endpoints of an entry point in a worker, and where their counters are. */
export interface EndpointsReport {
  readonly entryPoint: string;
  readonly serial: number;
  readonly counters: SharedArrayBuffer;
  readonly slots: readonly {
    readonly slot: number;
    readonly address: string;
    readonly port: number;
    readonly service: string;
    readonly pod?: string;
    readonly state: 'ready' | 'terminating';
  }[];
}

export type WorkerReport =
  | { readonly kind: 'done'; readonly id: number; readonly endpoints: readonly EndpointsReport[] }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'log'; readonly level: EngineLogLevel; readonly message: string };
